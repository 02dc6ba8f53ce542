//! What is drawn: values over columns of time, without a word about where.

use anyhow::bail;
use wanctl_core::{CongestionState, Direction, units::Delay};

use crate::{
    cli::history::human,
    history::{Bucket, DelayKind, Field, RateKind},
};

/// More panels than that nobody looks at.
const MOST_PANELS: usize = 12;
/// The share of a column that may be unknown if the column is shown as green.
const MOST_UNKNOWN: f64 = 0.1;

/// A value for each column; `None` where nothing is known.
pub(super) type Values = Vec<Option<f64>>;

/// One chart of a picture.
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) shapes: Vec<Shape>,
    /// The worst state of each column.
    pub(super) states: Option<Vec<Option<CongestionState>>>,
    /// The lowest and the highest value that is drawn; what is beyond is cut off.
    pub(super) range: (f64, f64),
}

/// A row of values, and how they are drawn.
pub(super) struct Shape {
    pub(super) label: &'static str,
    pub(super) tone: Tone,
    pub(super) is_area: bool,
    pub(super) values: Values,
}

/// A colour by its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// What is typical.
    Main,
    /// What is drawn behind it.
    Soft,
    /// What stands out.
    Strong,
    /// A congestion state.
    State(CongestionState),
}

/// Returns the panels that tell how a link behaves: added delay, then each direction that is shaped.
pub(super) fn usual(buckets: &[Option<Bucket>]) -> Vec<Panel> {
    let mut panels = vec![delays(buckets)];
    let is_shaped =
        |direction: &Direction| buckets.iter().flatten().any(|bucket| bucket.is_shaped(*direction));
    let shaped = Direction::ALL.into_iter().filter(is_shaped);
    panels.extend(shaped.map(|direction| rates(buckets, direction)));
    panels
}

/// Returns a panel for each field.
///
/// # Errors
/// If they are too many.
pub(super) fn of_fields(
    fields: &[&'static Field],
    buckets: &[Option<Bucket>],
) -> Result<Vec<Panel>, anyhow::Error> {
    if fields.len() > MOST_PANELS {
        let named: Vec<&str> = fields.iter().map(|field| field.name()).collect();
        bail!(
            "--plot: {} metrics are more than the {MOST_PANELS} that fit; choose among {}",
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
        let title = format!("{before}{}{unit}", topic.replace('_', " "));
        let shape =
            Shape { label: "", tone: Tone::Main, is_area: false, values: values(buckets, value) };
        let (low, high) = extent(&shape.values);
        Panel { title, shapes: vec![shape], states: None, range: (low.min(0.0), high) }
    };
    Ok(fields.iter().map(panel).collect())
}

fn delays(buckets: &[Option<Bucket>]) -> Panel {
    let quantile = |quantile| {
        values(buckets, |bucket| bucket.quantile(DelayKind::Delta, quantile).map(Delay::millis))
    };
    let max = values(buckets, |bucket| bucket.delay(DelayKind::Delta).map(|s| s.max.millis()));
    let (_, highest) = extent(&max);
    let shapes = vec![
        Shape { label: "max", tone: Tone::Soft, is_area: false, values: max },
        Shape { label: "p95", tone: Tone::Main, is_area: true, values: quantile(0.95) },
        Shape { label: "p50", tone: Tone::Strong, is_area: false, values: quantile(0.5) },
    ];
    // One spike must not flatten all the rest: the title tells how high it was.
    let usual = percentile(&shapes[0].values, 0.98) * 1.25;
    let title = format!("added delay, ms (highest {})", human::significant(highest));
    Panel { title, range: (0.0, usual.min(highest)), shapes, states: None }
}

fn rates(buckets: &[Option<Bucket>], direction: Direction) -> Panel {
    let rate =
        |kind| values(buckets, |bucket| bucket.rate(direction, kind).map(|rate| rate.mean.mbps()));
    let mut shapes = vec![
        Shape {
            label: "traffic",
            tone: Tone::Main,
            is_area: true,
            values: rate(RateKind::Achieved),
        },
        Shape {
            label: "desired",
            tone: Tone::Strong,
            is_area: false,
            values: rate(RateKind::Desired),
        },
    ];
    let capacity = rate(RateKind::Capacity);
    shapes
        .insert(0, Shape { label: "capacity", tone: Tone::Soft, is_area: false, values: capacity });
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
    Panel { title, shapes, states, range: (0.0, high) }
}

/// Returns the worst state that a direction had. What was green while it was measured is unknown if
/// more than `MOST_UNKNOWN` of the time was not.
fn worst_state(bucket: &Bucket, direction: Direction) -> Option<CongestionState> {
    let occurred = |state: &CongestionState| bucket.state_ms(direction, *state) > 0;
    let worst = CongestionState::ALL.into_iter().rev().find(occurred)?;
    let is_unknown = bucket.unknown_share(direction) > MOST_UNKNOWN;
    Some(if is_unknown { worst.worse(CongestionState::Unknown) } else { worst })
}

fn values(buckets: &[Option<Bucket>], of: impl Fn(&Bucket) -> Option<f64>) -> Values {
    buckets.iter().map(|bucket| bucket.as_ref().and_then(&of)).collect()
}

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
