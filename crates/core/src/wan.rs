//! One WAN: samples in, a decision with its reasons out.

mod reconfigure;
mod restore;
mod shaped_direction;

use serde::{Deserialize, Serialize};

use self::shaped_direction::{AttributedQueue, CycleContext, ShapedDirection};
use super::{
    Actuation, DirectionCycle, EvidenceParams, LawKind, Limits, Measurement, MeasurementState,
    PerDirection, ReflectorView, RttSample, ShaperSample, StateThresholds,
};
use crate::estimate::{
    attribution::{Attribution, AttributionInputs},
    baseline::Traffic,
    evidence::Evidence,
    load,
};
use crate::params::{EstimateParams, Params};
use crate::units::{Delay, MonoTime};

/// Everything that shapes one WAN's control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WanParams {
    /// How delay evidence is gathered.
    #[serde(flatten)]
    pub evidence: EvidenceParams,
    /// Where the congestion states begin.
    #[serde(flatten)]
    pub thresholds: StateThresholds,
    /// The bounds and the law of each direction that is shaped: at least one.
    #[serde(flatten)]
    pub directions: PerDirection<Option<DirectionParams>>,
    /// The tunable numbers of estimate and policy.
    #[serde(default)]
    pub tuning: Params,
}

impl WanParams {
    /// Returns the bounds of each direction that is shaped.
    #[must_use]
    pub fn limits(&self) -> PerDirection<Option<Limits>> {
        self.directions.map_present(|_, params| params.limits)
    }
}

/// What shapes one direction's rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DirectionParams {
    /// The bounds of the rate.
    #[serde(flatten)]
    pub limits: Limits,
    /// Which law moves it.
    pub law: LawKind,
}

/// The controller of one WAN.
#[derive(Debug)]
pub struct Wan {
    tuning: EstimateParams,
    evidence: Evidence,
    directions: PerDirection<Option<ShapedDirection>>,
    decided: MonoTime,
    /// When no queue stood last.
    calm: MonoTime,
    /// Nobody carries the decisions out.
    observe_mode: bool,
}

/// What one decision of a WAN says; the loop adds its timing and makes it a `Cycle`.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What the probes say.
    pub measurement: Measurement,
    /// What was decided for each direction that is shaped.
    pub directions: PerDirection<Option<DirectionCycle>>,
    /// The state of each reflector.
    pub reflectors: Vec<ReflectorView>,
}

impl Wan {
    /// Starts at the base rates, knowing nothing.
    #[must_use]
    pub fn new(params: &WanParams, now: MonoTime) -> Self {
        let shaped = |_, params_of: &DirectionParams| ShapedDirection::new(params, *params_of, now);
        Self {
            tuning: params.tuning.estimate,
            evidence: Evidence::new(params.evidence, &params.tuning.estimate, now),
            directions: params.directions.map_present(shaped),
            decided: now,
            calm: now,
            observe_mode: false,
        }
    }

    /// Returns a controller whose decisions nobody carries out. Each starts from the limit that is
    /// in force, and says what would be done about that; without this its rates would run away
    /// from a world that does not follow them.
    #[must_use]
    pub fn observing(self) -> Self {
        Self { observe_mode: true, ..self }
    }

    /// Takes the outcome of one probe into account.
    pub fn on_rtt(&mut self, sample: &RttSample) {
        let is_whole = self.directions.each().iter().all(|(_, shaped)| shaped.is_some());
        let all = |is_so: fn(&ShapedDirection, MonoTime) -> bool| {
            self.directions.present().all(|(_, shaped)| {
                let is_other_known = is_whole || shaped.is_nearly_silent(sample.at);
                is_other_known && is_so(shaped, sample.at)
            })
        };
        let traffic =
            Traffic::of(all(ShapedDirection::is_quiet), all(ShapedDirection::leaves_no_queue));
        self.evidence.update(sample, traffic);
    }

    /// Takes a reading of the shaper queues into account; one seen before changes nothing.
    pub fn on_shaper(&mut self, sample: &ShaperSample) {
        for (direction, shaped) in self.directions.present_mut() {
            if let Some(queue) = &sample.queues[direction] {
                shaped.on_reading(sample, queue);
            }
        }
    }

    /// Takes note of how far the router has followed.
    pub fn on_actuation(&mut self, actuation: PerDirection<Actuation>) {
        for (direction, shaped) in self.directions.present_mut() {
            shaped.actuation = actuation[direction];
            shaped.last_observed = actuation[direction].observed.or(shaped.last_observed);
        }
    }

    /// Decides the rates that hold from `now` on.
    pub fn decide(&mut self, now: MonoTime) -> Decision {
        let dt = now.since(self.decided);
        self.decided = now;
        let loads = self.directions.map_present(|_, shaped| shaped.load(now));
        let traffic =
            loads.present().any(|(_, load)| load.delivery_rate > Some(self.tuning.load.traffic));
        let mut measurement = self.evidence.measurement(now, traffic);
        let Self { tuning, evidence, observe_mode, directions, calm, .. } = self;
        let (noise, delta) = (evidence.noise(), measurement.delta);
        let mut is_bypassed = false;
        for (direction, shaped) in directions.present_mut() {
            let flow = shaped.flow(direction, now);
            is_bypassed |= shaped.bypass.update(now, flow, delta, noise);
        }
        if measurement.state == MeasurementState::Healthy && is_bypassed {
            measurement.state = MeasurementState::Bypass;
        }
        let last_cut = directions.map_present(|_, shaped| shaped.estimator.last_cut());
        let seen = evidence.queue_signals(now, last_cut);
        let standing = seen.present().map(|(_, seen)| seen.standing).max();
        if standing.unwrap_or(Delay::ZERO) <= tuning.attribution.calm {
            *calm = now;
        }
        let stands_long = now.since(*calm) > tuning.attribution.exclusion;
        let inputs =
            AttributionInputs(directions.map_present(|_, shaped| shaped.attribution_evidence(now)));
        let attributed = directions.map_present(|direction, shaped| {
            let (own, other) = (loads[direction].as_ref(), loads[direction.other()].as_ref());
            let is_busy =
                own.is_some_and(|own| load::is_busy_for_attribution(own, other, &tuning.load));
            match seen[direction].filter(|seen| seen.is_own) {
                Some(own) => {
                    let is_enough = stands_long && shaped.is_used(now);
                    (is_busy || is_enough)
                        && own.depth
                            >= measurement
                                .delta
                                .unwrap_or(Delay::ZERO)
                                .scaled(tuning.attribution.own_share)
                }
                None => is_busy && (stands_long || !inputs.excludes(direction)),
            }
        });
        let serialisation = directions
            .present()
            .map(|(_, shaped)| load::serialisation(shaped.in_force()))
            .fold(Delay::ZERO, |sum, packet| sum + packet);
        let remaining = PerDirection::build(|direction| {
            let shaped = directions[direction].as_ref()?;
            shaped.estimator.remaining_share(shaped.desired)
        });
        let context = CycleContext {
            now,
            dt,
            measurement,
            evidence,
            sufficient_evidence: evidence.has_sufficient_evidence(now),
            observe_mode: *observe_mode,
            serialisation,
        };
        let directions = PerDirection::build(|direction| {
            let queue = seen[direction];
            // Nothing clears a direction that is not shaped: its load is not known.
            let is_sure = queue.is_some_and(|seen| seen.is_own)
                || attributed[direction.other()] == Some(false);
            let attribution = match (attributed[direction]?, is_sure) {
                (false, _) => Attribution::Excluded,
                (true, false) => Attribution::Possible,
                (true, true) => Attribution::Certain,
            };
            let other_remaining = remaining[direction.other()];
            let is_alone = attributed[direction.other()].is_none();
            let case = AttributedQueue { direction, is_alone, attribution, queue, other_remaining };
            Some(directions[direction].as_mut()?.decide(&context, case))
        });
        Decision { measurement, directions, reflectors: self.evidence.views(now) }
    }
}

#[cfg(test)]
mod tests;
