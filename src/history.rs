//! The history: every cycle and every event in one SQLite file.
//!
//! ```text
//! control loop ── Recorder::cycle ──► bounded queue ──► writer thread ──► SQLite (WAL)
//!                  (try_send only)     full: dropped      one transaction     ▲
//!                                      and counted        a second            │ read-only
//!                                                                          Reader (CLI, HTTP)
//! ```
//!
//! Owns one thread, because SQLite blocks. Invariants:
//! - **History may lose cycles; it never delays control.** Recording is a `try_send`.
//! - **What is lost is counted**, in [`Stats::dropped`].
//! - **No fault of the disk ends the daemon.** The writer reports it in [`Stats`], keeps its batch
//!   and tries again; meanwhile the queue absorbs about three minutes of two WANs.
//! - **No file is ever deleted**: one of another application is refused, and one that is corrupt or
//!   has another schema is renamed.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may panic"))]

mod age_clock;
mod answer;
mod bucket;
mod code;
mod compact;
mod error;
mod event;
mod field;
mod file;
mod histogram;
mod ingest;
mod mark;
mod memory;
mod metrics;
mod openmetrics;
mod query;
mod read;
mod recorder;
mod request;
mod retention;
mod rollup;
mod row;
mod rows;
mod schema;
mod store;
#[cfg(test)]
mod tests;
mod tier;
mod tracker;
mod upkeep;
mod verify;
mod writer;

use std::path::PathBuf;

#[cfg(test)]
use tests::fixture;

pub use answer::{AnswerError, Format, csv_values, write_csv, write_json};
pub use bucket::{Bucket, DelayKind, DelayStats, RateKind, RateStats};
pub use compact::{Compacted, compact};
pub use error::HistoryError;
pub use event::{Event, SteeringInputs};
pub use field::{Field, Unit};
pub use memory::{Memories, SavedSteering};
pub use metrics::declare_metrics;
pub use openmetrics::export as export_openmetrics;
pub use query::{EventFilter, Events, Point, Reader, RecordedEvent, Resolution, Series};
pub use recorder::{Recorder, Stats};
pub use request::{Cursor, ExportRequest, HistoryQuery, QueryArgs, QueryError};
pub use retention::Retention;
pub use rows::{Row, Rows};
pub use tier::Tier;
pub use verify::Verification;
pub use writer::{CloseError, Writer, start};

/// Where the history lies and what it keeps.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The database file; it and its directory are created if they are missing.
    pub path: PathBuf,
    /// How much is kept.
    pub retention: Retention,
    /// Names of the WANs, in the order in which cycles and events number them.
    pub wans: Vec<String>,
}
