//! The handles of one direction of a WAN.

use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};

use super::{
    Before,
    families::{FloatCounter, FloatGauge, Labels, WanLabels},
};
use crate::{
    control::{CongestionState, Direction, DirectionCycle, Reason},
    units::{BitRate, MonoTime},
};

#[derive(Debug)]
pub(super) struct DirectionMetrics {
    rate: FloatGauge,
    /// Absent until the router was read.
    applied: Absent,
    achieved: Absent,
    backlog: Absent,
    allowance: FloatCounter,
    sent: Counter,
    /// Absent until the router has counted a drop, which it may never do.
    dropped: (Family<Labels, Counter>, Labels),
    increases: Counter,
    decreases: Counter,
    decisions: Vec<(Reason, Counter)>,
    pending: FloatGauge,
    writes: Counter,
    states: Vec<(CongestionState, Gauge, FloatCounter)>,
    transitions: Vec<(CongestionState, CongestionState, Counter)>,
}

/// A gauge that is not exported while its value is unknown.
#[derive(Debug)]
pub(super) struct Absent {
    family: Family<Labels, FloatGauge>,
    labels: Labels,
    /// The series, while it is exported.
    series: Option<FloatGauge>,
}

impl Absent {
    pub(super) fn new(family: &Family<Labels, FloatGauge>, labels: Labels) -> Self {
        Self { family: family.clone(), labels, series: None }
    }

    pub(super) fn set(&mut self, value: Option<f64>) {
        let Self { family, labels, series } = self;
        match value {
            Some(value) => {
                let known = series.get_or_insert_with(|| family.get_or_create_owned(labels));
                known.set(value);
            }
            None => {
                if series.take().is_some() {
                    family.remove(labels);
                }
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
            applied: Absent::new(&all.applied, base()),
            achieved: Absent::new(&all.achieved, base()),
            backlog: Absent::new(&all.backlog, base()),
            allowance: all.allowance.get_or_create_owned(&base()),
            sent: all.sent.get_or_create_owned(&base()),
            dropped: (all.dropped.clone(), base()),
            increases: change("increase"),
            decreases: change("decrease"),
            decisions: decisions.to_vec(),
            pending: all.pending.get_or_create_owned(&base()),
            writes: all.writes.get_or_create_owned(&base()),
            states: states.to_vec(),
            transitions: transitions.collect(),
        }
    }

    pub(super) fn record(
        &mut self,
        told: &DirectionCycle,
        now: MonoTime,
        before: Option<Before>,
        passed: f64,
    ) {
        let pending = told.actuation.pending_since.map(|since| now.since(since).as_secs_f64());
        self.pending.set(pending.unwrap_or(0.0));
        self.rate.set(told.desired.bytes_per_second());
        self.applied.set(told.actuation.observed.map(BitRate::bytes_per_second));
        self.achieved.set(told.load.achieved.map(BitRate::bytes_per_second));
        self.allowance.inc_by(told.previous.bytes_per_second() * passed);
        let backlog = told.queue.filter(|_| told.load.achieved.is_some());
        self.backlog.set(backlog.map(|queue| queue.backlog_bytes as f64));
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
        if let (Some(now), Some(then)) = (told.queue, before.queue) {
            self.sent.inc_by(since(then.bytes, now.bytes));
            let dropped = since(then.dropped, now.dropped);
            if dropped > 0 {
                let (family, labels) = &self.dropped;
                family.get_or_create(labels).inc_by(dropped);
            }
        }
    }
}

/// What a counter has counted since it stood at `then`. One that fell was reset: what it shows has
/// been counted since.
fn since(then: u64, now: u64) -> u64 {
    now.checked_sub(then).unwrap_or(now)
}
