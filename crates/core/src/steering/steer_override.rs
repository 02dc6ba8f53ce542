//! The operator's word, for a while.

use std::time::Duration;

use super::Rank;
use crate::units::MonoTime;

/// The operator sends new latency-sensitive connections over one WAN, until it runs out.
///
/// Evidence of congestion is then not asked, nor are hold-down and limits. A WAN that is dead, or
/// that has no rule, is refused all the same, and a failover takes place as ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SteerOverride {
    /// The WAN.
    pub to: Rank,
    /// When the automatic decision is back in charge.
    pub until: MonoTime,
}

impl SteerOverride {
    /// Returns how much time is left at `now`, unless it has run out.
    pub(super) fn remaining(&self, now: MonoTime) -> Option<Duration> {
        (now < self.until).then(|| self.until.since(now))
    }
}
