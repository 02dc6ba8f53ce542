//! The rates that got through without delay.

use fastrand::Rng;

use wanctl_core::units::BitRate;

/// How many are remembered.
const REMEMBERED: usize = 100;
/// What is remembered at first, as shares of the base rate: a random one from here
const FIRST_LEAST: f64 = 0.75;
/// to here.
const FIRST_MOST: f64 = 0.95;

/// The last rates that were safe; drawn from at random when one is needed.
#[derive(Debug, Clone)]
pub(super) struct SafeRates {
    rates: [BitRate; REMEMBERED],
    /// The oldest, which the next one replaces.
    next: usize,
    rng: Rng,
}

impl SafeRates {
    pub(super) fn new(base: BitRate, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut first = || base.scaled(FIRST_LEAST + (FIRST_MOST - FIRST_LEAST) * rng.f64());
        Self { rates: std::array::from_fn(|_| first()), next: 0, rng }
    }

    pub(super) fn store(&mut self, rate: BitRate) {
        self.rates[self.next] = rate;
        self.next = (self.next + 1) % REMEMBERED;
    }

    pub(super) fn draw(&mut self) -> BitRate {
        self.rates[self.rng.usize(..REMEMBERED)]
    }

    pub(super) fn best(&self) -> BitRate {
        self.rates.iter().copied().max().unwrap_or(BitRate::ZERO)
    }
}
