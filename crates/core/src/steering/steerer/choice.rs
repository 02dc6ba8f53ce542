//! What there is to choose from at one moment, and what speaks against each choice.

use std::time::Duration;

use crate::{
    CongestionState, MeasurementState,
    steering::{
        Blocker, Rank, Reach, Recovery, RouteActuation, Score, Signals, SteeringParams, Switch,
        SwitchKind, WanFacts,
        actions::Actions,
        failover::Pulse,
        fitness,
        machine::{Condition, Refuge},
        since::Since,
        target,
        watch::Watch,
    },
    units::MonoTime,
};

/// Everything that is known at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    pub(super) now: MonoTime,
    pub(super) params: &'a SteeringParams,
    pub(super) watches: &'a [Watch],
    pub(super) switches: &'a [Switch],
    /// `None` while nothing is carried out.
    pub(super) actuation: Option<&'a RouteActuation>,
    pub(super) carrier: Rank,
    /// The WAN that connections were moved to, if they were.
    pub(super) refuge: Option<Rank>,
    pub(super) steer_actions: &'a Actions,
    pub(super) failover_actions: &'a Actions,
}

impl<'a> Choice<'a> {
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
        self.watch(rank).is_none_or(|watch| watch.glance(self.now).is_none())
    }

    fn signals(&self, rank: Rank) -> Option<Signals> {
        self.watch(rank)?.signals(self.now, &self.params.steer)
    }

    /// Scores a WAN; nothing known scores nothing.
    pub(super) fn score(&self, rank: Rank) -> Score {
        let signals = self.signals(rank);
        signals.map(|signals| self.params.steer.weights.score(&signals)).unwrap_or_default()
    }

    /// Returns the score from which suffering counts.
    pub(super) fn threshold(&self) -> u16 {
        let steer = &self.params.steer;
        let is_flapping = !self.steer_actions.penalty(self.now).is_zero();
        u16::from(steer.threshold) + if is_flapping { u16::from(steer.flap.points) } else { 0 }
    }

    /// Tells whether only the raised threshold keeps the carrier's suffering from counting.
    pub(super) fn is_penalised(&self) -> bool {
        let points = u16::from(self.score(self.carrier).points);
        points >= u16::from(self.params.steer.threshold) && points < self.threshold()
    }

    /// What the carrier is like, as far as congestion goes. What connections may come back to must
    /// have answered as lately as whatever else is moved to: all may be falling silent together.
    pub(super) fn condition(&self) -> Condition {
        let silence = self.params.failover.silence;
        let span = if self.refuge.is_some() { silence / 2 } else { silence };
        if self.is_dead(self.carrier) {
            let answers = self.is_answering(self.carrier, span);
            return if answers { Condition::Returning } else { Condition::Dead };
        }
        let Some(signals) = self.signals(self.carrier) else { return Condition::Unclear };
        let points = self.params.steer.weights.score(&signals).points;
        if u16::from(points) >= self.threshold() {
            Condition::Suffers
        } else if self.has_recovered(&signals, points) {
            Condition::Recovered
        } else {
            Condition::Middling
        }
    }

    /// A return takes more than no suffering:
    ///
    /// 1. the score is low enough, AND
    /// 2. no direction is in too bad a state, AND
    /// 3. the delay is known and low enough, AND
    /// 4. nothing is dropped, if that counts, AND
    /// 5. enough targets answer, and the WAN has been proven up.
    fn has_recovered(&self, signals: &Signals, points: u8) -> bool {
        let Recovery { score, state, delta, no_drops, .. } = self.params.steer.recovery;
        let Some(watch) = self.watch(self.carrier) else { return false };
        let measured = watch.glance(self.now).is_some_and(|glance| {
            glance.measurement.state == MeasurementState::Healthy
                || glance.measurement.state == MeasurementState::Reduced
        });
        points <= score
            && (CongestionState::Green..=state).contains(&signals.state)
            && signals.delta.is_some_and(|now| now < delta)
            && !(no_drops && watch.drops(self.now))
            && measured
            && watch.reach() == Reach::Up
    }

    /// What the WAN is like that connections were moved to.
    pub(super) fn refuge(&self, worse: &Since) -> Refuge {
        let Some(to) = self.refuge else { return Refuge::Good };
        if self.is_dead(to) {
            Refuge::Dead
        } else if worse.lasted(self.now, self.params.steer.sustain) {
            Refuge::Worse
        } else {
            Refuge::Good
        }
    }

    /// Tells whether the WAN that connections were moved to suffers more than the carrier.
    pub(super) fn is_refuge_worse(&self) -> bool {
        let Some(to) = self.refuge else { return false };
        let points = self.score(to).points;
        u16::from(points) >= u16::from(self.params.steer.threshold)
            && points > self.score(self.carrier).points
    }

    /// Returns the most preferred WAN to move connections to for comfort.
    pub(super) fn fit(&self) -> Result<Rank, Blocker> {
        let to = self.best(|rank| self.unfit(rank).map_or(Ok(()), Err))?;
        self.ready()?;
        self.affordable()?;
        Ok(to)
    }

    /// Returns the most preferred WAN to move connections to in need.
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
            if rank == self.carrier || Some(rank) == self.refuge {
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
        let switch = Switch { wan: rank, kind: SwitchKind::Steer };
        let is_refused = self.actuation.is_some_and(|actuation| actuation.is_refused(switch));
        if is_refused { Err(Blocker::SwitchRefused) } else { Ok(()) }
    }

    fn affordable(&self) -> Result<(), Blocker> {
        let limits = self.params.steer.actions;
        let allowed = self.steer_actions.allow(self.now, limits);
        if allowed { Ok(()) } else { Err(Blocker::ActionsSpent) }
    }

    /// Tells whether the router has followed everything so far; while it has not, nothing is
    /// changed for comfort.
    pub(super) fn ready(&self) -> Result<(), Blocker> {
        match self.actuation {
            Some(actuation) if !actuation.in_doubt().is_empty() => Err(Blocker::InDoubt),
            Some(actuation) if actuation.is_pending() => Err(Blocker::Pending),
            Some(_) | None => Ok(()),
        }
    }

    fn verify(&self, rank: Rank) -> Result<(), Blocker> {
        let watch = self.watch(rank).ok_or(Blocker::AlternateUnverified)?;
        fitness::verified(watch, &self.params.failover, self.now)
    }

    /// Says why nothing is moved to a WAN for comfort.
    pub(super) fn unfit(&self, rank: Rank) -> Option<Blocker> {
        let (Some(watch), Some(facts)) = (self.watch(rank), self.facts(rank)) else {
            return Some(Blocker::AlternateUnverified);
        };
        let here = self.watch(self.carrier).and_then(|watch| watch.glance(self.now));
        let rtt = here.and_then(|glance| glance.measurement.rtt);
        let rtt = rtt.filter(|_| rank != self.carrier);
        let params = (&self.params.steer, &self.params.failover);
        fitness::fit(watch, facts, rtt, params, self.now).err()
    }

    /// Tells whether the operator's choice can be followed.
    pub(super) fn may_pin(&self, rank: Rank) -> bool {
        let has_way =
            rank == self.carrier || (self.has_steer(rank) && self.usable_steer(rank).is_ok());
        has_way && !self.is_dead(rank)
    }

    /// What the carrier is like, as far as reachability goes.
    pub(super) fn pulse(&self) -> Pulse {
        let cannot_send = self.watch(self.carrier).is_some_and(|watch| {
            watch.cannot_send_since(self.now, &self.params.failover).is_some()
        });
        if self.is_returning(self.carrier) {
            Pulse::Returning
        } else if cannot_send && !self.watches.iter().any(|watch| watch.can_send(self.now)) {
            Pulse::CannotLook
        } else if self.is_dead(self.carrier) {
            if cannot_send { Pulse::Gone } else { Pulse::Dead }
        } else if self.is_stale(self.carrier) {
            Pulse::Unclear
        } else {
            Pulse::Alive
        }
    }

    /// Tells whether a dead WAN has begun to answer again, without being proven up yet.
    fn is_returning(&self, rank: Rank) -> bool {
        self.is_dead(rank) && self.is_answering(rank, self.params.failover.silence)
    }

    /// Tells whether enough targets answer, the last within `span`.
    fn is_answering(&self, rank: Rank, span: Duration) -> bool {
        self.watch(rank).is_some_and(|watch| {
            let fresh = watch.glance(self.now).map_or(0, |glance| glance.measurement.fresh);
            fresh >= self.params.failover.targets && watch.answers(self.now, span)
        })
    }

    /// Returns the best WAN to move everything to in need: home if it answers, proven or not, else
    /// the most preferred one that is verified healthy.
    pub(super) fn rescue(&self) -> Result<Rank, Blocker> {
        let is_away = self.carrier != Rank::HOME;
        if is_away && self.is_answering(Rank::HOME, self.params.failover.silence / 2) {
            return Ok(Rank::HOME);
        }
        let mut against = Blocker::NoSwitch;
        for rank in self.ranks().filter(|rank| *rank != self.carrier) {
            match self.carriable(rank).and_then(|()| self.verify(rank)) {
                Ok(()) => return Ok(rank),
                Err(blocker) if against == Blocker::NoSwitch => against = blocker,
                Err(_) => {}
            }
        }
        Err(against)
    }

    /// Returns the most preferred WAN that everything should come back to.
    pub(super) fn better(&self) -> Result<Rank, Blocker> {
        let mut against = Blocker::FailbackDelay;
        for rank in self.ranks().take_while(|rank| *rank < self.carrier) {
            let waits = self.failback_left(rank).is_none_or(|left| !left.is_zero());
            let relapses = !self.revival_in(rank).is_zero();
            let delay = match (waits, relapses) {
                (true, _) => Err(Blocker::FailbackDelay),
                (false, true) => Err(Blocker::Relapsing),
                (false, false) => Ok(()),
            };
            match delay.and_then(|()| self.verify(rank)).and_then(|()| self.carriable(rank)) {
                Ok(()) => return Ok(rank),
                Err(blocker) if rank == Rank::HOME => against = blocker,
                Err(_) => {}
            }
        }
        Err(against)
    }

    /// Returns how long the WAN that everything will come back to still has to be alive.
    pub(super) fn failback_remaining(&self) -> Duration {
        let better = self.ranks().take_while(|rank| *rank < self.carrier);
        better.filter_map(|rank| self.failback_left(rank)).min().unwrap_or_default()
    }

    /// Returns how long the carrier's recovery is not believed yet. A WAN that costs money is not
    /// stayed on for that.
    pub(super) fn relief_in(&self) -> Duration {
        if self.refuge.is_none_or(|refuge| self.is_metered(refuge)) {
            return Duration::ZERO;
        }
        let watch = self.watch(self.carrier);
        watch.map_or(Duration::ZERO, |w| w.relief_in(self.now, self.params.steer.patience))
    }

    /// The same of a WAN that everything is to come back to. Where connections suffer they gain
    /// nothing by waiting, either.
    pub(super) fn revival_in(&self, rank: Rank) -> Duration {
        let carrier = self.watch(self.carrier);
        let suffers = carrier.is_some_and(|watch| watch.suffers(self.now, &self.params.steer));
        if suffers || self.is_metered(self.carrier) {
            return Duration::ZERO;
        }
        let watch = self.watch(rank);
        watch.map_or(Duration::ZERO, |w| w.revival_in(self.now, self.params.failover.patience))
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

    /// Tells whether everything can be sent over a WAN, and may be.
    fn carriable(&self, rank: Rank) -> Result<(), Blocker> {
        let needed = target::needed_to_carry(self.switches, rank).ok_or(Blocker::NoSwitch)?;
        if let Some(actuation) = self.actuation
            && needed.iter().any(|switch| actuation.is_refused(*switch))
        {
            return Err(Blocker::SwitchRefused);
        }
        let limits = self.params.failover.actions;
        if rank != Rank::HOME && !self.failover_actions.allow(self.now, limits) {
            return Err(Blocker::ActionsSpent);
        }
        Ok(())
    }
}
