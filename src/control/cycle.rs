//! `Cycle`: the record of one decision, and the only thing that metrics, history, status and
//! steering read. If a consumer needs something, it goes in here.

use std::time::Duration;

use super::{
    Actuation, CongestionState, Load, PerDirection, QueueReading, Reason, ReflectorId, RttSample,
};
use crate::units::{BitRate, Delay, MonoTime, Timestamp};

/// Everything that one control cycle of one WAN saw and decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycle {
    /// The WAN's place in the configuration.
    pub wan: usize,
    /// Number of the cycle since the daemon started, from 1.
    pub number: u64,
    /// When the decision was taken.
    pub at: MonoTime,
    /// The same moment on the wall clock, for records.
    pub wall: Timestamp,
    /// What the probes say.
    pub measurement: Measurement,
    /// What was seen and decided for each direction that is shaped.
    pub directions: PerDirection<Option<DirectionCycle>>,
    /// Each reflector as it stands, in the order of the configuration.
    pub reflectors: Vec<ReflectorView>,
    /// The probe outcomes that arrived since the cycle before.
    pub samples: Vec<RttSample>,
    /// How the newest reply was measured; `None` before the first.
    pub method: Option<ProbeMethod>,
    /// How punctual the loop was.
    pub timing: Timing,
}

/// How the delay to a reflector is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeMethod {
    /// ICMP echo from this host.
    IcmpEcho,
    /// ICMP timestamp from this host: it tells the directions apart.
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

/// How far the probes can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MeasurementState {
    /// No reflector has answered yet.
    Starting,
    /// Enough reflectors answer for a vote.
    Healthy,
    /// Some answer, fewer than a vote should have.
    Reduced,
    /// None answers although traffic flows: congestion is suspected.
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

/// The combined delay evidence of a WAN's reflectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measurement {
    /// How far the probes can be trusted.
    pub state: MeasurementState,
    /// Reflectors whose last reply is fresh.
    pub fresh: u16,
    /// Fresh reflectors whose delta exceeds the bloat threshold.
    pub votes: u16,
    /// Whether the votes suffice to call it bloat.
    pub bloated: bool,
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

/// What was seen and decided for one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectionCycle {
    /// The congestion state: unknown unless its delay is measured.
    pub state: CongestionState,
    /// Since when the state holds.
    pub since: MonoTime,
    /// The traffic that this direction carried.
    pub load: Load,
    /// Whether a rise of the delay is put down to this direction's traffic.
    pub blamed: bool,
    /// The shaper queue's newest counters, if the router gave any.
    pub queue: Option<QueueReading>,
    /// The rate that was desired before this decision.
    pub previous: BitRate,
    /// The rate that is desired from now on.
    pub desired: BitRate,
    /// Why.
    pub reason: Reason,
    /// What the provider's link is believed to carry: the rate at which a queue stood last, or what
    /// has passed it since. `None` while nothing is known.
    pub capacity: Option<BitRate>,
    /// How far the router has followed.
    pub actuation: Actuation,
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
    /// Tells whether it was ever asked; a built-in one in reserve may never be.
    #[must_use]
    pub fn was_asked(&self) -> bool {
        self.last_reply.is_some() || self.dead_since.is_some() || self.loss > 0.0
    }
}

/// How punctual the loop was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// The configured time between two cycles.
    pub interval: Duration,
    /// How late this cycle started after its tick.
    pub lateness: Duration,
    /// Ticks that were dropped between the cycle before and this one.
    pub skipped: u64,
    /// Busy time of the cycle before this one, fan-out included; this one is not over yet.
    pub busy: Duration,
}

impl Timing {
    /// Tells whether the cycle before this one was busy for longer than the interval.
    #[must_use]
    pub fn overran(&self) -> bool {
        self.busy > self.interval
    }
}
