//! A controller that keeps what it last said in full.

use wanctl_core::{
    Actuation, Decision, PerDirection, RttSample, ShaperSample, Wan,
    units::{BitRate, MonoTime},
};

use crate::controller::{Controller, rates};

/// Our own controller as a pilot whose last decision can be looked at, reasons and all.
#[derive(Debug)]
pub struct RecordingController {
    wan: Wan,
    decision: Option<Decision>,
}

impl RecordingController {
    /// Wraps a controller.
    #[must_use]
    pub fn new(wan: Wan) -> Self {
        Self { wan, decision: None }
    }

    /// Returns the last decision; `None` before the first.
    #[must_use]
    pub fn decision(&self) -> Option<&Decision> {
        self.decision.as_ref()
    }
}

impl Controller for RecordingController {
    fn on_rtt(&mut self, sample: &RttSample) {
        self.wan.on_rtt(sample);
    }

    fn on_shaper(&mut self, sample: &ShaperSample) {
        self.wan.on_shaper(sample);
    }

    fn on_actuation(&mut self, actuation: PerDirection<Actuation>) {
        self.wan.on_actuation(actuation);
    }

    fn decide(&mut self, now: MonoTime) -> PerDirection<BitRate> {
        rates(self.decision.insert(self.wan.decide(now)))
    }
}
