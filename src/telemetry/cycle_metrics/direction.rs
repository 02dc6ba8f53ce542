//! A direction's decisions, its rates, and its shaper's queue.

use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram::Histogram};
use wanctl_core::{
    CongestionState, DirectionCycle, Limits, Phase, QueueReading, Reason,
    units::{BitRate, MonoTime},
};

use super::RTT_BUCKETS;
use crate::{
    catalogue::{Catalogue, FloatCounter, FloatGauge, Labels},
    telemetry::series::{Absent, By, LabelValue, Observation, Series, label_value, metrics, show},
};

const DIRECTION: &[&str] = &["wan", "direction"];
const STATE: &[&str] = &["wan", "direction", "state"];
const COUNTED: &str = "while the router's counters are fresh";

metrics! {
    CongestionMetrics of CongestionFamilies from DirectionCycle,
    "Congestion and decisions", by DIRECTION, when "";
    state: By<CongestionState, Gauge>, "wanctl_controller_state",
        "Congestion state, 1 for the current state; unknown while no delay is measured", by STATE
        => |seen| seen.new.state;
    state_time: By<CongestionState, FloatCounter>, "wanctl_controller_state_time_seconds_total",
        "Time spent in each congestion state", by STATE
        => |seen| seen.old.map(|old| (old.state, seen.passed));
    transitions: By<(CongestionState, CongestionState), Counter>,
        "wanctl_controller_state_transitions_total", "Transitions between congestion states",
        by &["wan", "direction", "from", "to"]
        => |seen| seen.old.map(|old| (old.state, seen.new.state));
    decisions: By<Reason, Counter>, "wanctl_decisions_total",
        "Cycles by the reason of the decision", by &["wan", "direction", "reason"]
        => |seen| seen.new.reason;
    phase: By<Phase, Gauge>, "wanctl_shaper_phase",
        "Phase of the policy, 1 for the current phase", by &["wan", "direction", "phase"]
        => |seen| seen.new.phase;
}

metrics! {
    RateMetrics of RateFamilies from DirectionCycle, "Rates", by DIRECTION, when "";
    rate: FloatGauge, "wanctl_shaper_rate_bytes_per_second", "Desired shaper rate"
        => |seen| seen.new.desired.bytes_per_second();
    observed: Absent<FloatGauge>, "wanctl_shaper_rate_observed_bytes_per_second",
        "Limit of the shaper that was last read from the router", when "once read"
        => |seen| seen.new.actuation.observed.map(BitRate::bytes_per_second);
    capacity: Absent<FloatGauge>, "wanctl_link_capacity_estimate_bytes_per_second",
        "Capacity estimate of the provider's link: the delivery rate at the last standing queue, \
         or a higher delivery rate since then",
        when "once known"
        => |seen| seen.new.capacity.map(BitRate::bytes_per_second);
    floor: FloatGauge, "wanctl_shaper_rate_floor_bytes_per_second",
        "Configured floor: the lowest rate of a cut";
    base: FloatGauge, "wanctl_shaper_rate_base_bytes_per_second",
        "Configured base rate: the target of the idle decay";
    ceiling: FloatGauge, "wanctl_shaper_rate_ceiling_bytes_per_second",
        "Configured ceiling: the highest rate of a raise";
    allowance: FloatCounter, "wanctl_shaper_allowance_bytes_total",
        "Time integral of the desired rate; its rate() is the exact mean"
        => |seen| seen.new.previous.bytes_per_second() * seen.passed;
    changes: By<Change, Counter>, "wanctl_shaper_rate_changes_total",
        "Changes of the desired rate, by kind and reason; other: limits were reloaded",
        by &["wan", "direction", "change", "reason"]
        => |seen| Change::of(seen.new);
    writes: Counter, "wanctl_shaper_rate_writes_total", "Rate writes that the router confirmed"
        => |seen| {
            let writes = seen.new.actuation.writes;
            seen.old.map_or(0, |old| writes.saturating_sub(old.actuation.writes))
        };
    pending: FloatGauge, "wanctl_shaper_rate_pending_seconds",
        "Time since the router last enforced the desired rate, 0 while it does"
        => |seen| pending(seen);
    pending_time: FloatCounter, "wanctl_shaper_rate_pending_time_seconds_total",
        "Total time in which the router did not enforce the desired rate"
        => |seen| pending(seen).min(seen.passed);
}

metrics! {
    QueueMetrics of QueueFamilies from DirectionCycle, "Queues", by DIRECTION, when "";
    delivery_rate: Absent<FloatGauge>, "wanctl_shaper_delivery_rate_bytes_per_second",
        "Delivery rate of the shaper, smoothed over 0.2 s", when COUNTED
        => |seen| seen.new.load.delivery_rate.map(BitRate::bytes_per_second);
    sent: Counter, "wanctl_shaper_sent_bytes_total", "Bytes that passed the shaper"
        => |seen| counted(seen, |queue| queue.bytes);
    packets: Counter, "wanctl_shaper_sent_packets_total", "Packets that passed the shaper"
        => |seen| counted(seen, |queue| queue.packets);
    dropped: Absent<Counter>, "wanctl_shaper_dropped_packets_total",
        "Packets that the shaper dropped",
        when "once the router has counted a drop, which RouterOS may never do for CAKE"
        => |seen| counted(seen, |queue| queue.dropped);
    backlog: Absent<FloatGauge>, "wanctl_shaper_backlog_bytes",
        "Backlog of the shaper in bytes", when COUNTED
        => |seen| Some(fresh(seen.new)?.backlog()?.bytes as f64);
    backlog_packets: Absent<FloatGauge>, "wanctl_shaper_backlog_packets",
        "Backlog of the shaper in packets", when COUNTED
        => |seen| Some(fresh(seen.new)?.backlog()?.packets as f64);
    // A queue without a limit has no rate at which it would drain.
    delay: Histogram, "wanctl_shaper_queue_delay_seconds",
        "Queueing delay of the shaper: backlog divided by the limit in force, once per cycle \
         while the router's counters are fresh",
        buckets &RTT_BUCKETS
        => |seen| {
            let queue = fresh(seen.new).filter(|queue| queue.limit > BitRate::ZERO)?;
            Some(queue.backlog()?.bytes as f64 / queue.limit.bytes_per_second())
        };
}

label_value!(CongestionState: "state", name, transitions);
label_value!(Reason: "reason", code);
label_value!(Phase: "phase", name);

/// A change of the desired rate; without a reason for what moves a rate otherwise, such as new
/// limits in a changed configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    is_increase: bool,
    reason: Option<Reason>,
}

impl Change {
    fn of(reported: &DirectionCycle) -> Option<Self> {
        let is_increase = reported.desired > reported.previous;
        let change = Self { is_increase, reason: Some(reported.reason) };
        let known = Self::all().contains(&change);
        let changed = reported.desired != reported.previous;
        changed.then_some(if known { change } else { Self { reason: None, ..change } })
    }
}

impl LabelValue for Change {
    fn all() -> Vec<Self> {
        let changes = |is_increase, reasons: &[Reason]| {
            let reasons = reasons.iter().copied().map(Some).chain([None]);
            reasons.map(move |reason| Self { is_increase, reason }).collect::<Vec<_>>()
        };
        let increases =
            changes(true, &[Reason::RaiseShaperLimited, Reason::RaiseRollback, Reason::DecayUp]);
        let decreases = changes(
            false,
            &[
                Reason::CutQueue,
                Reason::CutCrossDirection,
                Reason::CutCollapsed,
                Reason::CutBypass,
                Reason::DecayDown,
            ],
        );
        [increases, decreases].concat()
    }

    fn labels(self) -> Vec<(&'static str, &'static str)> {
        let change = if self.is_increase { "increase" } else { "decrease" };
        vec![("change", change), ("reason", self.reason.map_or("other", Reason::code))]
    }
}

/// For how many seconds the router has not enforced the desired rate.
fn pending(seen: &Observation<'_, DirectionCycle>) -> f64 {
    let since = seen.new.actuation.pending_since;
    since.map_or(0.0, |since| seen.at.since(since).as_secs_f64())
}

fn fresh(reported: &DirectionCycle) -> Option<QueueReading> {
    reported.queue.filter(|_| reported.load.delivery_rate.is_some())
}

/// What a counter of the queue has counted since the last reading. A counter that fell was reset:
/// it shows what it has counted since.
fn counted(seen: &Observation<'_, DirectionCycle>, count: fn(QueueReading) -> u64) -> u64 {
    let readings = seen.old.and_then(|old| old.queue).zip(seen.new.queue);
    readings.map_or(0, |(then, now)| count(now).checked_sub(count(then)).unwrap_or(count(now)))
}

#[derive(Debug)]
pub(super) struct DirectionFamilies(CongestionFamilies, RateFamilies, QueueFamilies);

impl DirectionFamilies {
    pub(super) fn register(c: &mut Catalogue) -> Self {
        let (congestion, rates) = (CongestionFamilies::register(c), RateFamilies::register(c));
        Self(congestion, rates, QueueFamilies::register(c))
    }
}

#[derive(Debug)]
pub(super) struct DirectionMetrics {
    congestion: CongestionMetrics,
    rates: RateMetrics,
    queue: QueueMetrics,
    /// The cycle before, with the last reading of the queue.
    before: Option<DirectionCycle>,
}

impl DirectionMetrics {
    pub(super) fn new(all: &DirectionFamilies, labels: &Labels) -> Self {
        Self {
            congestion: CongestionMetrics::new(&all.0, labels),
            rates: RateMetrics::new(&all.1, labels),
            queue: QueueMetrics::new(&all.2, labels),
            before: None,
        }
    }

    pub(super) fn configure(&self, limits: Limits) {
        let Limits { floor, base, ceiling } = limits;
        self.rates.floor.set(floor.bytes_per_second());
        self.rates.base.set(base.bytes_per_second());
        self.rates.ceiling.set(ceiling.bytes_per_second());
    }

    /// `passed` is the time in seconds since the cycle before.
    pub(super) fn record(&mut self, reported: &DirectionCycle, at: MonoTime, passed: f64) {
        let seen = Observation { new: reported, old: self.before.as_ref(), at, passed };
        self.congestion.record(&seen);
        self.rates.record(&seen);
        self.queue.record(&seen);
        let queue = reported.queue.or(self.before.and_then(|before| before.queue));
        self.before = Some(DirectionCycle { queue, ..*reported });
    }
}
