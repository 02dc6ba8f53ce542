//! Probes that do not see the queue: they take another way, or are let through first.
//!
//! Traffic that waited in our shaper fills any rate that the link carries. If it neither fills a
//! higher rate nor waits any more, something behind the shaper limits it, and a queue has to stand
//! there. Replies that are as quick as ever then say that the probes pass it by.

use std::time::Duration;

use crate::units::{BitRate, Delay, MonoTime};

/// A rate this much above the one at which traffic waited last is one that it should fill.
const RAISED: f64 = 1.05;
/// Less than this share of the rate is a rate that is not filled,
const UNFILLED: f64 = 0.97;
/// and more than this share of the rate at which it waited says that the traffic is the same.
const SAME_TRAFFIC: f64 = 0.9;
/// For how long it must be so: several times what a transfer takes to grow into a rate.
const FOR: Duration = Duration::from_secs(5);
/// A delay this small is that of an idle link.
const FLAT: Delay = Delay::from_micros(2_500);
/// After this time the probes are given another chance.
const AGAIN: Duration = Duration::from_mins(1);

/// Whether the probes see one direction's queue.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Blindness {
    /// The rate at which traffic waited last.
    waited_at: Option<BitRate>,
    suspected: Option<MonoTime>,
    blind: Option<MonoTime>,
}

impl Blindness {
    /// Takes one moment into account: what gets through of the limit in force, whether traffic waits
    /// in the shaper, and the delay over the baseline.
    pub(super) fn update(
        &mut self,
        now: MonoTime,
        got: Option<BitRate>,
        in_force: BitRate,
        waits: bool,
        delta: Option<Delay>,
    ) {
        let is_flat = delta.is_some_and(|delta| delta.abs() < FLAT);
        let is_over = self.blind.is_some_and(|since| now.since(since) >= AGAIN);
        if !is_flat || is_over {
            self.suspected = None;
            self.blind = None;
            self.waited_at = None;
        }
        if waits {
            self.waited_at = Some(in_force);
        }
        let is_odd = got.zip(self.waited_at).is_some_and(|(got, waited_at)| {
            in_force > waited_at.scaled(RAISED)
                && got < in_force.scaled(UNFILLED)
                && got > waited_at.scaled(SAME_TRAFFIC)
        });
        if !is_odd {
            self.suspected = None;
        } else if now.since(*self.suspected.get_or_insert(now)) >= FOR {
            self.blind.get_or_insert(now);
        }
    }

    pub(super) fn is_blind(&self) -> bool {
        self.blind.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Traffic waits at 20 Mbit/s; then `seconds` at 24 of which `got` get through.
    fn after(seconds: u64, got: f64, delta: i64) -> bool {
        let mut blindness = Blindness::default();
        let mut tell = |ms, got, rate, waits, delta| {
            let (got, rate) = (Some(BitRate::from_mbps(got)), BitRate::from_mbps(rate));
            let delta = Some(Delay::from_micros(delta));
            blindness.update(MonoTime::from_millis(ms), got, rate, waits, delta);
        };
        tell(0, 20.0, 20.0, true, 0);
        for cycle in 1..=seconds * 20 {
            tell(cycle * 50, got, 24.0, false, delta);
        }
        blindness.is_blind()
    }

    #[test]
    fn a_full_link_without_a_delay_is_a_blind_spot() {
        assert!(after(6, 21.0, 300));
        assert!(!after(4, 21.0, 300), "not at once");
        assert!(!after(6, 21.0, 9_000), "a queue is seen");
        assert!(!after(6, 24.0, 300), "the rate is filled");
        assert!(!after(6, 5.0, 300), "other traffic");
    }

    #[test]
    fn the_probes_get_another_chance() {
        assert!(after(60, 21.0, 300));
        assert!(!after(66, 21.0, 300));
    }
}
