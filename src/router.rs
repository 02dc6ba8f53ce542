//! The seam to a router: four small traits, what they exchange, and the kinds of router that
//! implement them. `docs/adding-a-backend.md` lists what a further kind needs.
//!
//! ```text
//!              ┌─ Shaper    read queues, set a limit      ◄── actuator
//! Connection ─►│  Switches  read and set a steering rule  ◄── actuator
//!   (kind)     │  Pinger    ping from the router          ◄── probe
//!              └─ Inspect   facts, findings, rights       ◄── actuator, `wanctl check`
//! ```

mod capability;
mod error;
mod finding;
#[cfg(feature = "routeros")]
pub mod routeros;
mod text;

use std::fmt;

use wanctl_core::{Direction, steering::Switch};

pub use capability::{
    Inspect, PingFrom, Pinged, Pinger, QueueRow, Readings, Reply, Rights, Router, RouterFacts,
    Shaper, Switches, Tin, Transport,
};
pub use error::{RouterError, RouterFault};
pub use finding::{Finding, Severity, Subject};
pub use text::{RouterText, visible};

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

impl Connection {
    /// Returns the kind, one of [`KINDS`].
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match *self {
            #[cfg(feature = "routeros")]
            Self::RouterOs(_) => routeros::KIND,
        }
    }

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

/// A shaper queue of a router.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueRef {
    /// A queue tree, which shapes one direction.
    Tree(String),
    /// One direction of a simple queue.
    Simple {
        /// Its name.
        name: String,
        /// The direction that is meant.
        direction: Direction,
        /// The side of its target as configured; `None` if the router decides.
        target: Option<QueueTarget>,
    },
}

/// On which side of the router the target of a simple queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueTarget {
    /// In the LAN: the queue's first values are those of the upload.
    Lan,
    /// At the provider: the queue's first values are those of the download.
    Wan,
}

impl QueueRef {
    /// Returns the queue's name on the router.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Tree(name) | Self::Simple { name, .. } => name,
        }
    }

    /// Returns whether both are the same queue, be it in different directions.
    #[must_use]
    pub fn is_same_queue(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.name() == other.name()
    }

    /// Returns the key that names the queue, below a WAN of the configuration.
    #[must_use]
    pub fn key(&self, direction: Direction) -> String {
        match self {
            Self::Tree(_) => format!("{}.queue", direction.name()),
            Self::Simple { .. } => "simple_queue".to_owned(),
        }
    }
}

impl fmt::Display for QueueRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree(name) => write!(f, "queue tree `{name}`"),
            Self::Simple { name, .. } => write!(f, "simple queue `{name}`"),
        }
    }
}

/// A rule or route of a router that steering switches, found by its exact comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchRef {
    /// What it does, for which WAN.
    pub switch: Switch,
    /// Where on the router it is.
    pub menu: SwitchMenu,
    /// Its comment.
    pub comment: String,
}

impl fmt::Display for SwitchRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of {}", self.comment, self.menu.path())
    }
}

/// A menu of the router whose rows can be switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SwitchMenu {
    /// `/ip/firewall/mangle`.
    Mangle,
    /// `/ipv6/firewall/mangle`.
    Mangle6,
    /// `/routing/rule`.
    RoutingRule,
    /// `/ip/route`.
    Route,
}

impl SwitchMenu {
    /// Returns its path on the router.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Mangle => "/ip/firewall/mangle",
            Self::Mangle6 => "/ipv6/firewall/mangle",
            Self::RoutingRule => "/routing/rule",
            Self::Route => "/ip/route",
        }
    }
}

/// Connections that the router tracks under a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedConnections {
    /// Their connection mark.
    pub mark: String,
    /// Whether those of IPv6 are included.
    pub ipv6: bool,
}
