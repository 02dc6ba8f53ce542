//! BBR: a model of the path, paced at its bandwidth, instead of a window that waits for losses.

use super::{AckEvent, PACKET};

/// Gain by which the rate doubles each round, and what drains the queue that this made.
const STARTUP_GAIN: f64 = 2.885;
/// Rounds over which the largest bandwidth counts.
const ROUNDS: usize = 10;
/// Gains of the eight phases of a probing cycle, each of about one round trip.
const CYCLE: [f64; 8] = [1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
/// Growth of the bandwidth per round below which the pipe is taken for full after three rounds.
const FULL_GROWTH: f64 = 1.25;
/// Bandwidth-delay products that may be in flight.
const WINDOW_GAIN: f64 = 2.0;
/// The shortest round trip counts for so many seconds, then it is looked for again.
const LEAST_RTT_AGE: f64 = 10.0;
/// How long the window is kept at its least for that, in seconds.
const PROBE_RTT_TIME: f64 = 0.2;
/// Fewest segments in the window.
const LEAST: f64 = 4.0;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Startup,
    Drain,
    ProbeBandwidth { phase: usize, since: f64 },
    ProbeRtt { until: f64 },
}

#[derive(Debug, Clone)]
pub(super) struct Bbr {
    mode: Mode,
    /// Largest rates of the last rounds in bytes per second, the newest at `round`.
    rates: [f64; ROUNDS],
    round: usize,
    /// The bandwidth when it last grew, and the rounds since then.
    full_rate: f64,
    full_rounds: u32,
    least_rtt: f64,
    least_rtt_at: f64,
    initial: f64,
    /// Bytes that pacing allows by now.
    tokens: f64,
}

impl Bbr {
    pub(super) fn new(initial_bytes: f64, now: f64) -> Self {
        Self {
            mode: Mode::Startup,
            rates: [0.0; ROUNDS],
            round: 0,
            full_rate: 0.0,
            full_rounds: 0,
            least_rtt: f64::INFINITY,
            least_rtt_at: now,
            initial: initial_bytes,
            tokens: initial_bytes,
        }
    }

    fn bandwidth(&self) -> f64 {
        self.rates.iter().copied().fold(0.0, f64::max)
    }

    /// Returns the window in bytes.
    pub(super) fn window(&self) -> f64 {
        let bandwidth = self.bandwidth();
        if bandwidth <= 0.0 {
            return self.initial;
        }
        let gain = match self.mode {
            Mode::Startup | Mode::Drain => STARTUP_GAIN,
            Mode::ProbeBandwidth { .. } => WINDOW_GAIN,
            Mode::ProbeRtt { .. } => return LEAST * PACKET,
        };
        (gain * bandwidth * self.least_rtt).max(LEAST * PACKET)
    }

    /// Returns how many bytes pacing allows, `dt` seconds later.
    pub(super) fn paced(&mut self, dt: f64) -> f64 {
        let bandwidth = self.bandwidth();
        if bandwidth > 0.0 {
            let gain = match self.mode {
                Mode::Startup => STARTUP_GAIN,
                Mode::Drain => 1.0 / STARTUP_GAIN,
                Mode::ProbeBandwidth { phase, .. } => CYCLE[phase],
                Mode::ProbeRtt { .. } => 1.0,
            };
            let earned = gain * bandwidth * dt;
            self.tokens = (self.tokens + earned).min((2.0 * earned).max(2.0 * PACKET));
        }
        self.tokens
    }

    pub(super) fn on_sent(&mut self, bytes: f64) {
        self.tokens -= bytes;
    }

    pub(super) fn on_ack(&mut self, news: AckEvent) {
        let AckEvent { now, rtt, rate, pipe, new_round, window_limited, .. } = news;
        if new_round {
            self.round = (self.round + 1) % ROUNDS;
            self.rates[self.round] = 0.0;
        }
        // An application that asks for little says nothing about the path, unless it is news.
        if window_limited || rate > self.bandwidth() {
            self.rates[self.round] = self.rates[self.round].max(rate);
        }
        let expired = now - self.least_rtt_at > LEAST_RTT_AGE;
        if rtt <= self.least_rtt || expired {
            (self.least_rtt, self.least_rtt_at) = (rtt, now);
        }
        self.turn(now, pipe, new_round, expired);
    }

    fn turn(&mut self, now: f64, pipe: f64, new_round: bool, expired: bool) {
        let product = self.bandwidth() * self.least_rtt;
        let probe = Mode::ProbeBandwidth { phase: 2, since: now };
        match self.mode {
            Mode::ProbeRtt { until } => {
                if now >= until {
                    self.mode = probe;
                }
            }
            _ if expired => self.mode = Mode::ProbeRtt { until: now + PROBE_RTT_TIME },
            Mode::Startup if new_round => {
                if self.bandwidth() >= self.full_rate * FULL_GROWTH {
                    (self.full_rate, self.full_rounds) = (self.bandwidth(), 0);
                } else {
                    self.full_rounds += 1;
                    if self.full_rounds >= 3 {
                        self.mode = Mode::Drain;
                    }
                }
            }
            Mode::Drain if pipe <= product => self.mode = probe,
            Mode::Startup | Mode::Drain => {}
            Mode::ProbeBandwidth { phase, since } => {
                let drained = phase == 1 && pipe <= product;
                if now - since > self.least_rtt || drained {
                    let phase = (phase + 1) % CYCLE.len();
                    self.mode = Mode::ProbeBandwidth { phase, since: now };
                }
            }
        }
    }

    /// Nothing came back for long: the model starts anew.
    pub(super) fn on_timeout(&mut self) {
        self.rates = [0.0; ROUNDS];
        self.initial = LEAST * PACKET;
        self.tokens = self.initial;
        self.mode = Mode::Startup;
        (self.full_rate, self.full_rounds) = (0.0, 0);
    }
}
