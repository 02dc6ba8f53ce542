//! What shapes the law of states and floors.

use std::time::Duration;

use crate::{control::CongestionState, units::BitRate};

/// What shapes the law `zone` of one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZoneParams {
    /// Where a cut stops, by state.
    pub floors: ZoneFloors,
    /// What RED leaves of the rate within 50 ms, 0.1 to 1.
    pub factor_down: f64,
    /// What YELLOW leaves of the rate within 50 ms, from `factor_down` to 1.
    pub factor_down_yellow: f64,
    /// By how much the rate climbs within a second of GREEN.
    pub step_up: BitRate,
    /// How long the delay must be GREEN without a break before the rate climbs.
    pub green_required: Duration,
}

/// The rates at which a cut stops, by the state that it is made in; the worse the state the lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneFloors {
    /// In GREEN, where only lost probes make a cut.
    pub green: BitRate,
    /// In YELLOW.
    pub yellow: BitRate,
    /// In SOFT_RED, where only lost probes make a cut. `None` for a direction of three states, in
    /// which the delays of SOFT_RED are RED.
    pub soft_red: Option<BitRate>,
    /// In RED.
    pub red: BitRate,
}

impl ZoneFloors {
    /// Returns the floor of a state.
    pub(super) fn of(&self, state: CongestionState) -> BitRate {
        match state {
            CongestionState::Green => self.green,
            CongestionState::Yellow => self.yellow,
            CongestionState::SoftRed => self.soft_red.unwrap_or(self.red),
            CongestionState::Red => self.red,
        }
    }
}
