//! The benchmark of steering: two WANs in virtual time, and the latency with steering, without it and
//! with perfect knowledge.
//!
//! ```text
//! two closed loops in step ──► Cycle of each ──► Steering ──► WAN of new connections ─┐
//!          └─ packets of a latency monitor on each ───────────────────────────────────┴► SteeringResults
//! ```
//!
//! On each link a latency monitor sends the packets of a call all the time; those on the WAN of the
//! latency-sensitive connections at that time count. A connection keeps the WAN on which it began.

mod candidate;
mod oracle;
mod packets;
mod results;
mod runner;
mod suite;

pub use candidate::Candidate;
pub use packets::CallLatency;
pub use results::{SteeringResults, table};
pub use runner::run;
pub use suite::{SteeringScenario, of_recordings, suite};

#[cfg(test)]
mod tests;
