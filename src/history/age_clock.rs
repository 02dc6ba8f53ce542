//! The clock that decides what is too old, which must not be wrong for even a second: what was
//! forgotten by mistake does not come back when the clock is corrected.

use std::time::{Duration, Instant};

use wanctl_core::units::Timestamp;

/// More than the newest row is behind at an ordinary start.
const LONG_STOP: Duration = Duration::from_hours(24);
/// More than a running clock is corrected by.
const JUMP: Duration = Duration::from_mins(5);
/// A clock that has jumped ahead and has then run evenly for this long is right.
const PROBATION: Duration = Duration::from_hours(1);

/// Follows the wall clock, but jumps ahead only an hour after it.
#[derive(Debug)]
pub(super) struct AgeClock {
    /// The last reading of the wall clock.
    read: (Instant, Timestamp),
    /// The last time that was accepted.
    trusted: (Instant, Timestamp),
    /// Until when the wall clock is not accepted.
    doubted_until: Option<Instant>,
}

impl AgeClock {
    /// Starts at `run`, while the wall clock shows `wall` and the newest row is of `newest`.
    pub(super) fn new(run: Instant, wall: Timestamp, newest: Option<Timestamp>) -> Self {
        let newest = newest.unwrap_or(wall);
        let is_far = wall > newest.after(LONG_STOP);
        Self {
            read: (run, wall),
            trusted: (run, if is_far { newest } else { wall }),
            doubted_until: is_far.then(|| run + PROBATION),
        }
    }

    /// Returns the time from which ages are counted at `run`, while the wall clock shows `wall`:
    /// never later than that.
    pub(super) fn read(&mut self, run: Instant, wall: Timestamp) -> Timestamp {
        if wall > expected(self.read, run).after(JUMP) {
            self.doubted_until = Some(run + PROBATION);
        }
        self.read = (run, wall);
        if self.doubted_until.is_some_and(|until| run < until) {
            return expected(self.trusted, run).min(wall);
        }
        self.doubted_until = None;
        self.trusted = (run, wall);
        wall
    }
}

/// Returns what a clock that showed `wall` at `then` shows at `run`.
fn expected((then, wall): (Instant, Timestamp), run: Instant) -> Timestamp {
    wall.after(run.saturating_duration_since(then))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const DAY: Duration = Duration::from_hours(24);
    const YEAR: Duration = Duration::from_hours(24 * 365);
    const NOON: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    #[test]
    fn a_clock_that_jumps_ahead_is_trusted_after_an_hour() {
        let start = Instant::now();
        let mut clock = AgeClock::new(start, NOON, Some(NOON));
        assert_eq!(clock.read(start + HOUR, NOON.after(HOUR)), NOON.after(HOUR));
        let jump = HOUR + Duration::from_secs(1);
        for minutes in [0, 1, 59] {
            let run = jump + Duration::from_mins(minutes);
            assert_eq!(clock.read(start + run, NOON.after(run + YEAR)), NOON.after(run));
        }
        let run = jump + HOUR;
        assert_eq!(clock.read(start + run, NOON.after(run + YEAR)), NOON.after(run + YEAR));
    }

    #[test]
    fn a_corrected_clock_has_cost_nothing() {
        let start = Instant::now();
        let mut clock = AgeClock::new(start, NOON, None);
        let at = Duration::from_mins;
        assert_eq!(clock.read(start + at(1), NOON.after(at(1) + YEAR)), NOON.after(at(1)));
        for minutes in [2, 30, 90] {
            let right = NOON.after(at(minutes));
            assert_eq!(clock.read(start + at(minutes), right), right);
        }
    }

    #[test]
    fn a_clock_far_ahead_of_the_newest_row_at_the_start_is_not_trusted_for_an_hour() {
        let start = Instant::now();
        for (stopped, trusted) in [(DAY / 2, true), (YEAR, false)] {
            let wall = NOON.after(stopped);
            let mut clock = AgeClock::new(start, wall, Some(NOON));
            assert_eq!(clock.read(start, wall), if trusted { wall } else { NOON });
            let later = wall.after(HOUR);
            assert_eq!(clock.read(start + HOUR, later), later);
        }
    }
}
