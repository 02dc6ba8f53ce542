//! Laws against each other on the same links: what was asked of each, how it did, and a table of it.
//!
//! ```text
//! trace or generator ─► Scenario ─┐
//!                                 ├─► ClosedLoop ─► Record ─► Figures ─► table, JSON, CSV
//! Law ─► Pilot ───────────────────┘                    └─────────────► plot (wanctl)
//! ```

mod changes;
mod figures;
mod law;
mod record;
mod run;
mod runner;
mod scenario;
mod suite;
mod table;

pub use figures::{AddedDelay, LawResults};
pub use law::{LAWS, Law, ScenarioFacts};
pub use record::{Observation, Record, RecordedCycle};
pub use run::{Job, Outcome, Row, run};
pub use scenario::{Scenario, default_params, limits_for};
pub use suite::{SUITE, SuiteEntry};
pub use table::{csv, json, table};
