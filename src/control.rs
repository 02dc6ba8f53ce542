//! The pure core: what one WAN's samples say, and the shaper rates that follow.
//!
//! ```text
//! RttSample ────► baseline, noise ─┬─► evidence (delta, votes) ─► state, for people and steering
//!                                  └─► replies (standing queue) ─► attribution ─┐
//! ShaperSample ─► load (delivery rate, class) ──────────────────────────────────┼─► law ─► Cycle
//! Actuation ────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Nothing here reads a clock, waits, or knows that sockets exist: every function takes the time
//! as an argument, and equal inputs give equal decisions. That is what lets the same code run
//! live, in the simulator, in a replay and under property tests.
//!
//! Invariants:
//! - every desired rate lies at or below the ceiling, and no cut goes below the floor;
//! - a floor limits cuts, it never raises a rate;
//! - losing measurements never raises a rate;
//! - a filter moves once per new sample, by the time that really passed.
#![deny(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm
)]

mod asymmetry;
mod baseline;
mod blame;
mod bypass;
mod counters;
mod cycle;
mod direction;
mod evenness;
mod evidence;
pub mod law;
mod load;
mod memory;
mod noise;
mod replies;
mod sample;
mod sending;
mod silence;
mod state;
mod waiting;
mod wan;

pub use cycle::{
    Cycle, DirectionCycle, Measurement, MeasurementState, ProbeMethod, ReflectorView, Timing,
};
pub use direction::{Direction, PerDirection};
pub use evidence::EvidenceParams;
pub use law::{LawKind, LawName, Limits, Reason, ZoneFloors, ZoneParams};
pub use load::{Load, LoadClass};
pub use memory::{DirectionMemory, WanMemory};
pub use sample::{
    Actuation, Backlog, ProbeOutcome, QueueReading, ReflectorId, RttSample, ShaperSample,
};
pub use sending::Sending;
pub use state::{CongestionState, StateThresholds};
pub use wan::{Decision, DirectionParams, Wan, WanParams};
