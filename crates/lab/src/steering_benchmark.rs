//! Two WANs in virtual time, of which one stands in for the other: what calls feel with steering,
//! without it, and with hindsight.
//!
//! ```text
//! two closed loops in step ──► Cycle of each ──► Steering ──► way of new calls ─┐
//!          └─ packets of a call on each ────────────────────────────────────────┴► Figures
//! ```
//!
//! On each link a judge sends the packets of a call all the time; which of them count is decided
//! by where calls were when they were sent. A call keeps the WAN on which it began.

mod candidate;
mod figures;
mod oracle;
mod packets;
mod runner;
mod suite;

pub use candidate::Candidate;
pub use figures::{SteeringResults, table};
pub use packets::CallLatency;
pub use runner::run;
pub use suite::{SteeringScenario, of_recordings, suite};

#[cfg(test)]
mod tests;
