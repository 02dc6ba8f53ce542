//! The differences, for people and for programs.

use std::{collections::BTreeMap, io};

use serde_json::{Value, json};
use wanctl_core::units::BitRate;

use crate::{
    cli::output::say,
    recording::{Comparison, Difference, Outcome, ReplayCounts, WanOutcome},
};

/// The shares of time for which a rate is shown.
const QUANTILES: [(&str, f64); 3] = [("p5", 0.05), ("p50", 0.5), ("p95", 0.95)];

/// Prints a table. `is_repeat`: nothing was to be other than recorded.
pub(super) fn table(outcome: &Outcome, is_repeat: bool) -> io::Result<()> {
    if outcome.version != env!("CARGO_PKG_VERSION") {
        say(format!(
            "recorded by wanctl {}, replayed by {}",
            outcome.version,
            env!("CARGO_PKG_VERSION")
        ))?;
    }
    if let Some(line) = outcome.torn {
        say(format!("line {line} is incomplete, as after a crash; the lines before it are used"))?;
    } else if outcome.end.is_none() {
        say("the recording has no end: it is still being written, or wanctl was killed")?;
    }
    for wan in &outcome.wans {
        print(wan)?;
    }
    match (outcome.is_identical(), is_repeat) {
        (true, true) => say("identical"),
        (true, false) => say("identical: the changed settings have no effect on this recording"),
        (false, _) => Ok(()),
    }
}

fn print(wan: &WanOutcome) -> io::Result<()> {
    say(format!("{}: {} cycles in {:.1} s", wan.name, wan.cycles, wan.span.as_secs_f64()))?;
    if wan.missing > 0 {
        say(format!(
            "  {} cycles were not recorded: decisions after them may differ",
            wan.missing
        ))?;
    }
    for (direction, compared) in wan.directions.present() {
        let Comparison { cycles, differing, first, recorded, replayed } = compared;
        let name = direction.name();
        let Some(first) = first else {
            say(format!("  {name:<8}  no decision differs"))?;
            continue;
        };
        let share = 100.0 * *differing as f64 / (*cycles).max(1) as f64;
        say(format!("  {name:<8}  {differing} of {cycles} decisions differ ({share:.1} %)"))?;
        let Difference { line, after, recorded: was, replayed: is } = first;
        say(format!("    first at {:.2} s, line {line}", after.as_secs_f64()))?;
        say(format!("      recorded  {}, {}, {}", was.0, was.1, was.2))?;
        say(format!("      replayed  {}, {}, {}", is.0, is.1, is.2))?;
        say(format!("    {:<9}  {:>12}  {:>12}", "", "recorded", "replayed"))?;
        row("mean", recorded.rates.mean(), replayed.rates.mean())?;
        for (name, quantile) in QUANTILES {
            row(name, recorded.rates.quantile(quantile), replayed.rates.quantile(quantile))?;
        }
        counts("cuts", &recorded.cuts, &replayed.cuts)?;
        counts("raises", &recorded.raises, &replayed.raises)?;
    }
    Ok(())
}

fn row(name: &str, recorded: BitRate, replayed: BitRate) -> io::Result<()> {
    say(format!("    {name:<9}  {:>12}  {:>12}", recorded.to_string(), replayed.to_string()))
}

fn counts(
    kind: &str,
    recorded: &BTreeMap<String, u64>,
    replayed: &BTreeMap<String, u64>,
) -> io::Result<()> {
    let mut reasons: Vec<&String> = recorded.keys().chain(replayed.keys()).collect();
    reasons.sort();
    reasons.dedup();
    let of = |counts: &BTreeMap<String, u64>, reason| counts.get(reason).copied().unwrap_or(0);
    for reason in reasons {
        let (was, is) = (of(recorded, reason), of(replayed, reason));
        say(format!("    {kind:<9}  {was:>12}  {is:>12}  {reason}"))?;
    }
    Ok(())
}

/// Prints one JSON object.
pub(super) fn json(outcome: &Outcome) -> io::Result<()> {
    let wans = outcome.wans.iter().map(|wan| {
        json!({
            "name": wan.name,
            "cycles": wan.cycles,
            "missing_cycles": wan.missing,
            "span_s": wan.span.as_secs_f64(),
            "download": wan.directions.download.as_ref().map(comparison),
            "upload": wan.directions.upload.as_ref().map(comparison),
        })
    });
    let whole = json!({
        "recorded_by": outcome.version,
        "replayed_by": env!("CARGO_PKG_VERSION"),
        "identical": outcome.is_identical(),
        "end": outcome.end,
        "torn_line": outcome.torn,
        "wans": wans.collect::<Vec<_>>(),
    });
    say(whole.to_string())
}

fn comparison(compared: &Comparison) -> Value {
    let decision = |(rate, reason, state): &(BitRate, String, String)| json!({"rate_mbps": rate.mbps(), "reason": reason, "state": state});
    json!({
        "differing": compared.differing,
        "first": compared.first.as_ref().map(|first| json!({
            "line": first.line,
            "after_s": first.after.as_secs_f64(),
            "recorded": decision(&first.recorded),
            "replayed": decision(&first.replayed),
        })),
        "recorded": reported(&compared.recorded),
        "replayed": reported(&compared.replayed),
    })
}

fn reported(reported: &ReplayCounts) -> Value {
    let mut value = json!({
        "mean_mbps": reported.rates.mean().mbps(),
        "cuts": reported.cuts,
        "raises": reported.raises,
    });
    for (name, quantile) in QUANTILES {
        value[format!("{name}_mbps")] = json!(reported.rates.quantile(quantile).mbps());
    }
    value
}
