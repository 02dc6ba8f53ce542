//! The pure core: what the samples of a WAN say (`estimate`), the shaper rates that follow (`policy`),
//! and where traffic goes ([`steering`]).
//!
//! ```text
//! RttSample ────► baseline, noise ─┬─► evidence (delta, quorum) ► state, for people and steering
//!                                  └─► replies (standing queue) ─► attribution ─┐
//! ShaperSample ─► load (delivery rate, class) ──────────────────────────────────┼─► Observation
//! Actuation ─────► pending (is the last decision in force?) ────────────────────┘       │
//!                                                                                       ▼
//! Cycle ◄── RateDecision ◄── policy ◄── Estimate ◄── estimator (capacity, path offset, response)
//!                  └──────────────────── Applied ───────►
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

mod cycle;
mod direction;
mod estimate;
mod memory;
mod params;
mod pending;
pub mod policy;
mod sample;
pub mod steering;
pub mod units;
mod wan;

pub use cycle::{Cycle, DirectionCycle, Timing};
pub use direction::{Direction, PerDirection};
pub use estimate::{
    CongestionState, EvidenceParams, Load, LoadClass, Measurement, MeasurementState, ProbeMethod,
    ReflectorView, SendStatus, StateThresholds,
};
pub use memory::{DirectionMemory, WanMemory};
pub use params::{Param, ParamError, Params};
pub use policy::{LawKind, LawName, Limits, Phase, Reason, ZoneFloors, ZoneParams};
pub use sample::{
    Actuation, Backlog, ProbeOutcome, QueueReading, ReflectorId, RttSample, ShaperSample,
};
pub use wan::{Decision, DirectionParams, Wan, WanParams};
