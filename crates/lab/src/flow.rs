//! A TCP sender: a window, what is in flight, and acknowledgements a round trip later.

mod bbr;
mod cubic;

use self::{bbr::Bbr, cubic::Cubic};
use super::link::packet::{PACKET, Segments};

/// Congestion control of a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CongestionControl {
    /// Loss-based, as Linux has it by default (RFC 9438, with `HyStart`'s exit of slow start).
    #[default]
    Cubic,
    /// Model-based: paced at the bandwidth that was measured, at most two bandwidth-delay products
    /// in flight, deaf to losses.
    Bbr,
}

/// Bytes of the initial window: ten segments (RFC 6928).
const INITIAL_WINDOW: f64 = 10.0 * PACKET;
/// The shortest timeout of a retransmission, in seconds, as in Linux.
const LEAST_TIMEOUT: f64 = 0.2;
/// The longest one.
const MOST_TIMEOUT: f64 = 60.0;
/// Sizes below this are rounding errors, in bytes.
const NOTHING: f64 = 1e-6;

/// What an acknowledgement means for the window.
#[derive(Debug, Clone, Copy)]
struct AckEvent {
    now: f64,
    /// Seconds since what is acknowledged was sent.
    rtt: f64,
    /// Bytes that arrived.
    acked: f64,
    /// Bytes per second at which the receiver got what was acknowledged meanwhile.
    rate: f64,
    /// Bytes still in flight.
    pipe: f64,
    /// Whether a round trip has passed since the last round began.
    new_round: bool,
    /// Whether it was the window, not the application, that limited the sender.
    window_limited: bool,
}

#[derive(Debug, Clone)]
enum Control {
    Cubic(Cubic),
    Bbr(Bbr),
}

/// A sender.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    control: Control,
    source: Source,
    /// Bytes on the wire since the start: sent, known to have arrived, known to be lost.
    sent: f64,
    acked: f64,
    lost: f64,
    /// Bytes in flight that a timeout gave up; their acknowledgements may come yet.
    given_up: f64,
    /// Holes at the receiver that no acknowledgement has reported.
    holes: f64,
    /// Until this much is accounted for, further losses belong to an event that was answered.
    recover_at: f64,
    /// What may be sent during a recovery although the pipe is fuller than the window.
    allowance: f64,
    round_ends: f64,
    smoothed_rtt: f64,
    rtt_variation: f64,
    timeout: f64,
    heard: f64,
    /// When it may begin to send.
    opens: f64,
    /// Whether the window, not the application, was what limited it last.
    window_limited: bool,
}

impl Flow {
    pub(super) fn new() -> Self {
        Self {
            control: Control::Cubic(Cubic::new(INITIAL_WINDOW)),
            source: Source::Silent,
            sent: 0.0,
            acked: 0.0,
            lost: 0.0,
            given_up: 0.0,
            holes: 0.0,
            recover_at: 0.0,
            allowance: 0.0,
            round_ends: 0.0,
            smoothed_rtt: 0.0,
            rtt_variation: 0.0,
            timeout: 1.0,
            heard: 0.0,
            opens: 0.0,
            window_limited: true,
        }
    }

    /// Opens a new connection at the time `opens`, with something to send.
    pub(super) fn open(&mut self, source: Source, control: CongestionControl, opens: f64) {
        let Self { sent, acked, lost, given_up, holes, .. } = *self;
        *self = Self {
            control: match control {
                CongestionControl::Cubic => Control::Cubic(Cubic::new(INITIAL_WINDOW)),
                CongestionControl::Bbr => Control::Bbr(Bbr::new(INITIAL_WINDOW, opens)),
            },
            source,
            sent,
            acked,
            lost,
            // What the connection before left in flight is none of this one's window.
            given_up: given_up.max(sent - acked - lost),
            holes,
            recover_at: sent,
            round_ends: sent,
            heard: opens,
            opens,
            ..Self::new()
        };
    }

    /// Stops it; what is in flight still arrives.
    pub(super) fn close(&mut self) {
        self.source = Source::Silent;
    }

    pub(super) fn source_mut(&mut self) -> &mut Source {
        &mut self.source
    }

    pub(super) fn is_silent(&self) -> bool {
        matches!(self.source, Source::Silent)
    }

    /// Bytes that it sent since the start, and those of them that arrived or are known to be lost.
    #[cfg(test)]
    pub(super) fn account(&self) -> (f64, f64, f64) {
        (self.sent, self.acked, self.lost + self.holes)
    }

    fn pipe(&self) -> f64 {
        (self.sent - self.acked - self.lost - self.given_up).max(0.0)
    }

    /// Returns what it sends within the next `dt` seconds.
    pub(super) fn send(&mut self, flow: u8, now: f64, dt: f64) -> Option<Segments> {
        if self.is_silent() || now < self.opens {
            return None;
        }
        let wanted = self.source.wants(dt);
        let pipe = self.pipe();
        if pipe > 0.0 && now - self.heard > self.timeout {
            self.time_out(now, pipe);
        }
        if wanted < NOTHING {
            return None;
        }
        let pipe = self.pipe();
        let window = self.window();
        let mut allowed = (window - pipe).max(self.allowance.min(wanted));
        if let Control::Bbr(bbr) = &mut self.control {
            allowed = allowed.min(bbr.paced(dt));
        }
        self.window_limited = wanted >= allowed || pipe > 0.5 * window;
        let bytes = if wanted > allowed {
            // Packets are sent whole.
            (allowed / PACKET).floor() * PACKET
        } else {
            wanted
        };
        if bytes < NOTHING {
            return None;
        }
        if pipe <= 0.0 {
            self.heard = now;
        }
        self.allowance = (self.allowance - bytes).max(0.0);
        if let Control::Bbr(bbr) = &mut self.control {
            bbr.on_sent(bytes);
        }
        self.source.took(bytes);
        self.sent += bytes;
        let delivered = self.acked;
        Some(Segments { flow, bytes, lost: 0.0, sent: now, delivered })
    }

    fn window(&self) -> f64 {
        match &self.control {
            Control::Cubic(cubic) => cubic.window(),
            Control::Bbr(bbr) => bbr.window(),
        }
    }

    /// The receiver gets `segments`; returns its acknowledgement. Holes alone make none: only what
    /// arrives after them does.
    pub(super) fn receive(&mut self, segments: Segments) -> Option<Segments> {
        self.holes += segments.lost;
        if segments.bytes < NOTHING {
            return None;
        }
        let lost = std::mem::take(&mut self.holes);
        Some(Segments { lost, ..segments })
    }

    /// The sender gets the acknowledgement of `segments`.
    pub(super) fn on_ack(&mut self, segments: Segments, now: f64) {
        let Segments { bytes, lost, sent, delivered, .. } = segments;
        let rtt = (now - sent).max(1e-3);
        self.acked += bytes;
        self.lost += lost;
        let stale = (bytes + lost).min(self.given_up);
        self.given_up -= stale;
        self.heard = now;
        if stale > 0.0 && stale >= bytes {
            // Data that was given up arrived after all: the timeout was a mistake.
            if lost < NOTHING
                && let Control::Cubic(cubic) = &mut self.control
            {
                cubic.undo_timeout();
            }
            return;
        }
        self.measure(rtt);
        let accounted = self.acked + self.lost;
        let recovering = accounted < self.recover_at;
        if lost > NOTHING && !recovering {
            if let Control::Cubic(cubic) = &mut self.control {
                cubic.on_congestion();
            }
            self.recover_at = self.sent;
            self.allowance = 0.0;
        }
        let new_round = self.acked + self.lost >= self.round_ends;
        if new_round {
            self.round_ends = self.sent;
        }
        let pipe = self.pipe();
        let rate = (self.acked - delivered).max(0.0) / rtt;
        let window_limited = self.window_limited;
        let news = AckEvent { now, rtt, acked: bytes, rate, pipe, new_round, window_limited };
        match &mut self.control {
            Control::Cubic(cubic) if accounted < self.recover_at => {
                // The pipe shrinks in proportion to what arrives, not at a stroke (RFC 6937).
                if pipe > cubic.window() {
                    self.allowance += bytes * cubic::DECREASE;
                } else {
                    self.allowance = 0.0;
                }
            }
            Control::Cubic(cubic) => {
                self.allowance = 0.0;
                cubic.on_ack(news);
            }
            Control::Bbr(bbr) => bbr.on_ack(news),
        }
    }

    fn measure(&mut self, rtt: f64) {
        if self.smoothed_rtt <= 0.0 {
            (self.smoothed_rtt, self.rtt_variation) = (rtt, rtt / 2.0);
        } else {
            let error = rtt - self.smoothed_rtt;
            self.rtt_variation += (error.abs() - self.rtt_variation) / 4.0;
            self.smoothed_rtt += error / 8.0;
        }
        let margin = (4.0 * self.rtt_variation).max(LEAST_TIMEOUT);
        self.timeout = (self.smoothed_rtt + margin).min(MOST_TIMEOUT);
    }

    /// Nothing was heard for too long: everything in flight is given up.
    fn time_out(&mut self, now: f64, pipe: f64) {
        match &mut self.control {
            Control::Cubic(cubic) => cubic.on_timeout(),
            Control::Bbr(bbr) => bbr.on_timeout(),
        }
        self.given_up += pipe;
        self.timeout = (self.timeout * 2.0).min(MOST_TIMEOUT);
        self.heard = now;
        self.allowance = 0.0;
        self.recover_at = self.sent;
        self.round_ends = self.sent;
    }
}

/// Seconds of its rate that a limited application queues up before it skips some: a stalled
/// stream does not catch up without end.
const LONGEST_STALL: f64 = 0.5;

/// An application.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Source {
    /// It sends nothing.
    Silent,
    /// It always has more.
    Greedy,
    /// It makes so many bytes per second, of which so many wait.
    Limited { rate: f64, waiting: f64 },
    /// It has so many bytes to send.
    Transfer { remaining: f64 },
}

impl Source {
    /// Returns how many bytes it would send if it might, `dt` seconds later.
    fn wants(&mut self, dt: f64) -> f64 {
        match self {
            Self::Silent => 0.0,
            Self::Greedy => f64::MAX,
            Self::Limited { rate, waiting } => {
                *waiting = (*waiting + *rate * dt).min(*rate * LONGEST_STALL);
                *waiting
            }
            Self::Transfer { remaining } => *remaining,
        }
    }

    /// So many bytes of it were sent.
    fn took(&mut self, bytes: f64) {
        match self {
            Self::Silent | Self::Greedy => {}
            Self::Limited { waiting, .. } => *waiting = (*waiting - bytes).max(0.0),
            Self::Transfer { remaining } => *remaining = (*remaining - bytes).max(0.0),
        }
    }
}

#[cfg(test)]
mod tests;
