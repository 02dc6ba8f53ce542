//! How long the router takes to answer.

use std::time::Duration;

use fastrand::Rng;

/// Median of the measured answers, in seconds.
const MEDIAN: f64 = 0.015;
/// Spread of the logarithm: puts 95 % of the answers under some 53 ms and 99 % under some 90 ms.
const SIGMA: f64 = 0.77;
/// Fastest answer, in seconds.
const FASTEST: f64 = 0.004;
/// Slowest answer, in seconds, as long as nothing is wrong.
const SLOWEST: f64 = 0.147;
/// What a router without any latency is slowed down from, when it is told to be slow.
const NOMINAL: Duration = Duration::from_millis(1);
/// How long a failed login takes.
const FAILED_LOGIN: Duration = Duration::from_millis(125);

/// How long a healthy router takes for each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LatencyProfile {
    /// As measured on a router of the RB5009 class over HTTPS: log-normal, median about 15 ms,
    /// 95th percentile about 50 ms, 99th about 90 ms, at most 147 ms.
    #[default]
    Measured,
    /// None at all, for tests about something else.
    None,
}

impl LatencyProfile {
    /// Draws the time of one request; `slowdown` is 1 on a healthy router.
    pub(super) fn draw(self, random: &mut Rng, slowdown: f64) -> Duration {
        let healthy = match self {
            Self::Measured => Duration::from_secs_f64(log_normal(random)),
            Self::None if slowdown > 1.0 => NOMINAL,
            Self::None => Duration::ZERO,
        };
        Duration::try_from_secs_f64(healthy.as_secs_f64() * slowdown).unwrap_or(Duration::MAX)
    }

    /// Returns the time that a failed login takes.
    pub(super) const fn of_failed_login(self) -> Duration {
        match self {
            Self::Measured => FAILED_LOGIN,
            Self::None => Duration::ZERO,
        }
    }
}

fn log_normal(random: &mut Rng) -> f64 {
    // Box–Muller: two uniform draws make one normal one. The first must not be zero.
    let (radius, angle) = (1.0 - random.f64(), random.f64());
    let normal = (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos();
    (MEDIAN * (SIGMA * normal).exp()).clamp(FASTEST, SLOWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measured_profile_has_the_measured_percentiles() {
        let mut random = Rng::with_seed(7);
        let mut draws: Vec<Duration> =
            (0..20_000).map(|_| LatencyProfile::Measured.draw(&mut random, 1.0)).collect();
        draws.sort_unstable();
        for (permille, low, high) in [(500, 14, 16), (950, 48, 58), (990, 80, 105), (999, 120, 147)]
        {
            let millis = draws[draws.len() * permille / 1000].as_millis();
            assert!((low..=high).contains(&millis), "{permille} ‰: {millis} ms");
        }
        assert!(draws[0] >= Duration::from_millis(4));
        assert!(draws[draws.len() - 1] <= Duration::from_millis(147));
    }

    #[test]
    fn slowness_multiplies_even_nothing() {
        let mut random = Rng::with_seed(7);
        assert_eq!(LatencyProfile::None.draw(&mut random, 1.0), Duration::ZERO);
        assert_eq!(LatencyProfile::None.draw(&mut random, 20.0), Duration::from_millis(20));
    }
}
