//! Whether the wall clock jumps: seen by how far it runs apart from the monotonic one.

use wanctl_core::units::{MonoTime, Timestamp};

/// A correction by less (s) is slewing, or a loop that was held up between two readings.
const STEP: f64 = 1.0;

/// Watches the wall clock, cycle by cycle.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ClockWatch {
    offset: Option<f64>,
    steps: u64,
    last: Option<(MonoTime, f64)>,
}

impl ClockWatch {
    /// Takes note that both clocks were read at the same moment.
    pub fn see(&mut self, at: MonoTime, wall: Timestamp) {
        let offset = wall.seconds() - at.since_start().as_secs_f64();
        // Compared with the reading before, so that a slow correction never adds up to a step.
        let before = self.offset.replace(offset);
        let by = before.map_or(0.0, |before| offset - before);
        if by.abs() > STEP {
            self.steps += 1;
            self.last = Some((at, by));
        }
    }

    /// Returns how often the wall clock was set since the start.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Returns when it was last set, and by how many seconds.
    #[must_use]
    pub const fn last(&self) -> Option<(MonoTime, f64)> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_distinguished_from_a_slew() {
        let mut watch = ClockWatch::default();
        let mut see = |mono_ms: u64, wall_ms: i64| {
            watch.see(MonoTime::from_millis(mono_ms), Timestamp::from_micros(wall_ms * 1000));
            watch
        };
        let start = 1_700_000_000_000;
        see(0, start);
        for second in 1..100_u64 {
            let slewed = i64::try_from(second).unwrap() * 1_100;
            assert_eq!(see(second * 1000, start + slewed).steps(), 0, "ten per cent fast");
        }
        assert_eq!(see(100_000, start + 110_000 - 3_600_000).steps(), 1);
        let (at, by) = see(100_050, start + 110_050 - 3_600_000).last().unwrap();
        assert_eq!(at, MonoTime::from_millis(100_000));
        assert!((by + 3600.0).abs() < 1.0, "{by}");
    }
}
