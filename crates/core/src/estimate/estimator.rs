//! The estimator of one direction: what was measured, and what was learned from it.
//!
//! ```text
//! Observation ──► Estimator ──► Estimate ──► policy ──► RateDecision
//!                     ▲                                      │
//!                     └────────────── Applied ◄──────────────┘
//! ```
//!
//! What a cut does to the delay, and what a rate without a queue proves, is learned here for all
//! policies. What was decided enters by [`Applied`] alone.

use std::{ops::Deref, time::Duration};

use super::{
    Applied, Disregard, Enforcement, MeasurementState, Observation,
    attribution::Attribution,
    capacity::{Capacity, CapacityEstimate},
    cut_response::{CutResponse, Response},
    path_offset::PathOffset,
};
use crate::{
    params::{EstimateParams, Params},
    units::{BitRate, Delay, MonoTime},
};

/// A queue that has to drain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StandingQueue {
    pub(crate) depth: Delay,
    /// The rate that has made it.
    pub(crate) from: BitRate,
    /// What the bottleneck carries.
    pub(crate) capacity: BitRate,
    /// The capacity estimate if this queue is accepted as evidence.
    pub(crate) estimate: BitRate,
    /// A cut before this one is still being observed, or not in force.
    pub(crate) is_repeated: bool,
}

/// What is known of one direction: what was measured and what was learned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimate {
    pub(super) observed: Observation,
    pub(crate) capacity: Capacity,
    /// Delay that no drain removes.
    pub(crate) path_offset: Delay,
    /// The shaper limits the traffic, or nearly does.
    pub(crate) is_filled: bool,
    /// How the queue responds to the last cut.
    pub(crate) response: Response,
    /// A queue that has to drain, whichever direction it is attributed to.
    pub(crate) standing: Option<StandingQueue>,
    /// A cut is not known to be in force.
    pub(crate) is_cut_in_flight: bool,
    /// The rate when the probes began to bypass the queue.
    pub(crate) bypassed_from: Option<BitRate>,
    /// The probes have just seen the queue again.
    pub(crate) is_bypass_over: bool,
}

impl Deref for Estimate {
    type Target = Observation;

    fn deref(&self) -> &Observation {
        &self.observed
    }
}

/// Where the bypass of the probes began, and the rate before the trial that is being made.
#[derive(Debug, Clone, Copy)]
struct Bypassed {
    from: BitRate,
    trial_from: Option<BitRate>,
}

/// What is learned of one direction.
#[derive(Debug, Clone)]
pub(crate) struct Estimator {
    params: EstimateParams,
    /// A limit in force within this factor of a rate is that rate.
    tolerance: f64,
    /// Delay above which a queue stands, however few replies say so.
    queue_threshold: Delay,
    capacity: CapacityEstimate,
    /// The capacity estimate before the last cut.
    before_cut: CapacityEstimate,
    /// The estimate before the standing queue, and after it.
    proposed: (CapacityEstimate, CapacityEstimate),
    path_offset: PathOffset,
    response: Option<CutResponse>,
    bypassed: Option<Bypassed>,
    last_cut: Option<MonoTime>,
    is_cut_in_flight: bool,
}

impl Estimator {
    /// Starts without knowledge. `queue_threshold` is the delay that the configuration calls a
    /// queue.
    pub(crate) fn new(params: &Params, queue_threshold: Delay) -> Self {
        let capacity = CapacityEstimate::new(params.estimate.capacity);
        Self {
            params: params.estimate,
            tolerance: params.pending.tolerance,
            queue_threshold,
            capacity,
            before_cut: capacity,
            proposed: (capacity, capacity),
            path_offset: PathOffset::new(params.estimate.path_offset),
            response: None,
            bypassed: None,
            last_cut: None,
            is_cut_in_flight: false,
        }
    }

    /// Returns the capacity estimate.
    pub(crate) fn capacity(&self) -> &CapacityEstimate {
        &self.capacity
    }

    /// Starts from a rate that was proven `age` before the clock began.
    pub(crate) fn restore(&mut self, proven: BitRate, age: Duration) {
        self.capacity.restore(proven, age);
    }

    /// Returns when the last cut came into force: older measurements are no reason for another.
    pub(crate) fn last_cut(&self) -> MonoTime {
        self.last_cut.unwrap_or_default()
    }

    /// Returns the share of the rate that a cut has left while its queue drains; while the probes
    /// bypass the queue, the share that `desired` is of the rate before.
    pub(crate) fn remaining_share(&self, desired: BitRate) -> Option<f64> {
        let bypassed = self.bypassed.and_then(|Bypassed { from, trial_from }| {
            trial_from.unwrap_or(desired).fraction_of(from)
        });
        bypassed.or_else(|| self.response.as_ref().map(CutResponse::remaining_share))
    }

    /// Takes an observation into account. A capacity below `floor` is an outage, not a capacity.
    pub(crate) fn estimate(
        &mut self,
        mut observed: Observation,
        enforcement: Enforcement,
        floor: BitRate,
    ) -> Estimate {
        let now = observed.now;
        let is_measured = observed.measurement.is_measured();
        let (mut response, mut standing, mut is_bypass_over) = (Response::None, None, false);
        match enforcement {
            Enforcement::InDoubt => {}
            Enforcement::Pending => {
                if self.is_cut_in_flight {
                    // What is measured until the cut is in force says nothing about it.
                    self.last_cut = Some(now);
                }
            }
            Enforcement::Overdue => {
                // The limit in force makes the queue; nothing is known of the other direction.
                observed.other_remaining = None;
                let depth = self.excess(&observed).filter(|_| is_measured);
                standing = depth.map(|depth| {
                    let (from, before) = (observed.enforced(), self.before_cut);
                    self.standing(&observed, (depth, from), before, true, floor)
                });
            }
            Enforcement::InForce { was_overdue } => {
                let cut_arrived = std::mem::take(&mut self.is_cut_in_flight);
                if cut_arrived && was_overdue {
                    self.last_cut = Some(now);
                }
                if cut_arrived {
                    self.response = self.response.map(|cut| cut.begin(now, observed.path));
                }
                if observed.measurement == MeasurementState::Bypass {
                    self.response = None;
                    let from = observed.desired;
                    self.bypassed.get_or_insert(Bypassed { from, trial_from: None });
                } else if is_measured && self.bypassed.take().is_some() {
                    is_bypass_over = true;
                } else if is_measured {
                    self.learn(&observed);
                    let is_repeated = self.response.is_some();
                    let depth = self.excess(&observed);
                    response = self.respond(&observed, depth);
                    let is_assessed = matches!(response, Response::None | Response::Remains);
                    standing = depth.filter(|_| is_assessed).map(|depth| {
                        let (from, before) = (observed.desired, self.capacity);
                        self.standing(&observed, (depth, from), before, is_repeated, floor)
                    });
                }
            }
        }
        Estimate {
            observed,
            capacity: self.capacity.at(now),
            path_offset: self.path_offset.delay(),
            is_filled: observed.is_filled(&self.params.delivery),
            response,
            standing,
            is_cut_in_flight: self.is_cut_in_flight,
            bypassed_from: self.bypassed.map(|bypassed| bypassed.from),
            is_bypass_over,
        }
    }

    /// Takes a decision into account that was made on `estimate`.
    pub(crate) fn applied(&mut self, estimate: &Estimate, applied: &Applied) {
        let Observation { now, path, measurement, .. } = estimate.observed;
        let is_cut = applied.disregard == Disregard::UntilInForce;
        if let Some((plan, standing)) = applied.drain.zip(estimate.standing) {
            let (before, after) = self.proposed;
            let response = CutResponse::of(plan, self.params.cut_response);
            self.response = Some(if is_cut { response } else { response.begin(now, path) });
            if is_cut {
                if !standing.is_repeated {
                    // The effect of other cuts is not this one's.
                    self.path_offset.responded();
                }
                self.path_offset.before_cut(plan.from, &before);
                self.before_cut = before;
            }
            if applied.accepts_queue {
                self.capacity = if is_cut { after } else { before };
            }
        }
        if applied.forgets_capacity {
            self.capacity.forget();
        }
        if applied.disregard != Disregard::Nothing {
            self.last_cut = Some(now);
        }
        self.is_cut_in_flight |= is_cut;
        if measurement == MeasurementState::Bypass
            && let Some(bypassed) = &mut self.bypassed
        {
            bypassed.trial_from = applied.trial_from;
        }
    }

    /// Learns from the rate in force, whatever is decided.
    fn learn(&mut self, observed: &Observation) {
        let Observation { now, dt, desired, path, .. } = *observed;
        self.path_offset.fade(dt, standing_delay(observed));
        if !observed.is_filled(&self.params.delivery) {
            return;
        }
        let in_force = observed.enforced();
        let rate = in_force.min(desired);
        self.capacity.filled(dt, rate);
        match self.depth(observed) {
            Some(depth) if depth < self.standing_threshold(observed) => {
                let params = &self.params.capacity;
                let is_clear = depth < self.clear_threshold(observed);
                let proof = if is_clear { params.proof_time } else { params.proof_time_delayed };
                let saving = params.volatile_saving * self.capacity.volatility(now);
                let delivered = observed.load.newest_delivery_rate.unwrap_or_default();
                let is_met = observed.shaper_limited || delivered >= in_force.scaled(params.met);
                let proven = if is_met { rate } else { delivered.min(rate) };
                self.capacity.no_queue_stood(now, proven, (path + proof).mul_f64(1.0 - saving));
            }
            Some(_) | None => self.capacity.delay_stood(),
        }
    }

    /// Assesses how the queue responds to the last cut.
    fn respond(&mut self, observed: &Observation, excess: Option<Delay>) -> Response {
        let (now, depth) = (observed.now, self.depth(observed));
        let Some(cut) = self.response.as_mut() else { return Response::None };
        cut.observe(now, depth);
        let cut = *cut;
        if now.since(self.last_cut()) < self.params.cut_response.settle {
            return Response::Draining;
        }
        if excess.is_some() && observed.falls_short(&self.params.delivery) {
            // The queue does not even leave us what the cut has left.
            self.response = None;
            return Response::Remains;
        }
        let is_gone = depth.is_some_and(|depth| depth < self.clear_threshold(observed));
        let is_over = cut.is_over(now);
        // A path offset is tested by each drain, for all of its time.
        if !is_over && (!is_gone || self.path_offset.delay() > Delay::ZERO) {
            let is_as_expected = excess.is_none_or(|excess| cut.expects(excess));
            return if is_as_expected { Response::Draining } else { Response::Remains };
        }
        if depth.is_none() {
            // No probe has come back since the cut, so nothing says that the queue is gone.
            return Response::Draining;
        }
        self.response = None;
        let is_in_force = observed.enforced() <= cut.rate().scaled(self.tolerance);
        let is_tried = is_over && is_in_force && observed.uses(self.params.delivery.tried);
        if let Some(standing) = standing_delay(observed).filter(|_| is_over) {
            let tolerable =
                if is_tried && !is_gone { self.deep_threshold(observed) } else { Delay::ZERO };
            self.path_offset.remains(standing, tolerable);
        }
        if is_gone {
            self.path_offset.responded();
        }
        let Some(excess) = excess.filter(|_| !is_gone) else {
            return Response::Drained(cut.resume_rate());
        };
        if !is_tried || !cut.was_ineffective(excess, self.params.queue.clear) {
            return Response::Remains;
        }
        let standing = standing_delay(observed).unwrap_or_default();
        let Some((rate, capacity)) = self.path_offset.resist(standing) else {
            return Response::Remains;
        };
        self.capacity = capacity;
        Response::Ineffective(rate)
    }

    /// Describes a queue of `depth` that `from` has made.
    fn standing(
        &mut self,
        observed: &Observation,
        (depth, from): (Delay, BitRate),
        before: CapacityEstimate,
        is_repeated: bool,
        floor: BitRate,
    ) -> StandingQueue {
        let is_rush = depth > self.deep_threshold(observed) && !is_repeated;
        let capacity = observed.capacity(from, is_rush, &self.params.delivery);
        let mut after = before;
        if observed.attribution == Attribution::Certain && capacity >= floor {
            after.queue_stood(observed.now, capacity);
        }
        self.proposed = (before, after);
        let estimate = after.rate().unwrap_or(capacity);
        StandingQueue { depth, from, capacity, estimate, is_repeated }
    }

    /// Returns the depth of the queue beyond the path offset.
    fn depth(&self, observed: &Observation) -> Option<Delay> {
        Some(observed.queue?.depth - self.path_offset.delay() - observed.serialisation)
    }

    /// Returns the depth of a queue that has to drain; `None` if there is none, or it may be noise.
    fn excess(&self, observed: &Observation) -> Option<Delay> {
        let depth = self.depth(observed)?;
        let standing = standing_delay(observed)? - self.path_offset.delay();
        let params = &self.params.queue;
        let tolerated = params.volatile_tolerance.scaled(self.capacity.volatility(observed.now));
        if depth > self.deep_threshold(observed).max(self.queue_threshold + tolerated) {
            return Some(depth);
        }
        let threshold = self.standing_threshold(observed).max(params.standing + tolerated);
        Some(standing).filter(|standing| *standing > threshold)
    }

    /// The delay above which the middle of three replies is a queue.
    fn deep_threshold(&self, observed: &Observation) -> Delay {
        self.queue_threshold.max(observed.noise.middle())
    }

    /// The delay above which the least of three replies is a queue.
    fn standing_threshold(&self, observed: &Observation) -> Delay {
        self.params.queue.standing.max(observed.noise.least())
    }

    /// The delay below which there is no queue.
    fn clear_threshold(&self, observed: &Observation) -> Delay {
        self.params.queue.clear.max(observed.noise.least())
    }
}

/// The least delay of the last replies, without the packets on the wire of the shapers.
fn standing_delay(observed: &Observation) -> Option<Delay> {
    Some(observed.queue?.standing - observed.serialisation)
}
