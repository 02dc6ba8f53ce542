//! Laws against each other on the same links: what was asked of each, how it did, and a table of it.
//!
//! ```text
//! trace or generator ─► Scenario ─┐
//!                                 ├─► ClosedLoop ─► Record ─► Figures ─► table, JSON, CSV
//! Law ─► Pilot ───────────────────┘                    └─────────────► plot (wanctl)
//! ```

mod bench;
mod changes;
mod figures;
mod law;
mod record;
mod run;
mod scenario;
mod suite;
mod table;

pub use figures::{AddedDelay, Figures};
pub use law::{LAWS, Law, ScenarioFacts};
pub use record::{Moment, Observation, Record};
pub use run::{Job, Outcome, Row, run};
pub use scenario::{Scenario, default_params, limits_for};
pub use suite::{Entry, SUITE};
pub use table::{csv, json, table};
