//! Desired against observed: the only task that reads counters and writes limits and switches.
//!
//! ```text
//! desired rates ──► Reconciler (pure) ──► one request at a time ──► router
//!                        ▲                                            │
//!                        └──────── observed limits, counters ◄────────┘
//! ```
//!
//! The control loop never waits for this task: it leaves its newest desired rates in a cell and
//! picks up the newest answers from another.

mod assignment;
mod backoff;
mod drift_log;
mod farewell;
mod idle;
mod liveness;
mod looks;
mod metrics;
mod pause;
mod queue_watch;
mod reconciler;
mod report;
mod switches;
mod task;
mod underway;

pub use assignment::{Assignment, Link, Queue, Tuning};
pub use idle::IdleReads;
pub use metrics::RouterMetrics;
pub use report::{Overridden, RouterReport};
pub use switches::{SwitchLink, SwitchMetrics, SwitchWork};
pub use task::Actuator;
