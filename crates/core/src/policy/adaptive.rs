//! The default law: cuts to the estimated capacity, drains the queue, and raises while the shaper
//! limits the traffic.
//!
//! A download's delivery rate under a standing queue is the capacity; an upload's follows from the
//! growth of the delay. Every rule and constant has its reason in `docs/control-law.md`.

mod along;
mod bound;
mod detour;
mod drain;
mod flow;
mod hold;
mod pending;
mod rest;
mod unseen;

use std::time::Duration;

use along::Along;
use bound::Bounds;
use detour::Detour;
use drain::Drain;
use hold::{bide, hold, no_raise, withdraw};
use pending::Pending;
use rest::Rest;
use unseen::Unseen;

use super::{LawInput, Limits, RateDecision, RateLaw, Reason};
use crate::{
    estimate::{LoadClass, MeasurementState, attribution::Attribution},
    params::Params,
    units::{BitRate, Delay, MonoTime},
};

/// The law.
#[derive(Debug)]
pub(crate) struct Adaptive {
    params: Params,
    /// Delay that the configuration calls bloat.
    bloat: Delay,
    along: Along,
    bounds: Bounds,
    detour: Detour,
    drain: Option<Drain>,
    rest: Rest,
    unseen: Unseen,
    last_cut: Option<MonoTime>,
    is_cut_underway: bool,
    pending: Option<Pending>,
    bounds_before_cut: Bounds,
    /// Where a raise is on its way to, and when its last step was made.
    aim: Option<BitRate>,
    last_raise: Option<MonoTime>,
}

impl Adaptive {
    /// `bloat` is the delay over the baseline that the configuration calls bloat.
    pub(crate) fn new(bloat: Delay, params: &Params) -> Self {
        Self {
            params: *params,
            bloat,
            along: Along::default(),
            bounds: Bounds::new(params.estimate.capacity),
            detour: Detour::new(params.estimate.path_offset),
            drain: None,
            rest: Rest::default(),
            unseen: Unseen::new(params),
            last_cut: None,
            is_cut_underway: false,
            pending: None,
            bounds_before_cut: Bounds::new(params.estimate.capacity),
            aim: None,
            last_raise: None,
        }
    }

    /// Learns from what is in force, whatever is decided.
    fn learn(&mut self, input: &LawInput, in_force: BitRate) {
        self.detour.fade(input.dt, stands(input));
        if !flow::is_filled(input, in_force, &self.params.estimate.delivery) {
            return;
        }
        let rate = in_force.min(input.current);
        self.bounds.lived(input.dt, rate);
        let got = input.load.newest_delivery_rate.unwrap_or_default();
        let is_met =
            input.shaper_limited || got >= in_force.scaled(self.params.estimate.capacity.met);
        match self.depth(input) {
            Some(depth) if depth < self.standing(input) => {
                let look = input.path
                    + if depth < self.clear(input) {
                        self.params.estimate.capacity.proof_time
                    } else {
                        self.params.estimate.capacity.proof_time_delayed
                    };
                let haste = self.params.estimate.capacity.volatile_haste
                    * self.bounds.fickleness(input.now);
                let passed = if is_met { rate } else { got.min(rate) };
                self.bounds.passed(input.now, passed, look.mul_f64(1.0 - haste));
            }
            Some(_) | None => self.bounds.disturbed(),
        }
    }

    /// The delay from which a queue is more than noise.
    fn bloat(&self, input: &LawInput) -> Delay {
        self.bloat.max(input.noise.middle())
    }

    /// The delay from which a queue stands if three replies keep it up.
    fn standing(&self, input: &LawInput) -> Delay {
        self.params.estimate.queue.standing.max(input.noise.least())
    }

    /// The delay below which there is no queue.
    fn clear(&self, input: &LawInput) -> Delay {
        self.params.estimate.queue.clear.max(input.noise.least())
    }

    /// How deep the queue is, as far as it may be ours.
    fn depth(&self, input: &LawInput) -> Option<Delay> {
        Some(self.detour.beyond(input.queue?.depth) - input.serialisation)
    }

    /// How deep the queue is that has to go; `None` if it is nothing, or noise.
    fn excess(&self, input: &LawInput) -> Option<Delay> {
        let depth = self.depth(input)?;
        let stands = self.detour.beyond(input.queue?.standing) - input.serialisation;
        let borne =
            self.params.estimate.queue.volatile_tolerance.scaled(self.bounds.fickleness(input.now));
        if depth > self.bloat(input).max(self.bloat + borne) {
            Some(depth)
        } else {
            Some(stands).filter(|stands| {
                *stands > self.standing(input).max(self.params.estimate.queue.standing + borne)
            })
        }
    }

    /// Goes on with a queue that drains; `None` if it is over and the queue has to be judged anew.
    fn wait(&mut self, input: &LawInput, excess: Option<Delay>) -> Option<RateDecision> {
        let depth = self.depth(input);
        let drain = self.drain.as_mut()?;
        drain.watch(input.now, depth);
        let drain = *drain;
        if input.now.since(self.last_cut()) < self.params.estimate.cut_response.settle {
            return Some(bide(input));
        }
        if excess.is_some() && flow::is_too_little(input, &self.params.estimate.delivery) {
            self.drain = None;
            return None;
        }
        let is_gone = depth.is_some_and(|depth| depth < self.clear(input));
        let is_over = drain.is_over(input.now);
        // An excuse is put to the test by each drain: it takes its time.
        if !is_over && (!is_gone || self.detour.excused() > Delay::ZERO) {
            // Unless it got much worse meanwhile.
            let is_as_expected = excess.is_none_or(|excess| drain.expects(excess));
            return is_as_expected.then(|| bide(input));
        }
        if depth.is_none() {
            // Not even a probe has come back since the cut: nothing says that the queue is gone.
            return Some(bide(input));
        }
        self.drain = None;
        let is_tried = is_over && flow::was_tried(input, &drain, &self.params);
        if let Some(stands) = stands(input).filter(|_| is_over) {
            let excusable = if is_tried && !is_gone { self.bloat(input) } else { Delay::ZERO };
            self.detour.remains(stands, excusable);
        }
        if is_gone {
            self.detour.helped();
        }
        let Some(excess) = excess.filter(|_| !is_gone) else {
            let rate = drain.then.max(input.current);
            return Some(RateDecision { rate, reason: Reason::RaiseShaperLimited });
        };
        if !is_tried || !drain.was_futile(excess, self.params.estimate.queue.clear) {
            return None;
        }
        let (rate, bounds) = self.detour.resist(stands(input).unwrap_or_default())?;
        self.bounds = bounds;
        Some(RateDecision { rate: rate.max(input.current), reason: Reason::RaiseRollback })
    }

    fn cut(&mut self, input: &LawInput, depth: Delay, is_again: bool) -> RateDecision {
        let params = (&self.params.adaptive, self.params.estimate.cut_response);
        if input.current <= input.limits.floor {
            // Nothing is left to cut, but whether it is in vain can still be seen.
            let drain = Drain::at_floor(params, depth, input.current);
            self.drain = Some(drain.begin(input.now, input.path));
            return hold(input, Reason::HoldFloor);
        }
        if !is_again {
            // What other cuts did is not this one's doing.
            self.detour.helped();
        }
        self.detour.before_cut(input.current, &self.bounds);
        self.bounds_before_cut = self.bounds;
        let is_rush = depth > self.bloat(input) && !is_again;
        let capacity = flow::capacity(input, is_rush, &self.params.estimate.delivery);
        // Less than the floor is no capacity but an outage, which says nothing of what comes after.
        if input.attribution == Attribution::Certain && capacity >= input.limits.floor {
            self.bounds.met(input.now, capacity);
        }
        let depth = depth + self.detour.excused();
        let bound = self.bounds.rate().unwrap_or(capacity);
        let drain = Drain::of(params, input.current, depth, capacity, bound);
        let drain = drain.not_below(input.limits.floor);
        self.drain = Some(drain);
        self.aim = None;
        self.rest = Rest::default();
        self.last_cut = Some(input.now);
        self.is_cut_underway = true;
        RateDecision { rate: drain.rate, reason: Reason::CutQueue }
    }

    fn raise(&mut self, input: &LawInput) -> RateDecision {
        if input.current >= input.limits.ceiling {
            return hold(input, Reason::HoldCeiling);
        }
        if let Some(reason) = no_raise(input, self.params.adaptive.raise_ahead) {
            return hold(input, reason);
        }
        let LawInput { now, current, .. } = *input;
        let aim = self.aim.filter(|aim| *aim > current).unwrap_or(current);
        let growth =
            (self.bounds.speed(now, aim, &self.params.adaptive) * input.dt.as_secs_f64()).exp();
        let most = self.bounds.limit(now, &self.params.adaptive).unwrap_or_else(|| {
            let load = input.load;
            let got = load.delivery_rate.max(load.newest_delivery_rate).unwrap_or_default();
            let limit = input.in_force.filter(|_| input.shaper_limited);
            let fills = limit.unwrap_or(got).max(got);
            fills
                .scaled(self.params.adaptive.lead)
                .max(self.bounds.expected(now).unwrap_or_default())
        });
        let aim = aim.scaled(growth).min(most).max(current);
        self.aim = Some(aim);
        let since = self.last_raise.map_or(Duration::MAX, |last| now.since(last));
        if since < self.params.adaptive.raise_interval
            || aim < current.scaled(self.params.adaptive.raise_step) && aim < input.limits.ceiling
        {
            return hold(input, Reason::RaiseShaperLimited);
        }
        self.last_raise = Some(now);
        self.rest = Rest::default();
        RateDecision { rate: aim, reason: Reason::RaiseShaperLimited }
    }

    /// Follows the other direction, if it has lost so much that this one may have, too.
    fn along(&mut self, input: &LawInput) -> Option<RateDecision> {
        if !along::is_due(input, &self.params.adaptive)
            || self.bounds.fickleness(input.now) > self.params.adaptive.volatile
        {
            return None;
        }
        let (params, settle) = (&self.params.adaptive, self.params.estimate.cut_response.settle);
        let Some(rate) = self.along.follow(input, params, settle) else {
            return Some(hold(input, Reason::HoldNotAttributed));
        };
        self.aim = None;
        self.bounds.forget();
        Some(RateDecision { rate, reason: Reason::CutCrossDirection })
    }

    /// No queue of ours stands: more for those who ask, the base rate for those who do not.
    fn at_ease(&mut self, input: &LawInput, in_force: BitRate) -> RateDecision {
        let is_fickle = self.bounds.fickleness(input.now) > self.params.adaptive.volatile;
        let is_below_usual =
            self.bounds.expected(input.now).is_some_and(|usual| usual > input.current);
        match input.load.class {
            LoadClass::Unknown => hold(input, Reason::HoldLoadUnknown),
            _ if flow::is_filled(input, in_force, &self.params.estimate.delivery) => {
                self.raise(input)
            }
            // What got through last says little about what would: transfers grow, if let.
            LoadClass::High if is_fickle => self.raise(input),
            LoadClass::Low if is_fickle && is_below_usual => self.raise(input),
            // Neither more nor less is asked for than there is.
            LoadClass::High => hold(input, Reason::HoldApplicationLimited),
            LoadClass::Low | LoadClass::Idle => {
                self.rest.towards_base(input, &self.params.adaptive)
            }
        }
    }

    /// By what else there is to go by if the probes see nothing.
    fn on_bypass(&mut self, input: &LawInput) -> RateDecision {
        self.drain = None;
        if let Some(verdict) = self.unseen.decide(input) {
            return verdict;
        }
        if input.shaper_limited {
            // What waits in our shaper leaves no queue elsewhere.
            return hold(input, Reason::HoldBypass);
        }
        // The traffic may have no more to send, or stand in a queue: this does for both.
        let got =
            input.load.delivery_rate.unwrap_or_default().scaled(self.params.adaptive.resume_share);
        let base = input.limits.base.max(got);
        let input = LawInput { limits: Limits { base, ..input.limits }, ..*input };
        self.without_eyes(&input, Reason::CutBypass, Reason::HoldBypass)
    }

    /// What is left to do without eyes: never above what was proven with them, nor for long above
    /// the base rate.
    fn without_eyes(&mut self, input: &LawInput, cut: Reason, hold_for: Reason) -> RateDecision {
        let proven = self.bounds.proven(input.now).unwrap_or(input.limits.base);
        let rate = input.current.min(proven.max(input.limits.base));
        let rate =
            self.rest.downwards(&LawInput { current: rate, ..*input }, &self.params.adaptive);
        let reason = if rate < input.current { cut } else { hold_for };
        RateDecision { rate, reason }
    }
}

impl RateLaw for Adaptive {
    fn decide(&mut self, input: &LawInput) -> RateDecision {
        let Some(in_force) = input.in_force else {
            return hold(input, Reason::HoldPending);
        };
        if in_force > input.current.scaled(self.params.pending.tolerance) {
            return self.while_pending(input, in_force);
        }
        self.followed(input.now);
        if std::mem::take(&mut self.is_cut_underway) {
            self.drain = self.drain.map(|drain| drain.begin(input.now, input.path));
        }
        match input.measurement {
            MeasurementState::Starting => return hold(input, Reason::HoldStarting),
            MeasurementState::Stalled => {
                self.last_cut = Some(input.now);
                return hold(input, Reason::HoldStalled);
            }
            MeasurementState::CannotSend => {
                self.last_cut = Some(input.now);
                return hold(input, Reason::HoldCannotSend);
            }
            MeasurementState::Collapsed => {
                // Probes of the silence that come back late tell of it, not of a queue.
                self.last_cut = Some(input.now);
                return self.without_eyes(input, Reason::CutCollapsed, Reason::HoldCollapsed);
            }
            MeasurementState::Bypass => return self.on_bypass(input),
            MeasurementState::Healthy | MeasurementState::Reduced => {}
        }
        if std::mem::replace(&mut self.unseen, Unseen::new(&self.params)).has_begun() {
            // What the other direction has lost is still what it lost in the dark.
            return hold(input, Reason::HoldBypass);
        }
        self.learn(input, in_force);
        let excess = self.excess(input);
        let is_again = self.drain.is_some();
        if let Some(verdict) = self.wait(input, excess) {
            return verdict;
        }
        match excess {
            Some(depth) if input.attribution.is_attributed() => self.cut(input, depth, is_again),
            Some(_) => withdraw(input, Reason::HoldNotAttributed),
            None => match self.along(input) {
                Some(verdict) => verdict,
                None => self.at_ease(input, in_force),
            },
        }
    }

    fn last_cut(&self) -> MonoTime {
        self.last_cut.unwrap_or_default()
    }

    fn remaining_share(&self, rate: BitRate) -> Option<f64> {
        self.unseen.left(rate).or_else(|| self.drain.as_ref().map(Drain::left))
    }

    fn capacity_bound(&self) -> Option<BitRate> {
        self.bounds.rate()
    }

    fn capacity(&self, rate: BitRate) -> Option<BitRate> {
        self.bounds.believed(rate)
    }

    fn proven(&self, now: MonoTime) -> Option<BitRate> {
        self.bounds.proven(now)
    }

    fn recall(&mut self, proven: BitRate, age: Duration) {
        self.bounds.recall(proven, age);
    }
}

/// What stands, but for the packets that a shaper has on its wire.
fn stands(input: &LawInput) -> Option<Delay> {
    Some(input.queue?.standing - input.serialisation)
}

#[cfg(test)]
mod tests;
