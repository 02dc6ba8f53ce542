//! The metrics of one direction of a WAN.

use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};

use super::{FloatCounter, FloatGauge, Labels, WanLabels};
use crate::{
    control::{CongestionState, Direction, DirectionCycle, Reason},
    units::BitRate,
};

/// The handles of one direction.
#[derive(Debug)]
pub(super) struct DirectionMetrics {
    rate: FloatGauge,
    /// Absent until the router was read.
    applied: Absent,
    achieved: Absent,
    backlog: Gauge,
    allowance: FloatCounter,
    sent: Counter,
    increases: Counter,
    decreases: Counter,
    decisions: Vec<(Reason, Counter)>,
    writes: Counter,
    states: Vec<(CongestionState, Gauge, FloatCounter)>,
    transitions: Vec<(CongestionState, CongestionState, Counter)>,
}

/// What of the cycle before is needed to count what happened since.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    state: CongestionState,
    bytes: Option<u64>,
    writes: u64,
}

impl Before {
    pub(super) fn of(told: &DirectionCycle) -> Self {
        let bytes = told.queue.map(|queue| queue.bytes);
        Self { state: told.state, bytes, writes: told.actuation.writes }
    }
}

/// A gauge that is not exported while its value is unknown.
#[derive(Debug)]
struct Absent {
    family: Family<Labels, FloatGauge>,
    labels: Labels,
}

impl Absent {
    fn set(&self, value: Option<f64>) {
        match value {
            Some(value) => {
                self.family.get_or_create(&self.labels).set(value);
            }
            None => {
                self.family.remove(&self.labels);
            }
        }
    }
}

impl DirectionMetrics {
    pub(super) fn new(all: &WanLabels, wan: &str, direction: Direction) -> Self {
        let base = || vec![("wan", wan.to_owned()), ("direction", direction.name().to_owned())];
        let with = |extra: &[(&'static str, &str)]| {
            let mut labels = base();
            labels.extend(extra.iter().map(|(name, value)| (*name, (*value).to_owned())));
            labels
        };
        let states = CongestionState::ALL.map(|state| {
            let labels = with(&[("state", state.name())]);
            let gauge = all.state.get_or_create_owned(&labels);
            (state, gauge, all.state_time.get_or_create_owned(&labels))
        });
        let pairs = CongestionState::ALL.iter().flat_map(|from| {
            CongestionState::ALL.iter().filter(move |to| *to != from).map(move |to| (*from, *to))
        });
        let transitions = pairs.map(|(from, to)| {
            let labels = with(&[("from", from.name()), ("to", to.name())]);
            (from, to, all.transitions.get_or_create_owned(&labels))
        });
        let decisions = Reason::ALL.map(|reason| {
            let labels = with(&[("reason", reason.code())]);
            (reason, all.decisions.get_or_create_owned(&labels))
        });
        let change = |kind| all.changes.get_or_create_owned(&with(&[("change", kind)]));
        Self {
            rate: all.rate.get_or_create_owned(&base()),
            applied: Absent { family: all.applied.clone(), labels: base() },
            achieved: Absent { family: all.achieved.clone(), labels: base() },
            backlog: all.backlog.get_or_create_owned(&base()),
            allowance: all.allowance.get_or_create_owned(&base()),
            sent: all.sent.get_or_create_owned(&base()),
            increases: change("increase"),
            decreases: change("decrease"),
            decisions: decisions.to_vec(),
            writes: all.writes.get_or_create_owned(&base()),
            states: states.to_vec(),
            transitions: transitions.collect(),
        }
    }

    pub(super) fn record(&self, told: &DirectionCycle, before: Option<Before>, passed: f64) {
        self.rate.set(told.desired.bytes_per_second());
        self.applied.set(told.actuation.observed.map(BitRate::bytes_per_second));
        self.achieved.set(told.load.achieved.map(BitRate::bytes_per_second));
        self.allowance.inc_by(told.previous.bytes_per_second() * passed);
        if let Some(queue) = told.queue {
            self.backlog.set(i64::try_from(queue.backlog_bytes).unwrap_or(i64::MAX));
        }
        self.increases.inc_by(u64::from(told.desired > told.previous));
        self.decreases.inc_by(u64::from(told.desired < told.previous));
        if let Some((_, counter)) = self.decisions.iter().find(|(r, _)| *r == told.reason) {
            counter.inc();
        }
        for (state, gauge, _) in &self.states {
            gauge.set(i64::from(*state == told.state));
        }
        let Some(before) = before else { return };
        if let Some((_, _, time)) = self.states.iter().find(|(s, ..)| *s == before.state) {
            time.inc_by(passed);
        }
        let entered = |(from, to, _): &&(_, _, Counter)| *from == before.state && *to == told.state;
        if let Some((_, _, counter)) = self.transitions.iter().find(entered) {
            counter.inc();
        }
        self.writes.inc_by(told.actuation.writes.saturating_sub(before.writes));
        if let (Some(now), Some(then)) = (told.queue.map(|queue| queue.bytes), before.bytes) {
            // A counter that fell was reset: what it shows has passed since.
            self.sent.inc_by(now.checked_sub(then).unwrap_or(now));
        }
    }
}
