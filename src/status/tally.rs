//! What happened since the start, for the summary at the end and for health.

use std::time::Duration;

use wanctl_core::{CongestionState, Cycle, DirectionCycle, PerDirection, units::Delay};

/// Resolution of the delay distribution.
const BIN: Delay = Delay::from_micros(250);
/// Delays above (bins × resolution = 4 s) fall into the last bin.
const BINS: usize = 16_000;

/// Counts of one WAN.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Cycles decided.
    pub cycles: u64,
    /// Cycles that were busy for longer than the interval.
    pub overruns: u64,
    /// Ticks dropped.
    pub skipped: u64,
    /// Rate writes that the router confirmed, both directions.
    pub writes: u64,
    /// Time in each congestion state, in the order of [`CongestionState::ALL`].
    pub time_in_state: PerDirection<[Duration; CongestionState::ALL.len()]>,
    delays: Vec<u32>,
}

/// What the loop of a WAN missed since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoopCounts {
    /// Cycles that were busy for longer than the interval.
    pub overruns: u64,
    /// Ticks dropped.
    pub skipped: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            cycles: 0,
            overruns: 0,
            skipped: 0,
            writes: 0,
            time_in_state: PerDirection::default(),
            delays: vec![0; BINS],
        }
    }
}

impl Tally {
    /// Returns what the loop missed.
    #[must_use]
    pub const fn loop_counts(&self) -> LoopCounts {
        LoopCounts { overruns: self.overruns, skipped: self.skipped }
    }

    pub(super) fn record(&mut self, before: Option<&Cycle>, cycle: &Cycle) {
        self.cycles += 1;
        self.skipped += cycle.timing.skipped;
        self.overruns += u64::from(cycle.timing.overran());
        self.writes =
            cycle.directions.present().map(|(_, reported)| reported.actuation.writes).sum();
        if let Some(delta) = cycle.measurement.delta {
            let bin = delta.micros().max(0) / BIN.micros();
            let bin = usize::try_from(bin).unwrap_or(BINS).min(BINS - 1);
            if let Some(count) = self.delays.get_mut(bin) {
                *count = count.saturating_add(1);
            }
        }
        let Some(before) = before else { return };
        let passed = cycle.at.since(before.at);
        for (direction, DirectionCycle { state, .. }) in before.directions.present() {
            let spent = CongestionState::ALL.iter().zip(&mut self.time_in_state[direction]);
            if let Some((_, time)) = spent.into_iter().find(|(s, _)| *s == state) {
                *time += passed;
            }
        }
    }

    /// Returns the delay over the baseline that the share `quantile` (0 to 1) of the cycles did
    /// not exceed, to a quarter of a millisecond; `None` if nothing was measured.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank is small")]
    pub fn delay_quantile(&self, quantile: f64) -> Option<Delay> {
        let total: u64 = self.delays.iter().map(|count| u64::from(*count)).sum();
        if total == 0 {
            return None;
        }
        let rank = ((total as f64 * quantile).ceil() as u64).clamp(1, total);
        let mut seen = 0;
        let bin = self.delays.iter().position(|count| {
            seen += u64::from(*count);
            seen >= rank
        })?;
        Some(BIN.scaled(bin as f64))
    }
}
