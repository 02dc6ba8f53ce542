//! The evidence that a WAN is congested: a score from 0 to 100, and what contributed to it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{CongestionState, units::Delay};

/// Delay over the baseline that is severe.
const SEVERE: Delay = Delay::from_micros(120_000);
/// Delay over the baseline that is high.
const HIGH: Delay = Delay::from_micros(80_000);

/// What a score is made of, of one WAN at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an observation of its own")]
pub struct Signals {
    /// The worse of both directions' states; an unknown one gives no points.
    pub state: CongestionState,
    /// A state of SOFT_RED is more than a passing one.
    pub soft_red_sustained: bool,
    /// Delay over the baseline, if anything answers.
    pub delta: Option<Delay>,
    /// Drops become more.
    pub drops_rising: bool,
    /// There is a standing queue of many packets.
    pub backlog: bool,
    /// A direction is congested although its rate is at the floor.
    pub at_floor: bool,
    /// Probes are lost while traffic flows.
    pub collapsed: bool,
    /// The colour of the hysteresis preset.
    pub assessment: Assessment,
}

/// A contributor to the score.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Contributor {
    /// A direction is RED.
    StateRed,
    /// A direction has been SOFT_RED for a while.
    StateSoftRed,
    /// A direction is YELLOW.
    StateYellow,
    /// The delay is above 120 ms over the baseline.
    DeltaSevere,
    /// The delay is above 80 ms over the baseline.
    DeltaHigh,
    /// Drops become more.
    DropsRising,
    /// More than 50 packets stand in a queue.
    Backlog,
    /// A direction is congested although its rate is at the floor.
    AtFloor,
    /// Probes are lost while traffic flows.
    Collapsed,
    /// RED by the hysteresis preset.
    AssessedRed,
    /// YELLOW by the hysteresis preset.
    AssessedYellow,
}

named!(Contributor::code);

impl Contributor {
    fn applies(self, signals: &Signals) -> bool {
        let delta = signals.delta.unwrap_or_default();
        match self {
            Self::StateRed => signals.state == CongestionState::Red,
            Self::StateSoftRed => {
                signals.state == CongestionState::SoftRed && signals.soft_red_sustained
            }
            Self::StateYellow => signals.state == CongestionState::Yellow,
            Self::DeltaSevere => delta > SEVERE,
            Self::DeltaHigh => delta > HIGH && delta <= SEVERE,
            Self::DropsRising => signals.drops_rising,
            Self::Backlog => signals.backlog,
            Self::AtFloor => signals.at_floor,
            Self::Collapsed => signals.collapsed,
            Self::AssessedRed => signals.assessment == Assessment::Red,
            Self::AssessedYellow => signals.assessment == Assessment::Yellow,
        }
    }
}

/// The points of each contributor, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the weight of the contributor of its name")]
pub struct Weights {
    pub state_red: u8,
    pub state_soft_red: u8,
    pub state_yellow: u8,
    pub delta_severe: u8,
    pub delta_high: u8,
    pub drops_rising: u8,
    pub backlog: u8,
    pub at_floor: u8,
    pub collapsed: u8,
    pub assessed_red: u8,
    pub assessed_yellow: u8,
}

impl Weights {
    /// The weights of v1.7.
    pub const V17: Self = Self {
        state_red: 50,
        state_soft_red: 25,
        state_yellow: 10,
        delta_severe: 25,
        delta_high: 15,
        drops_rising: 10,
        backlog: 10,
        at_floor: 0,
        collapsed: 0,
        assessed_red: 0,
        assessed_yellow: 0,
    };
    /// The weights of v1.7, and those of what it did not see. A shaper that is exhausted makes a
    /// RED certain, and a SOFT_RED count; lost probes under load suffice by themselves.
    pub const BALANCED: Self = Self { at_floor: 30, collapsed: 60, ..Self::V17 };
    /// Nothing but the colours.
    pub const HYSTERESIS: Self = Self {
        state_red: 0,
        state_soft_red: 0,
        state_yellow: 0,
        delta_severe: 0,
        delta_high: 0,
        drops_rising: 0,
        backlog: 0,
        at_floor: 0,
        collapsed: 0,
        assessed_red: 100,
        assessed_yellow: 50,
    };

    /// Returns the points of `contributor`.
    #[must_use]
    pub const fn of(&self, contributor: Contributor) -> u8 {
        match contributor {
            Contributor::StateRed => self.state_red,
            Contributor::StateSoftRed => self.state_soft_red,
            Contributor::StateYellow => self.state_yellow,
            Contributor::DeltaSevere => self.delta_severe,
            Contributor::DeltaHigh => self.delta_high,
            Contributor::DropsRising => self.drops_rising,
            Contributor::Backlog => self.backlog,
            Contributor::AtFloor => self.at_floor,
            Contributor::Collapsed => self.collapsed,
            Contributor::AssessedRed => self.assessed_red,
            Contributor::AssessedYellow => self.assessed_yellow,
        }
    }

    /// Scores what is seen of a WAN.
    #[must_use]
    pub fn score(&self, signals: &Signals) -> Score {
        let contributors: Vec<(Contributor, u8)> = Contributor::ALL
            .iter()
            .copied()
            .filter(|contributor| contributor.applies(signals))
            .map(|contributor| (contributor, self.of(contributor)))
            .filter(|(_, points)| *points > 0)
            .collect();
        let sum: u32 = contributors.iter().map(|(_, points)| u32::from(*points)).sum();
        Score { points: u8::try_from(sum.min(100)).unwrap_or(100), contributors }
    }
}

/// The evidence that a WAN is congested.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Score {
    /// 0 to 100.
    pub points: u8,
    /// What contributed, with its points; their sum may exceed 100.
    pub contributors: Vec<(Contributor, u8)>,
}

/// A WAN's colour by the hysteresis preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assessment {
    /// All is well.
    Green,
    /// Something begins; no reason to move, and none to come back.
    Yellow,
    /// Congestion.
    Red,
}

/// Where the colours begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssessmentParams {
    /// YELLOW above this delay over the baseline.
    pub yellow: Delay,
    /// RED above this delay, if drops and backlog confirm it.
    pub red: Delay,
    /// RED above this delay whatever the queue says: the queue may stand at the provider, and a
    /// CAKE queue of RouterOS counts no drops.
    pub red_alone: Delay,
    /// Drops between two readings that confirm.
    pub drops: u64,
    /// YELLOW from this backlog on, in packets.
    pub backlog_yellow: u64,
    /// Backlog that confirms, in packets.
    pub backlog_red: u64,
    /// Time constant of the delay's smoothing.
    pub smoothing: Duration,
}

impl Default for AssessmentParams {
    /// The values of v1.7, its smoothing factor of 0.3 at 50 ms as a time; delay alone confirms
    /// from four times the threshold.
    fn default() -> Self {
        Self {
            yellow: Delay::from_micros(15_000),
            red: Delay::from_micros(15_000),
            red_alone: Delay::from_micros(60_000),
            drops: 1,
            backlog_yellow: 10,
            backlog_red: 50,
            smoothing: Duration::from_millis(140),
        }
    }
}

impl AssessmentParams {
    /// Assesses a smoothed delay, the drops since the reading before, and a backlog in packets.
    #[must_use]
    pub fn assess(&self, delta: Delay, drops: u64, backlog: u64) -> Assessment {
        let confirmed = drops >= self.drops && backlog >= self.backlog_red;
        if delta > self.red_alone || (delta > self.red && confirmed) {
            Assessment::Red
        } else if delta > self.yellow || backlog >= self.backlog_yellow {
            Assessment::Yellow
        } else {
            Assessment::Green
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CongestionState::{Green, Red, SoftRed, Yellow};

    const QUIET: Signals = Signals {
        state: Green,
        soft_red_sustained: false,
        delta: Some(Delay::ZERO),
        drops_rising: false,
        backlog: false,
        at_floor: false,
        collapsed: false,
        assessment: Assessment::Green,
    };

    fn score(weights: &Weights, state: CongestionState, delta: f64, more: [bool; 3]) -> u8 {
        let [soft_red_sustained, drops_rising, backlog] = more;
        let delta = Some(Delay::from_millis_f64(delta));
        let signals = Signals { state, soft_red_sustained, delta, drops_rising, backlog, ..QUIET };
        weights.score(&signals).points
    }

    #[test]
    fn the_vectors_of_v17_hold() {
        for (state, delta, more, points) in [
            (Green, 0.0, [false, false, false], 0),
            (Yellow, 80.0, [false, false, false], 10),
            (Yellow, 80.1, [false, false, false], 25),
            (Red, 120.0, [false, true, true], 85),
            (Red, 120.1, [false, true, true], 95),
            (Red, 130.0, [false, false, false], 75),
            (SoftRed, 0.0, [false, false, false], 0),
            (SoftRed, 0.0, [true, false, false], 25),
            (Red, 0.0, [false, false, false], 50),
            (Red, 0.0, [false, true, false], 60),
        ] {
            let reported = score(&Weights::V17, state, delta, more);
            assert_eq!(reported, points, "{state:?} {delta} {more:?}");
        }
    }

    #[test]
    fn delay_alone_reaches_the_threshold() {
        assert!(score(&Weights::BALANCED, Red, 100.0, [false; 3]) >= 55);
        assert!(score(&Weights::V17, Red, 100.0, [false; 3]) >= 55);
    }

    #[test]
    fn an_exhausted_shaper_makes_a_soft_red_count() {
        let signals = Signals { state: SoftRed, soft_red_sustained: true, at_floor: true, ..QUIET };
        let score = Weights::BALANCED.score(&signals);
        assert_eq!(score.points, 55);
        assert_eq!(
            score.contributors,
            [(Contributor::StateSoftRed, 25), (Contributor::AtFloor, 30)]
        );
    }

    #[test]
    fn the_score_ends_at_a_hundred() {
        let all = Signals { at_floor: true, collapsed: true, backlog: true, ..QUIET };
        let signals = Signals { state: Red, drops_rising: true, ..all };
        assert_eq!(Weights::BALANCED.score(&signals).points, 100);
    }

    #[test]
    fn the_vectors_of_v17_hold_but_delay_alone_can_confirm() {
        use Assessment::{Green, Red, Yellow};
        for (delta, drops, backlog, colour) in [
            (15.1, 1, 50, Red),
            (15.0, 1, 50, Yellow),
            (15.1, 0, 50, Yellow),
            (15.1, 1, 49, Yellow),
            (15.0, 0, 9, Green),
            (15.0, 0, 10, Yellow),
            (15.01, 0, 0, Yellow),
            (60.0, 0, 0, Yellow),
            // v1.7 called this YELLOW, and so never steered on a queue that it could not see.
            (100.0, 0, 0, Red),
            (-5.0, 0, 0, Green),
        ] {
            let delta = Delay::from_millis_f64(delta);
            let assessed = AssessmentParams::default().assess(delta, drops, backlog);
            assert_eq!(assessed, colour, "{delta}, {drops} drops, {backlog} packets");
        }
    }
}
