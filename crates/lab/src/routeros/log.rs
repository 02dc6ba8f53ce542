//! What reached the router, and what it did: the evidence that tests rest on.

use std::{collections::VecDeque, time::Duration};

use wanctl_core::units::BitRate;

/// Something that a call changed, or wrote although it was so already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A queue's `max-limit` was written.
    Limit {
        /// Name of the queue, as the plant knows it: a simple queue has two.
        queue: String,
        /// Limit before.
        from: BitRate,
        /// Limit after.
        to: BitRate,
    },
    /// A mangle rule was enabled or disabled.
    Rule {
        /// Comment of the rule.
        comment: String,
        /// Whether the rule is in force now.
        enabled: bool,
    },
    /// Another property was written.
    Property {
        /// Path of the menu, such as `queue/tree`.
        menu: &'static str,
        /// Identifier of the row, such as `*1000000`.
        id: String,
        /// Name of the property.
        property: &'static str,
        /// Value after, as RouterOS shows it.
        to: String,
    },
    /// A row was added.
    Added {
        /// Path of the menu.
        menu: &'static str,
        /// Identifier of the row.
        id: String,
    },
    /// A row was removed.
    Removed {
        /// Path of the menu.
        menu: &'static str,
        /// Identifier of the row.
        id: String,
    },
    /// A row was moved.
    Moved {
        /// Path of the menu.
        menu: &'static str,
        /// Identifier of the row.
        id: String,
    },
    /// A row's counters were set to zero.
    CountersReset {
        /// Path of the menu.
        menu: &'static str,
        /// Identifier of the row.
        id: String,
    },
}

/// One request, from its arrival to its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// When it arrived, counted from the start of the emulator.
    pub at: Duration,
    /// How long it took, waiting in the user's queue included.
    pub took: Duration,
    /// Name of the user as claimed; empty without credentials.
    pub user: String,
    /// HTTP method, or `SSH` for the console.
    pub method: String,
    /// Path as sent, without the query; on the console the command line.
    pub path: String,
    /// Status of the answer, which on the console is always 0. The client may have gone away without
    /// seeing it.
    pub status: u16,
    /// What the call wrote, in order.
    pub effects: Vec<Effect>,
}

/// The latest calls, oldest first.
#[derive(Debug)]
pub(super) struct CallLog {
    calls: VecDeque<CallRecord>,
    capacity: usize,
}

impl CallLog {
    /// Builds a log that remembers `capacity` calls.
    pub(super) const fn new(capacity: usize) -> Self {
        Self { calls: VecDeque::new(), capacity }
    }

    /// Remembers `record`, and forgets the oldest when there are too many.
    pub(super) fn push(&mut self, record: CallRecord) {
        self.calls.push_back(record);
        while self.calls.len() > self.capacity {
            self.calls.pop_front();
        }
    }

    /// Returns a copy of what is remembered.
    pub(super) fn to_vec(&self) -> Vec<CallRecord> {
        self.calls.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_calls_are_forgotten() {
        let mut log = CallLog::new(3);
        for n in 0..8 {
            log.push(CallRecord {
                at: Duration::from_secs(n),
                took: Duration::ZERO,
                user: String::new(),
                method: "GET".into(),
                path: "/rest/queue/tree".into(),
                status: 200,
                effects: vec![],
            });
        }
        let calls = log.to_vec();
        assert_eq!((calls.len(), calls[0].at), (3, Duration::from_secs(5)));
    }
}
