//! What there is to choose from at one moment, and what speaks against each choice.

use std::time::Duration;

use crate::{
    CongestionState, MeasurementState,
    steering::{
        Blocker, Rank, Reach, Recovery, RouteActuation, Score, Signals, SteeringParams, Switch,
        SwitchKind, WanFacts,
        actions::Actions,
        eligibility,
        failover::DefaultRouteHealth,
        flap_damping::Since,
        machine::{AlternateHealth, Condition},
        target,
        watch::Watch,
    },
    units::MonoTime,
};

/// Everything that is known at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidates<'a> {
    pub(super) now: MonoTime,
    pub(super) params: &'a SteeringParams,
    pub(super) watches: &'a [Watch],
    pub(super) switches: &'a [Switch],
    /// `None` while nothing is carried out.
    pub(super) actuation: Option<&'a RouteActuation>,
    pub(super) default_route: Rank,
    /// The WAN that connections were moved to, if they were.
    pub(super) alternate: Option<Rank>,
    pub(super) steer_actions: &'a Actions,
    pub(super) failover_actions: &'a Actions,
}

impl<'a> Candidates<'a> {
    fn watch(&self, rank: Rank) -> Option<&'a Watch> {
        self.watches.get(rank.0)
    }

    fn facts(&self, rank: Rank) -> Option<&'a WanFacts> {
        self.params.wans.get(rank.0)
    }

    fn ranks(&self) -> impl Iterator<Item = Rank> + use<> {
        (0..self.params.wans.len()).map(Rank)
    }

    fn is_dead(&self, rank: Rank) -> bool {
        self.watch(rank).is_some_and(Watch::is_dead)
    }

    fn is_stale(&self, rank: Rank) -> bool {
        self.watch(rank).is_none_or(|watch| watch.snapshot(self.now).is_none())
    }

    fn signals(&self, rank: Rank) -> Option<Signals> {
        self.watch(rank)?.signals(self.now, &self.params.steer)
    }

    /// Scores a WAN; nothing known scores nothing.
    pub(super) fn score(&self, rank: Rank) -> Score {
        let signals = self.signals(rank);
        signals.map(|signals| self.params.steer.weights.score(&signals)).unwrap_or_default()
    }

    /// Returns the score from which a WAN counts as congested.
    pub(super) fn threshold(&self) -> u16 {
        let steer = &self.params.steer;
        let is_flapping = !self.steer_actions.penalty(self.now).is_zero();
        u16::from(steer.threshold) + if is_flapping { u16::from(steer.flap.points) } else { 0 }
    }

    /// Returns whether only the raised threshold keeps the score of the default route from counting.
    pub(super) fn is_penalised(&self) -> bool {
        let points = u16::from(self.score(self.default_route).points);
        points >= u16::from(self.params.steer.threshold) && points < self.threshold()
    }

    /// The health of the default route, as far as congestion goes. What connections may come back to must
    /// have answered as lately as whatever else is moved to: all may be falling silent together.
    pub(super) fn condition(&self) -> Condition {
        let dead_after = self.params.failover.dead_after;
        let span = if self.alternate.is_some() { dead_after / 2 } else { dead_after };
        if self.is_dead(self.default_route) {
            let answers = self.is_answering(self.default_route, span);
            return if answers { Condition::Returning } else { Condition::Dead };
        }
        let Some(signals) = self.signals(self.default_route) else { return Condition::Unknown };
        let points = self.params.steer.weights.score(&signals).points;
        if u16::from(points) >= self.threshold() {
            Condition::AboveThreshold
        } else if self.has_recovered(&signals, points) {
            Condition::Recovered
        } else {
            Condition::BelowThreshold
        }
    }

    /// Returns whether connections may return:
    ///
    /// 1. the score is low enough, AND
    /// 2. no direction is in too bad a state, AND
    /// 3. the delay is known and low enough, AND
    /// 4. nothing is dropped, if that counts, AND
    /// 5. enough targets answer, and the WAN has been proven up.
    fn has_recovered(&self, signals: &Signals, points: u8) -> bool {
        let Recovery { score, state, delta, no_drops, .. } = self.params.steer.recovery;
        let Some(watch) = self.watch(self.default_route) else { return false };
        let measured = watch.snapshot(self.now).is_some_and(|snapshot| {
            snapshot.measurement.state == MeasurementState::Healthy
                || snapshot.measurement.state == MeasurementState::Reduced
        });
        points <= score
            && (CongestionState::Green..=state).contains(&signals.state)
            && signals.delta.is_some_and(|now| now < delta)
            && !(no_drops && watch.drops(self.now))
            && measured
            && watch.reach() == Reach::Up
    }

    /// What the WAN is like that connections were moved to.
    pub(super) fn alternate_health(&self, worse: &Since) -> AlternateHealth {
        let Some(to) = self.alternate else { return AlternateHealth::Good };
        if self.is_dead(to) {
            AlternateHealth::Dead
        } else if worse.lasted(self.now, self.params.steer.sustain) {
            AlternateHealth::Worse
        } else {
            AlternateHealth::Good
        }
    }

    /// Returns whether the WAN that connections were moved to has a higher score than the default route.
    pub(super) fn is_alternate_worse(&self) -> bool {
        let Some(to) = self.alternate else { return false };
        let points = self.score(to).points;
        u16::from(points) >= u16::from(self.params.steer.threshold)
            && points > self.score(self.default_route).points
    }

    /// Returns the most preferred WAN to move connections to because of congestion.
    pub(super) fn eligible(&self) -> Result<Rank, Blocker> {
        let to = self.best(|rank| self.ineligible_because(rank).map_or(Ok(()), Err))?;
        self.ready()?;
        self.affordable()?;
        Ok(to)
    }

    /// Returns the most preferred WAN to move connections to from a dead one.
    pub(super) fn verified(&self) -> Result<Rank, Blocker> {
        let to = self.best(|rank| self.verify(rank))?;
        self.affordable()?;
        Ok(to)
    }

    /// Returns the most preferred of the WANs that have a rule for steering and that connections do
    /// not go over; or what speaks against the one of them that the operator would expect.
    fn best(&self, check: impl Fn(Rank) -> Result<(), Blocker>) -> Result<Rank, Blocker> {
        let mut against = Blocker::NoSwitch;
        for rank in self.ranks().filter(|rank| self.has_steer(*rank)) {
            if rank == self.default_route || Some(rank) == self.alternate {
                continue;
            }
            match self.usable_steer(rank).and_then(|()| check(rank)) {
                Ok(()) => return Ok(rank),
                Err(blocker) if against == Blocker::NoSwitch => against = blocker,
                Err(_) => {}
            }
        }
        Err(against)
    }

    fn has_steer(&self, rank: Rank) -> bool {
        self.facts(rank).is_some_and(|facts| facts.has_steer)
    }

    fn usable_steer(&self, rank: Rank) -> Result<(), Blocker> {
        let switch = Switch { wan: rank, kind: SwitchKind::SteerRule };
        let is_refused = self.actuation.is_some_and(|actuation| actuation.is_refused(switch));
        if is_refused { Err(Blocker::SwitchRefused) } else { Ok(()) }
    }

    fn affordable(&self) -> Result<(), Blocker> {
        let limits = self.params.steer.actions;
        let allowed = self.steer_actions.allow(self.now, limits);
        if allowed { Ok(()) } else { Err(Blocker::ActionLimit) }
    }

    /// Returns whether the router has confirmed all orders; until then connections are not moved
    /// because of congestion.
    pub(super) fn ready(&self) -> Result<(), Blocker> {
        match self.actuation {
            Some(actuation) if !actuation.in_doubt().is_empty() => Err(Blocker::InDoubt),
            Some(actuation) if actuation.is_pending() => Err(Blocker::Pending),
            Some(_) | None => Ok(()),
        }
    }

    fn verify(&self, rank: Rank) -> Result<(), Blocker> {
        let watch = self.watch(rank).ok_or(Blocker::AlternateUnverified)?;
        eligibility::verified(watch, &self.params.failover, self.now)
    }

    /// Returns why connections are not moved to a WAN because of congestion.
    pub(super) fn ineligible_because(&self, rank: Rank) -> Option<Blocker> {
        let (Some(watch), Some(facts)) = (self.watch(rank), self.facts(rank)) else {
            return Some(Blocker::AlternateUnverified);
        };
        let here = self.watch(self.default_route).and_then(|watch| watch.snapshot(self.now));
        let rtt = here.and_then(|snapshot| snapshot.measurement.rtt);
        let rtt = rtt.filter(|_| rank != self.default_route);
        let params = (&self.params.steer, &self.params.failover);
        eligibility::eligible(watch, facts, rtt, params, self.now).err()
    }

    /// Returns whether the operator's choice can be followed.
    pub(super) fn may_override(&self, rank: Rank) -> bool {
        let has_route =
            rank == self.default_route || (self.has_steer(rank) && self.usable_steer(rank).is_ok());
        has_route && !self.is_dead(rank)
    }

    /// The health of the default route, as far as reachability goes.
    pub(super) fn default_route_health(&self) -> DefaultRouteHealth {
        let cannot_send = self.watch(self.default_route).is_some_and(|watch| {
            watch.cannot_send_since(self.now, &self.params.failover).is_some()
        });
        if self.is_returning(self.default_route) {
            DefaultRouteHealth::Returning
        } else if cannot_send && !self.watches.iter().any(|watch| watch.can_send(self.now)) {
            DefaultRouteHealth::NoneCanSend
        } else if self.is_dead(self.default_route) {
            if cannot_send { DefaultRouteHealth::CannotSend } else { DefaultRouteHealth::Dead }
        } else if self.is_stale(self.default_route) {
            DefaultRouteHealth::Unknown
        } else {
            DefaultRouteHealth::Alive
        }
    }

    /// Returns whether a dead WAN has begun to answer again, without being proven up yet.
    fn is_returning(&self, rank: Rank) -> bool {
        self.is_dead(rank) && self.is_answering(rank, self.params.failover.dead_after)
    }

    /// Returns whether enough targets answer, the last within `span`.
    fn is_answering(&self, rank: Rank, span: Duration) -> bool {
        self.watch(rank).is_some_and(|watch| {
            let fresh = watch.snapshot(self.now).map_or(0, |snapshot| snapshot.measurement.fresh);
            fresh >= self.params.failover.quorum && watch.replied_within(self.now, span)
        })
    }

    /// Returns the WAN to fail over to: the default WAN if it answers, proven or not, else the most
    /// preferred one that is verified healthy.
    pub(super) fn failover_target(&self) -> Result<Rank, Blocker> {
        let is_away = self.default_route != Rank::DEFAULT_WAN;
        if is_away && self.is_answering(Rank::DEFAULT_WAN, self.params.failover.dead_after / 2) {
            return Ok(Rank::DEFAULT_WAN);
        }
        let mut against = Blocker::NoSwitch;
        for rank in self.ranks().filter(|rank| *rank != self.default_route) {
            match self.can_take_default_route(rank).and_then(|()| self.verify(rank)) {
                Ok(()) => return Ok(rank),
                Err(blocker) if against == Blocker::NoSwitch => against = blocker,
                Err(_) => {}
            }
        }
        Err(against)
    }

    /// Returns the most preferred WAN that everything should come back to.
    pub(super) fn failback_target(&self) -> Result<Rank, Blocker> {
        let mut against = Blocker::FailbackDelay;
        for rank in self.ranks().take_while(|rank| *rank < self.default_route) {
            let waits = self.failback_left(rank).is_none_or(|left| !left.is_zero());
            let flap_damping = !self.failover_damping_left(rank).is_zero();
            let delay = match (waits, flap_damping) {
                (true, _) => Err(Blocker::FailbackDelay),
                (false, true) => Err(Blocker::FlapDamping),
                (false, false) => Ok(()),
            };
            match delay
                .and_then(|()| self.verify(rank))
                .and_then(|()| self.can_take_default_route(rank))
            {
                Ok(()) => return Ok(rank),
                Err(blocker) if rank == Rank::DEFAULT_WAN => against = blocker,
                Err(_) => {}
            }
        }
        Err(against)
    }

    /// Returns how long the WAN that everything will come back to still has to be alive.
    pub(super) fn failback_remaining(&self) -> Duration {
        let better = self.ranks().take_while(|rank| *rank < self.default_route);
        better.filter_map(|rank| self.failback_left(rank)).min().unwrap_or_default()
    }

    /// Returns how long flap damping holds back a return to the default route. A WAN that costs money is not
    /// stayed on for that.
    pub(super) fn steer_damping_left(&self) -> Duration {
        if self.alternate.is_none_or(|alternate| self.is_metered(alternate)) {
            return Duration::ZERO;
        }
        let watch = self.watch(self.default_route);
        watch.map_or(Duration::ZERO, |w| {
            w.steer_damping_left(self.now, self.params.steer.flap_damping)
        })
    }

    /// The same for a failback. On a congested WAN connections gain
    /// nothing by waiting, either.
    pub(super) fn failover_damping_left(&self, rank: Rank) -> Duration {
        let default_route = self.watch(self.default_route);
        let is_above_threshold = default_route
            .is_some_and(|watch| watch.is_above_threshold(self.now, &self.params.steer));
        if is_above_threshold || self.is_metered(self.default_route) {
            return Duration::ZERO;
        }
        let watch = self.watch(rank);
        watch.map_or(Duration::ZERO, |w| {
            w.failover_damping_left(self.now, self.params.failover.flap_damping)
        })
    }

    fn is_metered(&self, rank: Rank) -> bool {
        self.facts(rank).is_some_and(|facts| facts.metered)
    }

    /// How long a WAN that is up still has to be, before everything comes back to it.
    fn failback_left(&self, rank: Rank) -> Option<Duration> {
        let watch = self.watch(rank).filter(|watch| watch.reach() == Reach::Up)?;
        let due = watch.reach_since() + self.params.failover.failback;
        Some(due.since(self.now))
    }

    /// Returns whether everything can be sent over a WAN, and may be.
    fn can_take_default_route(&self, rank: Rank) -> Result<(), Blocker> {
        let needed =
            target::needed_for_default_route(self.switches, rank).ok_or(Blocker::NoSwitch)?;
        if let Some(actuation) = self.actuation
            && needed.iter().any(|switch| actuation.is_refused(*switch))
        {
            return Err(Blocker::SwitchRefused);
        }
        let limits = self.params.failover.actions;
        if rank != Rank::DEFAULT_WAN && !self.failover_actions.allow(self.now, limits) {
            return Err(Blocker::ActionLimit);
        }
        Ok(())
    }
}
