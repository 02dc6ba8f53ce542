//! Where rates are written and counters are read: the trait every kind of router fulfils.

mod error;
pub mod routeros;

use std::fmt;

use futures_util::future::BoxFuture;

pub use error::RouterError;

use crate::{control::QueueReading, units::BitRate};

/// A router whose shaper queues can be read and limited.
///
/// Implementations keep at most one request under way and never cancel one: callers wait for the
/// answer or for the implementation's own deadline.
pub trait Router: Send + Sync + fmt::Debug {
    /// Returns what the router says about itself.
    ///
    /// # Errors
    /// Any [`RouterError`].
    fn facts(&self) -> BoxFuture<'_, Result<RouterFacts, RouterError>>;

    /// Reads every shaper queue of the router in one call.
    ///
    /// # Errors
    /// Any [`RouterError`].
    fn read_queues(&self) -> BoxFuture<'_, Result<Vec<QueueRow>, RouterError>>;

    /// Sets the limit of the queue named `queue` and returns the limit that the router confirms,
    /// which is the proof of the write.
    ///
    /// # Errors
    /// Any [`RouterError`]; after one the limit in force is unknown until it is read.
    fn set_limit<'a>(
        &'a self,
        queue: &'a str,
        limit: BitRate,
    ) -> BoxFuture<'a, Result<BitRate, RouterError>>;
}

/// What a router says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouterFacts {
    /// Its name.
    pub identity: String,
    /// Its model.
    pub board: String,
    /// The version of its operating system.
    pub version: String,
}

/// One shaper queue as the router shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueRow {
    /// Its name.
    pub name: String,
    /// Its counters and its limit.
    pub reading: QueueReading,
    /// Whether it shapes at all: neither disabled nor invalid.
    pub active: bool,
}
