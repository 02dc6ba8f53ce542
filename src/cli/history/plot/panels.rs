//! The charts of a link's behaviour.

use anyhow::bail;
use wanctl_core::{CongestionState, Direction, units::Delay};

use crate::{
    cli::history::human,
    history::{Bucket, DelayKind, Field, RateKind},
    plot::{Panel, Shape, Tone, Values},
};

/// More panels than that nobody looks at.
const MAX_PANELS: usize = 12;
/// The share of a column that may be unknown if the column is shown as green.
const MAX_UNKNOWN: f64 = 0.1;

/// Returns the added delay, and the rates of each direction that is shaped.
pub(super) fn defaults(buckets: &[Option<Bucket>]) -> Vec<Panel> {
    let is_shaped =
        |direction: &Direction| buckets.iter().flatten().any(|bucket| bucket.is_shaped(*direction));
    let shaped = Direction::ALL.into_iter().filter(is_shaped);
    let rates = shaped.map(|direction| rates(buckets, direction));
    std::iter::once(delays(buckets)).chain(rates).collect()
}

/// Returns a panel for each field.
///
/// # Errors
/// If they are too many.
pub(super) fn of_fields(
    fields: &[&'static Field],
    buckets: &[Option<Bucket>],
) -> Result<Vec<Panel>, anyhow::Error> {
    if fields.len() > MAX_PANELS {
        let named: Vec<&str> = fields.iter().map(|field| field.name()).collect();
        bail!(
            "--plot: {} metrics are more than the {MAX_PANELS} that fit; choose among {}",
            fields.len(),
            named.join(",")
        );
    }
    let panel = |field: &&'static Field| {
        let (unit, factor) = field.unit().for_people();
        let value = |bucket: &Bucket| field.value(bucket).map(|value| value as f64 / factor);
        let (direction, topic) = field.topic();
        let before =
            direction.map_or_else(String::new, |direction| format!("{} ", direction.name()));
        let unit = if unit.is_empty() { String::new() } else { format!(", {unit}") };
        let shape = line("", Tone::Main, values(buckets, value));
        let (low, high) = extent(&shape.values);
        panel(format!("{before}{}{unit}", topic.replace('_', " ")), vec![shape], (low, high))
    };
    Ok(fields.iter().map(panel).collect())
}

fn delays(buckets: &[Option<Bucket>]) -> Panel {
    let quantile = |quantile| {
        values(buckets, |bucket| bucket.quantile(DelayKind::Delta, quantile).map(Delay::millis))
    };
    let max = values(buckets, |bucket| bucket.delay(DelayKind::Delta).map(|s| s.max.millis()));
    let (_, highest) = extent(&max);
    // One spike must not flatten everything else: the title says how high it was.
    let typical = percentile(&max, 0.98) * 1.25;
    let title = format!("added delay, ms (highest {})", human::significant(highest));
    let shapes = vec![
        line("max", Tone::Soft, max),
        Shape { is_area: true, ..line("p95", Tone::Main, quantile(0.95)) },
        line("p50", Tone::Strong, quantile(0.5)),
    ];
    panel(title, shapes, (0.0, typical.min(highest)))
}

fn rates(buckets: &[Option<Bucket>], direction: Direction) -> Panel {
    let rate =
        |kind| values(buckets, |bucket| bucket.rate(direction, kind).map(|rate| rate.mean.mbps()));
    let shapes = vec![
        line("capacity", Tone::Soft, rate(RateKind::Capacity)),
        Shape { is_area: true, ..line("traffic", Tone::Main, rate(RateKind::Delivery)) },
        line("desired", Tone::Strong, rate(RateKind::Desired)),
    ];
    let high = shapes.iter().map(|shape| extent(&shape.values).1).fold(0.0, f64::max);
    let worst = |bucket: &Option<Bucket>| worst_state(bucket.as_ref()?, direction);
    let states = Some(buckets.iter().map(worst).collect());
    let mut all = Bucket::default();
    buckets.iter().flatten().for_each(|bucket| all.merge(bucket));
    let unknown = match all.unknown_share(direction) {
        0.0 => String::new(),
        share => format!(" (unknown {} of the time)", human::percent(share)),
    };
    let title = format!("{}, Mbit/s, and its worst state{unknown}", direction.name());
    Panel { states, ..panel(title, shapes, (0.0, high)) }
}

fn panel(title: String, shapes: Vec<Shape>, range: (f64, f64)) -> Panel {
    Panel { title, shapes, states: None, range, is_log: false }
}

fn line(label: &'static str, tone: Tone, values: Values) -> Shape {
    Shape { label, tone, is_area: false, values }
}

/// Returns the worst state that a direction had. What was green while it was measured is unknown if
/// more than `MAX_UNKNOWN` of the time was not.
fn worst_state(bucket: &Bucket, direction: Direction) -> Option<CongestionState> {
    let occurred = |state: &CongestionState| bucket.state_ms(direction, *state) > 0;
    let worst = CongestionState::ALL.into_iter().rev().find(occurred)?;
    let is_unknown = bucket.unknown_share(direction) > MAX_UNKNOWN;
    Some(if is_unknown { worst.worse(CongestionState::Unknown) } else { worst })
}

fn values(buckets: &[Option<Bucket>], of: impl Fn(&Bucket) -> Option<f64>) -> Values {
    buckets.iter().map(|bucket| bucket.as_ref().and_then(&of)).collect()
}

/// Returns the lowest value or 0, and the highest or 0.
fn extent(values: &Values) -> (f64, f64) {
    let known = values.iter().flatten();
    known.fold((0.0, 0.0), |(low, high), &value| (f64::min(low, value), f64::max(high, value)))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small share")]
fn percentile(values: &Values, share: f64) -> f64 {
    let mut known: Vec<f64> = values.iter().flatten().copied().collect();
    known.sort_by(f64::total_cmp);
    let place = ((known.len() as f64 * share) as usize).min(known.len().saturating_sub(1));
    known.get(place).copied().unwrap_or(0.0)
}
