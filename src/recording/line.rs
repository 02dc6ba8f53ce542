//! The lines of a recording.

use std::{borrow::Cow, time::Duration};

use serde::{Deserialize, Serialize};
use wanctl_core::{
    Actuation, Decision, DirectionCycle, PerDirection, RttSample, ShaperSample, WanMemory,
    WanParams,
    units::{MonoTime, nanos},
};

/// The version of the format that this wanctl writes and reads.
pub(super) const FORMAT: u64 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The version of the format; its name is how a recording is known.
    pub(super) wanctl_recording: u64,
    /// The version of the wanctl that recorded.
    pub(super) version: String,
}

/// Every other line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A controller starts.
    Begin(Box<Begin>),
    /// A controller goes on under other parameters, before its next cycle.
    Change(Box<ParamsChange>),
    /// One cycle: what came in since the one before, and what was decided.
    Cycle(Box<CycleLine>),
    /// Cycles that could not be recorded.
    Gap(Gap),
    /// Nothing more comes.
    End(End),
}

/// A controller starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    pub(super) wan: usize,
    pub(super) name: String,
    #[serde(rename = "at_ns")]
    pub(super) at: MonoTime,
    pub(super) observe_mode: bool,
    pub(super) params: WanParams,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) memory: Option<MemoryLine>,
}

/// A controller goes on under other parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParamsChange {
    pub(super) wan: usize,
    #[serde(rename = "at_ns")]
    pub(super) at: MonoTime,
    pub(super) observe_mode: bool,
    pub(super) params: WanParams,
}

/// One cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleLine {
    pub(super) wan: usize,
    #[serde(rename = "at_ns")]
    pub(super) at: MonoTime,
    /// Outcomes of probes, in the order in which they were taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) rtt: Vec<RttSample>,
    /// The newest counters, if they are not those of the cycle before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shaper: Option<ShaperSample>,
    /// How far the router has followed, if that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) actuation: Option<PerDirection<Actuation>>,
    #[serde(flatten)]
    pub(super) decided: PerDirection<Option<DecidedLine>>,
}

/// What a controller started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MemoryLine {
    /// How old it was.
    #[serde(rename = "age_ns", with = "nanos")]
    pub(super) age: Duration,
    #[serde(flatten)]
    pub(super) memory: WanMemory,
}

/// What was decided for one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DecidedLine {
    pub(super) previous_bps: u64,
    pub(super) desired_bps: u64,
    pub(super) reason: Cow<'static, str>,
    pub(super) state: Cow<'static, str>,
}

/// Cycles that could not be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub(super) wan: usize,
    pub(super) cycles: u64,
}

/// Nothing more comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// `stopped` or `full`.
    pub(super) reason: Cow<'static, str>,
}

impl DecidedLine {
    /// Writes down what was decided for each direction.
    pub(super) fn of(decision: &Decision) -> PerDirection<Option<Self>> {
        decision.directions.map_present(|_, direction| {
            let DirectionCycle { previous, desired, reason, state, .. } = direction;
            Self {
                previous_bps: previous.bps(),
                desired_bps: desired.bps(),
                reason: reason.code().into(),
                state: state.name().into(),
            }
        })
    }
}
