//! Whoever steers the shapers of a simulated WAN: our own controller, or one it is compared with.

use wanctl_core::{
    Actuation, Decision, Limits, PerDirection, RttSample, ShaperSample, Wan, WanParams,
    units::{BitRate, MonoTime},
};

/// The limit of a direction that nobody shapes: more than any simulated link carries.
pub const UNSHAPED: BitRate = BitRate::from_bps(100_000_000_000);

/// Returns the bounds of each direction; one that is not shaped is bound by [`UNSHAPED`] alone.
#[must_use]
pub fn limits(params: &WanParams) -> PerDirection<Limits> {
    let open = Limits { floor: UNSHAPED, base: UNSHAPED, ceiling: UNSHAPED };
    PerDirection::build(|direction| params.limits()[direction].unwrap_or(open))
}

/// Returns the rates of a decision; see [`UNSHAPED`].
pub(super) fn rates(decision: &Decision) -> PerDirection<BitRate> {
    PerDirection::build(|direction| {
        decision.directions[direction].map_or(UNSHAPED, |decided| decided.desired)
    })
}

/// A controller of one simulated WAN: samples in, shaper rates out. It learns of the link only
/// what a real one would, except by [`Controller::on_truth`].
pub trait Controller {
    /// Takes the outcome of one probe into account.
    fn on_rtt(&mut self, sample: &RttSample);

    /// Takes a reading of the shaper queues into account.
    fn on_shaper(&mut self, sample: &ShaperSample);

    /// Takes note of how far the router has followed.
    fn on_actuation(&mut self, actuation: PerDirection<Actuation>);

    /// Learns the link's true capacity before each decision. Only a bound that no controller can
    /// pass may use it.
    fn on_truth(&mut self, capacity: PerDirection<BitRate>) {
        let _ = capacity;
    }

    /// Returns the rates that the shapers should have from `now` on.
    fn decide(&mut self, now: MonoTime) -> PerDirection<BitRate>;
}

impl<P: Controller + ?Sized> Controller for Box<P> {
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

impl Controller for Wan {
    fn on_rtt(&mut self, sample: &RttSample) {
        self.on_rtt(sample);
    }

    fn on_shaper(&mut self, sample: &ShaperSample) {
        self.on_shaper(sample);
    }

    fn on_actuation(&mut self, actuation: PerDirection<Actuation>) {
        self.on_actuation(actuation);
    }

    fn decide(&mut self, now: MonoTime) -> PerDirection<BitRate> {
        rates(&Wan::decide(self, now))
    }
}
