//! All that a decision of steering went by, as its event keeps it.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use wanctl_core::{
    steering::{Blocker, Rank, SteeringDecision, SteeringWanView},
    units::Delay,
};

/// The inputs of a decision of steering, with the codes of its documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SteeringInputs {
    /// `observe` or `active`.
    mode: &'static str,
    /// The WAN of new latency-sensitive connections, from this decision on.
    sensitive: String,
    /// The WAN of everything else.
    default_route: String,
    steer_reason: &'static str,
    steer_blocker: Option<&'static str>,
    /// The threshold of the score.
    threshold: u16,
    failover_reason: &'static str,
    failover_blocker: Option<&'static str>,
    /// Changes within the last hour.
    steer_actions: u32,
    failover_actions: u32,
    /// Timers that run, and how long they still do.
    timers_us: BTreeMap<&'static str, i64>,
    /// Switches of which nobody knows what became of the last write.
    in_doubt: Vec<String>,
    wans: Vec<WanInputs>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct WanInputs {
    name: String,
    reach: &'static str,
    reach_since_us: i64,
    stale: bool,
    score: u8,
    contributors: BTreeMap<&'static str, u8>,
    /// Why it is not eligible.
    ineligible_because: Option<&'static str>,
}

impl SteeringInputs {
    /// Takes down what `decision` went by.
    #[must_use]
    pub fn of(decision: &SteeringDecision) -> Self {
        let SteeringDecision { at, mode, target, steer, failover, wans, in_doubt, .. } = decision;
        let name = |rank: Rank| name_of(decision, rank);
        let micros = |span: Duration| Delay::from(span).micros();
        let timers = steer.timers.iter().chain(&failover.timers);
        let wan = |wan: &SteeringWanView| WanInputs {
            name: wan.name.clone(),
            reach: wan.reach.name(),
            reach_since_us: micros(at.since(wan.since)),
            stale: wan.stale,
            score: wan.score.points,
            contributors: wan.score.contributors.iter().map(|(c, n)| (c.code(), *n)).collect(),
            ineligible_because: wan.ineligible.map(Blocker::code),
        };
        Self {
            mode: mode.name(),
            sensitive: name(target.sensitive),
            default_route: name(target.default_route),
            steer_reason: steer.reason.code(),
            steer_blocker: steer.blocker.map(Blocker::code),
            threshold: steer.threshold,
            failover_reason: failover.reason.code(),
            failover_blocker: failover.blocker.map(Blocker::code),
            steer_actions: steer.actions,
            failover_actions: failover.actions,
            timers_us: timers.map(|t| (t.kind.name(), micros(t.remaining))).collect(),
            in_doubt: in_doubt
                .iter()
                .map(|switch| format!("{} of {}", switch.kind.name(), name(switch.wan)))
                .collect(),
            wans: wans.iter().map(wan).collect(),
        }
    }
}

fn name_of(decision: &SteeringDecision, rank: Rank) -> String {
    decision.wans.get(rank.0).map_or_else(|| rank.to_string(), |wan| wan.name.clone())
}
