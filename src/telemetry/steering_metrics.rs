//! The metrics of steering and failover, fed by nothing but `SteeringDecision`.
//!
//! States are one series each, transitions are counted, time in state is an integral: nothing is
//! lost between two scrapes, and nothing is averaged that cannot be.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::{
    steering::{
        Blocker, Contributor, FailoverReason, Move, Rank, Reach, SteerReason, SteerState,
        SteeringDecision, SteeringMode,
    },
    units::MonoTime,
};

type Labels = Vec<(&'static str, String)>;
type Gauges = Family<Labels, Gauge>;
type Counters = Family<Labels, Counter>;
type FloatCounter = Counter<f64, AtomicU64>;

/// Metrics of steering and failover.
#[derive(Debug, Clone, Default)]
pub struct SteeringMetrics {
    active: Gauge,
    state: Gauges,
    state_seconds: Family<Labels, FloatCounter>,
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
    /// Declares the metrics in `registry` for these WANs, every series at zero.
    pub fn register(registry: &mut Registry, wans: &[String]) -> Self {
        let all = Self::default();
        all.clone().declare(registry);
        for state in SteerState::ALL {
            drop(all.state.get_or_create(&one("state", state.name())));
            drop(all.state_seconds.get_or_create(&one("state", state.name())));
        }
        for reason in SteerReason::ALL {
            drop(all.decisions.get_or_create(&one("reason", reason.code())));
        }
        for reason in FailoverReason::ALL {
            drop(all.failover_decisions.get_or_create(&one("reason", reason.code())));
        }
        for blocker in Blocker::ALL {
            drop(all.blocked.get_or_create(&one("blocker", blocker.code())));
        }
        for wan in wans {
            for contributor in Contributor::ALL {
                drop(all.contributors.get_or_create(&of_wan(
                    wan,
                    "contributor",
                    contributor.code(),
                )));
            }
        }
        all
    }

    fn declare(self, registry: &mut Registry) {
        registry.register("steering_active", "1 if steering is carried out", self.active);
        registry.register("steering_state", "1 for the state that steering is in", self.state);
        registry.register("steering_state_seconds", "Time in each state", self.state_seconds);
        registry.register("steering_state_transitions", "Changes of state", self.transitions);
        registry.register(
            "steering_score",
            "How sure it is that a WAN suffers, 0 to 100",
            self.score,
        );
        registry.register(
            "steering_score_contribution",
            "Points that a contributor adds to a WAN's score",
            self.contributors,
        );
        registry.register(
            "steering_score_threshold",
            "The score from which a WAN suffers; above 100 it is out of reach",
            self.threshold,
        );
        registry.register(
            "steering_decisions",
            "Decisions about new latency-sensitive connections by reason",
            self.decisions,
        );
        registry.register(
            "steering_blocked",
            "Decisions that were kept from being acted upon, by what did",
            self.blocked,
        );
        registry.register(
            "steering_failover_decisions",
            "Decisions about everything else by reason",
            self.failover_decisions,
        );
        registry.register(
            "steering_moves",
            "Times that new latency-sensitive connections took another WAN, or would have",
            self.steered,
        );
        registry.register(
            "wan_failovers",
            "Times that everything took another WAN, or would have",
            self.failovers,
        );
        registry.register(
            "steering_target",
            "1 for the WAN of sensitive connections, and for that of the rest",
            self.target,
        );
        registry.register("wan_reach", "1 for what is known of a WAN's reachability", self.reach);
        registry.register(
            "steering_override",
            "1 while the operator has chosen the WAN of sensitive connections",
            self.overridden,
        );
    }

    /// Counts one decision.
    pub fn record(&mut self, decision: &SteeringDecision) {
        let SteeringDecision { at, mode, target, steer, failover, wans, .. } = decision;
        let passed = self.before.map_or(0.0, |before| at.since(before).as_secs_f64());
        self.before = Some(*at);
        self.active.set(i64::from(*mode == SteeringMode::Active));
        for state in SteerState::ALL {
            let is_it = state == steer.state;
            self.state.get_or_create(&one("state", state.name())).set(i64::from(is_it));
        }
        self.state_seconds.get_or_create(&one("state", steer.state.name())).inc_by(passed);
        if let Some((from, to)) = steer.transition {
            let labels = vec![("from", from.name().to_owned()), ("to", to.name().to_owned())];
            self.transitions.get_or_create(&labels).inc();
        }
        self.threshold.set(i64::from(steer.threshold));
        self.overridden.set(i64::from(steer.reason == SteerReason::Manual));
        self.decisions.get_or_create(&one("reason", steer.reason.code())).inc();
        self.failover_decisions.get_or_create(&one("reason", failover.reason.code())).inc();
        for blocker in steer.blocker.iter().chain(&failover.blocker) {
            self.blocked.get_or_create(&one("blocker", blocker.code())).inc();
        }
        let moved = |moved: Move, reason: &str| {
            let name =
                |rank: Rank| wans.get(rank.0).map(|wan| wan.name.clone()).unwrap_or_default();
            vec![("from", name(moved.from)), ("to", name(moved.to)), ("reason", reason.to_owned())]
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
            for contributor in Contributor::ALL {
                let given = wan.score.contributors.iter().find(|(each, _)| *each == contributor);
                let points = given.map_or(0, |(_, points)| *points);
                self.contributors
                    .get_or_create(&of_wan(&wan.name, "contributor", contributor.code()))
                    .set(i64::from(points));
            }
            for (traffic, to) in [("sensitive", target.sensitive), ("rest", target.carrier)] {
                flag(&self.target, of_wan(&wan.name, "traffic", traffic), to == rank);
            }
            for reach in Reach::ALL {
                flag(&self.reach, of_wan(&wan.name, "reach", reach.name()), wan.reach == reach);
            }
        }
    }
}

fn one(name: &'static str, value: &str) -> Labels {
    vec![(name, value.to_owned())]
}

fn of_wan(wan: &str, name: &'static str, value: &str) -> Labels {
    vec![("wan", wan.to_owned()), (name, value.to_owned())]
}
