//! What travels through the queues of a simulated link.

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
    /// Whether a queue marked one of them (ECN).
    pub(crate) marked: bool,
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

/// One round trip of a sparse packet: a probe's, or one of the judge's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SparsePacket {
    /// Which probe it is; `None` is the judge's.
    pub(crate) probe: Option<u64>,
    /// The time that it spent in queues until now, in seconds.
    pub(crate) waited: f64,
    /// When it was reflected, in seconds after it had set off; zero before that.
    pub(crate) up: f64,
    /// How much longer its path is than the base round trip, in seconds.
    pub(crate) further: f64,
}

/// What a parcel carries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PacketPayload {
    /// Data of a flow.
    Data(Segments),
    /// The receiver's news of segments of the opposite direction.
    Ack(Segments),
    /// A sparse packet.
    Sparse(SparsePacket),
}

/// A piece of traffic in a queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct QueuedPacket {
    /// Bytes of it that have yet to leave the queue.
    pub(crate) size: f64,
    /// When it came into the queue, in seconds.
    pub(crate) entered: f64,
    /// What it is.
    pub(crate) cargo: PacketPayload,
}

impl QueuedPacket {
    pub(crate) fn data(segments: Segments, entered: f64) -> Self {
        Self { size: segments.bytes, entered, cargo: PacketPayload::Data(segments) }
    }

    /// Returns the acknowledgements that `segments` cause.
    pub(crate) fn ack(segments: Segments, entered: f64) -> Self {
        Self { size: segments.bytes * ACK_SHARE, entered, cargo: PacketPayload::Ack(segments) }
    }

    pub(crate) fn sparse(ride: SparsePacket, entered: f64) -> Self {
        Self { size: SPARSE_SIZE, entered, cargo: PacketPayload::Sparse(ride) }
    }

    /// Returns the part of it that has left the queue, if that is a packet at least: a burst does
    /// not stay one.
    pub(crate) fn split_off(&mut self) -> Option<Self> {
        let PacketPayload::Data(rest) = &mut self.cargo else { return None };
        let bytes = rest.bytes - self.size;
        if bytes < PACKET {
            return None;
        }
        let piece = Segments { bytes, ..*rest };
        *rest = Segments { bytes: self.size, lost: 0.0, marked: false, ..*rest };
        Some(Self { size: 0.0, entered: self.entered, cargo: PacketPayload::Data(piece) })
    }
}
