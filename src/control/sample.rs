//! What comes in: one struct per kind of observation, each with its own sequence and time.

use super::PerDirection;
use crate::units::{BitRate, Delay, MonoTime};

/// The place of a reflector in its WAN's configured list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReflectorId(pub u16);

/// What became of one probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// The reflector answered after this round-trip time.
    Reply(Delay),
    /// No answer came within the probe's timeout. It may still come: the last outcome holds.
    Lost,
    /// The probe could not be sent: no device, no source address, no route, no permission, or
    /// refused by the router.
    Unsent,
}

/// The outcome of one probe to one reflector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RttSample {
    /// The reflector that was asked.
    pub reflector: ReflectorId,
    /// Number of the probe within its WAN, in the order in which the probes were due; no two probes
    /// share one. A probe whose reply comes after its timeout has two outcomes: `Lost`, and then
    /// `Reply` with the same number.
    pub sequence: u64,
    /// When the outcome became known.
    pub at: MonoTime,
    /// What became of the probe.
    pub outcome: ProbeOutcome,
    /// The reply's way up and down by the reflector's clock, if it told a sane one (ICMP type 14).
    /// Both carry the unknown offset of that clock, so only their changes mean something.
    pub one_way: Option<PerDirection<Delay>>,
}

/// The counters of one shaper queue as the router tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueReading {
    /// Bytes sent since the queue's counters began; may fall or jump when they are reset.
    pub bytes: u64,
    /// Packets sent since the queue's counters began.
    pub packets: u64,
    /// Packets dropped since the queue's counters began; a CAKE queue on RouterOS may never count
    /// any, so this is for showing, not for deciding.
    pub dropped: u64,
    /// Bytes waiting in the queue.
    pub backlog_bytes: u64,
    /// Packets waiting in the queue.
    pub backlog_packets: u64,
    /// The rate limit in force; zero means unlimited.
    pub limit: BitRate,
}

/// One reading of the shaper queues of a WAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShaperSample {
    /// Number of the reading; equal numbers are the same reading seen twice.
    pub sequence: u64,
    /// When the router's answer arrived.
    pub at: MonoTime,
    /// The counters of the queue of each direction that is shaped.
    pub queues: PerDirection<Option<QueueReading>>,
}

/// What became of a direction's desired rate on the way to the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Actuation {
    /// The last rate that the router confirmed after a write of ours.
    pub written: Option<BitRate>,
    /// The limit that the router was last seen to enforce, whoever set it.
    pub observed: Option<BitRate>,
    /// Since when the router has not been known to enforce what is desired; `None` if it does.
    pub pending_since: Option<MonoTime>,
    /// Writes that the router confirmed since the start.
    pub writes: u64,
}
