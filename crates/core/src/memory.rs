//! What one WAN's controller has learned and would miss after a restart.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::PerDirection;
use crate::units::{BitRate, Delay};

/// Routes drift over days; a baseline older than this is learned anew.
pub(super) const BASELINES_KEEP: Duration = Duration::from_hours(72);
/// A rate says what the link carried then; an hour later that is another evening.
pub(super) const RATES_KEEP: Duration = Duration::from_hours(1);

/// What a WAN's controller has learned. Whoever keeps it must keep its age, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WanMemory {
    /// The learned idle delay of each reflector, in the order of the configuration; whoever
    /// restores it after the list changed must put it into the new order.
    #[serde(rename = "baselines_us")]
    pub baselines: Vec<Option<Delay>>,
    /// What was learned of each direction that is shaped.
    #[serde(flatten)]
    pub directions: PerDirection<Option<DirectionMemory>>,
}

/// What was learned of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectionMemory {
    /// The rate that was desired.
    #[serde(rename = "desired_bps")]
    pub desired: BitRate,
    /// The highest rate that the link was lately seen to carry without a queue.
    #[serde(rename = "proven_bps")]
    pub proven: Option<BitRate>,
}
