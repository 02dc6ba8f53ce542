//! The metrics of steering and failover, fed by nothing but `SteeringDecision`.
//!
//! States are one series each, transitions are counted, time in state is an integral: nothing is
//! lost between two scrapes, and nothing is averaged that cannot be.

use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use wanctl_core::{
    steering::{
        Blocker, Contributor, FailoverReason, Move, Rank, Reach, SteerReason, SteerState,
        SteeringDecision, SteeringMode,
    },
    units::MonoTime,
};

use crate::catalogue::{Catalogue, FloatCounter, Labels, Spec};

type Gauges = Family<Labels, Gauge>;
type Counters = Family<Labels, Counter>;

/// When these are there at all.
const STEERING: &str = "with steering";
/// The reasons for which new latency-sensitive connections take another WAN.
const MOVING: [SteerReason; 7] = [
    SteerReason::Steer,
    SteerReason::DefaultRouteDown,
    SteerReason::Return,
    SteerReason::AlternateDown,
    SteerReason::AlternateWorse,
    SteerReason::Override,
    SteerReason::FollowDefaultRoute,
];

/// Metrics of steering and failover.
#[derive(Debug, Clone)]
pub struct SteeringMetrics {
    active: Gauge,
    state: Gauges,
    state_time: Family<Labels, FloatCounter>,
    transitions: Counters,
    score: Gauges,
    contributors: Gauges,
    threshold: Gauge,
    decisions: Counters,
    blocked: Counters,
    failover_decisions: Counters,
    steered: Counters,
    failovers: Counters,
    target: Gauges,
    reach: Gauges,
    overridden: Gauge,
    before: Option<MonoTime>,
}

impl SteeringMetrics {
    /// Declares the metrics for these WANs, every series at zero.
    pub fn register(catalogue: &mut Catalogue, wans: &[String]) -> Self {
        let all = Self::declare(catalogue);
        all.zero_states();
        for reason in SteerReason::ALL.iter().copied() {
            drop(all.decisions.get_or_create(&one("reason", reason.code())));
        }
        for reason in FailoverReason::ALL.iter().copied() {
            drop(all.failover_decisions.get_or_create(&one("reason", reason.code())));
        }
        for blocker in Blocker::ALL.iter().copied() {
            drop(all.blocked.get_or_create(&one("blocker", blocker.code())));
        }
        for wan in wans {
            all.zero_wan(wan);
            for other in wans.iter().filter(|other| *other != wan) {
                for reason in MOVING {
                    drop(all.steered.get_or_create(&moved(wan, other, reason.code())));
                }
                for reason in FailoverReason::ALL.iter().copied().filter(|reason| reason.moves()) {
                    drop(all.failovers.get_or_create(&moved(wan, other, reason.code())));
                }
            }
        }
        all
    }

    fn zero_states(&self) {
        for state in SteerState::ALL.iter().copied() {
            drop(self.state.get_or_create(&one("state", state.name())));
            drop(self.state_time.get_or_create(&one("state", state.name())));
            for to in SteerState::ALL.iter().copied().filter(|to| *to != state) {
                drop(self.transitions.get_or_create(&transition(state, to)));
            }
        }
    }

    fn zero_wan(&self, wan: &str) {
        drop(self.score.get_or_create(&one("wan", wan)));
        for contributor in Contributor::ALL.iter().copied() {
            let labels = of_wan(wan, "contributor", contributor.code());
            drop(self.contributors.get_or_create(&labels));
        }
        for traffic in ["sensitive", "default"] {
            drop(self.target.get_or_create(&of_wan(wan, "traffic", traffic)));
        }
        for reach in Reach::ALL.iter().copied() {
            drop(self.reach.get_or_create(&of_wan(wan, "reach", reach.name())));
        }
    }

    fn declare(c: &mut Catalogue) -> Self {
        c.chapter("Steering and failover");
        let plain = |name, help| Spec::new(name, help).when(STEERING);
        Self {
            active: c
                .one(plain("wanctl_steering_active", "1 if decisions are applied to the router")),
            state: c.family(
                plain("wanctl_steering_state", "Steering state, 1 for the current one")
                    .by(&["state"]),
            ),
            state_time: c.family(
                plain("wanctl_steering_state_time_seconds_total", "Time in each steering state")
                    .by(&["state"]),
            ),
            transitions: c.family(
                plain("wanctl_steering_state_transitions_total", "Transitions between the states")
                    .by(&["from", "to"]),
            ),
            score: c.family(
                plain("wanctl_steering_score", "Evidence that the WAN is congested, 0 to 100")
                    .by(&["wan"]),
            ),
            contributors: c.family(
                plain(
                    "wanctl_steering_score_contribution",
                    "Points that the contributor adds to the WAN's score",
                )
                .by(&["wan", "contributor"]),
            ),
            threshold: c.one(plain(
                "wanctl_steering_score_threshold",
                "Score from which a WAN counts as congested; above 100 it is unreachable",
            )),
            decisions: c.family(
                plain(
                    "wanctl_steering_decisions_total",
                    "Decisions about new latency-sensitive connections by reason",
                )
                .by(&["reason"]),
            ),
            blocked: c.family(
                plain(
                    "wanctl_steering_blocked_total",
                    "Decisions that a blocker prevented, by blocker",
                )
                .by(&["blocker"]),
            ),
            failover_decisions: c.family(
                plain(
                    "wanctl_steering_failover_decisions_total",
                    "Decisions about the default route by reason",
                )
                .by(&["reason"]),
            ),
            steered: c.family(
                plain(
                    "wanctl_steering_moves_total",
                    "Moves of new latency-sensitive connections to another WAN, including those \
                     that observe mode did not apply",
                )
                .by(&["from", "to", "reason"]),
            ),
            failovers: c.family(
                plain(
                    "wanctl_wan_failovers_total",
                    "Moves of the default route to another WAN, including those that observe mode \
                     did not apply",
                )
                .by(&["from", "to", "reason"]),
            ),
            target: c.family(
                plain(
                    "wanctl_steering_target",
                    "1 for the WAN of latency-sensitive connections, and for that of the default \
                     route",
                )
                .by(&["wan", "traffic"]),
            ),
            reach: c.family(
                plain("wanctl_wan_reach", "Reachability of the WAN, 1 for the current value")
                    .by(&["wan", "reach"]),
            ),
            overridden: c
                .one(plain("wanctl_steering_override", "1 during an override by the operator")),
            before: None,
        }
    }

    /// Counts one decision.
    pub fn record(&mut self, decision: &SteeringDecision) {
        let SteeringDecision { at, mode, target, steer, failover, wans, .. } = decision;
        let passed = self.before.map_or(0.0, |before| at.since(before).as_secs_f64());
        self.before = Some(*at);
        self.active.set(i64::from(*mode == SteeringMode::Active));
        for state in SteerState::ALL.iter().copied() {
            let is_it = state == steer.state;
            self.state.get_or_create(&one("state", state.name())).set(i64::from(is_it));
        }
        self.state_time.get_or_create(&one("state", steer.state.name())).inc_by(passed);
        if let Some((from, to)) = steer.transition {
            self.transitions.get_or_create(&transition(from, to)).inc();
        }
        self.threshold.set(i64::from(steer.threshold));
        self.overridden.set(i64::from(steer.reason == SteerReason::Override));
        self.decisions.get_or_create(&one("reason", steer.reason.code())).inc();
        self.failover_decisions.get_or_create(&one("reason", failover.reason.code())).inc();
        for blocker in steer.blocker.iter().chain(&failover.blocker) {
            self.blocked.get_or_create(&one("blocker", blocker.code())).inc();
        }
        let moved = |change: Move, reason: &str| {
            let name = |rank: Rank| wans.get(rank.0).map_or("", |wan| wan.name.as_str());
            moved(name(change.from), name(change.to), reason)
        };
        if let Some(change) = steer.moved {
            self.steered.get_or_create(&moved(change, steer.reason.code())).inc();
        }
        if let Some(change) = failover.moved {
            self.failovers.get_or_create(&moved(change, failover.reason.code())).inc();
        }
        for (rank, wan) in wans.iter().enumerate().map(|(rank, wan)| (Rank(rank), wan)) {
            let flag = |family: &Gauges, labels: Labels, value| {
                family.get_or_create(&labels).set(i64::from(value));
            };
            self.score
                .get_or_create(&vec![("wan", wan.name.clone())])
                .set(i64::from(wan.score.points));
            for contributor in Contributor::ALL.iter().copied() {
                let given = wan.score.contributors.iter().find(|(each, _)| *each == contributor);
                let points = given.map_or(0, |(_, points)| *points);
                self.contributors
                    .get_or_create(&of_wan(&wan.name, "contributor", contributor.code()))
                    .set(i64::from(points));
            }
            for (traffic, to) in
                [("sensitive", target.sensitive), ("default", target.default_route)]
            {
                flag(&self.target, of_wan(&wan.name, "traffic", traffic), to == rank);
            }
            for reach in Reach::ALL.iter().copied() {
                flag(&self.reach, of_wan(&wan.name, "reach", reach.name()), wan.reach == reach);
            }
        }
    }
}

fn one(name: &'static str, value: &str) -> Labels {
    vec![(name, value.to_owned())]
}

fn transition(from: SteerState, to: SteerState) -> Labels {
    vec![("from", from.name().to_owned()), ("to", to.name().to_owned())]
}

fn moved(from: &str, to: &str, reason: &str) -> Labels {
    vec![("from", from.to_owned()), ("to", to.to_owned()), ("reason", reason.to_owned())]
}

fn of_wan(wan: &str, name: &'static str, value: &str) -> Labels {
    vec![("wan", wan.to_owned()), (name, value.to_owned())]
}
