//! How the queues and switches of a router are named.

use std::fmt;

use wanctl_core::{Direction, steering::Switch};

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
