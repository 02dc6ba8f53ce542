//! How much the delay strays on an idle link: what no threshold may be below.
//!
//! Mobile cells, Wi-Fi and busy reflectors add delays that come and go from one reply to the next.
//! Such noise is learned while the link is quiet, from the steps between successive replies: a path
//! that changes is one step among many, and a queue is not there.

use crate::{params::NoiseParams, units::Delay};

/// The usual step from reply to reply of an idle link.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Noise {
    params: NoiseParams,
    last: Option<Delay>,
    steps: u32,
    mean: Delay,
}

impl Noise {
    pub(crate) fn new(params: NoiseParams) -> Self {
        Self { params, ..Self::default() }
    }

    /// Takes one reply into account, `delta` over its reflector's baseline. `quiet`: the
    /// WAN carried next to no traffic.
    pub(crate) fn update(&mut self, delta: Delay, quiet: bool) {
        let last = self.last.replace(delta).filter(|_| quiet);
        if !quiet {
            self.last = None;
        }
        let Some(last) = last else { return };
        self.steps = (self.steps + 1).min(self.params.memory);
        let most = self.mean.scaled(self.params.outlier).max(self.params.outlier_floor);
        let step = (delta - last).abs().min(most);
        self.mean = self.mean
            + (step - self.mean).scaled(1.0 / f64::from(self.steps.max(self.params.min_memory)));
    }

    /// Returns the mean step; `None` as long as nothing is known.
    pub(crate) fn step(&self) -> Option<Delay> {
        (self.steps > 0).then_some(self.mean)
    }

    /// Returns what the least of three replies hardly exceeds by noise; zero if that is unknown.
    pub(crate) fn least(&self) -> Delay {
        self.mean.scaled(self.params.least)
    }

    /// Returns what the middle one of three replies hardly exceeds by noise; zero if that is
    /// unknown.
    pub(crate) fn middle(&self) -> Delay {
        self.mean.scaled(self.params.middle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(noise: &mut Noise, deltas: impl IntoIterator<Item = i64>, quiet: bool) -> f64 {
        for ms in deltas {
            noise.update(Delay::from_micros(ms * 1000), quiet);
        }
        noise.mean.millis()
    }

    #[test]
    fn what_strays_on_an_idle_link_is_noise() {
        let mut noise = Noise::default();
        let step = after(&mut noise, [0, 6, 1, 7, 0, 6].into_iter().cycle().take(600), true);
        assert!((5.0..7.0).contains(&step), "{step}");
    }

    #[test]
    fn a_queue_under_load_is_not() {
        let mut noise = Noise::default();
        after(&mut noise, std::iter::repeat_n(1, 100), true);
        let step = after(&mut noise, (0..1000).map(|n| n % 2 * 90), false);
        assert!(step < 0.1, "{step}");
    }

    #[test]
    fn neither_a_longer_path_nor_a_late_reply_is() {
        let mut noise = Noise::default();
        let calm = std::iter::repeat_n(1, 300);
        let longer = std::iter::repeat_n(101, 300);
        assert!(after(&mut noise, calm.clone().chain(longer), true) < 0.2);
        assert!(after(&mut noise, calm.clone().chain([2000]).chain(calm), true) < 0.2);
    }
}
