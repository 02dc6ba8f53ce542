//! How long something has held without a break.

use std::time::Duration;

use crate::units::MonoTime;

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
