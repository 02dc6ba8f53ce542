//! The law that knows.

use wanctl_core::{
    Actuation, PerDirection, RttSample, ShaperSample,
    units::{BitRate, MonoTime},
};

use crate::controller::Controller;

/// Share of the capacity that the oracle asks for: what is left drains a queue that a moment's
/// mistake of the link left behind.
const SHARE: f64 = 0.97;
/// It asks for no less than this: through a link that stands still, a packet would be in our own
/// shaper for hours, long after the link has gone on.
const LEAST: BitRate = BitRate::from_bps(100_000);

/// Follows the link's true capacity at once, without regard to limits. No controller that has to
/// measure passes it.
#[derive(Debug, Clone, Default)]
pub struct Oracle {
    rates: PerDirection<BitRate>,
}

impl Oracle {
    /// Creates an oracle that has seen nothing yet: until it has, the link is without shapers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Controller for Oracle {
    fn on_rtt(&mut self, _sample: &RttSample) {}

    fn on_shaper(&mut self, _sample: &ShaperSample) {}

    fn on_actuation(&mut self, _actuation: PerDirection<Actuation>) {}

    fn on_truth(&mut self, capacity: PerDirection<BitRate>) {
        self.rates = PerDirection::build(|direction| capacity[direction].scaled(SHARE).max(LEAST));
    }

    fn decide(&mut self, _now: MonoTime) -> PerDirection<BitRate> {
        self.rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_shut_the_shaper_when_the_link_stands_still() {
        let mut oracle = Oracle::new();
        oracle.on_truth(PerDirection::default());
        assert_eq!(oracle.decide(MonoTime::ZERO).upload, LEAST);
    }

    #[test]
    fn it_follows_the_capacity_at_once() {
        let mut oracle = Oracle::new();
        for capacity in [100.0, 20.0, 60.0] {
            let capacity = BitRate::from_mbps(capacity);
            oracle.on_truth(PerDirection { download: capacity, upload: capacity.scaled(0.1) });
            let PerDirection { download, upload } = oracle.decide(MonoTime::ZERO);
            assert_eq!((download, upload), (capacity.scaled(0.97), capacity.scaled(0.097)));
        }
    }
}
