//! The controller of a simulated WAN's shapers: our own, or one that it is compared with.

use std::time::Duration;

use wanctl_core::{
    Actuation, Cycle, Decision, Limits, PerDirection, ProbeMethod, RttSample, ShaperSample, Timing,
    Wan, WanParams,
    units::{BitRate, MonoTime, Timestamp},
};

/// Time between two cycles and between two probes, unless a loop says otherwise.
pub const CYCLE: Duration = Duration::from_millis(50);

/// The limit of an unshaped direction: more than any simulated link carries.
pub const UNSHAPED: BitRate = BitRate::from_bps(100_000_000_000);

/// Returns the limits of each direction; those of an unshaped one are all [`UNSHAPED`].
#[must_use]
pub fn limits(params: &WanParams) -> PerDirection<Limits> {
    let open = Limits { floor: UNSHAPED, base: UNSHAPED, ceiling: UNSHAPED };
    PerDirection::build(|direction| params.limits()[direction].unwrap_or(open))
}

/// Samples in, shaper rates out. A controller learns of the link only what a real one would,
/// except by [`Controller::on_truth`].
pub trait Controller {
    /// Handles the outcome of one probe.
    fn on_rtt(&mut self, _sample: &RttSample) {}

    /// Handles a reading of the shaper queues.
    fn on_shaper(&mut self, _sample: &ShaperSample) {}

    /// Handles what the router has in force.
    fn on_actuation(&mut self, _actuation: PerDirection<Actuation>) {}

    /// Handles the link's true capacity before each decision; only for the bound that no
    /// controller can pass.
    fn on_truth(&mut self, _capacity: PerDirection<BitRate>) {}

    /// Returns the rates that the shapers should have from `now` on.
    fn decide(&mut self, now: MonoTime) -> PerDirection<BitRate>;
}

impl<C: Controller + ?Sized> Controller for Box<C> {
    fn on_rtt(&mut self, sample: &RttSample) {
        (**self).on_rtt(sample);
    }

    fn on_shaper(&mut self, sample: &ShaperSample) {
        (**self).on_shaper(sample);
    }

    fn on_actuation(&mut self, actuation: PerDirection<Actuation>) {
        (**self).on_actuation(actuation);
    }

    fn on_truth(&mut self, capacity: PerDirection<BitRate>) {
        (**self).on_truth(capacity);
    }

    fn decide(&mut self, now: MonoTime) -> PerDirection<BitRate> {
        (**self).decide(now)
    }
}

/// Our own controller, which keeps its last decision and the samples that led to it.
#[derive(Debug)]
pub struct RecordingController {
    wan: Wan,
    samples: Vec<RttSample>,
    last: Option<(Decision, Vec<RttSample>)>,
}

impl RecordingController {
    /// Wraps a controller.
    #[must_use]
    pub fn new(wan: Wan) -> Self {
        Self { wan, samples: Vec::new(), last: None }
    }

    /// Returns the last decision; `None` before the first.
    #[must_use]
    pub fn decision(&self) -> Option<&Decision> {
        self.last.as_ref().map(|(decision, _)| decision)
    }

    /// Returns the last decision as the cycle `number` of the WAN with the place `wan`.
    pub(super) fn cycle(&self, wan: usize, number: u64, at: MonoTime) -> Option<Cycle> {
        let (decision, samples) = self.last.as_ref()?;
        Some(Cycle {
            wan,
            number,
            at,
            wall: Timestamp::from_micros(0),
            measurement: decision.measurement,
            directions: decision.directions,
            reflectors: decision.reflectors.clone(),
            samples: samples.clone(),
            method: Some(ProbeMethod::IcmpEcho),
            timing: Timing { interval: CYCLE, ..Timing::default() },
        })
    }
}

impl Controller for RecordingController {
    fn on_rtt(&mut self, sample: &RttSample) {
        self.wan.on_rtt(sample);
        self.samples.push(*sample);
    }

    fn on_shaper(&mut self, sample: &ShaperSample) {
        self.wan.on_shaper(sample);
    }

    fn on_actuation(&mut self, actuation: PerDirection<Actuation>) {
        self.wan.on_actuation(actuation);
    }

    fn decide(&mut self, now: MonoTime) -> PerDirection<BitRate> {
        let decision = self.wan.decide(now);
        let rates = PerDirection::build(|direction| {
            decision.directions[direction].map_or(UNSHAPED, |decided| decided.desired)
        });
        self.last = Some((decision, std::mem::take(&mut self.samples)));
        rates
    }
}
