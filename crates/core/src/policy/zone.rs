//! The law of wanctl 1.7: a state for each range of delay, and an answer for each state.
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
//! explained in `docs/control-law.md`.

mod params;

use std::time::Duration;

pub use params::{ZoneFloors, ZoneParams};

use super::{Limits, Phase, Policy, RateDecision, Reason};
use crate::{
    CongestionState, LoadClass, MeasurementState, StateThresholds,
    estimate::{Applied, Disregard, Estimate},
    params::ZoneTiming,
    units::{BitRate, Delay},
};

/// The cycle of v1.7, which its factors are for.
const TICK: Duration = Duration::from_millis(50);

/// The policy of states and floors.
#[derive(Debug)]
pub(crate) struct Zone {
    thresholds: StateThresholds,
    params: ZoneParams,
    timing: ZoneTiming,
    /// The state of the newest delay that this direction caused.
    seen: CongestionState,
    /// How long the delay has been GREEN without a break.
    green_for: Duration,
}

impl Zone {
    pub(crate) fn new(thresholds: StateThresholds, params: ZoneParams, timing: ZoneTiming) -> Self {
        Self { thresholds, params, timing, seen: CongestionState::Green, green_for: Duration::ZERO }
    }

    /// The time that one decision stands for.
    fn step(&self, estimate: &Estimate) -> Duration {
        estimate.dt.min(self.timing.longest_step)
    }

    /// The state that a delay belongs to; a delay at a threshold belongs to the milder one.
    fn zone_of(&self, delta: Delay) -> CongestionState {
        match (self.thresholds.classify(delta), self.params.floors.soft_red) {
            (CongestionState::SoftRed, None) => CongestionState::Red,
            (state, _) => state,
        }
    }

    fn answer(&mut self, delta: Delay, estimate: &Estimate, limits: &Limits) -> RateDecision {
        let zone = self.zone_of(delta);
        self.seen =
            if estimate.attribution.is_attributed() { zone } else { CongestionState::Green };
        if zone == CongestionState::Green {
            self.green_for = self.green_for.saturating_add(self.step(estimate));
            return self.climb(estimate, limits);
        }
        self.green_for = Duration::ZERO;
        if !estimate.attribution.is_attributed() {
            return hold(estimate, Reason::HoldNotAttributed);
        }
        // Too few answer for the middle of their deltas to outvote one that is slow by itself.
        if estimate.measurement == MeasurementState::Reduced && !estimate.quorum {
            return hold(estimate, Reason::HoldInsufficientEvidence);
        }
        let floor = self.params.floors.of(zone);
        match zone {
            CongestionState::Unknown | CongestionState::Green | CongestionState::SoftRed => {
                hold(estimate, Reason::HoldDelay)
            }
            CongestionState::Yellow => {
                let factor = self.params.factor_down_yellow;
                self.cut(estimate, factor, floor, [Reason::CutQueue, Reason::HoldFloor])
            }
            CongestionState::Red => {
                let factor = self.params.factor_down;
                self.cut(estimate, factor, floor, [Reason::CutQueue, Reason::HoldFloor])
            }
        }
    }

    /// Traffic flows and no probe returns: down to what the link is trusted with, gently, because
    /// nobody knows how long the queue is.
    fn answer_silence(&mut self, estimate: &Estimate, limits: &Limits) -> RateDecision {
        self.green_for = Duration::ZERO;
        let least = limits.base.max(self.params.floors.of(self.seen));
        let factor = self.params.factor_down_yellow;
        self.cut(estimate, factor, least, [Reason::CutCollapsed, Reason::HoldCollapsed])
    }

    /// Shrinks the rate by `factor` per tick, not below `floor`; a rate that is there already stays.
    fn cut(
        &self,
        estimate: &Estimate,
        factor: f64,
        floor: BitRate,
        [cut, held]: [Reason; 2],
    ) -> RateDecision {
        if estimate.desired <= floor {
            return hold(estimate, held);
        }
        let ticks = self.step(estimate).as_secs_f64() / TICK.as_secs_f64();
        let rate = shrunk(estimate.desired, factor.powf(ticks)).max(floor);
        // What was measured before the cut is in force is no reason for another.
        let applied = Applied { disregard: Disregard::UntilInForce, ..Applied::default() };
        RateDecision::new(rate, cut, cut.phase()).with(applied)
    }

    fn climb(&self, estimate: &Estimate, limits: &Limits) -> RateDecision {
        let (current, in_force) = (estimate.desired, estimate.in_force);
        if current >= limits.ceiling {
            return hold(estimate, Reason::HoldCeiling);
        }
        if self.green_for < self.params.green_required {
            return RateDecision::new(current, Reason::HoldRefractory, Phase::Cruise);
        }
        if current > in_force.unwrap_or(BitRate::ZERO).scaled(self.timing.raise_ahead) {
            return hold(estimate, Reason::HoldPending);
        }
        if !estimate.sufficient_evidence || estimate.measurement != MeasurementState::Healthy {
            return hold(estimate, Reason::HoldInsufficientEvidence);
        }
        let rise = self.params.step_up.scaled(self.step(estimate).as_secs_f64());
        let rate = BitRate::from_bps(current.bps().saturating_add(rise.bps()));
        match estimate.load.class {
            LoadClass::High => RateDecision::new(rate, Reason::RaiseShaperLimited, Phase::Probe),
            LoadClass::Unknown => hold(estimate, Reason::HoldLoadUnknown),
            LoadClass::Low | LoadClass::Idle if current < limits.base => {
                RateDecision::new(rate.min(limits.base), Reason::DecayUp, Phase::Decay)
            }
            LoadClass::Low | LoadClass::Idle => hold(estimate, Reason::HoldApplicationLimited),
        }
    }
}

impl Policy for Zone {
    fn decide(&mut self, estimate: &Estimate, limits: &Limits) -> RateDecision {
        match (estimate.measurement, estimate.delta) {
            (MeasurementState::Starting, _) => hold(estimate, Reason::HoldStarting),
            (MeasurementState::Collapsed, _) => self.answer_silence(estimate, limits),
            (MeasurementState::Bypass, _) => hold(estimate, Reason::HoldBypass),
            (MeasurementState::CannotSend, _) => {
                self.green_for = Duration::ZERO;
                hold(estimate, Reason::HoldCannotSend)
            }
            (MeasurementState::Healthy | MeasurementState::Reduced, Some(delta)) => {
                self.answer(delta, estimate, limits)
            }
            (MeasurementState::Stalled, _) | (_, None) => {
                self.green_for = Duration::ZERO;
                hold(estimate, Reason::HoldStalled)
            }
        }
    }
}

fn hold(estimate: &Estimate, reason: Reason) -> RateDecision {
    RateDecision::new(estimate.desired, reason, reason.phase())
}

/// Rounds down, as v1.7 does, so that a cut is never less than asked for.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn shrunk(rate: BitRate, factor: f64) -> BitRate {
    BitRate::from_bps((rate.bps() as f64 * factor) as u64)
}

#[cfg(test)]
mod tests;
