//! Which of the known reflectors take turns, and who of them makes room for another.
//!
//! A WAN knows more reflectors than it asks. Those that take turns are *active*; the others wait
//! as *spares* and get a trial probe now and then, so that it is known which of them would be
//! better. One that was replaced rests for a while, longer each time, and has to answer several
//! trials in a row before it counts as a spare again.
//!
//! Behind the spares is a *reserve*: built-in reflectors for a WAN whose own ones die. It is asked
//! only while an active reflector is dead or none answers, and makes room when one of the WAN's
//! own answers again.
//!
//! A reflector to whose address family there is no route is not asked at all, and is not at fault.
//!
//! Pure: the time is an argument, nothing waits. What must hold:
//! - never more than the configured number take turns;
//! - at most one is replaced for a fault within [`REVIEW`];
//! - a blackout condemns nobody: only what others did better at the same time is a fault.

mod event;
mod losses;
mod route;

use std::time::Duration;

pub use event::{PoolEvent, ReplacementReason};
use losses::{Losses, Window};
use wanctl_core::{
    ProbeOutcome, ReflectorId,
    units::{Delay, MonoTime},
};

/// Time between two checks of the scores, and so the least time between two replacements.
const REVIEW: Duration = Duration::from_secs(5);
/// How long a reflector is active at least before it is assessed: long enough for its window to
/// fill, so that a moment's bad luck replaces nobody.
const STAY: Duration = Duration::from_secs(30);
/// Fewest outcomes by which a reflector is assessed.
const ASSESSED: usize = 20;
/// Outcomes after which one that has never answered is dead, and assessed at once.
const DEAD: usize = 12;
/// Share of probes that a reflector may lose more than the best before it is replaced.
const LOSSY: f64 = 0.25;
/// From this loss on it is asked whether all the active ones are at fault together.
const ALL_LOSSY: f64 = 0.9;
/// Outcomes that a spare needs before all active ones are measured by it.
const COMPARISON_OUTCOMES: usize = 8;
/// How much slower than the fastest active reflector one may be, if a spare is nearer.
const SLOW: Delay = Delay::from_micros(20_000);
/// How much nearer that spare must be, so that two equals do not change places for ever.
const NEARER: Delay = Delay::from_micros(10_000);
/// Every so many turns one goes to a spare.
const TRIAL_TURNS: u32 = 20;
/// The same while no active reflector answers: is it them, or the link?
const TRIAL_TURNS_NO_REPLIES: u32 = 2;
/// The same while an active reflector is dead: who could take its turns?
const TRIAL_TURNS_FOR_THE_DEAD: u32 = 5;
/// Trials in a row that a spare must have answered to be fit.
const FIT: u32 = 3;
/// How long a replaced reflector rests the first time.
const REPLACED_FOR: Duration = Duration::from_mins(1);
/// How often that time is doubled at most: to about half an hour.
const REPLACED_DOUBLINGS: u32 = 5;

/// What a pool is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolParams {
    /// How many reflectors are known (1 or more).
    pub reflectors: u16,
    /// How many of them take turns (1 or more).
    pub active: u16,
    /// How many of them, the last ones, are a reserve.
    pub builtin_spares: u16,
    /// How often one makes room without a fault of its own, if at all.
    pub rotation: Option<Duration>,
}

#[derive(Debug, Clone)]
struct Member {
    window: Window,
    role: Role,
    /// How often it was replaced for a fault.
    rests: u32,
    /// Trials in a row that it has answered.
    streak: u32,
    is_reserve: bool,
    /// Whether there is a route to it.
    is_reachable: bool,
    /// Probes in a row that it has not answered although others were answered.
    unanswered: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    Active {
        since: MonoTime,
    },
    /// Not asked before the moment given.
    Waiting {
        until: MonoTime,
    },
}

/// The reflectors of one WAN.
#[derive(Debug, Clone)]
pub struct Pool {
    members: Vec<Member>,
    /// Who takes turns, in the order of the turns.
    active: Vec<ReflectorId>,
    turn: usize,
    turns_since_trial: u32,
    last_trial: usize,
    /// Probes to active reflectors in a row that nobody answered.
    silence: usize,
    losses: Losses,
    reviewed: MonoTime,
    rotation: Option<Duration>,
    rotated: MonoTime,
}

impl Pool {
    /// Starts with the first reflectors of the list.
    #[must_use]
    pub fn new(params: PoolParams, now: MonoTime) -> Self {
        let known = params.reflectors.max(1);
        let own = known.saturating_sub(params.builtin_spares).max(1);
        let count = params.active.clamp(1, own);
        let member = |id: u16| Member {
            window: Window::default(),
            role: if id < count {
                Role::Active { since: now }
            } else {
                Role::Waiting { until: now }
            },
            rests: 0,
            streak: 0,
            is_reserve: id >= own,
            is_reachable: true,
            unanswered: 0,
        };
        Self {
            members: (0..known).map(member).collect(),
            active: (0..count).map(ReflectorId).collect(),
            turn: 0,
            turns_since_trial: 0,
            last_trial: 0,
            silence: 0,
            losses: Losses::new(usize::from(count)),
            reviewed: now,
            rotation: params.rotation,
            rotated: now,
        }
    }

    /// Returns who takes turns.
    #[must_use]
    pub fn active(&self) -> &[ReflectorId] {
        &self.active
    }

    /// Returns who does not answer although others do.
    #[must_use]
    pub fn dead(&self) -> Vec<ReflectorId> {
        let members = (0..).map(ReflectorId).zip(&self.members);
        members.filter(|(_, member)| member.is_dead()).map(|(id, _)| id).collect()
    }

    fn member(&self, id: ReflectorId) -> Option<&Member> {
        self.members.get(usize::from(id.0))
    }

    fn is_dead(&self, id: ReflectorId) -> bool {
        self.member(id).is_some_and(Member::is_dead)
    }

    /// Chooses who is asked next.
    pub fn next(&mut self, now: MonoTime) -> ReflectorId {
        self.turns_since_trial = self.turns_since_trial.saturating_add(1);
        let is_silent = self.silence >= 2 * self.active.len();
        let has_dead = self.active.iter().any(|id| self.is_dead(*id));
        let turns = match (is_silent, has_dead) {
            (true, _) => TRIAL_TURNS_NO_REPLIES,
            (false, true) => TRIAL_TURNS_FOR_THE_DEAD,
            (false, false) => TRIAL_TURNS,
        };
        if self.turns_since_trial >= turns
            && let Some(spare) = self.next_spare(now, is_silent || has_dead)
        {
            self.turns_since_trial = 0;
            return spare;
        }
        let count = self.active.len().max(1);
        let turns = (1..=count).map(|step| (self.turn + step) % count);
        let has_route = |turn: &usize| {
            let id = self.active.get(*turn);
            id.and_then(|id| self.member(*id)).is_some_and(|member| member.is_reachable)
        };
        self.turn = turns.into_iter().find(has_route).unwrap_or((self.turn + 1) % count);
        self.active.get(self.turn).copied().unwrap_or(ReflectorId(0))
    }

    fn next_spare(&mut self, now: MonoTime, needs_reserve: bool) -> Option<ReflectorId> {
        let count = self.members.len();
        let order = (1..=count).map(|step| (self.last_trial + step) % count);
        let due = |place: &usize| {
            self.members.get(*place).is_some_and(|member| match member.role {
                Role::Waiting { until } => {
                    now >= until && member.is_reachable && (needs_reserve || !member.is_reserve)
                }
                Role::Active { .. } => false,
            })
        };
        let place = order.into_iter().find(due)?;
        self.last_trial = place;
        u16::try_from(place).ok().map(ReflectorId)
    }

    /// Takes the fate of a probe into account. `sequence` counts the probes of the WAN.
    pub fn learn(
        &mut self,
        reflector: ReflectorId,
        sequence: u64,
        outcome: ProbeOutcome,
    ) -> Option<PoolEvent> {
        let counted = match outcome {
            ProbeOutcome::Reply(_) => self.losses.answered(sequence),
            // One to which nothing can be sent while others answer, for want of IPv6 perhaps, is
            // of no more use than one that does not answer.
            ProbeOutcome::Lost | ProbeOutcome::Unsent => self.losses.lost(sequence, reflector),
        };
        for (sequence, lost) in counted {
            if let Some(member) = self.members.get_mut(usize::from(lost.0)) {
                member.window.push(sequence, None);
                member.unanswered = member.unanswered.saturating_add(1);
            }
        }
        let is_active = self.active.contains(&reflector);
        if is_active {
            let answered = matches!(outcome, ProbeOutcome::Reply(_));
            self.silence = if answered { 0 } else { self.silence.saturating_add(1) };
        }
        let member = self.members.get_mut(usize::from(reflector.0))?;
        let ProbeOutcome::Reply(rtt) = outcome else {
            member.streak = 0;
            return None;
        };
        // A late reply takes the place of its loss.
        member.window.push(sequence, Some(rtt));
        member.unanswered = 0;
        if is_active {
            return None;
        }
        member.streak = member.streak.saturating_add(1);
        (member.streak == FIT && member.rests > 0).then_some(PoolEvent::Returned(reflector))
    }

    /// Checks the scores if that is due, and replaces one reflector if a better one is known.
    pub fn review(&mut self, now: MonoTime) -> Option<PoolEvent> {
        if now.since(self.reviewed) < REVIEW {
            return None;
        }
        self.reviewed = now;
        let (by, spare) = self.best_spare(now)?;
        let (by_delay, by_loss) = (spare.window.least(), spare.comparison_loss());
        let found = self.lossy(now, by_loss).or_else(|| self.slow(now, by_delay)).or_else(|| {
            let due = self.rotation.is_some_and(|every| now.since(self.rotated) >= every);
            due.then(|| self.longest_serving().map(|id| (id, ReplacementReason::Rotation)))
                .flatten()
        });
        let relieved = || {
            let reserve = |id: &&ReflectorId| self.member(**id).is_some_and(|m| m.is_reserve);
            let id = self.active.iter().find(reserve).filter(|_| !spare.is_reserve)?;
            Some((*id, ReplacementReason::ListedRecovered))
        };
        let (reflector, fault) = found.or_else(relieved)?;
        self.replace(reflector, by, fault, now);
        Some(PoolEvent::Replaced { reflector, by, fault })
    }

    /// The nearest spare that has answered its last trials.
    fn best_spare(&self, now: MonoTime) -> Option<(ReflectorId, &Member)> {
        let fit = |member: &&Member| match member.role {
            Role::Waiting { until } => now >= until && member.streak >= FIT && member.is_reachable,
            Role::Active { .. } => false,
        };
        (0..)
            .map(ReflectorId)
            .zip(&self.members)
            .filter(|(_, member)| fit(member))
            .min_by_key(|(_, member)| (member.is_reserve, member.window.least()))
    }

    /// The active reflector that loses most, if others lose much less.
    fn lossy(&self, now: MonoTime, spare: Option<f64>) -> Option<(ReflectorId, ReplacementReason)> {
        if let Some(dead) = self.active.iter().find(|id| self.is_dead(**id)) {
            return Some((*dead, ReplacementReason::Loss(1.0)));
        }
        let losses: Vec<(ReflectorId, f64)> =
            self.assessed(now).map(|(id, member)| (id, member.window.loss())).collect();
        let least = losses.iter().map(|(_, loss)| *loss).min_by(f64::total_cmp)?;
        let least = if least > ALL_LOSSY { spare.unwrap_or(least).min(least) } else { least };
        let (id, worst) = losses.into_iter().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        (worst - least >= LOSSY).then_some((id, ReplacementReason::Loss(worst)))
    }

    /// The slowest active reflector, if others are much faster and `spare` is as well. Each by the
    /// least of its delays, which a queue of our own does not move.
    fn slow(
        &self,
        now: MonoTime,
        spare: Option<Delay>,
    ) -> Option<(ReflectorId, ReplacementReason)> {
        let spare = spare?;
        let delays: Vec<(ReflectorId, Delay)> = self
            .assessed(now)
            .filter_map(|(id, member)| Some((id, member.window.least()?)))
            .collect();
        let best = delays.iter().map(|(_, delay)| *delay).min()?;
        let (id, worst) = delays.into_iter().max_by_key(|(_, delay)| *delay)?;
        // Behind a satellite the places differ by more without being worse.
        let slow = SLOW.max(best.scaled(0.5));
        (worst - best > slow && spare + NEARER < worst)
            .then_some((id, ReplacementReason::Delay(worst - best)))
    }

    fn assessed(&self, now: MonoTime) -> impl Iterator<Item = (ReflectorId, &Member)> {
        let assessed = move |member: &Member| match member.role {
            // Of those without a route nothing is known.
            Role::Active { since } => {
                now.since(since) >= STAY && member.window.len() >= ASSESSED && member.is_reachable
            }
            Role::Waiting { .. } => false,
        };
        (0..).map(ReflectorId).zip(&self.members).filter(move |(_, member)| assessed(member))
    }

    fn longest_serving(&self) -> Option<ReflectorId> {
        let since = |(id, member): (ReflectorId, &Member)| match member.role {
            Role::Active { since } => Some((since, id)),
            Role::Waiting { .. } => None,
        };
        (0..).map(ReflectorId).zip(&self.members).filter_map(since).min().map(|(_, id)| id)
    }

    fn replace(
        &mut self,
        out: ReflectorId,
        by: ReflectorId,
        fault: ReplacementReason,
        now: MonoTime,
    ) {
        if let Some(slot) = self.active.iter_mut().find(|slot| **slot == out) {
            *slot = by;
        }
        if let Some(member) = self.members.get_mut(usize::from(by.0)) {
            member.role = Role::Active { since: now };
        }
        if let Some(member) = self.members.get_mut(usize::from(out.0)) {
            member.streak = 0;
            let rest = if matches!(
                fault,
                ReplacementReason::Rotation
                    | ReplacementReason::NoRoute
                    | ReplacementReason::ListedRecovered
            ) {
                Duration::ZERO
            } else {
                // What was counted against it would condemn it anew on its return.
                member.window = Window::default();
                let doublings = member.rests.min(REPLACED_DOUBLINGS);
                member.rests = member.rests.saturating_add(1);
                REPLACED_FOR * 2_u32.pow(doublings)
            };
            member.role = Role::Waiting { until: now + rest };
        }
        self.rotated = now;
    }
}

impl Member {
    /// Whether it does not answer although others do.
    fn is_dead(&self) -> bool {
        self.unanswered >= DEAD
    }

    /// Its loss, if it has been asked often enough to speak for the link.
    fn comparison_loss(&self) -> Option<f64> {
        (self.window.len() >= COMPARISON_OUTCOMES).then(|| self.window.loss())
    }
}

#[cfg(test)]
mod tests;
