//! How the hysteresis preset judges a WAN: v1.7's three colours from delay, drops and backlog.

use std::time::Duration;

use crate::units::Delay;

/// A WAN's colour in the eyes of the hysteresis preset.
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
    /// Judges a smoothed delay, the drops since the reading before, and a backlog in packets.
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
            let judged = AssessmentParams::default().assess(delta, drops, backlog);
            assert_eq!(judged, colour, "{delta}, {drops} drops, {backlog} packets");
        }
    }
}
