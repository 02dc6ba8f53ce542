//! The default law: cuts to what gets through, raises on demand, and remembers where it failed.

mod bound;

use std::time::Duration;

use self::bound::Bounds;
use super::{LawInput, RateLaw, Reason, Verdict};
use crate::{
    control::{LoadClass, MeasurementState},
    units::{BitRate, Delay, MonoTime},
};

const FICKLE_MORE: Delay = Delay::from_micros(20_000);
const SOFT: Delay = Delay::from_micros(4_000);
/// How long a queue should take to drain.
const DRAIN: Duration = Duration::from_millis(600);
const SETTLE: Duration = Duration::from_millis(150);
const KEEP: f64 = 0.97;
const DRAIN_AT_MOST: f64 = 0.92;
const LEAST_KEEP: f64 = 0.7;
const BLIND_CUT: f64 = 0.85;
const FULL: f64 = 0.95;
/// What gets through grows with the rate only as fast as transfers do; no raise runs further ahead.
const LEAD: f64 = 1.4;
const STEP_EVERY: Duration = Duration::from_millis(100);
const STEP_LEAST: f64 = 1.02;
/// A limit in force that is this much above the desired one is a cut that has not arrived.
const CUT_PENDING: f64 = 1.02;
/// How far a raise may run ahead of the limit in force: a few steps, not a climb in the dark.
const RAISE_AHEAD: f64 = 1.5;
/// Time constant of the way back to the base rate without demand.
const GLIDE_TAU: Duration = Duration::from_secs(20);
/// Time constant of the way down to the base rate while traffic flows and no probe returns.
const BLIND_TAU: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy)]
struct Drain {
    /// The rate to go on with when the queue is gone.
    then: BitRate,
    share: f64,
    depth: Delay,
    until: MonoTime,
}

/// The law.
#[derive(Debug)]
pub(in crate::control) struct Adaptive {
    /// Delay from which a queue is more than noise.
    bloat: Delay,
    last_cut: Option<MonoTime>,
    is_cut_underway: bool,
    drain: Option<Drain>,
    bounds: Bounds,
    aim: Option<BitRate>,
    last_raise: Option<MonoTime>,
}

impl Adaptive {
    pub(in crate::control) fn new(bloat: Delay) -> Self {
        Self {
            bloat,
            last_cut: None,
            is_cut_underway: false,
            drain: None,
            bounds: Bounds::default(),
            aim: None,
            last_raise: None,
        }
    }

    fn capacity(input: &LawInput, depth: Delay) -> (BitRate, bool) {
        let in_force = input.in_force.unwrap_or(input.current).min(input.current);
        let got = input.load.newest.unwrap_or(in_force).min(in_force);
        if got < in_force.scaled(FULL) && !input.waits {
            return (got, input.is_sure);
        }
        let rising = input.finding.map_or(Duration::ZERO, |f| f.rising).as_secs_f64();
        let growth = if rising > 0.0 { (depth.seconds() / rising).clamp(0.0, 0.5) } else { 0.1 };
        (in_force.scaled(1.0 / (1.0 + growth)), input.is_sure)
    }

    fn cut(&mut self, input: &LawInput, depth: Delay) -> Verdict {
        if input.current <= input.limits.floor {
            return hold(input, Reason::HoldFloor);
        }
        let (capacity, is_sure) = Self::capacity(input, depth);
        let share = (DRAIN_AT_MOST - depth.seconds() / DRAIN.as_secs_f64())
            .clamp(LEAST_KEEP, DRAIN_AT_MOST);
        let mut rate = capacity.scaled(share);
        let mut then = capacity.scaled(KEEP).max(rate);
        if rate >= input.current.scaled(0.99) {
            rate = input.current.scaled(BLIND_CUT);
            then = input.current.scaled(KEEP);
        }
        if is_sure {
            self.bounds.met(input.now, capacity);
        }
        self.aim = None;
        self.last_cut = Some(input.now);
        self.is_cut_underway = true;
        self.drain = Some(Drain { then, share, depth, until: MonoTime::ZERO });
        Verdict { rate, reason: Reason::CutBloat }
    }

    /// The cut has just come into force.
    fn begin_drain(&mut self, input: &LawInput) {
        if let Some(drain) = &mut self.drain {
            let seconds = drain.depth.seconds().max(0.0) / (1.0 - drain.share).max(0.05);
            drain.until =
                input.now + Duration::from_secs_f64(seconds.min(2.0)) + input.path + SETTLE;
        }
    }

    fn raise(&mut self, input: &LawInput) -> Verdict {
        if input.current >= input.limits.ceiling {
            self.bounds.forget();
            return hold(input, Reason::HoldCeiling);
        }
        if let Some(reason) = no_raise(input) {
            return hold(input, reason);
        }
        let current = input.current;
        if let Some(in_force) = input.in_force {
            self.bounds.passed(input.now, in_force, input.path + SETTLE);
        }
        let aim = self.aim.filter(|aim| *aim > current).unwrap_or(current);
        let growth = (self.bounds.speed(input.now, aim) * input.dt.as_secs_f64()).exp();
        let got = input.load.achieved.max(input.load.newest).unwrap_or(BitRate::ZERO);
        let got = if input.waits { got.max(input.in_force.unwrap_or(got)) } else { got };
        let usual = self.bounds.expected(input.now).unwrap_or(got);
        let most = self.bounds.limit(input.now).unwrap_or(got.scaled(LEAD).max(usual));
        let aim = aim.scaled(growth).min(most).max(current);
        self.aim = Some(aim);
        let since = self.last_raise.map_or(Duration::MAX, |last| input.now.since(last));
        if since < STEP_EVERY || aim < current.scaled(STEP_LEAST) && aim < input.limits.ceiling {
            return hold(input, Reason::RaiseDemand);
        }
        self.last_raise = Some(input.now);
        Verdict { rate: aim, reason: Reason::RaiseDemand }
    }
}

impl RateLaw for Adaptive {
    fn decide(&mut self, input: &LawInput) -> Verdict {
        let Some(in_force) = input.in_force else {
            return hold(input, Reason::HoldPending);
        };
        let filled = input.load.newest.is_some_and(|got| got >= in_force.scaled(0.9));
        if input.waits || filled {
            self.bounds.lived(input.dt, in_force.min(input.current));
        }
        if in_force > input.current.scaled(CUT_PENDING) {
            if self.is_cut_underway {
                // What was measured until the cut is in force says nothing about it.
                self.last_cut = Some(input.now);
            }
            return hold(input, Reason::HoldPending);
        }
        if std::mem::take(&mut self.is_cut_underway) {
            self.begin_drain(input);
        }
        match input.measurement {
            MeasurementState::Starting => return hold(input, Reason::HoldStarting),
            MeasurementState::Stalled => return hold(input, Reason::HoldStalled),
            MeasurementState::Collapsed if input.current > input.limits.base => {
                return Verdict { rate: glide(input, BLIND_TAU), reason: Reason::CutCollapsed };
            }
            MeasurementState::Collapsed => return hold(input, Reason::HoldCollapsed),
            MeasurementState::Healthy | MeasurementState::Reduced => {}
        }
        let more = FICKLE_MORE.scaled(self.bounds.fickleness(input.now));
        let depth = input.finding.map_or(Delay::ZERO, |finding| {
            let depth = finding.depth - input.serialisation;
            let standing = finding.standing - input.serialisation;
            if depth > self.bloat + more {
                depth
            } else if standing > SOFT + more {
                standing
            } else {
                Delay::ZERO
            }
        });
        if let Some(drain) = self.drain {
            let gone =
                input.finding.is_some_and(|finding| finding.depth - input.serialisation < SOFT);
            if gone || input.now >= drain.until {
                self.drain = None;
                if depth <= Delay::ZERO || gone {
                    return Verdict {
                        rate: drain.then.max(input.current),
                        reason: Reason::RaiseDemand,
                    };
                }
            } else if depth <= drain.depth.scaled(1.5) + SOFT.scaled(2.0) {
                return hold(input, Reason::HoldRefractory);
            }
        }
        let in_doubt = depth > Delay::ZERO;
        match (in_doubt, input.blamed) {
            (true, true) => self.cut(input, depth),
            (true, false) => withdraw(input, Reason::HoldElsewhere),
            (false, _) if input.waits => self.raise(input),
            (false, _)
                if input.load.class == LoadClass::Low
                    && self.bounds.fickleness(input.now) > 0.3
                    && self.bounds.expected(input.now).is_some_and(|e| e > input.current) =>
            {
                self.raise(input)
            }
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

    fn bound(&self) -> Option<BitRate> {
        self.bounds.rate()
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

/// Holds, and takes back a raise that is not in force yet.
fn withdraw(input: &LawInput, reason: Reason) -> Verdict {
    let in_force = input.in_force.unwrap_or(input.current).max(input.limits.floor);
    Verdict { rate: input.current.min(in_force), reason }
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
