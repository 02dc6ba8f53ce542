//! A span of time in a few figures.

use std::{
    io::{self, Write},
    time::Duration,
};

use wanctl_core::{
    CongestionState, Direction, MeasurementState, ProbeMethod,
    units::{BitRate, Delay},
};

use super::{
    QueryContext, human,
    sums::{Group, over},
};
use crate::{
    history::{Bucket, DelayKind, Field, RateKind},
    router::visible,
};

pub(super) fn print(
    out: &mut dyn Write,
    asking: &QueryContext,
    groups: &[Group],
    limit: Delay,
) -> io::Result<()> {
    let asked = asking.question.to.micros().saturating_sub(asking.question.from.micros());
    for (place, Group { wan, key, sum }) in groups.iter().enumerate() {
        let above = if place > 0 { "\n" } else { "" };
        writeln!(out, "{above}{}, {key}", visible(wan))?;
        if sum.cycles() == 0 {
            writeln!(out, "  nothing is recorded")?;
            continue;
        }
        whole(out, sum, Duration::from_micros(asked.unsigned_abs()))?;
        delays(out, sum, limit)?;
        for direction in Direction::ALL.into_iter().filter(|direction| sum.is_shaped(*direction)) {
            self::direction(out, sum, direction)?;
        }
    }
    Ok(())
}

/// Returns the value of a field that counts.
fn count(sum: &Bucket, field: &str) -> u64 {
    let value = Field::named(field).and_then(|field| field.value(sum));
    value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0)
}

fn whole(out: &mut dyn Write, sum: &Bucket, asked: Duration) -> io::Result<()> {
    let (sent, lost) = (count(sum, "probes_sent"), count(sum, "probes_lost"));
    let lost_share = human::percent(lost as f64 / sent.max(1) as f64);
    writeln!(
        out,
        "  recorded     {} of {}: {}, {}, {}, {}",
        human::length(Duration::from_millis(sum.span_ms())),
        human::length(asked),
        human::counted(sum.cycles(), "cycle", "cycles"),
        human::counted(sum.gaps(), "gap", "gaps"),
        human::counted(count(sum, "skipped"), "tick dropped", "ticks dropped"),
        human::counted(count(sum, "overruns"), "overrun", "overruns")
    )?;
    let (sent, lost) = (human::count(sent), human::count(lost));
    writeln!(out, "  probes       {lost} of {sent} lost ({lost_share})")?;
    let states = MeasurementState::ALL.map(|state| (state.name(), sum.measurement_ms(state)));
    writeln!(out, "  measurement  {}", shares(&states))?;
    let methods = shares(&ProbeMethod::ALL.map(|method| (method.name(), sum.method_ms(method))));
    let methods = if methods.is_empty() { "no reply was measured" } else { &methods };
    writeln!(out, "  method       {methods}")
}

fn delays(out: &mut dyn Write, sum: &Bucket, limit: Delay) -> io::Result<()> {
    writeln!(out, "\n  delay in ms       min     mean      p50      p95      p99      max")?;
    for (name, kind) in [("round trip", DelayKind::Rtt), ("added", DelayKind::Delta)] {
        let Some(stats) = sum.delay(kind) else {
            writeln!(out, "  {name:<12}  not measured")?;
            continue;
        };
        let at = |quantile| sum.quantile(kind, quantile).unwrap_or_default();
        let values = [stats.min, stats.mean, at(0.5), at(0.95), at(0.99), stats.max];
        let values = values.map(|delay| format!("{:7.1}", delay.millis())).join("  ");
        writeln!(out, "  {name:<12}  {values}")?;
    }
    if let Some(noise) = Field::named("noise_mean_us").and_then(|field| field.value(sum)) {
        writeln!(out, "  noise        {:16.1}", Delay::from_micros(noise).millis())?;
    }
    if let Some((share, millis)) = over(sum, limit) {
        let (limit, share) = (limit.millis(), human::percent(share));
        let minutes = millis / 60_000.0;
        writeln!(
            out,
            "  added more than {limit} ms for {minutes:.1} min, {share} of the measured time"
        )?;
    }
    Ok(())
}

fn direction(out: &mut dyn Write, sum: &Bucket, direction: Direction) -> io::Result<()> {
    let name = format!("{} in Mbit/s", direction.name());
    writeln!(out, "\n  {name:<18}  min     mean      max")?;
    for (name, kind) in [
        ("desired", RateKind::Desired),
        ("on the router", RateKind::Observed),
        ("traffic", RateKind::Delivery),
        ("capacity", RateKind::Capacity),
    ] {
        let Some(rates) = sum.rate(direction, kind) else {
            writeln!(out, "  {name:<14}  not known")?;
            continue;
        };
        let values = [rates.min, rates.mean, rates.max];
        let values = values.map(|rate: BitRate| format!("{:>7}", human::significant(rate.mbps())));
        writeln!(out, "  {name:<14}{}", values.join("  "))?;
    }
    writeln!(out, "  state         {}", states(sum, direction))?;
    let of = |what: &str| count(sum, &format!("{}_{what}", direction.name()));
    let sums = ["packets", "drops", "cuts", "raises", "writes"].map(|what| human::count(of(what)));
    let [packets, drops, cuts, raises, writes] = sums;
    let bytes = human::bytes(of("bytes"));
    writeln!(out, "  carried       {bytes} in {packets} packets, {drops} dropped")?;
    writeln!(out, "  rate          {cuts} cuts, {raises} raises, {writes} writes")
}

/// Returns the congestion states' shares of the measured time, and how much was not measured.
fn states(sum: &Bucket, direction: Direction) -> String {
    let time = |state: CongestionState| (state.name(), sum.state_ms(direction, state));
    let measured = shares(&CongestionState::MEASURED.map(time));
    let (name, unknown) = time(CongestionState::Unknown);
    if unknown == 0 {
        return measured;
    }
    let share = human::percent(sum.unknown_share(direction));
    let unknown = format!(
        "{name} for {} ({share} of the time)",
        human::length(Duration::from_millis(unknown))
    );
    if measured.is_empty() {
        unknown
    } else {
        format!("{measured} of the measured time; {unknown}")
    }
}

/// Returns each state's share of the time, and the time in it; those that did not occur are left
/// out.
fn shares(states: &[(&str, u64)]) -> String {
    let whole = states.iter().map(|(_, millis)| millis).sum::<u64>().max(1) as f64;
    let occurred = states.iter().filter(|(_, millis)| *millis > 0);
    let shown = occurred.map(|&(name, millis)| {
        let share = human::percent(millis as f64 / whole);
        format!("{name} {share} ({})", human::length(Duration::from_millis(millis)))
    });
    shown.collect::<Vec<_>>().join(", ")
}
