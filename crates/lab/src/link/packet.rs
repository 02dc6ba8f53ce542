//! What travels through the queues of a simulated link, and paths on which it is only delayed.

use std::collections::VecDeque;

/// Bytes of a full packet on the wire, Ethernet's header included.
pub(crate) const PACKET: f64 = 1514.0;
/// The share of a full packet that is payload: without Ethernet's, IP's and TCP's headers.
pub(crate) const PAYLOAD_SHARE: f64 = 1448.0 / PACKET;
/// Bytes of an acknowledgement on the wire.
pub(crate) const ACK_SIZE: f64 = 66.0;
/// Bytes of acknowledgements per byte of data: one for every two full packets.
pub(crate) const ACK_SHARE: f64 = ACK_SIZE / (2.0 * PACKET);
/// Bytes of a sparse packet: an ICMP echo with 56 bytes of data, or a word of a call.
pub(crate) const SPARSE_SIZE: f64 = 98.0;

/// Consecutive segments of one flow that a sender sent within one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Segments {
    /// The flow's place in its direction.
    pub(crate) flow: u8,
    /// Bytes on the wire that are still there.
    pub(crate) bytes: f64,
    /// Bytes on the wire that queues dropped out of them.
    pub(crate) lost: f64,
    /// When they were sent, in seconds of the link's time.
    pub(crate) sent: f64,
    /// What the receiver was known to have had when they were sent: how a sender finds the rate
    /// of its deliveries.
    pub(crate) delivered: f64,
}

/// One round trip of a sparse packet: a probe's, or one of the latency monitor's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SparsePacket {
    /// Which probe it is; `None` is the monitor's.
    pub(crate) probe: Option<u64>,
    /// The time that it spent in queues until now, in seconds.
    pub(crate) waited: f64,
    /// When it was reflected, in seconds after it had set off; zero before that.
    pub(crate) up: f64,
    /// How much longer its path is than the base round trip, in seconds.
    pub(crate) further: f64,
}

/// The content of a queued packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PacketPayload {
    /// Data of a flow.
    Data(Segments),
    /// The receiver's news of segments of the opposite direction.
    Ack(Segments),
    /// A sparse packet.
    Sparse(SparsePacket),
}

/// A piece of traffic in a queue, of one flow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct QueuedPacket {
    /// Bytes of it that have yet to leave the queue.
    pub(crate) size: f64,
    /// When it came into the queue, in seconds.
    pub(crate) entered: f64,
    pub(crate) payload: PacketPayload,
}

impl QueuedPacket {
    pub(crate) fn data(segments: Segments, entered: f64) -> Self {
        Self { size: segments.bytes, entered, payload: PacketPayload::Data(segments) }
    }

    /// Returns the acknowledgements that `segments` cause.
    pub(crate) fn ack(segments: Segments, entered: f64) -> Self {
        Self { size: segments.bytes * ACK_SHARE, entered, payload: PacketPayload::Ack(segments) }
    }

    pub(crate) fn sparse(packet: SparsePacket, entered: f64) -> Self {
        Self { size: SPARSE_SIZE, entered, payload: PacketPayload::Sparse(packet) }
    }

    /// Returns the part of it that has left the queue, if that is a packet at least: a burst does
    /// not stay one.
    pub(crate) fn split_off(&mut self) -> Option<Self> {
        let PacketPayload::Data(rest) = &mut self.payload else { return None };
        let bytes = rest.bytes - self.size;
        if bytes < PACKET {
            return None;
        }
        let piece = Segments { bytes, ..*rest };
        *rest = Segments { bytes: self.size, lost: 0.0, ..*rest };
        Some(Self { size: 0.0, entered: self.entered, payload: PacketPayload::Data(piece) })
    }
}

/// A path without queue and without overtaking.
#[derive(Debug, Clone, Default)]
pub(crate) struct DelayLine {
    /// With the time at which it arrives.
    in_flight: VecDeque<(f64, QueuedPacket)>,
}

impl DelayLine {
    pub(crate) fn put(&mut self, due: f64, queued: QueuedPacket) {
        let last = self.in_flight.back().map_or(due, |(last, _)| *last);
        self.in_flight.push_back((due.max(last), queued));
    }

    /// Takes the next one that has arrived by `now`.
    pub(crate) fn take(&mut self, now: f64) -> Option<QueuedPacket> {
        let (_, queued) = self.in_flight.pop_front_if(|(due, _)| *due <= now + ROUNDING)?;
        Some(queued)
    }

    #[cfg(test)]
    pub(crate) fn queued(&self) -> impl Iterator<Item = &QueuedPacket> {
        self.in_flight.iter().map(|(_, queued)| queued)
    }
}

/// Sparse packets on paths of different lengths.
#[derive(Debug, Clone, Default)]
pub(crate) struct InTransit {
    in_flight: Vec<(f64, SparsePacket)>,
}

impl InTransit {
    pub(crate) fn put(&mut self, due: f64, packet: SparsePacket) {
        self.in_flight.push((due, packet));
    }

    /// Takes one that has arrived by `now`.
    pub(crate) fn take(&mut self, now: f64) -> Option<SparsePacket> {
        let place = self.in_flight.iter().position(|(due, _)| *due <= now + ROUNDING)?;
        Some(self.in_flight.remove(place).1)
    }
}

/// Times are sums of steps: so much, in seconds, may be the rounding's fault.
const ROUNDING: f64 = 1e-7;
