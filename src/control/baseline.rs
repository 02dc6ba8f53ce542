//! How one reflector's idle delay is learned, held and re-learned.
//!
//! The baseline falls quickly (a shorter delay is proof that the path can be that short), rises
//! slowly and only while the link is quiet, and is learned anew when the path has plainly
//! changed. A queue that stands under our own load is never taken for a longer path.

use std::{collections::VecDeque, time::Duration};

use crate::units::{Delay, MonoTime};

/// Share of the way down that one shorter reply moves the baseline: two replies do most of it,
/// while a single oddly short one does not.
const FALL_PER_REPLY: f64 = 0.6;
/// Time constant of the rise while the link is quiet: slow against a queue, quick against the
/// minutes over which routes drift.
const RISE_TAU: Duration = Duration::from_mins(1);
/// How long a quiet link must show the longer delay before it is believed to be the path.
const RELEARN_AFTER: Duration = Duration::from_secs(5);
/// Fewest replies that may prove a path change.
const RELEARN_REPLIES: usize = 8;
/// A baseline that was never seen at rest is believed after this time: a queue that stood when it
/// began has drained at the base rate by then, and the baseline has fallen with it.
const FOUNDED_AFTER: Duration = Duration::from_secs(10);
/// A path change smaller than this is left to the slow rise.
const RELEARN_STEP: Delay = Delay::from_micros(4_000);

/// The learned idle delay of one reflector.
#[derive(Debug, Clone, Default)]
pub(super) struct Baseline {
    value: Option<Delay>,
    last: Option<MonoTime>,
    first: Option<MonoTime>,
    seen_quiet: bool,
    /// Replies since the link became quiet, no older than `RELEARN_AFTER` plus one.
    quiet: VecDeque<(MonoTime, Delay)>,
}

impl Baseline {
    /// Starts from a value that was learned before: a starting point, to be founded anew.
    pub(super) fn remembered(value: Delay) -> Self {
        Self { value: Some(value), ..Self::default() }
    }

    /// Returns the idle delay, once a reply has been seen.
    pub(super) fn value(&self) -> Option<Delay> {
        self.value
    }

    /// Tells whether the value is more than the first delay that happened to be seen.
    pub(super) fn is_founded(&self, now: MonoTime) -> bool {
        self.seen_quiet || self.first.is_some_and(|first| now.since(first) >= FOUNDED_AFTER)
    }

    /// Takes one reply into account. `quiet` tells that the WAN carried next to no traffic of
    /// ours when it arrived.
    pub(super) fn update(&mut self, at: MonoTime, rtt: Delay, quiet: bool) {
        self.first = self.first.or(Some(at));
        self.seen_quiet |= quiet;
        let Some(value) = self.value else {
            self.value = Some(rtt);
            self.last = Some(at);
            return;
        };
        let dt = self.last.map_or(Duration::ZERO, |last| at.since(last));
        self.last = Some(at);
        if rtt < value {
            self.value = Some(value - (value - rtt).scaled(FALL_PER_REPLY));
        } else if quiet {
            let alpha = 1.0 - (-dt.as_secs_f64() / RISE_TAU.as_secs_f64()).exp();
            self.value = Some(value + (rtt - value).scaled(alpha));
        }
        self.relearn(at, rtt, quiet);
    }

    /// Moves the baseline at once when a quiet link has shown a longer, steady delay for long.
    fn relearn(&mut self, at: MonoTime, rtt: Delay, quiet: bool) {
        if !quiet {
            self.quiet.clear();
            return;
        }
        self.quiet.push_back((at, rtt));
        // Keep one reply that is older than the span: it proves that the span is covered.
        while self.quiet.get(1).is_some_and(|(t, _)| at.since(*t) >= RELEARN_AFTER) {
            self.quiet.pop_front();
        }
        let covered = self.quiet.front().is_some_and(|(t, _)| at.since(*t) >= RELEARN_AFTER);
        if !covered || self.quiet.len() < RELEARN_REPLIES {
            return;
        }
        // The shortest of the span: had the longer delay been a queue or noise, one reply in
        // five seconds would have come through near the old baseline.
        let shortest = self.quiet.iter().map(|(_, rtt)| *rtt).min();
        if let (Some(value), Some(shortest)) = (self.value, shortest)
            && shortest > value + RELEARN_STEP
        {
            self.value = Some(shortest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: i64) -> Delay {
        Delay::from_micros(millis * 1000)
    }

    /// Feeds a reply every 300 ms for `seconds` and returns the time after the last.
    fn feed(b: &mut Baseline, from: MonoTime, seconds: u64, rtt: Delay, quiet: bool) -> MonoTime {
        let replies = seconds * 1000 / 300;
        (1..=replies).fold(from, |_, n| {
            let at = from + Duration::from_millis(300 * n);
            b.update(at, rtt, quiet);
            at
        })
    }

    #[test]
    fn a_standing_queue_under_load_is_never_learned() {
        let mut b = Baseline::default();
        let t = feed(&mut b, MonoTime::ZERO, 3, ms(20), true);
        feed(&mut b, t, 3600, ms(140), false);
        assert_eq!(b.value(), Some(ms(20)));
    }

    #[test]
    fn a_lasting_path_change_on_a_quiet_link_is_learned_within_seven_seconds() {
        let mut b = Baseline::default();
        let t = feed(&mut b, MonoTime::ZERO, 30, ms(20), true);
        feed(&mut b, t, 7, ms(120), true);
        assert_eq!(b.value(), Some(ms(120)));
    }

    #[test]
    fn jitter_that_returns_to_the_old_path_is_not_a_path_change() {
        let mut b = Baseline::default();
        let mut t = feed(&mut b, MonoTime::ZERO, 5, ms(20), true);
        for _ in 0..200 {
            t = feed(&mut b, t, 2, ms(45), true);
            t = feed(&mut b, t, 1, ms(20), true);
        }
        assert!(b.value().unwrap() < ms(24), "{:?}", b.value());
    }

    #[test]
    fn a_shorter_path_is_taken_up_within_a_few_replies_even_under_load() {
        let mut b = Baseline::default();
        let t = feed(&mut b, MonoTime::ZERO, 3, ms(60), true);
        feed(&mut b, t, 2, ms(20), false);
        assert!(b.value().unwrap() < ms(21), "{:?}", b.value());
    }
}
