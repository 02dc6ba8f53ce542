//! When to look at the router, and at what.

use std::time::Duration;

use wanctl_core::units::MonoTime;

/// Time between two looks at what the router says about itself.
const FACTS_INTERVAL: Duration = Duration::from_secs(30);

/// A look at the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// What keeps it from shaping: at the start, and after it was away.
    Survey,
    /// Counters and limits.
    Queues,
    /// What it says about itself.
    Facts,
}

/// The looks to come.
#[derive(Debug)]
pub(super) struct Looks {
    /// When the queues are to be read next.
    pub(super) queues: MonoTime,
    /// Whether a survey is due.
    pub(super) survey: bool,
    facts: MonoTime,
}

impl Looks {
    /// Everything is due at once.
    pub(super) fn new() -> Self {
        Self { queues: MonoTime::ZERO, survey: true, facts: MonoTime::ZERO }
    }

    /// Returns the most urgent look that is due at `now`, and plans the next of its kind.
    pub(super) fn take(&mut self, now: MonoTime, stats_interval: Duration) -> Option<Look> {
        if self.survey {
            self.survey = false;
            Some(Look::Survey)
        } else if now >= self.queues {
            self.queues = now + stats_interval;
            Some(Look::Queues)
        } else if now >= self.facts {
            self.facts = now + FACTS_INTERVAL;
            Some(Look::Facts)
        } else {
            None
        }
    }
}
