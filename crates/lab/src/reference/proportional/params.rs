//! What the proportional law can be tuned by, and two settings of it.

use wanctl_core::units::Delay;

/// The settings of the proportional law. Delays are one-way, which is half of what a ping shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProportionalParams {
    /// Delay over the baseline above which a reply is late, and above which cuts grow.
    pub delay_threshold: Delay,
    /// Mean delay up to which raises are full; they shrink to the least at the threshold.
    pub raise_full_below: Delay,
    /// Mean delay from which cuts are as hard as they get.
    pub cut_full_above: Delay,
    /// What the mildest cut keeps, 0 to 1.
    pub mildest_cut: f64,
    /// What the hardest cut keeps, 0 to 1.
    pub hardest_cut: f64,
    /// What the least raise makes of a rate, 1 or more.
    pub least_raise: f64,
    /// What a full raise makes of a rate, 1 or more.
    pub most_raise: f64,
    /// What a second without demand leaves of a rate above the base rate.
    pub decay: f64,
    /// What a second without demand makes of a rate below the base rate.
    pub recovery: f64,
    /// Go to the floors when no reply and next to no traffic came for 10 s.
    pub floor_on_silence: bool,
}

impl Default for ProportionalParams {
    /// The published defaults.
    fn default() -> Self {
        Self {
            delay_threshold: millis(30),
            raise_full_below: millis(10),
            cut_full_above: millis(60),
            mildest_cut: 0.99,
            hardest_cut: 0.75,
            least_raise: 1.0,
            most_raise: 1.04,
            decay: 0.99,
            recovery: 1.01,
            floor_on_silence: false,
        }
    }
}

impl ProportionalParams {
    /// The best of 39 settings that were tried on all scenarios of the suite, the published ones,
    /// two from production and a grid of thresholds, cuts and raises among them: 5 ms of threshold, a
    /// milder hardest cut and raises twice as full have half the delay at the same use.
    #[must_use]
    pub fn tuned() -> Self {
        Self {
            delay_threshold: millis(5),
            raise_full_below: millis(5).scaled(1.0 / 3.0),
            cut_full_above: millis(10),
            hardest_cut: 0.85,
            most_raise: 1.08,
            ..Self::default()
        }
    }

    /// What a cut at this mean delay keeps of a rate.
    pub(super) fn cut(&self, mean: Delay) -> f64 {
        let depth = share(mean - self.delay_threshold, self.cut_full_above - self.delay_threshold);
        self.mildest_cut - depth * (self.mildest_cut - self.hardest_cut)
    }

    /// What a raise at this mean delay makes of a rate.
    pub(super) fn raise(&self, mean: Delay) -> f64 {
        let ease = share(self.delay_threshold - mean, self.delay_threshold - self.raise_full_below);
        self.least_raise + ease * (self.most_raise - self.least_raise)
    }
}

fn share(part: Delay, whole: Delay) -> f64 {
    (part.millis() / whole.millis().max(0.001)).clamp(0.0, 1.0)
}

const fn millis(millis: i64) -> Delay {
    Delay::from_micros(millis * 1000)
}
