//! The law of the predecessor's v1.7: a state for each range of delay, and an answer for each state.
//!
//! | state | answer |
//! |---|---|
//! | GREEN | after `green_required` in a row: climb by `step_up` |
//! | YELLOW | shrink by `factor_down_yellow` |
//! | SOFT_RED | hold; a direction of three states has none, its delays are RED |
//! | RED | shrink by `factor_down` |
//!
//! A cut stops at the floor of its state. The states are those of this moment's delay, without the
//! dwell of the states that people see. What v1.7 did otherwise and why it is not done here is
//! told in `docs/control-law.md`.

mod params;

use std::time::Duration;

pub use params::{ZoneFloors, ZoneParams};

use super::{LawInput, RateDecision, RateLaw, Reason};
use crate::{
    CongestionState, LoadClass, MeasurementState, StateThresholds,
    params::{Params, ZoneTiming},
    units::{BitRate, Delay, MonoTime},
};

/// The cycle of v1.7, which its factors are for.
const TICK: Duration = Duration::from_millis(50);

/// The law of states and floors.
#[derive(Debug)]
pub(crate) struct Zone {
    thresholds: StateThresholds,
    params: ZoneParams,
    timing: ZoneTiming,
    pending_tolerance: f64,
    /// The state of the newest delay that this direction caused.
    seen: CongestionState,
    /// How long the delay has been GREEN without a break.
    green_for: Duration,
    last_cut: Option<MonoTime>,
    /// The last cut is not known to be in force.
    is_cut_underway: bool,
}

impl Zone {
    pub(crate) fn new(thresholds: StateThresholds, params: ZoneParams, tuning: &Params) -> Self {
        Self {
            thresholds,
            params,
            timing: tuning.zone,
            pending_tolerance: tuning.pending.tolerance,
            seen: CongestionState::Green,
            green_for: Duration::ZERO,
            last_cut: None,
            is_cut_underway: false,
        }
    }

    /// The time that one decision stands for.
    fn step(&self, input: &LawInput) -> Duration {
        input.dt.min(self.timing.longest_step)
    }

    /// The state that a delay belongs to; a delay at a threshold belongs to the milder one.
    fn zone_of(&self, delta: Delay) -> CongestionState {
        match (self.thresholds.classify(delta), self.params.floors.soft_red) {
            (CongestionState::SoftRed, None) => CongestionState::Red,
            (state, _) => state,
        }
    }

    fn answer(&mut self, delta: Delay, input: &LawInput) -> RateDecision {
        let zone = self.zone_of(delta);
        self.seen = if input.attribution.is_attributed() { zone } else { CongestionState::Green };
        if zone == CongestionState::Green {
            self.green_for = self.green_for.saturating_add(self.step(input));
            return self.climb(input);
        }
        self.green_for = Duration::ZERO;
        if !input.attribution.is_attributed() {
            return hold(input, Reason::HoldNotAttributed);
        }
        // Too few answer for the middle of their deltas to outvote one that is slow by itself.
        if input.measurement == MeasurementState::Reduced && !input.quorum {
            return hold(input, Reason::HoldInsufficientEvidence);
        }
        let floor = self.params.floors.of(zone);
        match zone {
            CongestionState::Unknown | CongestionState::Green | CongestionState::SoftRed => {
                hold(input, Reason::HoldDelay)
            }
            CongestionState::Yellow => {
                let factor = self.params.factor_down_yellow;
                self.cut(input, factor, floor, [Reason::CutQueue, Reason::HoldFloor])
            }
            CongestionState::Red => {
                let factor = self.params.factor_down;
                self.cut(input, factor, floor, [Reason::CutQueue, Reason::HoldFloor])
            }
        }
    }

    /// Traffic flows and no probe returns: down to what the link is trusted with, gently, because
    /// nobody knows how long the queue is.
    fn answer_silence(&mut self, input: &LawInput) -> RateDecision {
        self.green_for = Duration::ZERO;
        let least = input.limits.base.max(self.params.floors.of(self.seen));
        let factor = self.params.factor_down_yellow;
        self.cut(input, factor, least, [Reason::CutCollapsed, Reason::HoldCollapsed])
    }

    /// Shrinks the rate by `factor` per tick, not below `floor`; a rate that is there already stays.
    fn cut(
        &mut self,
        input: &LawInput,
        factor: f64,
        floor: BitRate,
        [cut, held]: [Reason; 2],
    ) -> RateDecision {
        if input.current <= floor {
            return hold(input, held);
        }
        self.last_cut = Some(input.now);
        self.is_cut_underway = true;
        let ticks = self.step(input).as_secs_f64() / TICK.as_secs_f64();
        let rate = shrunk(input.current, factor.powf(ticks)).max(floor);
        RateDecision { rate, reason: cut }
    }

    fn climb(&self, input: &LawInput) -> RateDecision {
        let LawInput { current, limits, .. } = *input;
        if current >= limits.ceiling {
            return hold(input, Reason::HoldCeiling);
        }
        if self.green_for < self.params.green_required {
            return hold(input, Reason::HoldRefractory);
        }
        if current > input.in_force.unwrap_or(BitRate::ZERO).scaled(self.timing.raise_ahead) {
            return hold(input, Reason::HoldPending);
        }
        if !input.sufficient_evidence || input.measurement != MeasurementState::Healthy {
            return hold(input, Reason::HoldInsufficientEvidence);
        }
        let rise = self.params.step_up.scaled(self.step(input).as_secs_f64());
        let rate = BitRate::from_bps(current.bps().saturating_add(rise.bps()));
        match input.load.class {
            LoadClass::High => RateDecision { rate, reason: Reason::RaiseShaperLimited },
            LoadClass::Unknown => hold(input, Reason::HoldLoadUnknown),
            LoadClass::Low | LoadClass::Idle if current < limits.base => {
                RateDecision { rate: rate.min(limits.base), reason: Reason::DecayUp }
            }
            LoadClass::Low | LoadClass::Idle => hold(input, Reason::HoldApplicationLimited),
        }
    }
}

impl RateLaw for Zone {
    fn decide(&mut self, input: &LawInput) -> RateDecision {
        let Some(in_force) = input.in_force else {
            return hold(input, Reason::HoldPending);
        };
        if in_force > input.current.scaled(self.pending_tolerance) {
            if self.is_cut_underway {
                // What was measured before the cut is in force is no reason for another.
                self.last_cut = Some(input.now);
            }
            return hold(input, Reason::HoldPending);
        }
        self.is_cut_underway = false;
        match (input.measurement, input.delta) {
            (MeasurementState::Starting, _) => hold(input, Reason::HoldStarting),
            (MeasurementState::Collapsed, _) => self.answer_silence(input),
            (MeasurementState::Bypass, _) => hold(input, Reason::HoldBypass),
            (MeasurementState::CannotSend, _) => {
                self.green_for = Duration::ZERO;
                hold(input, Reason::HoldCannotSend)
            }
            (MeasurementState::Healthy | MeasurementState::Reduced, Some(delta)) => {
                self.answer(delta, input)
            }
            (MeasurementState::Stalled, _) | (_, None) => {
                self.green_for = Duration::ZERO;
                hold(input, Reason::HoldStalled)
            }
        }
    }

    fn last_cut(&self) -> MonoTime {
        self.last_cut.unwrap_or_default()
    }
}

fn hold(input: &LawInput, reason: Reason) -> RateDecision {
    RateDecision { rate: input.current, reason }
}

/// Rounds down, as v1.7 does, so that a cut is never less than asked for.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn shrunk(rate: BitRate, factor: f64) -> BitRate {
    BitRate::from_bps((rate.bps() as f64 * factor) as u64)
}

#[cfg(test)]
mod tests;
