//! The benchmark of laws: laws on the same links, their results, and a table of them.
//!
//! ```text
//! trace or generator ─► Scenario ─┐
//!                                 ├─► ClosedLoop ─► Record ─► LawResults ─► table, JSON, CSV
//! Law ─► Controller ──────────────┘
//! ```

mod changes;
mod laws;
mod record;
mod results;
mod runner;
mod scenario;
mod suite;
mod table;

pub use laws::{LAWS, Law, ScenarioFacts};
pub use record::{Record, RecordedCycle};
pub use results::{AddedDelay, LawResults};
pub use runner::{Job, Outcome, Row, run};
pub use scenario::{Scenario, default_params, limits_for};
pub use suite::{SUITE, SuiteEntry};
pub use table::{csv, json, table};
