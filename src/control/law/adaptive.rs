//! The default law: cuts in proportion to the delay, raises only on demand.
//!
//! In this order, the first that applies decides:
//! 0. the router has not yet followed: hold, because what is measured is the work of another rate;
//! 1. nothing measured: hold, or fall back to the base rate if traffic flows unseen;
//! 2. a queue stands and this direction is to blame: cut, by more the deeper the queue, then
//!    wait until the cut can show;
//! 3. a queue stands and it is not to blame: hold;
//! 4. the shaper is full and the delay is low: raise;
//! 5. nobody asks for more: glide to the base rate, the rate that the next burst meets.

use std::time::Duration;

use super::{LawInput, RateLaw, Reason, Verdict};
use crate::{
    control::{LoadClass, MeasurementState},
    units::{BitRate, Delay, MonoTime},
};

/// A cut that only just crosses the threshold keeps this much.
const MILDEST_CUT: f64 = 0.98;
/// A cut at `severe` or above keeps this much.
const HARDEST_CUT: f64 = 0.75;
/// After a cut its effect takes a round trip, the router's answer and a round of probes to show;
/// a second cut on the same evidence would be one too many.
const REFRACTORY: Duration = Duration::from_millis(300);
/// Growth of the rate per second of full demand at the lowest delay.
const RAISE_PER_SECOND: f64 = 0.13;
/// Raises are full up to this share of the bloat threshold and shrink to nothing at it.
const RAISE_FULL_BELOW: f64 = 0.3;
/// A limit in force that is this much above the desired one is a cut that has not arrived.
const CUT_PENDING: f64 = 1.02;
/// How far a raise may run ahead of the limit in force: a few steps, not a climb in the dark.
const RAISE_AHEAD: f64 = 1.10;
/// Time constant of the way back to the base rate without demand.
const GLIDE_TAU: Duration = Duration::from_secs(20);
/// Time constant of the way down to the base rate while traffic flows and no probe returns.
const BLIND_TAU: Duration = Duration::from_secs(5);

/// The load-gated proportional law.
#[derive(Debug)]
pub(in crate::control) struct Adaptive {
    /// Delay from which reflectors vote for bloat.
    bloat: Delay,
    /// Delay from which a cut is as hard as it gets.
    severe: Delay,
    last_cut: Option<MonoTime>,
    /// The last cut was one of these and is not known to be in force.
    is_cut_underway: bool,
}

impl Adaptive {
    pub(in crate::control) fn new(bloat: Delay, severe: Delay) -> Self {
        Self { bloat, severe, last_cut: None, is_cut_underway: false }
    }

    fn cut(&mut self, input: &LawInput) -> Verdict {
        if input.current <= input.limits.floor {
            return hold(input, Reason::HoldFloor);
        }
        self.last_cut = Some(input.now);
        self.is_cut_underway = true;
        let over = (input.queue_delay - self.bloat).micros() as f64;
        let range = (self.severe - self.bloat).micros().max(1) as f64;
        let keep = MILDEST_CUT - (MILDEST_CUT - HARDEST_CUT) * (over / range).clamp(0.0, 1.0);
        Verdict { rate: input.current.scaled(keep), reason: Reason::CutBloat }
    }

    fn raise(&self, input: &LawInput) -> Verdict {
        if input.current >= input.limits.ceiling {
            return hold(input, Reason::HoldCeiling);
        }
        if let Some(reason) = no_raise(input) {
            return hold(input, reason);
        }
        let delta = input
            .delta
            .map_or(1.0, |delta| delta.micros() as f64 / self.bloat.micros().max(1) as f64);
        let ease = ((1.0 - delta) / (1.0 - RAISE_FULL_BELOW)).clamp(0.0, 1.0);
        if ease <= 0.0 {
            return hold(input, Reason::HoldDelay);
        }
        let growth = 1.0 + RAISE_PER_SECOND * ease * input.dt.as_secs_f64();
        Verdict { rate: input.current.scaled(growth), reason: Reason::RaiseDemand }
    }

    fn in_refractory(&self, now: MonoTime) -> bool {
        self.last_cut.is_some_and(|cut| now.since(cut) < REFRACTORY)
    }
}

impl RateLaw for Adaptive {
    fn decide(&mut self, input: &LawInput) -> Verdict {
        let Some(in_force) = input.in_force else {
            return hold(input, Reason::HoldPending);
        };
        if in_force > input.current.scaled(CUT_PENDING) {
            if self.is_cut_underway {
                // The refractory time begins when the cut is in force.
                self.last_cut = Some(input.now);
            }
            return hold(input, Reason::HoldPending);
        }
        self.is_cut_underway = false;
        match input.measurement {
            MeasurementState::Starting => return hold(input, Reason::HoldStarting),
            MeasurementState::Stalled => return hold(input, Reason::HoldStalled),
            MeasurementState::Collapsed if input.current > input.limits.base => {
                return Verdict { rate: glide(input, BLIND_TAU), reason: Reason::CutCollapsed };
            }
            MeasurementState::Collapsed => return hold(input, Reason::HoldCollapsed),
            MeasurementState::Healthy | MeasurementState::Reduced => {}
        }
        match (input.bloated, input.blamed) {
            (true | false, _) if self.in_refractory(input.now) => {
                hold(input, Reason::HoldRefractory)
            }
            (true, true) => self.cut(input),
            (true, false) => hold(input, Reason::HoldElsewhere),
            (false, _) => match input.load.class {
                LoadClass::High => self.raise(input),
                LoadClass::Unknown => hold(input, Reason::HoldLoadUnknown),
                LoadClass::Low | LoadClass::Idle => towards_base(input),
            },
        }
    }

    fn last_cut(&self) -> MonoTime {
        self.last_cut.unwrap_or_default()
    }
}

/// What forbids a raise however much is asked for.
fn no_raise(input: &LawInput) -> Option<Reason> {
    let in_force = input.in_force.unwrap_or(BitRate::ZERO);
    if input.current > in_force.scaled(RAISE_AHEAD) {
        Some(Reason::HoldPending)
    } else if !input.trustworthy || input.measurement != MeasurementState::Healthy {
        Some(Reason::HoldUntrusted)
    } else {
        None
    }
}

fn hold(input: &LawInput, reason: Reason) -> Verdict {
    Verdict { rate: input.current, reason }
}

fn towards_base(input: &LawInput) -> Verdict {
    let rate = glide(input, GLIDE_TAU);
    if let Some(reason) = no_raise(input).filter(|_| rate > input.current) {
        return hold(input, reason);
    }
    let reason = match rate.cmp(&input.current) {
        std::cmp::Ordering::Greater => Reason::GlideUp,
        std::cmp::Ordering::Less => Reason::GlideDown,
        std::cmp::Ordering::Equal => Reason::HoldNoDemand,
    };
    Verdict { rate, reason }
}

/// One step of an exponential approach to the base rate; the last per cent is taken at once, so
/// that the approach ends.
fn glide(input: &LawInput, tau: Duration) -> BitRate {
    let (current, base) = (input.current.bps() as f64, input.limits.base.bps() as f64);
    if (current - base).abs() <= base * 0.01 {
        return input.limits.base;
    }
    let alpha = 1.0 - (-input.dt.as_secs_f64() / tau.as_secs_f64()).exp();
    BitRate::from_bps(1).scaled(current + (base - current) * alpha)
}
