//! The record of one decision: the only thing that metrics, history, status and the router's side
//! read of steering. All names in it are stable codes.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::{
    Blocker, FailoverReason, Rank, Reach, RouteTarget, Score, SteerReason, SteeringMode, Switch,
    SwitchOrder, machine::Phase,
};
use crate::units::MonoTime;

/// State of the steering machine, for people and labels.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SteerState {
    /// New latency-sensitive connections go with everything else.
    Default,
    /// The same, but the WAN is congested.
    Confirming,
    /// They go over another WAN.
    Steered,
    /// The same, but the WAN that was left is well again.
    Recovering,
    /// They go where the operator wants them.
    Override,
}

named!(SteerState::name);

impl SteerState {
    pub(super) const fn of(phase: Phase) -> Self {
        match phase {
            Phase::Default => Self::Default,
            Phase::Confirming { .. } => Self::Confirming,
            Phase::Steered { .. } => Self::Steered,
            Phase::Recovering { .. } => Self::Recovering,
        }
    }
}

/// What a timer measures.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TimerKind {
    /// Until congestion counts.
    Sustain,
    /// Until a return may be thought of.
    HoldDown,
    /// Until a recovery counts.
    RecoverySustain,
    /// Until a flapping WAN counts as recovered.
    FlapDamping,
    /// Until the raised threshold is lowered again.
    FlapPenalty,
    /// Until the operator's word runs out.
    Override,
    /// Until what was failed over may come back.
    FailoverHoldDown,
    /// Until the more preferred WAN has been alive for long enough.
    Failback,
}

named!(TimerKind::name);

/// A timer that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    /// What it measures.
    pub kind: TimerKind,
    /// How long it still runs; never zero.
    pub remaining: Duration,
}

/// A change from one WAN to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Move {
    /// The WAN that is left.
    pub from: Rank,
    /// The WAN that takes over.
    pub to: Rank,
}

/// One decision of steering.
#[derive(Debug, Clone, PartialEq)]
pub struct SteeringDecision {
    /// When it was taken.
    pub at: MonoTime,
    /// Whether decisions are taken, and carried out.
    pub mode: SteeringMode,
    /// Whether `orders` are to be carried out; never while observing, nor before the router's
    /// switches were seen.
    pub acts: bool,
    /// Where traffic goes, or would go.
    pub target: RouteTarget,
    /// The desired state of each switch; those to enable first, so that a route exists throughout.
    pub orders: Vec<SwitchOrder>,
    /// The switches whose last write has an unknown result.
    pub in_doubt: Vec<Switch>,
    /// The first decision: new latency-sensitive connections.
    pub steer: SteerView,
    /// The second decision: everything else.
    pub failover: FailoverView,
    /// What is known of each WAN, in the order of preference.
    pub wans: Vec<SteeringWanView>,
}

/// The decision about new latency-sensitive connections.
#[derive(Debug, Clone, PartialEq)]
pub struct SteerView {
    /// State of the machine.
    pub state: SteerState,
    /// Since when.
    pub since: MonoTime,
    /// The change of state that this decision made.
    pub transition: Option<(SteerState, SteerState)>,
    /// The change of WAN that this decision made, for `reason`.
    pub moved: Option<Move>,
    /// Why.
    pub reason: SteerReason,
    /// What keeps it from being acted upon.
    pub blocker: Option<Blocker>,
    /// The score of the default route, and why.
    pub score: Score,
    /// The score from which it counts; above 100 it is out of reach.
    pub threshold: u16,
    /// The timers that run.
    pub timers: Vec<Timer>,
    /// The operator's override, until it runs out.
    pub steer_override: Option<SteerOverride>,
    /// Changes within the last hour.
    pub actions: u32,
}

/// The decision about everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailoverView {
    /// Since when the WAN carries everything.
    pub since: MonoTime,
    /// The change of WAN that this decision made, for `reason`.
    pub moved: Option<Move>,
    /// Why.
    pub reason: FailoverReason,
    /// What keeps it from being acted upon.
    pub blocker: Option<Blocker>,
    /// The timers that run.
    pub timers: Vec<Timer>,
    /// Changes within the last hour.
    pub actions: u32,
}

/// What is known of one WAN.
#[derive(Debug, Clone, PartialEq)]
pub struct SteeringWanView {
    /// Its name.
    pub name: String,
    /// Whether it is reachable.
    pub reach: Reach,
    /// Since when.
    pub since: MonoTime,
    /// Since when none of its probes can be sent, if that is so.
    pub cannot_send_since: Option<MonoTime>,
    /// Whether its newest cycle is too old to be evidence.
    pub stale: bool,
    /// The evidence of congestion.
    pub score: Score,
    /// Why connections are not moved to it because of congestion; `None` if it is eligible.
    pub ineligible: Option<Blocker>,
}

/// The operator sends new latency-sensitive connections over one WAN, until it runs out.
///
/// Evidence of congestion is then not asked, nor are hold-down and limits. A WAN that is dead, or
/// that has no rule, is refused all the same, and a failover takes place as ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SteerOverride {
    /// The WAN.
    pub to: Rank,
    /// When the automatic decision is back in charge.
    pub until: MonoTime,
}

impl SteerOverride {
    /// Returns how much time is left at `now`, unless it has run out.
    pub(super) fn remaining(&self, now: MonoTime) -> Option<Duration> {
        (now < self.until).then(|| self.until.since(now))
    }
}

/// How often each reason was given since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SteeringTally {
    /// Decisions about new latency-sensitive connections.
    pub steer: BTreeMap<SteerReason, u64>,
    /// Decisions about everything else.
    pub failover: BTreeMap<FailoverReason, u64>,
}

impl SteeringTally {
    pub(super) fn count(&mut self, decision: &SteeringDecision) {
        *self.steer.entry(decision.steer.reason).or_default() += 1;
        *self.failover.entry(decision.failover.reason).or_default() += 1;
    }
}
