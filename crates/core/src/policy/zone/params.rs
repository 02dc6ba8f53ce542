//! What shapes the law of states and floors.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{CongestionState, Direction, Limits, units::BitRate};

/// Five cycles of v1.7.
const GREEN_REQUIRED: Duration = Duration::from_millis(250);

/// What shapes the law `zone` of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ZoneParams {
    /// Where a cut stops, by state.
    #[serde(flatten)]
    pub floors: ZoneFloors,
    /// What RED leaves of the rate within 50 ms, 0.1 to 1.
    pub factor_down: f64,
    /// What YELLOW leaves of the rate within 50 ms, from `factor_down` to 1.
    pub factor_down_yellow: f64,
    /// By how much the rate climbs within a second of GREEN.
    #[serde(rename = "step_up_bps")]
    pub step_up: BitRate,
    /// How long the delay must be GREEN without a break before the rate climbs.
    #[serde(rename = "green_required_ns", with = "crate::units::nanos")]
    pub green_required: Duration,
}

impl ZoneParams {
    /// Returns what v1.7 does in a direction with these limits when nothing else is said: an upload
    /// is cut less hard and climbs faster.
    #[must_use]
    pub fn defaults(direction: Direction, limits: &Limits) -> Self {
        let (factor_down, factor_down_yellow, climb) = match direction {
            Direction::Download => (0.85, 0.96, 0.2),
            Direction::Upload => (0.90, 0.94, 0.4),
        };
        let red = limits.floor;
        let soft_red = match direction {
            Direction::Download => Some(red),
            Direction::Upload => None,
        };
        Self {
            floors: ZoneFloors { green: red, yellow: red, soft_red, red },
            factor_down,
            factor_down_yellow,
            step_up: limits.ceiling.scaled(climb),
            green_required: GREEN_REQUIRED,
        }
    }
}

/// The rates at which a cut stops, by the state that it is made in; the worse the state the lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneFloors {
    /// In GREEN, where only lost probes make a cut.
    #[serde(rename = "floor_green_bps")]
    pub green: BitRate,
    /// In YELLOW.
    #[serde(rename = "floor_yellow_bps")]
    pub yellow: BitRate,
    /// In SOFT_RED, where only lost probes make a cut. `None` for a direction of three states, in
    /// which the delays of SOFT_RED are RED.
    #[serde(rename = "floor_soft_red_bps", default, skip_serializing_if = "Option::is_none")]
    pub soft_red: Option<BitRate>,
    /// In RED.
    #[serde(rename = "floor_red_bps")]
    pub red: BitRate,
}

impl ZoneFloors {
    /// Returns the floors for other limits: that of RED is the limits' own, and the others lie
    /// between it and the ceiling.
    pub(crate) fn within(self, limits: &Limits) -> Self {
        let between = |rate: BitRate| rate.max(limits.floor).min(limits.ceiling);
        Self {
            green: between(self.green),
            yellow: between(self.yellow),
            soft_red: self.soft_red.map(between),
            red: limits.floor,
        }
    }

    /// Returns the floor of a state.
    pub(super) fn of(&self, state: CongestionState) -> BitRate {
        match state {
            CongestionState::Unknown | CongestionState::Green => self.green,
            CongestionState::Yellow => self.yellow,
            CongestionState::SoftRed => self.soft_red.unwrap_or(self.red),
            CongestionState::Red => self.red,
        }
    }
}
