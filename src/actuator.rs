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
mod exit;
mod idle;
mod in_flight;
mod liveness;
mod metrics;
mod poll_schedule;
mod queue_watch;
mod reconciler;
mod report;
mod switches;
mod task;
mod write_backoff;

pub use assignment::{Assignment, Pace, Queue, Tuning, WanChannels};
pub use idle::IdleReads;
pub use metrics::{RouterFamilies, RouterMetrics};
pub use report::{OverriddenQueue, RouterReport};
pub use switches::{ConntrackFlush, SwitchChannels, SwitchMetrics, SwitchWork};
pub use task::Actuator;
