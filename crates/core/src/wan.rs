//! One WAN: samples in, a decision with its reasons out.

mod channel;
mod reconfigure;
mod remember;

use serde::{Deserialize, Serialize};

use self::channel::{Case, Channel, Moment};
use super::{
    Actuation, DirectionCycle, EvidenceParams, LawKind, Limits, Measurement, MeasurementState,
    PerDirection, ReflectorView, RttSample, ShaperSample, StateThresholds,
};
use crate::estimate::{
    baseline::Traffic,
    blame::{Blame, Suspects},
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
    directions: PerDirection<Option<Channel>>,
    decided: MonoTime,
    /// When no queue stood last.
    calm: MonoTime,
    /// Nobody carries the decisions out.
    observes: bool,
}

/// What one decision of a WAN says; the loop adds its timing and makes it a `Cycle`.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What the probes say.
    pub measurement: Measurement,
    /// What was decided for each direction that is shaped.
    pub directions: PerDirection<Option<DirectionCycle>>,
    /// Each reflector as it stands.
    pub reflectors: Vec<ReflectorView>,
}

impl Wan {
    /// Starts at the base rates, knowing nothing.
    #[must_use]
    pub fn new(params: &WanParams, now: MonoTime) -> Self {
        let channel = |_, params_of: &DirectionParams| Channel::new(params, *params_of, now);
        Self {
            tuning: params.tuning.estimate,
            evidence: Evidence::new(params.evidence, &params.tuning.estimate, now),
            directions: params.directions.map_present(channel),
            decided: now,
            calm: now,
            observes: false,
        }
    }

    /// Returns a controller whose decisions nobody carries out. Each starts from the limit that is
    /// in force, and says what would be done about that; without this its rates would run away
    /// from a world that does not follow them.
    #[must_use]
    pub fn observing(self) -> Self {
        Self { observes: true, ..self }
    }

    /// Takes the outcome of one probe into account.
    pub fn on_rtt(&mut self, sample: &RttSample) {
        let is_whole = self.directions.each().iter().all(|(_, channel)| channel.is_some());
        let all = |is_so: fn(&Channel, MonoTime) -> bool| {
            self.directions.present().all(|(_, channel)| {
                let is_other_known = is_whole || channel.is_nearly_silent(sample.at);
                is_other_known && is_so(channel, sample.at)
            })
        };
        let traffic = Traffic::of(all(Channel::is_quiet), all(Channel::leaves_no_queue));
        self.evidence.update(sample, traffic);
    }

    /// Takes a reading of the shaper queues into account; one seen before changes nothing.
    pub fn on_shaper(&mut self, sample: &ShaperSample) {
        for (direction, channel) in self.directions.present_mut() {
            if let Some(queue) = &sample.queues[direction] {
                channel.on_reading(sample, queue);
            }
        }
    }

    /// Takes note of how far the router has followed.
    pub fn on_actuation(&mut self, actuation: PerDirection<Actuation>) {
        for (direction, channel) in self.directions.present_mut() {
            channel.actuation = actuation[direction];
            channel.last_observed = actuation[direction].observed.or(channel.last_observed);
        }
    }

    /// Decides the rates that hold from `now` on.
    pub fn decide(&mut self, now: MonoTime) -> Decision {
        let dt = now.since(self.decided);
        self.decided = now;
        let loads = self.directions.map_present(|_, channel| channel.load(now));
        let traffic =
            loads.present().any(|(_, load)| load.achieved > Some(self.tuning.load.traffic));
        let mut measurement = self.evidence.measurement(now, traffic);
        let Self { tuning, evidence, observes, directions, calm, .. } = self;
        let (noise, delta) = (evidence.noise(), measurement.delta);
        let mut is_bypassed = false;
        for (direction, channel) in directions.present_mut() {
            let flow = channel.flow(direction, now);
            is_bypassed |= channel.bypass.update(now, flow, delta, noise);
        }
        if measurement.state == MeasurementState::Healthy && is_bypassed {
            measurement.state = MeasurementState::Bypass;
        }
        let seen = PerDirection::build(|direction| {
            evidence.finding(now, directions[direction].as_ref()?.law.last_cut(), direction)
        });
        let standing = seen.present().map(|(_, seen)| seen.standing).max();
        if standing.unwrap_or(Delay::ZERO) <= tuning.attribution.calm {
            *calm = now;
        }
        let stands_long = now.since(*calm) > tuning.attribution.exclusion;
        let suspects = Suspects(directions.map_present(|_, channel| channel.suspect(now)));
        let blamed = directions.map_present(|direction, channel| {
            let is_busy =
                load::blame(&channel.load(now), loads[direction.other()].as_ref(), &tuning.load);
            match seen[direction].filter(|seen| seen.is_own) {
                Some(own) => {
                    let is_enough = stands_long && channel.is_used(now);
                    (is_busy || is_enough)
                        && own.depth
                            >= measurement
                                .delta
                                .unwrap_or(Delay::ZERO)
                                .scaled(tuning.attribution.own_share)
                }
                None => is_busy && (stands_long || !suspects.excuses(direction)),
            }
        });
        let serialisation = directions
            .present()
            .map(|(_, channel)| load::serialisation(channel.in_force()))
            .fold(Delay::ZERO, |sum, packet| sum + packet);
        let left = PerDirection::build(|direction| {
            let channel = directions[direction].as_ref()?;
            channel.law.left(channel.desired)
        });
        let moment = Moment { now, dt, measurement, evidence, observes: *observes, serialisation };
        let directions = PerDirection::build(|direction| {
            let finding = seen[direction];
            // Nothing clears a direction that is not shaped: its load is not known.
            let is_sure =
                finding.is_some_and(|seen| seen.is_own) || blamed[direction.other()] == Some(false);
            let blame = match (blamed[direction]?, is_sure) {
                (false, _) => Blame::Cleared,
                (true, false) => Blame::Suspected,
                (true, true) => Blame::Proven,
            };
            let other_left = left[direction.other()];
            let is_alone = blamed[direction.other()].is_none();
            let case = Case { direction, is_alone, blame, finding, other_left };
            Some(directions[direction].as_mut()?.decide(&moment, case))
        });
        Decision { measurement, directions, reflectors: self.evidence.views(now) }
    }
}

#[cfg(test)]
mod tests;
