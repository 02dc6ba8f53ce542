//! What comes in: one struct per kind of observation, each with its own sequence and time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::PerDirection;
use crate::units::{BitRate, Delay, MonoTime};

/// The place of a reflector in its WAN's configured list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReflectorId(pub u16);

/// What became of one probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeOutcome {
    /// The reflector answered after this round-trip time.
    #[serde(rename = "reply_us")]
    Reply(Delay),
    /// No answer came within the probe's timeout. It may still come: the last outcome holds.
    Lost,
    /// The probe could not be sent: no device, no source address, no route, no permission, or
    /// refused by the router.
    Unsent,
}

/// The outcome of one probe to one reflector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RttSample {
    /// The reflector that was asked.
    pub reflector: ReflectorId,
    /// Number of the probe within its WAN, in the order in which the probes were due; no two probes
    /// share one. A probe whose reply comes after its timeout has two outcomes: `Lost`, and then
    /// `Reply` with the same number.
    pub sequence: u64,
    /// When the outcome became known.
    #[serde(rename = "at_ns")]
    pub at: MonoTime,
    /// What became of the probe.
    pub outcome: ProbeOutcome,
    /// The reply's way up and down by the reflector's clock, if that is sane (ICMP type 14).
    /// Both carry the unknown offset of that clock, so only their changes mean something.
    #[serde(rename = "one_way_us", default, skip_serializing_if = "Option::is_none")]
    pub one_way: Option<PerDirection<Delay>>,
}

/// The counters of one shaper queue as the router reports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    #[serde(rename = "limit_bps")]
    pub limit: BitRate,
}

/// No queue holds more than it sends in this time at its limit…
const DRAINS: Duration = Duration::from_secs(10);
/// … nor more bytes than this: CAKE's memory is a few megabytes.
const LARGEST: u64 = 64 << 20;
/// The least size of an IP packet, bytes.
pub(super) const SMALLEST: u64 = 20;

/// What waits in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Bytes, at most 64 MiB.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
}

impl QueueReading {
    /// Returns what waits in the queue; `None` if the router shows more than a queue can hold,
    /// which is a faulty reading and means nothing.
    #[must_use]
    pub fn backlog(&self) -> Option<Backlog> {
        let Self { backlog_bytes: bytes, backlog_packets: packets, limit, .. } = *self;
        let drained = if limit > BitRate::ZERO { limit.bytes_in(DRAINS) } else { LARGEST };
        let most = drained.min(LARGEST);
        (bytes <= most && packets <= most / SMALLEST).then_some(Backlog { bytes, packets })
    }
}

/// One reading of the shaper queues of a WAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShaperSample {
    /// Number of the reading; equal numbers are the same reading seen twice.
    pub sequence: u64,
    /// When the router's answer arrived.
    #[serde(rename = "at_ns")]
    pub at: MonoTime,
    /// The counters of the queue of each direction that is shaped.
    #[serde(flatten)]
    pub queues: PerDirection<Option<QueueReading>>,
}

/// What became of a direction's desired rate on the way to the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Actuation {
    /// The last rate that the router confirmed after a write of ours.
    #[serde(rename = "written_bps")]
    pub written: Option<BitRate>,
    /// The limit that the router was last seen to enforce, whoever set it.
    #[serde(rename = "observed_bps")]
    pub observed: Option<BitRate>,
    /// Since when the router has not been known to enforce what is desired; `None` if it does.
    #[serde(rename = "pending_since_ns")]
    pub pending_since: Option<MonoTime>,
    /// Writes that the router confirmed since the start.
    pub writes: u64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn backlog(backlog_bytes: u64, backlog_packets: u64, mbps: f64) -> Option<(u64, u64)> {
        let limit = BitRate::from_mbps(mbps);
        let raw = QueueReading { backlog_bytes, backlog_packets, limit, ..QueueReading::default() };
        raw.backlog().map(|backlog| (backlog.bytes, backlog.packets))
    }

    #[test]
    fn a_backlog_that_no_queue_holds_is_unknown() {
        for (bytes, packets) in [(60_000, 40), (1_000_000, 700), (0, 0)] {
            assert_eq!(backlog(bytes, packets, 50.0), Some((bytes, packets)));
        }
        for bytes in [u64::MAX, 1 << 40, 1_000_000_000, 1 << 27] {
            for limit in [1.0, 50.0, 1000.0, 0.0] {
                assert_eq!(backlog(bytes, 40, limit), None, "{bytes} at {limit}");
            }
        }
        assert_eq!(backlog(2_000_000, 40, 1.0), None, "16 s at the limit");
        assert_eq!(backlog(1_000, u64::MAX, 50.0), None, "packets without bytes");
    }

    proptest! {
        #[test]
        fn no_backlog_takes_longer_than_ten_seconds(
            bytes in any::<u64>(), packets in any::<u64>(), mbps in 0.1_f64..10_000.0,
        ) {
            if let Some((bytes, _)) = backlog(bytes >> (packets % 64), packets % 1000, mbps) {
                prop_assert!(bytes as f64 * 8.0 <= mbps * 1e6 * 10.001);
            }
        }
    }
}
