//! The delays of the proportional law: baselines, and the last replies of whichever reflector.

use std::collections::VecDeque;

use wanctl_core::{PerDirection, ReflectorId, units::Delay};

/// Where every baseline starts, in ms: high, because it falls at once and rises for minutes.
const FIRST_BASELINE_MS: f64 = 100.0;
/// Weight of a reply at or above the baseline.
const RISE: f64 = 0.001;
/// Weight of a reply below it.
const FALL: f64 = 0.9;
/// Replies that are looked at together.
const WINDOW: usize = 6;
/// How many of them must be late to make bloat.
const LATE: usize = 3;

/// What the replies said lately.
#[derive(Debug, Clone)]
pub(super) struct Delays {
    /// By the reflector's number, in ms: whole microseconds would lose the smallest rises.
    baselines: Vec<f64>,
    /// Each reply's delay over its baseline in ms, and for which direction that was late.
    window: VecDeque<(f64, PerDirection<bool>)>,
}

impl Default for Delays {
    fn default() -> Self {
        let nothing = (0.0, PerDirection::default());
        Self { baselines: Vec::new(), window: VecDeque::from([nothing; WINDOW]) }
    }
}

impl Delays {
    /// Takes the one-way delay of a reply into account; the baseline moves first.
    pub(super) fn update(
        &mut self,
        reflector: ReflectorId,
        delay: Delay,
        thresholds: PerDirection<Delay>,
    ) {
        let place = usize::from(reflector.0);
        if self.baselines.len() <= place {
            self.baselines.resize(place + 1, FIRST_BASELINE_MS);
        }
        let baseline = &mut self.baselines[place];
        let weight = if delay.millis() >= *baseline { RISE } else { FALL };
        *baseline += (delay.millis() - *baseline) * weight;
        let delta = delay.millis() - *baseline;
        let late = PerDirection::build(|direction| delta > thresholds[direction].millis());
        self.window.pop_front();
        self.window.push_back((delta, late));
    }

    /// Tells whether enough of the last replies were late for `direction`.
    pub(super) fn is_bloated(&self, direction: wanctl_core::Direction) -> bool {
        self.window.iter().filter(|(_, late)| late[direction]).count() >= LATE
    }

    /// Returns the mean delay of the last replies over their baselines.
    pub(super) fn mean(&self) -> Delay {
        let sum: f64 = self.window.iter().map(|(delta, _)| delta).sum();
        Delay::from_millis_f64(sum / WINDOW as f64)
    }
}
