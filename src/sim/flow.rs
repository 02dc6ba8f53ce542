//! An aggregate of TCP flows as a fluid: a window that grows until it is told to shrink.

use std::time::Duration;

/// Bytes of a full segment on the wire.
const SEGMENT: f64 = 1500.0;
/// Initial window of the aggregate: four flows of ten segments (RFC 6928).
const INITIAL_WINDOW: f64 = 40.0 * SEGMENT;
/// Growth per second in congestion avoidance, as Cubic's plateau and probing average out to on
/// the rates that matter here.
const GROWTH_PER_SECOND: f64 = 0.35;
/// What a loss leaves of the window, as in Cubic (RFC 9438).
const AFTER_LOSS: f64 = 0.7;
/// What an AQM's mark leaves of the aggregate's window: it hits one flow at a time.
const AFTER_MARK: f64 = 0.88;
/// A transfer that was idle this long starts again from the initial window.
const RESTART: Duration = Duration::from_millis(500);

/// What the network tells a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Signal {
    /// Nothing: go on.
    Clear,
    /// An AQM asks to slow down.
    Mark,
    /// A buffer overflowed.
    Loss,
}

#[derive(Debug, Clone)]
pub(super) struct Flow {
    /// Bytes under way.
    window: f64,
    slow_start: bool,
    since_reaction: Duration,
    idle: Duration,
}

impl Flow {
    pub(super) fn new() -> Self {
        let idle = Duration::ZERO;
        Self { window: INITIAL_WINDOW, slow_start: true, since_reaction: Duration::ZERO, idle }
    }

    /// Returns the bytes sent within `dt` at the present round-trip time, wanting at most
    /// `demand` bytes, and reacts to `signal`, at most once a round trip.
    pub(super) fn send(&mut self, dt: Duration, rtt: Duration, demand: f64, signal: Signal) -> f64 {
        let (step, rtt_seconds) = (dt.as_secs_f64(), rtt.as_secs_f64().max(0.001));
        if demand <= 0.0 {
            self.idle += dt;
            if self.idle >= RESTART {
                *self = Self { idle: self.idle, ..Self::new() };
            }
            return 0.0;
        }
        self.idle = Duration::ZERO;
        self.since_reaction += dt;
        let offered = self.window * step / rtt_seconds;
        let limited = demand < offered;
        match signal {
            Signal::Mark | Signal::Loss if self.since_reaction >= rtt => {
                self.window *= if signal == Signal::Loss { AFTER_LOSS } else { AFTER_MARK };
                self.window = self.window.max(2.0 * SEGMENT);
                self.slow_start = false;
                self.since_reaction = Duration::ZERO;
            }
            Signal::Mark | Signal::Loss => {}
            // An application that asks for less than the window does not grow it (RFC 7661).
            Signal::Clear if limited => {}
            Signal::Clear if self.slow_start => {
                self.window *= 2.0_f64.powf(step / rtt_seconds);
            }
            Signal::Clear => {
                let reno = 4.0 * SEGMENT * step / rtt_seconds;
                self.window += reno.max(self.window * GROWTH_PER_SECOND * step);
            }
        }
        offered.min(demand)
    }
}
