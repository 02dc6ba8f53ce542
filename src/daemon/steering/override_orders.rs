//! The operator's word: which WAN new latency-sensitive connections take, and for how long.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tracing::info;
use wanctl_core::{
    steering::{Rank, SteerOverride, SteeringMode, SwitchKind, WanFacts},
    units::Timestamp,
};

use super::rank_of;
use crate::{
    clock::Clock,
    history::{Event, Recorder, SavedSteering},
    http::{OrderOutcome, Source, SteerRequest, SteerSource},
    status::{OverrideEffect, SteeringBoard, time_of},
};

/// Default duration of an override.
const DEFAULT_DURATION: Duration = Duration::from_mins(30);
/// An order is confirmed after a decision and a write; a router may be slow.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(3);
/// Time between two checks of its effect.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The longest: a word that is meant to last belongs into the configuration.
const LONGEST: Duration = Duration::from_hours(24);

/// Takes the operator's word.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct OverrideOrders {
    wans: Arc<[WanFacts]>,
    recorder: Option<Recorder>,
    clock: Option<Clock>,
    steer_override: watch::Sender<Option<SteerOverride>>,
    board: SteeringBoard,
}

impl OverrideOrders {
    pub(super) fn new(
        wans: Vec<WanFacts>,
        recorder: Option<Recorder>,
        clock: Clock,
        board: SteeringBoard,
    ) -> Self {
        let steer_override = watch::channel(None).0;
        Self { wans: wans.into(), recorder, clock: Some(clock), steer_override, board }
    }

    /// Where nothing is steered.
    pub(super) fn nobody() -> Self {
        let steer_override = watch::channel(None).0;
        let board = SteeringBoard::default();
        Self { wans: Arc::from([]), recorder: None, clock: None, steer_override, board }
    }

    pub(super) fn listen(&self) -> watch::Receiver<Option<SteerOverride>> {
        self.steer_override.subscribe()
    }

    /// Goes on with what was left of an override when the daemon ended.
    pub(super) fn restore(&self, kept: &SavedSteering, wall: Timestamp) {
        let Some((name, until)) = &kept.steer_override else { return };
        let left = u64::try_from(until.micros().saturating_sub(wall.micros())).unwrap_or(0);
        let left = Duration::from_micros(left).min(LONGEST);
        if let (Some(to), Some(clock), false) =
            (rank_of(&self.wans, name), self.clock, left.is_zero())
        {
            info!(wan = name, seconds = left.as_secs(), "the override goes on");
            self.steer_override.send_replace(Some(SteerOverride { to, until: clock.now() + left }));
        }
    }

    /// Returns what obeys requests over HTTP, as long as `allowed` says so.
    pub(in crate::daemon) fn source(
        &self,
        allowed: impl Fn() -> bool + Send + Sync + 'static,
    ) -> SteerSource {
        let overrides = self.clone();
        Source(Arc::new(move |request| {
            let (overrides, allowed) = (overrides.clone(), allowed());
            let obey = async move {
                if allowed {
                    overrides.obey(&request).await
                } else {
                    OrderOutcome::Forbidden("set http.allow_steer")
                }
            };
            obey.boxed()
        }))
    }

    async fn obey(&self, request: &SteerRequest) -> OrderOutcome {
        let Some(clock) = self.clock else {
            return OrderOutcome::Refused(
                "there is no steering: the configuration has no `steering` table".to_owned(),
            );
        };
        if self.board.view().is_some_and(|view| view.values.mode == SteeringMode::Off.name()) {
            return OrderOutcome::Refused("steering is off: set `steering.mode`".to_owned());
        }
        let lasts = request.for_s.map_or(DEFAULT_DURATION, Duration::from_secs);
        if lasts.is_zero() || lasts > LONGEST {
            return OrderOutcome::Refused("the time must be above 0 and at most 24 h".to_owned());
        }
        if request.to == "auto" {
            self.steer_override.send_replace(None);
            self.note(None, Duration::ZERO);
            return OrderOutcome::Done("steering is automatic".to_owned());
        }
        let to = match self.find(&request.to) {
            Ok(rank) => rank,
            Err(why) => return OrderOutcome::Refused(why),
        };
        let name = self.wans.get(to.0).map(|wan| wan.name.clone()).unwrap_or_default();
        if self.is_unusable(to) {
            return OrderOutcome::Refused(format!(
                "the router has no usable rule for {name}: see the part `steering` of /health"
            ));
        }
        let order = SteerOverride { to, until: clock.now() + lasts };
        let until = time_of(Clock::wall().after(lasts));
        self.steer_override.send_replace(Some(order));
        self.note(Some(name.clone()), lasts);
        let effect = self.effect_of(order).await;
        let reported = effect
            .map_or("accepted, but steering has not made a decision yet", OverrideEffect::explain);
        let text = format!("new latency-sensitive connections to {name} until {until}: {reported}");
        if effect == Some(OverrideEffect::Applied) {
            OrderOutcome::Done(text)
        } else {
            OrderOutcome::Taken(text)
        }
    }

    /// Returns whether the router was seen to lack the rule that would be needed.
    fn is_unusable(&self, to: Rank) -> bool {
        let name = self.wans.get(to.0).map(|wan| wan.name.as_str());
        let switches = self.board.view().map(|view| view.switches).unwrap_or_default();
        to != Rank::DEFAULT_WAN
            && switches.iter().any(|switch| {
                let is_steer = switch.switch == SwitchKind::SteerRule.name();
                switch.refused && is_steer && Some(switch.wan.as_str()) == name
            })
    }

    /// Waits until it is known what becomes of an order, but not for long.
    async fn effect_of(&self, order: SteerOverride) -> Option<OverrideEffect> {
        let ends = Instant::now() + CONFIRMED_WITHIN;
        loop {
            let effect = self.board.effect(order);
            let is_known = effect.is_some_and(|effect| effect != OverrideEffect::Unconfirmed);
            if is_known || Instant::now() >= ends {
                return effect;
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    fn find(&self, name: &str) -> Result<Rank, String> {
        // A WAN may be called `primary` as well.
        let by_name = rank_of(&self.wans, name);
        let rank = by_name.or_else(|| match name {
            "default" => Some(Rank::DEFAULT_WAN),
            "alternate" => self.wans.iter().position(|wan| wan.has_steer).map(Rank),
            _ => None,
        });
        let Some(rank) = rank else {
            let names: Vec<&str> = self.wans.iter().map(|wan| wan.name.as_str()).collect();
            return Err(format!("there is no WAN `{name}`; there are {}", names.join(", ")));
        };
        let is_reachable =
            rank == Rank::DEFAULT_WAN || self.wans.get(rank.0).is_some_and(|wan| wan.has_steer);
        is_reachable.then_some(rank).ok_or_else(|| format!("`{name}` has no `steer` rule"))
    }

    fn note(&self, to: Option<String>, lasts: Duration) {
        info!(
            to = to.as_deref().unwrap_or("auto"),
            seconds = lasts.as_secs(),
            "steering overridden"
        );
        if let Some(recorder) = &self.recorder {
            recorder.event(Clock::wall(), None, Event::SteerOverride { to, lasts });
        }
    }
}

#[cfg(test)]
mod tests;
