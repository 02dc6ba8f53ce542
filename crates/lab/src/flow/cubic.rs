//! Cubic: a window that remembers where it last was too large.

use super::{AckEvent, PACKET};

/// What a loss leaves of the window (RFC 9438).
pub(super) const DECREASE: f64 = 0.7;
/// Steepness of the cubic, in segments per second cubed (RFC 9438).
const STEEPNESS: f64 = 0.4;
/// Growth per round trip, in segments, at which a Reno flow with this decrease is as strong.
const RENO_GROWTH: f64 = 3.0 * (1.0 - DECREASE) / (1.0 + DECREASE);
/// Fewest segments in the window.
const LEAST: f64 = 2.0;
/// Bounds of the rise of a round's shortest round trip that ends slow start, in seconds: an
/// eighth of the round trip, but no less and no more (RFC 9406).
const RISE: [f64; 2] = [0.004, 0.016];
/// Segments of a round whose shortest round trip counts (RFC 9406).
const ROUND_SAMPLES: f64 = 8.0;
/// Below this window, in segments, slow start is not ended by delay, as in Linux.
const SLOW_START_MIN: f64 = 16.0;

/// Acknowledgements no further apart than this, in seconds, come without a gap (`HyStart`'s two
/// milliseconds, which are one step of the simulation).
const GAP: f64 = 0.0021;

/// What a timeout took away.
#[derive(Debug, Clone, Copy)]
struct Before {
    window: f64,
    threshold: f64,
}

/// A window, counted in full segments.
#[derive(Debug, Clone)]
pub(super) struct Cubic {
    window: f64,
    threshold: f64,
    /// The window at which the last loss came.
    most: f64,
    epoch: Option<Epoch>,
    least_rtt: f64,
    /// Shortest round trips of this round and the one before, for the end of slow start.
    round: Round,
    before_timeout: Option<Before>,
}

/// The time since the last loss.
#[derive(Debug, Clone, Copy)]
struct Epoch {
    began: f64,
    /// The window at the plateau, and the seconds until there.
    plateau: f64,
    until_plateau: f64,
    /// What a Reno flow would have by now.
    reno: f64,
}

#[derive(Debug, Clone, Copy)]
struct Round {
    began: f64,
    heard: f64,
    acked: f64,
    least: f64,
    least_before: f64,
}

impl Cubic {
    pub(super) fn new(initial_bytes: f64) -> Self {
        Self {
            window: initial_bytes / PACKET,
            threshold: f64::INFINITY,
            most: 0.0,
            epoch: None,
            least_rtt: f64::INFINITY,
            round: Round {
                began: 0.0,
                heard: 0.0,
                acked: 0.0,
                least: f64::INFINITY,
                least_before: f64::INFINITY,
            },
            before_timeout: None,
        }
    }

    /// Returns the window in bytes.
    pub(super) fn window(&self) -> f64 {
        self.window * PACKET
    }

    pub(super) fn on_ack(&mut self, news: AckEvent) {
        self.least_rtt = self.least_rtt.min(news.rtt);
        self.before_timeout = None;
        let acked = news.acked / PACKET;
        if self.window < self.threshold {
            if news.window_limited {
                self.window += acked;
            }
            self.check_round(news, acked);
        } else if news.window_limited {
            self.avoid_congestion(news.now, acked);
        }
    }

    /// Ends slow start when a round's round trips have grown, or when its acknowledgements come
    /// without a gap for as long as half a round trip: the pipe is full.
    fn check_round(&mut self, news: AckEvent, acked: f64) {
        let round = &mut self.round;
        if news.new_round {
            *round = Round {
                began: news.now,
                heard: news.now,
                acked: 0.0,
                least: f64::INFINITY,
                least_before: round.least,
            };
        }
        if round.acked < ROUND_SAMPLES {
            round.least = round.least.min(news.rtt);
        }
        round.acked += acked;
        let [least, most] = RISE;
        let rise = (round.least_before / 8.0).clamp(least, most);
        let slower = round.acked >= ROUND_SAMPLES && round.least > round.least_before + rise;
        let gapless = news.now - round.heard <= GAP;
        if gapless {
            round.heard = news.now;
        }
        let train = gapless && round.heard - round.began > self.least_rtt / 2.0;
        if self.window >= SLOW_START_MIN && (slower || train) {
            self.threshold = self.window;
        }
    }

    fn avoid_congestion(&mut self, now: f64, acked: f64) {
        let (window, most) = (self.window, self.most);
        let epoch = self.epoch.get_or_insert_with(|| Epoch {
            began: now,
            plateau: most.max(window),
            until_plateau: ((most - window).max(0.0) / STEEPNESS).cbrt(),
            reno: window,
        });
        let beyond = now + self.least_rtt - epoch.began - epoch.until_plateau;
        let target = epoch.plateau + STEEPNESS * beyond.powi(3);
        epoch.reno += acked * RENO_GROWTH / window;
        let goal = target.max(epoch.reno);
        // At least a hundredth of a segment, at most half a window per round trip, as in Linux.
        let per_window = (goal - window).clamp(0.01, window / 2.0);
        self.window += acked * per_window / window;
    }

    pub(super) fn on_congestion(&mut self) {
        // A flow that lost before it was back where it was gives way faster.
        let shrinking = self.window < self.most;
        self.most = if shrinking { self.window * (1.0 + DECREASE) / 2.0 } else { self.window };
        self.window = (self.window * DECREASE).max(LEAST);
        self.threshold = self.window;
        self.epoch = None;
        self.before_timeout = None;
    }

    pub(super) fn on_timeout(&mut self) {
        let before = Before { window: self.window, threshold: self.threshold };
        self.before_timeout.get_or_insert(before);
        self.most = self.window;
        self.threshold = (self.window * DECREASE).max(LEAST);
        self.window = 1.0;
        self.epoch = None;
    }

    pub(super) fn undo_timeout(&mut self) {
        if let Some(Before { window, threshold }) = self.before_timeout.take() {
            (self.window, self.threshold) = (window, threshold);
        }
    }
}
