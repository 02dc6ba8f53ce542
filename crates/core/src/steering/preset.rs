//! Sets of parameters that belong together.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::{
    ActionLimits, AssessmentParams, FailoverParams, FlapParams, Recovery, SteerParams, Weights,
};
use crate::{CongestionState, units::Delay};

/// A set of parameters that belong together; single ones may be changed on top of it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Preset {
    /// Ours: v1.7's score, and what it did not see: the shaper at its floor and lost probes.
    #[default]
    Balanced,
    /// The confidence score of wanctl v1.7, its thresholds and its times.
    V17,
    /// The GREEN/YELLOW/RED hysteresis of wanctl v1.7, in time instead of samples.
    Hysteresis,
}

named!(Preset::name);

impl Preset {
    /// Returns when connections are moved and come back by this preset.
    #[must_use]
    pub fn steer(self) -> SteerParams {
        let v17 = SteerParams {
            weights: Weights::V17,
            assessment: AssessmentParams::default(),
            threshold: 55,
            sustain: Duration::from_secs(2),
            recovery: Recovery {
                score: 20,
                state: CongestionState::Green,
                delta: Delay::from_micros(10_000),
                no_drops: true,
                sustain: Duration::from_secs(3),
            },
            hold_down: Duration::from_secs(30),
            headroom: 0.8,
            gain: None,
            allow_metered: false,
            flap_damping: Duration::ZERO,
            actions: ActionLimits { per_hour: 6 },
            flap: FlapParams {
                window: Duration::from_mins(5),
                changes: 4,
                penalty: Duration::from_mins(1),
                points: 15,
            },
        };
        match self {
            Self::V17 => v17,
            Self::Balanced => SteerParams {
                weights: Weights::BALANCED,
                // YELLOW counts as well: a busy link is yellow now and then, and a way back that
                // waits for perfection never comes.
                recovery: Recovery {
                    state: CongestionState::Yellow,
                    delta: Delay::from_micros(20_000),
                    no_drops: false,
                    sustain: Duration::from_secs(10),
                    ..v17.recovery
                },
                gain: Some(Delay::from_micros(10_000)),
                flap_damping: Duration::from_mins(30),
                ..v17
            },
            // Two bad and fifteen good samples of the two-second loop that v1.7 was made for; at
            // the 50 ms that it ended up with they were a tenth and three quarters of a second.
            Self::Hysteresis => SteerParams {
                weights: Weights::HYSTERESIS,
                threshold: 100,
                sustain: Duration::from_secs(4),
                recovery: Recovery {
                    score: 0,
                    delta: Delay::from_micros(15_000),
                    no_drops: false,
                    sustain: Duration::from_secs(30),
                    ..v17.recovery
                },
                hold_down: Duration::ZERO,
                ..v17
            },
        }
    }
}

impl Default for FailoverParams {
    /// One and a half seconds let a glitch of a second pass, and leave half a second of the two
    /// within which a dead WAN is to be left. The return is not urgent.
    fn default() -> Self {
        Self {
            dead_after: Duration::from_millis(1500),
            quorum: 2,
            recovery: Duration::from_secs(10),
            hold_down: Duration::from_mins(1),
            failback: Duration::from_mins(2),
            flap_damping: Duration::from_mins(30),
            actions: ActionLimits { per_hour: 10 },
        }
    }
}
