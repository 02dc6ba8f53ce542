//! Which prober is taken, as a pure machine: the best that is answered, tried anew now and then.
//!
//! A prober is left only for one that answers: while nobody answers anywhere the link is at fault,
//! and the prober stays.

use std::time::Duration;

use wanctl_core::units::MonoTime;

/// Silence on a prober after which others are tried.
const NO_REPLY_TIME: Duration = Duration::from_secs(10);
/// Time between two attempts to get back to a better prober.
const RETRY: Duration = Duration::from_mins(1);
/// Time between two trial probes.
const BETWEEN: Duration = Duration::from_secs(1);
/// Trial probes of an attempt to get back.
const TRIALS: u32 = 3;
/// How many of them must be answered: one may be a stray.
const NEEDED: u32 = 2;

/// The probers of a WAN, the best first.
#[derive(Debug, Clone)]
pub(super) struct ProberSelection {
    probers: usize,
    current: usize,
    last_answer: MonoTime,
    next_trial: MonoTime,
    tried: usize,
    left: u32,
    answered: u32,
}

impl ProberSelection {
    /// Begins on the prober `first` of `probers` (1 or more).
    pub(super) fn new(probers: usize, first: usize, now: MonoTime) -> Self {
        let next_trial = if first == 0 { now } else { now + RETRY };
        Self {
            probers,
            current: first,
            last_answer: now,
            next_trial,
            tried: first,
            left: 0,
            answered: 0,
        }
    }

    /// Returns the prober in use.
    pub(super) const fn current(&self) -> usize {
        self.current
    }

    /// Returns the prober that should be tried with the next packet, if one should.
    pub(super) fn trial(&mut self, now: MonoTime) -> Option<usize> {
        if self.probers < 2 || now < self.next_trial {
            return None;
        }
        if self.is_silent(now) {
            self.next_trial = now + BETWEEN;
            self.tried = (self.tried + 1) % self.probers;
            if self.tried == self.current {
                self.tried = (self.tried + 1) % self.probers;
            }
            return Some(self.tried);
        }
        if self.current == 0 {
            return None;
        }
        if self.left == 0 {
            // The better probers take turns, an attempt each.
            self.tried = (self.tried + 1) % self.current;
            (self.left, self.answered) = (TRIALS, 0);
        }
        self.left -= 1;
        self.next_trial = now + if self.left == 0 { RETRY } else { BETWEEN };
        Some(self.tried)
    }

    /// Takes note that somebody answered on `prober`.
    pub(super) fn answered(&mut self, prober: usize, now: MonoTime) {
        if prober == self.current {
            self.last_answer = now;
        }
    }

    /// Takes note that a trial on `prober` was answered; returns whether that prober is now taken.
    pub(super) fn trial_answered(&mut self, prober: usize, now: MonoTime) -> bool {
        if prober == self.current {
            return false;
        }
        self.answered += u32::from(prober == self.tried);
        let is_back = prober < self.current && self.answered >= NEEDED;
        if !self.is_silent(now) && !is_back {
            return false;
        }
        *self = Self { next_trial: now + RETRY, ..Self::new(self.probers, prober, now) };
        true
    }

    fn is_silent(&self, now: MonoTime) -> bool {
        now.since(self.last_answer) >= NO_REPLY_TIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Lets `span` pass in steps of 50 ms on probers with these answers; returns the trials.
    fn run(
        choice: &mut ProberSelection,
        now: &mut MonoTime,
        span: Duration,
        answers: [bool; 3],
    ) -> usize {
        let end = *now + span;
        let mut trials = 0;
        while *now < end {
            *now = *now + Duration::from_millis(50);
            if let Some(prober) = choice.trial(*now) {
                trials += 1;
                if answers[prober] {
                    choice.trial_answered(prober, *now);
                }
            } else if answers[choice.current()] {
                choice.answered(choice.current(), *now);
            }
        }
        trials
    }

    #[test]
    fn the_best_prober_stays_without_trials_while_it_answers() {
        let (mut choice, mut now) = (ProberSelection::new(3, 0, MonoTime::ZERO), MonoTime::ZERO);
        assert_eq!(run(&mut choice, &mut now, SECOND * 300, [true; 3]), 0);
        assert_eq!(choice.current(), 0);
    }

    #[test]
    fn no_replies_switch_to_a_prober_that_answers_and_an_answer_back() {
        let (mut choice, mut now) = (ProberSelection::new(3, 0, MonoTime::ZERO), MonoTime::ZERO);
        run(&mut choice, &mut now, SECOND * 9, [false, false, true]);
        assert_eq!(choice.current(), 0, "too soon");
        run(&mut choice, &mut now, SECOND * 4, [false, false, true]);
        assert_eq!(choice.current(), 2);
        let trials = run(&mut choice, &mut now, SECOND * 125, [false, false, true]);
        assert_eq!((choice.current(), trials), (2, 6), "three trials a minute");
        run(&mut choice, &mut now, SECOND * 130, [true, false, true]);
        assert_eq!(choice.current(), 0);
    }

    #[test]
    fn a_link_without_replies_changes_no_prober() {
        let (mut choice, mut now) = (ProberSelection::new(2, 0, MonoTime::ZERO), MonoTime::ZERO);
        let trials = run(&mut choice, &mut now, SECOND * 70, [false; 3]);
        assert_eq!(choice.current(), 0);
        assert!(trials <= 61, "{trials} trials in a minute of silence");
    }

    #[test]
    fn one_stray_answer_does_not_switch_back() {
        let (mut choice, mut now) = (ProberSelection::new(2, 1, MonoTime::ZERO), MonoTime::ZERO);
        run(&mut choice, &mut now, SECOND * 59, [false, true, false]);
        now = now + SECOND * 2;
        assert_eq!(choice.trial(now), Some(0));
        assert!(!choice.trial_answered(0, now));
        assert_eq!(choice.current(), 1);
    }

    #[test]
    fn a_lone_prober_is_never_tried_against_another() {
        let (mut choice, mut now) = (ProberSelection::new(1, 0, MonoTime::ZERO), MonoTime::ZERO);
        assert_eq!(run(&mut choice, &mut now, SECOND * 60, [false; 3]), 0);
    }
}
