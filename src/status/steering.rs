//! The status of steering for the live page, health and `wanctl status`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{
    Code, SteeringValues,
    override_effect::{OverrideEffect, time_of},
};

use wanctl_core::{
    steering::{
        Blocker, FailoverReason, Rank, RouteActuation, SteerOverride, SteeringDecision,
        SteeringMode, SteeringWanView, Timer,
    },
    units::{MonoTime, Timestamp},
};

/// How many changes are remembered for the live page.
const MAX_CHANGES: usize = 20;

/// The board on which steering pins its decisions; empty where nothing is steered.
#[derive(Debug, Clone, Default)]
pub struct SteeringBoard(Arc<Mutex<Pinned>>);

#[derive(Debug, Default)]
struct Pinned {
    latest: Option<Latest>,
    changes: VecDeque<SteeringChange>,
}

#[derive(Debug)]
struct Latest {
    decision: SteeringDecision,
    actuation: RouteActuation,
    /// When the decision was taken.
    wall: Timestamp,
}

impl Latest {
    /// Returns the Unix time in seconds of a moment before the decision.
    fn unix(&self, then: MonoTime) -> f64 {
        self.wall.seconds() - self.decision.at.since(then).as_secs_f64()
    }
}

/// A change of WAN, in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SteeringChange {
    /// Unix time in seconds.
    pub time: f64,
    /// `steer` or `failover`.
    pub kind: Code,
    /// The WAN before.
    pub from: String,
    /// The WAN from then on.
    pub to: String,
    /// A stable code.
    pub reason: Code,
    /// The same in plain words.
    pub why: Code,
}

/// Where traffic is steered, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SteeringStatus {
    /// The state and what is decided.
    #[serde(flatten)]
    pub values: SteeringValues,
    /// The score from which it counts.
    pub threshold: u16,
    /// The decision about new latency-sensitive connections.
    pub steer: DecisionStatus,
    /// The decision about everything else.
    pub failover: DecisionStatus,
    /// Each WAN, in the order of preference.
    pub wans: Vec<WanStatus>,
    /// Each rule or route that is switched.
    pub switches: Vec<SwitchStatus>,
    /// The last changes, newest first.
    pub changes: Vec<SteeringChange>,
}

/// What the operator has ordered, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverrideStatus {
    /// The WAN that new latency-sensitive connections are to take.
    pub to: String,
    /// Unix time in seconds at which the order runs out.
    pub until: f64,
    /// What becomes of it, as a code.
    pub effect: Code,
    /// The same in plain words.
    pub why: Code,
}

/// One decision in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionStatus {
    /// A stable code.
    pub reason: Code,
    /// The same in plain words.
    pub why: Code,
    /// What keeps it from being acted upon, as a code.
    pub blocker: Option<Code>,
    /// The same in plain words.
    pub blocker_text: Option<Code>,
    /// The timers that run, in seconds that are left.
    pub timers: BTreeMap<Code, f64>,
    /// Changes within the last hour.
    pub actions: u32,
}

/// One WAN of steering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WanStatus {
    /// Its name.
    pub name: String,
    /// `up`, `down` or `unknown`.
    pub reach: Code,
    /// Unix time in seconds since when none of its probes can be sent, if that is so.
    pub cannot_send_since: Option<f64>,
    /// The evidence that it is congested, 0 to 100.
    pub score: u8,
    /// What contributes to the score, with points.
    pub contributors: BTreeMap<Code, u8>,
    /// Why connections are not moved to it because of congestion.
    pub ineligible_because: Option<Code>,
}

/// One rule or route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SwitchStatus {
    /// The WAN that it belongs to.
    pub wan: String,
    /// `steer_rule`, `steer_rule6`, `failover_route` or `failover_rule`.
    pub switch: Code,
    /// Whether it was enabled when it was last seen.
    pub enabled: Option<bool>,
    /// Whether the router has yet to follow.
    pub pending: bool,
    /// The result of the last write is unknown.
    pub in_doubt: bool,
    /// It cannot be used.
    pub refused: bool,
}

impl SteeringBoard {
    /// Pins a decision, and what was known of the router's switches then.
    pub fn record(&self, decision: SteeringDecision, actuation: RouteActuation, wall: Timestamp) {
        let mut pinned = self.open();
        let SteeringDecision { steer, failover, .. } = &decision;
        let both = [
            (steer.moved, "steer", steer.reason.code(), steer.reason.explain()),
            (failover.moved, "failover", failover.reason.code(), failover.reason.explain()),
        ];
        for (moved, kind, reason, why) in both {
            let Some(moved) = moved else { continue };
            let (from, to) = (name(&decision, moved.from), name(&decision, moved.to));
            pinned.changes.push_front(SteeringChange {
                time: wall.seconds(),
                kind: kind.into(),
                from,
                to,
                reason: reason.into(),
                why: why.into(),
            });
            pinned.changes.truncate(MAX_CHANGES);
        }
        pinned.latest = Some(Latest { decision, actuation, wall });
    }

    /// Shows where traffic is steered; `None` where nothing is.
    #[must_use]
    pub fn view(&self) -> Option<SteeringStatus> {
        let pinned = self.open();
        let latest = pinned.latest.as_ref()?;
        let Latest { decision, actuation, .. } = latest;
        let SteeringDecision { at, mode, target, steer, failover, wans, .. } = decision;
        let switch = |report: &wanctl_core::steering::SwitchReport| SwitchStatus {
            wan: name(decision, report.switch.wan),
            switch: report.switch.kind.name().into(),
            enabled: report.seen.map(|(enabled, _)| enabled),
            pending: report.pending_since.is_some(),
            in_doubt: report.in_doubt,
            refused: report.refused,
        };
        let values = SteeringValues {
            mode: mode.name().into(),
            state: steer.state.name().into(),
            state_seconds: at.since(steer.since).as_secs_f64(),
            sensitive: name(decision, target.sensitive),
            default_route: name(decision, target.default_route),
            score: steer.score.points,
            steer_override: steer.steer_override.map(|steer_override| {
                let effect = OverrideEffect::of(decision, actuation, steer_override);
                OverrideStatus {
                    to: name(decision, steer_override.to),
                    until: latest.wall.seconds() + steer_override.until.since(*at).as_secs_f64(),
                    effect: effect.code().into(),
                    why: effect.explain().into(),
                }
            }),
        };
        Some(SteeringStatus {
            values,
            threshold: steer.threshold,
            steer: DecisionStatus::of(
                (steer.reason.code(), steer.reason.explain()),
                steer.blocker,
                &steer.timers,
                steer.actions,
            ),
            failover: DecisionStatus::of(
                (failover.reason.code(), failover.reason.explain()),
                failover.blocker,
                &failover.timers,
                failover.actions,
            ),
            wans: wans.iter().map(|wan| WanStatus::of(wan, latest)).collect(),
            switches: actuation.switches.iter().map(switch).collect(),
            changes: pinned.changes.iter().cloned().collect(),
        })
    }

    /// Returns what becomes of the operator's order, once a decision has been taken with it.
    #[must_use]
    pub fn effect(&self, order: SteerOverride) -> Option<OverrideEffect> {
        let pinned = self.open();
        let latest = pinned.latest.as_ref()?;
        let is_taken = latest.decision.steer.steer_override == Some(order);
        is_taken.then(|| OverrideEffect::of(&latest.decision, &latest.actuation, order))
    }

    /// Returns what is wrong with steering, beginning with the `problems` that its switches make,
    /// and what should be thought about; `None` where nothing is steered.
    #[must_use]
    pub(super) fn problems_and_notes(
        &self,
        problems: Vec<String>,
        now: MonoTime,
    ) -> Option<(Vec<String>, Vec<String>)> {
        let pinned = self.open();
        let latest = pinned.latest.as_ref()?;
        let Latest { decision, .. } = latest;
        let mut orders = Vec::new();
        let SteeringDecision { mode, target, steer, failover, in_doubt, .. } = decision;
        let mut reasons = problems;
        reasons.extend(in_doubt.iter().map(|switch| {
            let (kind, wan) = (switch.kind.name(), name(decision, switch.wan));
            format!("the result of the last write of the switch {kind} of {wan} is unknown")
        }));
        if failover.reason == FailoverReason::AllDown {
            reasons.push("no WAN is known to work".to_owned());
        }
        if failover.reason == FailoverReason::NoneCanSend {
            let fault = "no WAN can send a probe, so the fault is on wanctl's side: check this \
                         host's network, and the router if it sends the pings";
            reasons.push(fault.to_owned());
        }
        if let Some(steer_override) = steer.steer_override {
            let (to, effect) = (
                name(decision, steer_override.to),
                OverrideEffect::of(&latest.decision, &latest.actuation, steer_override),
            );
            let until = time_of(latest.wall.after(steer_override.until.since(decision.at)));
            let order = format!("override to {to} until {until}: {}", effect.explain());
            if steer.blocker == Some(Blocker::OverrideRefused) {
                reasons.push(order);
            } else {
                orders.push(order);
            }
        }
        let mut notes = orders;
        let (sensitive, default_route) =
            (name(decision, target.sensitive), name(decision, target.default_route));
        let verb = if *mode == SteeringMode::Active { "is" } else { "would be" };
        if target.default_route != Rank::DEFAULT_WAN {
            let lasts = match now.since(failover.since).as_secs() {
                seconds @ 0..60 => format!("{seconds} s"),
                seconds => format!("{} min", seconds / 60),
            };
            notes.push(format!("the default route {verb} on {default_route}, for {lasts} now"));
        }
        if target.sensitive != target.default_route {
            notes.push(format!("latency-sensitive traffic {verb} on {sensitive}"));
        }
        Some((reasons, notes))
    }

    /// A reader that panicked leaves nothing half-written here.
    fn open(&self) -> MutexGuard<'_, Pinned> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DecisionStatus {
    fn of(
        (reason, why): (&'static str, &'static str),
        blocker: Option<Blocker>,
        timers: &[Timer],
        actions: u32,
    ) -> Self {
        let left = |timer: &Timer| (timer.kind.name().into(), timer.remaining.as_secs_f64());
        Self {
            reason: reason.into(),
            why: why.into(),
            blocker: blocker.map(|blocker| blocker.code().into()),
            blocker_text: blocker.map(|blocker| blocker.explain().into()),
            timers: timers.iter().map(left).collect(),
            actions,
        }
    }
}

impl WanStatus {
    fn of(wan: &SteeringWanView, latest: &Latest) -> Self {
        let points = wan.score.contributors.iter();
        Self {
            name: wan.name.clone(),
            reach: wan.reach.name().into(),
            cannot_send_since: wan.cannot_send_since.map(|since| latest.unix(since)),
            score: wan.score.points,
            contributors: points.map(|(each, points)| (each.code().into(), *points)).collect(),
            ineligible_because: wan.ineligible.map(|blocker| blocker.explain().into()),
        }
    }
}

fn name(decision: &SteeringDecision, rank: Rank) -> String {
    decision.wans.get(rank.0).map_or_else(|| rank.to_string(), |wan| wan.name.clone())
}
