//! The metrics of steering and failover, fed by nothing but `SteeringDecision`.
//!
//! States are one series each, transitions are counted, and the time in each state is an integral:
//! nothing is lost between two scrapes.

use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use wanctl_core::{
    steering::{
        Blocker, Contributor, FailoverReason, Move, Rank, Reach, SteerReason, SteerState,
        SteeringDecision, SteeringMode, SteeringWanView,
    },
    units::MonoTime,
};

use super::series::{By, LabelValue, Observation, Series, label_value, metrics, show};
use crate::catalogue::{Catalogue, FloatCounter, Labels, Spec};

/// When these metrics exist.
const STEERING: &str = "with steering";
const STATE: &[&str] = &["state"];
const REASON: &[&str] = &["reason"];
const MOVE: &[&str] = &["from", "to", "reason"];
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

metrics! {
    DecisionMetrics of DecisionFamilies from SteeringDecision,
    "Steering and failover", by &[], when STEERING;
    state: By<SteerState, Gauge>, "wanctl_steering_state",
        "Steering state, 1 for the current one", by STATE
        => |seen| seen.new.steer.state;
    state_time: By<SteerState, FloatCounter>, "wanctl_steering_state_time_seconds_total",
        "Time in each steering state",
        by STATE
        => |seen| (seen.new.steer.state, seen.passed);
    transitions: By<(SteerState, SteerState), Counter>,
        "wanctl_steering_state_transitions_total", "Transitions between the states",
        by &["from", "to"]
        => |seen| seen.new.steer.transition;
    decisions: By<SteerReason, Counter>, "wanctl_steering_decisions_total",
        "Decisions about new latency-sensitive connections by reason", by REASON
        => |seen| seen.new.steer.reason;
    failover_decisions: By<FailoverReason, Counter>, "wanctl_steering_failover_decisions_total",
        "Decisions about the default route by reason",
        by REASON
        => |seen| seen.new.failover.reason;
    blocked: By<Blocker, Counter>, "wanctl_steering_blocked_total",
        "Decisions that a blocker prevented, by blocker", by &["blocker"]
        => |seen| seen.new.steer.blocker;
}

metrics! {
    WanMetrics of WanFamilies from SteeringWanView,
    "Steering and failover", by &["wan"], when STEERING;
    score: Gauge, "wanctl_steering_score", "Evidence that the WAN is congested, 0 to 100"
        => |seen| seen.new.score.points;
    contributors: By<Contributor, Gauge>, "wanctl_steering_score_contribution",
        "Points that the contributor adds to the WAN's score",
        by &["wan", "contributor"];
    target: By<Traffic, Gauge>, "wanctl_steering_target",
        "1 for the WAN of latency-sensitive connections, and for that of the default route",
        by &["wan", "traffic"];
    reach: By<Reach, Gauge>, "wanctl_wan_reach",
        "Reachability of the WAN, 1 for the current value", by &["wan", "reach"]
        => |seen| seen.new.reach;
}

label_value!(SteerState: "state", name, transitions);
label_value!(SteerReason: "reason", code);
label_value!(FailoverReason: "reason", code);
label_value!(Blocker: "blocker", code);
label_value!(Contributor: "contributor", code);
label_value!(Reach: "reach", name);

/// What is sent over a WAN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Traffic {
    Sensitive,
    Default,
}

impl LabelValue for Traffic {
    fn all() -> Vec<Self> {
        vec![Self::Sensitive, Self::Default]
    }

    fn labels(self) -> Vec<(&'static str, &'static str)> {
        vec![("traffic", if self == Self::Sensitive { "sensitive" } else { "default" })]
    }
}

/// Metrics of steering and failover.
#[derive(Debug, Clone)]
pub struct SteeringMetrics {
    active: Gauge,
    threshold: Gauge,
    overridden: Gauge,
    decisions: DecisionMetrics,
    steered: Family<Labels, Counter>,
    failovers: Family<Labels, Counter>,
    wans: Vec<WanMetrics>,
    before: Option<MonoTime>,
}

impl SteeringMetrics {
    /// Declares the metrics for these WANs, every series at zero.
    pub fn register(c: &mut Catalogue, wans: &[String]) -> Self {
        let decisions = DecisionMetrics::new(&DecisionFamilies::register(c), &Vec::new());
        let families = WanFamilies::register(c);
        let spec = |name, help| Spec::new(name, help).when(STEERING);
        let mut one = |name, help| c.one(spec(name, help));
        let all = Self {
            active: one("wanctl_steering_active", "1 if decisions are applied to the router"),
            threshold: one(
                "wanctl_steering_score_threshold",
                "Score from which a WAN counts as congested; above 100 it is unreachable",
            ),
            overridden: one("wanctl_steering_override", "1 during an override by the operator"),
            decisions,
            steered: c.family(
                spec(
                    "wanctl_steering_moves_total",
                    "Moves of new latency-sensitive connections to another WAN, including those \
                     that observe mode did not apply",
                )
                .by(MOVE),
            ),
            failovers: c.family(
                spec(
                    "wanctl_wan_failovers_total",
                    "Moves of the default route to another WAN, including those that observe mode \
                     did not apply",
                )
                .by(MOVE),
            ),
            wans: wans
                .iter()
                .map(|wan| WanMetrics::new(&families, &vec![("wan", wan.clone())]))
                .collect(),
            before: None,
        };
        for (from, to) in wans.iter().flat_map(|from| wans.iter().map(move |to| (from, to))) {
            if from == to {
                continue;
            }
            for reason in MOVING {
                drop(all.steered.get_or_create(&moved(from, to, reason.code())));
            }
            for reason in FailoverReason::ALL.iter().filter(|reason| reason.moves()) {
                drop(all.failovers.get_or_create(&moved(from, to, reason.code())));
            }
        }
        all
    }

    /// Counts one decision.
    pub fn record(&mut self, decision: &SteeringDecision) {
        let SteeringDecision { at, mode, target, steer, failover, wans, .. } = decision;
        let at = *at;
        let passed = self.before.replace(at).map_or(0.0, |before| at.since(before).as_secs_f64());
        self.active.set(i64::from(*mode == SteeringMode::Active));
        self.threshold.set(i64::from(steer.threshold));
        self.overridden.set(i64::from(steer.reason == SteerReason::Override));
        self.decisions.record(&Observation { new: decision, old: None, at, passed });
        show(&mut self.decisions.blocked, failover.blocker);
        let moved = |Move { from, to }: Move, reason: &str| {
            let name = |rank: Rank| wans.get(rank.0).map_or("", |wan| wan.name.as_str());
            moved(name(from), name(to), reason)
        };
        if let Some(change) = steer.moved {
            self.steered.get_or_create(&moved(change, steer.reason.code())).inc();
        }
        if let Some(change) = failover.moved {
            self.failovers.get_or_create(&moved(change, failover.reason.code())).inc();
        }
        for (rank, (metrics, new)) in self.wans.iter_mut().zip(wans).enumerate() {
            metrics.record(&Observation { new, old: None, at, passed });
            metrics.contributors.show_each(|contributor| {
                let mut given = new.score.contributors.iter();
                given.find(|(each, _)| *each == contributor).map_or(0, |(_, points)| *points)
            });
            metrics.target.show_each(|traffic| match traffic {
                Traffic::Sensitive => target.sensitive == Rank(rank),
                Traffic::Default => target.default_route == Rank(rank),
            });
        }
    }
}

fn moved(from: &str, to: &str, reason: &str) -> Labels {
    vec![("from", from.to_owned()), ("to", to.to_owned()), ("reason", reason.to_owned())]
}
