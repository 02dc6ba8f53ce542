//! Where rates are written and counters are read: the trait every kind of router fulfils.

mod body;
mod error;
pub mod routeros;
mod text;

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;

pub use body::body_within;
pub use error::{RouterError, RouterFault, fault_of_words};
pub use text::{RouterText, visible};

use wanctl_core::{QueueReading, units::BitRate};

use crate::config::{MarkedConnections, QueueRef, SwitchRef};

/// A router whose shaper queues can be read and limited.
///
/// Implementations keep at most one request in flight for each of the router's users and never
/// cancel one: callers wait for the answer or for the implementation's own deadline.
pub trait Router: Send + Sync + fmt::Debug {
    /// Returns which road the last request took.
    fn transport(&self) -> Transport;

    /// Returns the router's address, for messages.
    fn target(&self) -> String;

    /// Tells whether counters are read as a user of the router's own, so that a reading in flight
    /// does not hold up a write.
    fn reads_apart(&self) -> bool;

    /// Checks whether the router's server answers anything at all, beside the requests in flight
    /// and without credentials; `None` if this transport cannot tell.
    fn check_alive(&self) -> Option<BoxFuture<'static, bool>>;

    /// Returns what the router says about itself.
    ///
    /// # Errors
    /// Any [`RouterError`].
    fn facts(&self) -> BoxFuture<'_, Result<RouterFacts, RouterError>>;

    /// Looks for what keeps the configured queues from being shaped; empty if all is well.
    ///
    /// # Errors
    /// Any [`RouterError`].
    fn findings(&self) -> BoxFuture<'_, Result<Vec<Finding>, RouterError>>;

    /// Looks for queues that moved nothing since the look before although their interface did.
    ///
    /// # Errors
    /// Any [`RouterError`].
    fn idle_queues(&self) -> BoxFuture<'_, Result<Vec<Finding>, RouterError>>;

    /// Reads the given queues, in as few calls as there are kinds of queues among them.
    ///
    /// # Errors
    /// Any [`RouterError`].
    fn read_queues<'a>(
        &'a self,
        queues: &'a [QueueRef],
    ) -> BoxFuture<'a, Result<Readings, RouterError>>;

    /// Sets the limit of a queue and returns the limit that the router confirms, which is the
    /// proof of the write.
    ///
    /// # Errors
    /// Any [`RouterError`]; after one the limit in force is unknown until it is read.
    fn set_limit<'a>(
        &'a self,
        queue: &'a QueueRef,
        limit: BitRate,
    ) -> BoxFuture<'a, Result<BitRate, RouterError>>;

    /// Returns whether the row of a switch is enabled.
    ///
    /// # Errors
    /// [`RouterFault::NotFound`], [`RouterFault::Ambiguous`] or [`RouterFault::Unfit`] if not
    /// exactly one row has its comment and does what it is for; any other [`RouterError`].
    fn switch_enabled<'a>(
        &'a self,
        switch: &'a SwitchRef,
    ) -> BoxFuture<'a, Result<bool, RouterError>>;

    /// Enables or disables the row of a switch, and returns whether it is enabled afterwards as
    /// the router confirms, which is the proof of the write.
    ///
    /// # Errors
    /// As [`Router::switch_enabled`]; after one that concerns all nobody knows how the row is
    /// until it is read.
    fn enable_switch<'a>(
        &'a self,
        switch: &'a SwitchRef,
        enabled: bool,
    ) -> BoxFuture<'a, Result<bool, RouterError>>;

    /// Makes the router forget connections with this mark, a bounded number of them, so that
    /// whoever goes on begins anew on the way that is open by then. Returns how many it forgot;
    /// none is no error.
    ///
    /// # Errors
    /// Any [`RouterError`].
    fn forget_connections<'a>(
        &'a self,
        of: &'a MarkedConnections,
    ) -> BoxFuture<'a, Result<usize, RouterError>>;
}

/// A kind of road to a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// RouterOS REST over HTTP or HTTPS.
    Rest,
    /// RouterOS console over SSH.
    Ssh,
}

impl Transport {
    /// Every kind, the preferred first.
    pub const ALL: [Self; 2] = [Self::Rest, Self::Ssh];

    /// Returns the name used in labels and in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Ssh => "ssh",
        }
    }
}

/// What a router says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouterFacts {
    /// Its name.
    pub identity: RouterText,
    /// Its model.
    pub board: RouterText,
    /// The version of its operating system.
    pub version: RouterText,
    /// Time since it booted, where it tells.
    pub uptime: Option<Duration>,
    /// Load of its processors, 0 to 100 percent, where it tells.
    pub cpu_percent: Option<u64>,
    /// Sectors written to its flash since it was made, where it tells.
    pub flash_sectors_written: Option<u64>,
}

/// Something about a router that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it keeps wanctl from working; otherwise it is a warning.
    pub is_fatal: bool,
    /// What is the matter and what to do about it, in plain words.
    pub text: RouterText,
}

/// One reading of a router's queues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readings {
    /// The queues that were asked for, in that order, each with why it cannot be used if it cannot:
    /// it is missing, there are several of its name, or its row cannot be read.
    pub rows: Vec<Result<QueueRow, RouterFault>>,
}

/// One direction of a shaper queue as the router shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueRow {
    /// Its counters and its limit.
    pub reading: QueueReading,
    /// Whether it shapes at all: neither disabled nor invalid.
    pub active: bool,
}
