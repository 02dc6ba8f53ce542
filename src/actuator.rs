//! Desired against observed: the only task that talks to the router.
//!
//! ```text
//! desired rates ──► Reconciler (pure) ──► one request at a time ──► router
//!                        ▲                                            │
//!                        └──────── observed limits, counters ◄────────┘
//! ```
//!
//! The control loop never waits for this task: it leaves its newest desired rates in a cell and
//! picks up the newest answers from another.

mod metrics;
mod reconciler;
mod task;

pub use metrics::RouterMetrics;
pub use reconciler::Pace;
pub use task::{Actuator, Link, Queue, RouterReport};
