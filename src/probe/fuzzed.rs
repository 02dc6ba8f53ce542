//! What comes in over ICMP sockets, open to the fuzzers and to nobody else.

/// Takes any bytes for a packet that a socket has received; returns whether a request that waits
/// with this sequence number and proof was answered.
#[must_use]
pub fn icmp_reply(packet: &[u8], sequence: u16, proof: u32) -> bool {
    super::icmp::fuzzed(packet, sequence, proof)
}
