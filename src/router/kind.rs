//! The kinds of router that are compiled in.

use super::{QueueRef, Router};

#[cfg(feature = "routeros")]
use super::routeros;

/// The kinds that are compiled in, the default first: the values of `kind` in the configuration.
pub const KINDS: &[&str] = &[
    #[cfg(feature = "routeros")]
    routeros::KIND,
];

/// How to reach a router, by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// MikroTik RouterOS 7.
    #[cfg(feature = "routeros")]
    RouterOs(routeros::Settings),
}

#[cfg_attr(
    not(feature = "routeros"),
    expect(unused_variables, reason = "without a kind, there is no connection to use them")
)]
impl Connection {
    /// Prepares a client for a router with these queues; nothing is sent yet.
    ///
    /// # Errors
    /// A sentence if the settings cannot be used on this host.
    pub fn open(&self, name: &str, queues: Vec<QueueRef>) -> Result<Router, String> {
        match *self {
            #[cfg(feature = "routeros")]
            Self::RouterOs(ref settings) => {
                Ok(routeros::RouterOs::new(settings, queues)?.into_router(name))
            }
        }
    }

    /// Returns the keys below `router` that differ in `new`; all of them need a restart.
    #[must_use]
    pub fn changed_keys(&self, new: &Self) -> Vec<&'static str> {
        match (self, new) {
            #[cfg(feature = "routeros")]
            (Self::RouterOs(old), Self::RouterOs(new)) => old.changed_keys(new),
            #[cfg(not(feature = "routeros"))]
            _ => Vec::new(),
        }
    }

    /// Returns whether the router can ping without delaying a write.
    #[must_use]
    pub fn pings_apart(&self) -> bool {
        match *self {
            #[cfg(feature = "routeros")]
            Self::RouterOs(ref settings) => settings.pings.is_some(),
        }
    }

    /// Returns what was chosen with a risk, for the log and /health.
    #[must_use]
    pub fn reminders(&self) -> Vec<String> {
        match *self {
            #[cfg(feature = "routeros")]
            Self::RouterOs(ref settings) => settings.reminders(),
        }
    }

    /// Returns who the router is asked as, and what `wanctl check` does not try, each with the way
    /// to try it.
    #[must_use]
    pub fn described(&self) -> (String, Vec<String>) {
        match *self {
            #[cfg(feature = "routeros")]
            Self::RouterOs(ref settings) => settings.described(),
        }
    }
}
