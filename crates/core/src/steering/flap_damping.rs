//! Flap damping: how long a WAN must stay well before it counts as recovered.
//!
//! A WAN that is bad for a minute once in ten minutes looks well most of the time. Each early
//! return costs the connections that are caught in the next bad spell, and two changes. So the WAN
//! must stay well for longer than between its last bad spells.

use std::{collections::VecDeque, time::Duration};

use crate::units::MonoTime;

/// A spell is remembered for this long after its end.
const REMEMBERED: Duration = Duration::from_hours(1);
/// So many times the longest spell must be outlasted.
const OUTLAST: u32 = 2;
/// Maximum number of spells that are kept.
const KEPT: usize = 64;

/// The spells for which a WAN was well between two bad ones.
#[derive(Debug, Clone, Default)]
pub(super) struct FlapDamping {
    is_bad: bool,
    /// Since when it has been well, if it was bad before.
    well_since: Option<MonoTime>,
    /// When each spell ended, and how long it had lasted; the oldest first.
    spells: VecDeque<(MonoTime, Duration)>,
}

impl FlapDamping {
    /// Takes note of whether the WAN is bad at `now`.
    pub(super) fn note(&mut self, is_bad: bool, now: MonoTime) {
        match (self.is_bad, is_bad) {
            (false, true) => {
                if let Some(since) = self.well_since.take() {
                    self.spells.push_back((now, now.since(since)));
                }
            }
            (true, false) => self.well_since = Some(now),
            (false, false) | (true, true) => {}
        }
        self.is_bad = is_bad;
        let is_old = |(ended, _): &(MonoTime, Duration)| now.since(*ended) >= REMEMBERED;
        while self.spells.len() > KEPT || self.spells.front().is_some_and(is_old) {
            self.spells.pop_front();
        }
    }

    /// Returns how long the WAN still has to stay well, at most `most` from its last bad spell; a
    /// spell longer than `most` does not count.
    pub(super) fn remaining(&self, now: MonoTime, most: Duration) -> Duration {
        let Some(since) = self.well_since else { return Duration::ZERO };
        let lasted = self.spells.iter().map(|(_, lasted)| *lasted).filter(|lasted| *lasted < most);
        let needed = lasted.max().map_or(Duration::ZERO, |longest| longest * OUTLAST);
        (since + needed.min(most)).since(now)
    }
}

/// Since when a condition holds, if it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Since(Option<MonoTime>);

impl Since {
    /// Takes note of whether the condition holds at `now`.
    pub(super) fn keep(&mut self, holds: bool, now: MonoTime) {
        self.0 = if holds { self.0.or(Some(now)) } else { None };
    }

    /// Returns whether the condition has held for `span` at `now`.
    pub(super) fn lasted(self, now: MonoTime, span: Duration) -> bool {
        self.0.is_some_and(|since| now.since(since) >= span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_mins(30);

    fn at(seconds: u64) -> MonoTime {
        MonoTime::from_start(Duration::from_secs(seconds))
    }

    /// Lets a WAN be bad for the minute that begins at each of these seconds.
    fn after(bad: &[u64]) -> FlapDamping {
        let mut flap_damping = FlapDamping::default();
        for &second in bad {
            flap_damping.note(true, at(second));
            flap_damping.note(false, at(second + 60));
        }
        flap_damping
    }

    fn remaining(bad: &[u64], second: u64) -> u64 {
        after(bad).remaining(at(second), MOST).as_secs()
    }

    #[test]
    fn the_first_recovery_counts_at_once() {
        assert_eq!(remaining(&[], 100), 0);
        assert_eq!(remaining(&[300], 360), 0, "how long it was well before nobody knows");
    }

    #[test]
    fn what_goes_bad_again_must_outlast_its_longest_spell_twice() {
        // Well for 240 s, then for 540 s.
        assert_eq!(remaining(&[0, 300], 360), 480);
        assert_eq!(remaining(&[0, 300, 900], 960), 1080);
        assert_eq!(remaining(&[0, 300, 900], 1960), 80);
        assert_eq!(remaining(&[0, 300, 900], 2100), 0);
    }

    #[test]
    fn damping_has_an_end() {
        assert_eq!(remaining(&[0, 1400], 1460), 1800, "not twice 1340");
        assert_eq!(remaining(&[0, 1900], 1960), 0, "after so long it is not a flap");
        let mut long_ago = after(&[0, 300]);
        long_ago.note(false, at(300 + 3600));
        assert_eq!(long_ago.spells.len(), 0);
        assert_eq!(after(&[0, 300]).remaining(at(361), Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn an_endless_flutter_takes_no_memory() {
        let mut flap_damping = FlapDamping::default();
        for second in 0..1000 {
            flap_damping.note(second % 2 == 0, at(second));
        }
        assert_eq!(flap_damping.spells.len(), KEPT);
        assert_eq!(flap_damping.remaining(at(1000), MOST), Duration::from_secs(1));
    }
}
