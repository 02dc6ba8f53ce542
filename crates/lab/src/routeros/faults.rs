//! The faults in force, the abort hazard, and how long answers take.

use std::time::Duration;

use fastrand::Rng;
use wanctl_core::units::MonoTime;

use super::Fault;

/// Longest time after a boot in which the web server answers nonsense.
const LONGEST_CONFUSION: Duration = Duration::from_secs(3);

/// How the web server treats a request that would otherwise be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerMode {
    Normal,
    /// Every login fails.
    Unauthorised,
    /// The answer is another menu's.
    Confused,
}

/// What is wrong, and until when.
#[derive(Debug, Default)]
pub(super) struct ActiveFaults {
    hang: MonoTime,
    silence: MonoTime,
    sessions_full: MonoTime,
    unauthorised: MonoTime,
    reset: MonoTime,
    slow: MonoTime,
    slowdown: f64,
    boot: Option<Boot>,
    reboots: u32,
}

#[derive(Debug, Clone, Copy)]
struct Boot {
    up: MonoTime,
    logins_from: MonoTime,
    normal_from: MonoTime,
    is_done: bool,
}

impl ActiveFaults {
    /// Begins `fault` at `now`. Faults of rows and counters are handled elsewhere.
    pub(super) fn begin(&mut self, fault: &Fault, now: MonoTime) {
        match fault {
            Fault::Hang(span) => self.hang = now + *span,
            Fault::Silence(span) => self.silence = now + *span,
            Fault::SessionsFull(span) => self.sessions_full = now + *span,
            Fault::Unauthorised(span) => self.unauthorised = now + *span,
            Fault::Slow(factor, span) => (self.slowdown, self.slow) = (*factor, now + *span),
            Fault::Reset(span) => self.reset = now + *span,
            Fault::Reboot { down } => {
                let (up, confusion) = (now + *down, (*down).min(LONGEST_CONFUSION));
                let (logins_from, normal_from) = (up + confusion / 2, up + confusion);
                self.boot = Some(Boot { up, logins_from, normal_from, is_done: false });
                self.reboots += 1;
            }
            Fault::Drift { .. } | Fault::Recreate { .. } => {}
        }
    }

    /// Returns how often the router went down; a request from before does not survive it.
    pub(super) const fn reboots(&self) -> u32 {
        self.reboots
    }

    pub(super) fn is_reachable(&self, now: MonoTime) -> bool {
        now >= self.reset && self.boot.is_none_or(|boot| now >= boot.up)
    }

    pub(super) const fn stall(&self, now: MonoTime) -> Duration {
        self.hang.since(now)
    }

    pub(super) const fn silence(&self, now: MonoTime) -> Duration {
        self.silence.since(now)
    }

    pub(super) fn is_full(&self, now: MonoTime) -> bool {
        now < self.sessions_full
    }

    pub(super) fn slowdown(&self, now: MonoTime) -> f64 {
        if now < self.slow { self.slowdown } else { 1.0 }
    }

    pub(super) fn server_mode(&self, now: MonoTime) -> ServerMode {
        match self.boot {
            _ if now < self.unauthorised => ServerMode::Unauthorised,
            Some(boot) if now < boot.logins_from => ServerMode::Unauthorised,
            Some(boot) if now < boot.normal_from => ServerMode::Confused,
            Some(_) | None => ServerMode::Normal,
        }
    }

    /// Returns, once for each reboot, the moment at which the router came up again.
    pub(super) fn take_boot(&mut self, now: MonoTime) -> Option<MonoTime> {
        let boot = self.boot.as_mut().filter(|boot| !boot.is_done && now >= boot.up)?;
        boot.is_done = true;
        Some(boot.up)
    }
}

/// How often an abort has to be followed by a complete request on a new connection. The
/// measurements say "repeatedly" and no more.
const PAIRS: u32 = 3;
/// Measured range of the time in ms from the last abort until the server recovers.
const RECOVERY_MILLIS: (u64, u64) = (1_300, 2_400);

/// The abort hazard. Aborts alone are harmless; an abort and then a complete request on a new
/// connection, again and again, make the server reset every connection and give the status of the
/// aborted request to another client. It recovers some two seconds after the last abort.
#[derive(Debug, Default)]
pub(super) struct Hazard {
    last_abort: Option<MonoTime>,
    /// Connection of the last abort, until a request on a later one completes.
    aborted: Option<u64>,
    pairs: u32,
    recovered: MonoTime,
}

impl Hazard {
    /// Notes that a client broke off a request on the connection with this number.
    pub(super) fn abort(&mut self, connection: u64, now: MonoTime) {
        self.forget(now);
        self.last_abort = Some(now);
        self.aborted = Some(connection);
    }

    /// Notes that a request on the connection with this number was carried out. Returns
    /// whether the server is damaged from now on.
    pub(super) fn complete(&mut self, connection: u64, now: MonoTime, random: &mut Rng) -> bool {
        self.forget(now);
        if self.aborted.is_none_or(|aborted| connection <= aborted) {
            return false;
        }
        self.aborted = None;
        self.pairs += 1;
        let (Some(abort), true) = (self.last_abort, self.pairs >= PAIRS) else { return false };
        let (shortest, longest) = RECOVERY_MILLIS;
        self.recovered = abort + Duration::from_millis(random.u64(shortest..=longest));
        self.pairs = 0;
        true
    }

    pub(super) fn is_damaged(&self, now: MonoTime) -> bool {
        now < self.recovered
    }

    fn forget(&mut self, now: MonoTime) {
        let longest = Duration::from_millis(RECOVERY_MILLIS.1);
        if self.last_abort.is_some_and(|abort| now.since(abort) > longest) {
            (self.last_abort, self.aborted, self.pairs) = (None, None, 0);
        }
    }
}

/// Median of the measured answers, in seconds.
const MEDIAN: f64 = 0.015;
/// Spread of the logarithm: puts 95 % of the answers under some 53 ms and 99 % under some 90 ms.
const SIGMA: f64 = 0.77;
/// Fastest answer, in seconds.
const FASTEST: f64 = 0.004;
/// Slowest answer, in seconds, as long as nothing is wrong.
const SLOWEST: f64 = 0.147;
/// The latency that a router without any is slowed down from.
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

    fn at(millis: u64) -> MonoTime {
        MonoTime::from_millis(millis)
    }

    #[test]
    fn only_repeated_aborts_with_requests_on_new_connections_do_harm() {
        let mut random = Rng::with_seed(1);
        // Pause between the pairs, step of the connection that completes, and whether it harms.
        for (pause, step, expected) in [(100, 1, true), (100, 0, false), (3_000, 1, false)] {
            let mut hazard = Hazard::default();
            let harmed = (0..3).any(|n| {
                hazard.abort(2 * n, at(n * pause));
                hazard.complete(2 * n + step, at(n * pause + 50), &mut random)
            });
            assert_eq!(harmed, expected, "{pause} ms, step {step}");
        }
        let mut hazard = Hazard::default();
        for n in 0..100 {
            hazard.abort(n, at(n));
        }
        assert!(!hazard.is_damaged(at(101)));
    }

    #[test]
    fn it_recovers_about_two_seconds_after_the_last_abort() {
        for seed in 0..20 {
            let mut random = Rng::with_seed(seed);
            let mut hazard = Hazard::default();
            for n in 0..3 {
                hazard.abort(2 * n, at(1_000));
                hazard.complete(2 * n + 1, at(1_100), &mut random);
            }
            assert!(hazard.is_damaged(at(2_299)));
            assert!(!hazard.is_damaged(at(3_401)));
        }
    }

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
