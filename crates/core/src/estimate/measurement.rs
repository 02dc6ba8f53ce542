//! The measurement of a WAN: how, how far it can be trusted, and each reflector's part in it.

use std::time::Duration;

use crate::{
    ReflectorId,
    units::{Delay, MonoTime},
};

/// How far the probes can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MeasurementState {
    /// No reflector has answered yet.
    Starting,
    /// Enough reflectors answer for a vote.
    Healthy,
    /// Some answer, fewer than a vote should have.
    Reduced,
    /// None answers although traffic flows: congestion is likely.
    Collapsed,
    /// None answers and no traffic flows: the link may be down.
    Stalled,
    /// Replies come as on an idle link, but something behind the shaper limits the traffic: the
    /// probes do not pass the queue.
    Bypass,
    /// No probe can be sent: no device, no source address, no route, no permission. Nothing is known
    /// of the link, least of all that it is congested.
    CannotSend,
}

impl MeasurementState {
    /// All states, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::Starting,
        Self::Healthy,
        Self::Reduced,
        Self::Collapsed,
        Self::Stalled,
        Self::Bypass,
        Self::CannotSend,
    ];

    /// Returns the name used in labels and in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Reduced => "reduced",
            Self::Collapsed => "collapsed",
            Self::Stalled => "stalled",
            Self::Bypass => "bypass",
            Self::CannotSend => "cannot_send",
        }
    }

    /// Returns whether the delay of the replies says how long a queue is: only then does a
    /// direction have a congestion state.
    #[must_use]
    pub const fn is_measured(self) -> bool {
        match self {
            Self::Healthy | Self::Reduced => true,
            Self::Starting | Self::Collapsed | Self::Stalled | Self::Bypass | Self::CannotSend => {
                false
            }
        }
    }
}

/// How the delay to a reflector is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeMethod {
    /// ICMP echo from this host.
    IcmpEcho,
    /// ICMP timestamp from this host: it measures one-way delays.
    IcmpTimestamp,
    /// A TCP connection from this host.
    TcpConnect,
    /// ICMP echo from the router.
    RouterPing,
}

impl ProbeMethod {
    /// All methods, in the order in which they are shown.
    pub const ALL: [Self; 4] =
        [Self::IcmpEcho, Self::IcmpTimestamp, Self::TcpConnect, Self::RouterPing];

    /// Returns the name used in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IcmpEcho => "icmp_echo",
            Self::IcmpTimestamp => "icmp_timestamp",
            Self::TcpConnect => "tcp_connect",
            Self::RouterPing => "router_ping",
        }
    }
}

/// The combined delay evidence of a WAN's reflectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measurement {
    /// How far the probes can be trusted.
    pub state: MeasurementState,
    /// Reflectors whose last reply is fresh.
    pub fresh: u16,
    /// Fresh reflectors whose delta exceeds the threshold of queueing delay.
    pub delayed: u16,
    /// Whether enough reflectors are delayed.
    pub quorum: bool,
    /// Median round-trip time of the fresh reflectors.
    pub rtt: Option<Delay>,
    /// Median baseline of the fresh reflectors.
    pub baseline: Option<Delay>,
    /// Median of each fresh reflector's delay over its own baseline; may be negative.
    pub delta: Option<Delay>,
    /// Median jitter (smoothed step from reply to reply) of the fresh reflectors.
    pub jitter: Option<Delay>,
    /// The usual step from one reflector's reply to the next one's while the link is idle.
    pub noise: Option<Delay>,
    /// Time since the last reply of any reflector.
    pub age: Option<Duration>,
    /// Since when no probe can be sent; `None` unless the state is `CannotSend`.
    pub cannot_send_since: Option<MonoTime>,
    /// The baselines were never seen without load, so they may contain a queue.
    pub provisional: bool,
}

/// One reflector as the core sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReflectorView {
    /// The reflector.
    pub id: ReflectorId,
    /// Its learned idle delay.
    pub baseline: Option<Delay>,
    /// The baseline was never seen without load, so it may contain a queue.
    pub provisional: bool,
    /// Its last reply's delay over the baseline.
    pub delta: Option<Delay>,
    /// Its jitter: the smoothed step from reply to reply.
    pub jitter: Option<Delay>,
    /// The share of its probes that was lost lately, 0 to 1.
    pub loss: f64,
    /// Whether its last reply is recent enough to count.
    pub fresh: bool,
    /// When its last reply arrived.
    pub last_reply: Option<MonoTime>,
    /// Since when it has not answered, if others have and it does not count any more: its last
    /// reply, or the first probe that it did not answer. `None` if it counts, or is not asked.
    pub dead_since: Option<MonoTime>,
}

impl ReflectorView {
    /// Returns whether it was ever asked; a built-in one in reserve may never be.
    #[must_use]
    pub fn was_probed(&self) -> bool {
        self.last_reply.is_some() || self.dead_since.is_some() || self.loss > 0.0
    }
}
