//! When to poll the router, and for what.

use std::time::Duration;

use wanctl_core::units::MonoTime;

/// Time between two polls of the facts.
const FACTS_INTERVAL: Duration = Duration::from_secs(30);

/// A poll of the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PollKind {
    /// What keeps it from shaping: at the start, and after it was away.
    Findings,
    /// Counters and limits.
    Queues,
    /// What it says about itself.
    Facts,
}

/// The polls to come.
#[derive(Debug)]
pub(super) struct PollSchedule {
    /// When the queues are to be read next.
    pub(super) queues: MonoTime,
    /// Whether the findings are due.
    pub(super) findings: bool,
    facts: MonoTime,
}

impl PollSchedule {
    /// Everything is due at once.
    pub(super) fn new() -> Self {
        Self { queues: MonoTime::ZERO, findings: true, facts: MonoTime::ZERO }
    }

    /// Returns the most urgent poll that is due at `now`, and plans the next of its kind.
    pub(super) fn next(&mut self, now: MonoTime, stats_interval: Duration) -> Option<PollKind> {
        if self.findings {
            self.findings = false;
            Some(PollKind::Findings)
        } else if now >= self.queues {
            self.queues = now + stats_interval;
            Some(PollKind::Queues)
        } else if now >= self.facts {
            self.facts = now + FACTS_INTERVAL;
            Some(PollKind::Facts)
        } else {
            None
        }
    }
}
