//! What was decided for a direction, and how far the router has followed.

use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use wanctl_core::{
    CongestionState, Direction, DirectionCycle, Limits, Phase, Reason,
    units::{BitRate, MonoTime},
};

use super::{DIRECTION, absent::Absent, of_direction};
use crate::catalogue::{Catalogue, FloatCounter, FloatGauge, Labels, Spec};

/// The reasons that move a rate, each with where to. Whatever else moves one, such as other limits
/// in a changed configuration, is counted as `OTHER`.
const MOVES: [(Reason, &str); 8] = [
    (Reason::CutQueue, DECREASE),
    (Reason::CutCrossDirection, DECREASE),
    (Reason::CutCollapsed, DECREASE),
    (Reason::CutBypass, DECREASE),
    (Reason::RaiseShaperLimited, INCREASE),
    (Reason::RaiseRollback, INCREASE),
    (Reason::DecayUp, INCREASE),
    (Reason::DecayDown, DECREASE),
];
const INCREASE: &str = "increase";
const DECREASE: &str = "decrease";
const OTHER: &str = "other";

#[derive(Debug)]
pub(super) struct DirectionFamilies {
    state: Family<Labels, Gauge>,
    state_time: Family<Labels, FloatCounter>,
    transitions: Family<Labels, Counter>,
    decisions: Family<Labels, Counter>,
    phase: Family<Labels, Gauge>,
    rate: Family<Labels, FloatGauge>,
    applied: Family<Labels, FloatGauge>,
    capacity: Family<Labels, FloatGauge>,
    floor: Family<Labels, FloatGauge>,
    base: Family<Labels, FloatGauge>,
    ceiling: Family<Labels, FloatGauge>,
    allowance: Family<Labels, FloatCounter>,
    changes: Family<Labels, Counter>,
    writes: Family<Labels, Counter>,
    pending: Family<Labels, FloatGauge>,
    pending_time: Family<Labels, FloatCounter>,
}

impl DirectionFamilies {
    pub(super) fn register(c: &mut Catalogue) -> Self {
        let by_direction = |name, help| Spec::new(name, help).by(DIRECTION);
        let by_state = |name, help| Spec::new(name, help).by(&["wan", "direction", "state"]);
        c.chapter("Congestion and decisions");
        let state = c.family(by_state(
            "wanctl_controller_state",
            "Congestion state, 1 for the current state; unknown while no delay is measured",
        ));
        let state_time = c.family(by_state(
            "wanctl_controller_state_time_seconds_total",
            "Time spent in each congestion state",
        ));
        let transitions = c.family(
            Spec::new(
                "wanctl_controller_state_transitions_total",
                "Transitions between congestion states",
            )
            .by(&["wan", "direction", "from", "to"]),
        );
        let decisions = c.family(
            Spec::new("wanctl_decisions_total", "Cycles by the reason of the decision").by(&[
                "wan",
                "direction",
                "reason",
            ]),
        );
        let phase =
            c.family(
                Spec::new("wanctl_shaper_phase", "Phase of the policy, 1 for the current phase")
                    .by(&["wan", "direction", "phase"]),
            );
        c.chapter("Rates");
        Self {
            state,
            state_time,
            transitions,
            decisions,
            phase,
            rate: c
                .family(by_direction("wanctl_shaper_rate_bytes_per_second", "Desired shaper rate")),
            applied: c.family(
                by_direction(
                    "wanctl_shaper_rate_observed_bytes_per_second",
                    "Limit of the shaper that was last read from the router",
                )
                .when("once read"),
            ),
            capacity: c.family(
                by_direction(
                    "wanctl_link_capacity_estimate_bytes_per_second",
                    "Capacity estimate of the provider's link: the delivery rate at the last \
                     standing queue, or a higher delivery rate since then",
                )
                .when("once known"),
            ),
            floor: c.family(by_direction(
                "wanctl_shaper_rate_floor_bytes_per_second",
                "Configured floor: the lowest rate of a cut",
            )),
            base: c.family(by_direction(
                "wanctl_shaper_rate_base_bytes_per_second",
                "Configured base rate: the target of the idle decay",
            )),
            ceiling: c.family(by_direction(
                "wanctl_shaper_rate_ceiling_bytes_per_second",
                "Configured ceiling: the highest rate of a raise",
            )),
            allowance: c.family(by_direction(
                "wanctl_shaper_allowance_bytes_total",
                "Time integral of the desired rate; its rate() is the exact mean",
            )),
            changes: c.family(
                Spec::new(
                    "wanctl_shaper_rate_changes_total",
                    "Changes of the desired rate, by kind and reason; other: limits were reloaded",
                )
                .by(&["wan", "direction", "change", "reason"]),
            ),
            writes: c.family(by_direction(
                "wanctl_shaper_rate_writes_total",
                "Rate writes that the router confirmed",
            )),
            pending: c.family(by_direction(
                "wanctl_shaper_rate_pending_seconds",
                "Time since the router last enforced the desired rate, 0 while it does",
            )),
            pending_time: c.family(by_direction(
                "wanctl_shaper_rate_pending_time_seconds_total",
                "Total time in which the router did not enforce the desired rate",
            )),
        }
    }
}

#[derive(Debug)]
pub(super) struct DirectionMetrics {
    states: Vec<(CongestionState, Gauge, FloatCounter)>,
    transitions: Vec<(CongestionState, CongestionState, Counter)>,
    decisions: Vec<(Reason, Counter)>,
    phases: [(Phase, Gauge); Phase::ALL.len()],
    rate: FloatGauge,
    applied: Absent,
    capacity: Absent,
    floor: FloatGauge,
    base: FloatGauge,
    ceiling: FloatGauge,
    allowance: FloatCounter,
    moves: [(Reason, Counter); MOVES.len()],
    raised_otherwise: Counter,
    cut_otherwise: Counter,
    writes: Counter,
    pending: FloatGauge,
    pending_time: FloatCounter,
    /// The state and the count of writes of the cycle before.
    before: Option<(CongestionState, u64)>,
}

impl DirectionMetrics {
    pub(super) fn new(all: &DirectionFamilies, wan: &str, direction: Direction) -> Self {
        let with = |extra: &[(&'static str, &str)]| of_direction(wan, direction, extra);
        let of = |family: &Family<Labels, FloatGauge>| family.get_or_create_owned(&with(&[]));
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
        let changes = |change: &str, reason: &str| {
            all.changes.get_or_create_owned(&with(&[("change", change), ("reason", reason)]))
        };
        Self {
            states: states.to_vec(),
            transitions: transitions.collect(),
            decisions: decisions.to_vec(),
            phases: Phase::ALL.map(|phase| {
                let labels = with(&[("phase", phase.name())]);
                (phase, all.phase.get_or_create_owned(&labels))
            }),
            rate: of(&all.rate),
            applied: Absent::new(&all.applied, with(&[])),
            capacity: Absent::new(&all.capacity, with(&[])),
            floor: of(&all.floor),
            base: of(&all.base),
            ceiling: of(&all.ceiling),
            allowance: all.allowance.get_or_create_owned(&with(&[])),
            moves: MOVES.map(|(reason, change)| (reason, changes(change, reason.code()))),
            raised_otherwise: changes(INCREASE, OTHER),
            cut_otherwise: changes(DECREASE, OTHER),
            writes: all.writes.get_or_create_owned(&with(&[])),
            pending: of(&all.pending),
            pending_time: all.pending_time.get_or_create_owned(&with(&[])),
            before: None,
        }
    }

    pub(super) fn configure(&self, limits: Limits) {
        let Limits { floor, base, ceiling } = limits;
        for (gauge, rate) in [(&self.floor, floor), (&self.base, base), (&self.ceiling, ceiling)] {
            gauge.set(rate.bytes_per_second());
        }
    }

    /// `passed` is the time in seconds since the cycle before.
    pub(super) fn record(&mut self, reported: &DirectionCycle, now: MonoTime, passed: f64) {
        self.rate.set(reported.desired.bytes_per_second());
        self.applied.set(reported.actuation.observed.map(BitRate::bytes_per_second));
        self.capacity.set(reported.capacity.map(BitRate::bytes_per_second));
        self.allowance.inc_by(reported.previous.bytes_per_second() * passed);
        self.count_change(reported);
        if let Some((_, counter)) = self.decisions.iter().find(|(r, _)| *r == reported.reason) {
            counter.inc();
        }
        let pending = reported.actuation.pending_since.map(|since| now.since(since).as_secs_f64());
        self.pending.set(pending.unwrap_or(0.0));
        self.pending_time.inc_by(pending.map_or(0.0, |pending| pending.min(passed)));
        for (phase, gauge) in &self.phases {
            gauge.set(i64::from(*phase == reported.phase));
        }
        for (state, gauge, _) in &self.states {
            gauge.set(i64::from(*state == reported.state));
        }
        let before = self.before.replace((reported.state, reported.actuation.writes));
        let Some((state, writes)) = before else { return };
        self.writes.inc_by(reported.actuation.writes.saturating_sub(writes));
        if let Some((_, _, time)) = self.states.iter().find(|(s, ..)| *s == state) {
            time.inc_by(passed);
        }
        let entered = |(from, to, _): &&(_, _, Counter)| *from == state && *to == reported.state;
        if let Some((_, _, counter)) = self.transitions.iter().find(entered) {
            counter.inc();
        }
    }

    fn count_change(&self, reported: &DirectionCycle) {
        if reported.desired == reported.previous {
            return;
        }
        let change = if reported.desired > reported.previous { INCREASE } else { DECREASE };
        let reasons = MOVES.iter().zip(&self.moves);
        let mut moves = reasons.filter(|((_, expected), _)| *expected == change);
        let known = moves.find(|((reason, _), _)| *reason == reported.reason);
        let otherwise =
            if change == INCREASE { &self.raised_otherwise } else { &self.cut_otherwise };
        known.map_or(otherwise, |(_, (_, counter))| counter).inc();
    }
}
