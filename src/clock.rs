//! The clock of samples, decisions and records.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wanctl_core::units::{MonoTime, Timestamp};

/// The daemon's clock: monotonic time since its start, and the wall clock for records.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts a clock at zero.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Returns the time since the clock's start.
    #[must_use]
    pub fn now(&self) -> MonoTime {
        MonoTime::from_start(self.start.elapsed())
    }

    /// Returns the moment of this clock at which `instant` was; zero if that was before its start.
    #[must_use]
    pub fn at(&self, instant: Instant) -> MonoTime {
        MonoTime::from_start(instant.saturating_duration_since(self.start))
    }

    /// Returns the wall clock, which may step.
    #[must_use]
    pub fn wall() -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp::default().after(since)
    }
}
