//! ICMP messages as bytes: echo (RFC 792, RFC 4443) and timestamp requests, and their replies. Pure.

/// Bytes of an echo payload, as `ping` sends it: the nonce, then padding.
const PAYLOAD: usize = 56;
/// Bytes of an ICMP header with identifier and sequence.
const HEADER: usize = 8;
/// Bytes of an echo request.
pub(super) const ECHO_BYTES: usize = HEADER + PAYLOAD;
/// Bytes of a timestamp message.
const TIMESTAMP_BYTES: usize = 20;
/// What pads an echo payload.
const PADDING: u8 = 0x77;

const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;
const TIMESTAMP_REQUEST: u8 = 13;
const TIMESTAMP_REPLY: u8 = 14;
const ECHO_REQUEST_V6: u8 = 128;
const ECHO_REPLY_V6: u8 = 129;

/// What precedes an ICMP message when a socket hands it over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// ICMP from an unprivileged socket: the message alone.
    Icmp,
    /// ICMP from a raw socket: an IPv4 header, then the message.
    Ipv4Icmp,
    /// `ICMPv6`: the message alone, its checksum verified by the kernel.
    Icmpv6,
}

/// A reply to a request of one of the two kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IcmpReply {
    /// The identifier of the request.
    pub(super) identifier: u16,
    /// The sequence number of the request.
    pub(super) sequence: u16,
    /// The rest of the message.
    pub(super) body: Body,
}

/// What a reply contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// An echo reply.
    Echo {
        /// The first 8 bytes of the payload.
        nonce: u64,
    },
    /// A timestamp reply, in milliseconds as the reflector's clock counts them.
    Timestamp {
        /// The request's own timestamp.
        originate: u32,
        /// When the request arrived.
        receive: u32,
        /// When the reply left.
        transmit: u32,
    },
}

/// Builds an echo request. For `ICMPv6` the kernel adds the checksum.
pub(super) fn echo_request(
    is_v6: bool,
    identifier: u16,
    sequence: u16,
    nonce: u64,
) -> [u8; ECHO_BYTES] {
    let mut message = [PADDING; ECHO_BYTES];
    let kind = if is_v6 { ECHO_REQUEST_V6 } else { ECHO_REQUEST };
    put(&mut message, 0, &[kind, 0, 0, 0]);
    put(&mut message, 4, &identifier.to_be_bytes());
    put(&mut message, 6, &sequence.to_be_bytes());
    put(&mut message, HEADER, &nonce.to_be_bytes());
    if !is_v6 {
        let sum = checksum(&message).to_be_bytes();
        put(&mut message, 2, &sum);
    }
    message
}

/// Builds a timestamp request.
pub(super) fn timestamp_request(
    identifier: u16,
    sequence: u16,
    originate: u32,
) -> [u8; TIMESTAMP_BYTES] {
    let mut message = [0; TIMESTAMP_BYTES];
    put(&mut message, 0, &[TIMESTAMP_REQUEST]);
    put(&mut message, 4, &identifier.to_be_bytes());
    put(&mut message, 6, &sequence.to_be_bytes());
    put(&mut message, HEADER, &originate.to_be_bytes());
    let sum = checksum(&message).to_be_bytes();
    put(&mut message, 2, &sum);
    message
}

/// Reads a packet if it is an intact reply; errors ("destination unreachable") are none.
pub(super) fn reply(format: Format, packet: &[u8]) -> Option<IcmpReply> {
    let message = match format {
        Format::Icmp | Format::Icmpv6 => packet,
        Format::Ipv4Icmp => {
            let words = usize::from(packet.first()? & 0x0f);
            packet.get(words * 4..)?
        }
    };
    let (kind, code) = (*message.first()?, *message.get(1)?);
    if code != 0 || (format != Format::Icmpv6 && checksum(message) != 0) {
        return None;
    }
    let body = match (format, kind) {
        (Format::Icmp | Format::Ipv4Icmp, ECHO_REPLY) | (Format::Icmpv6, ECHO_REPLY_V6) => {
            Body::Echo { nonce: u64::from_be_bytes(bytes(message, HEADER)?) }
        }
        (Format::Icmp | Format::Ipv4Icmp, TIMESTAMP_REPLY) => Body::Timestamp {
            originate: u32::from_be_bytes(bytes(message, 8)?),
            receive: u32::from_be_bytes(bytes(message, 12)?),
            transmit: u32::from_be_bytes(bytes(message, 16)?),
        },
        _ => return None,
    };
    let identifier = u16::from_be_bytes(bytes(message, 4)?);
    Some(IcmpReply { identifier, sequence: u16::from_be_bytes(bytes(message, 6)?), body })
}

fn bytes<const N: usize>(message: &[u8], at: usize) -> Option<[u8; N]> {
    message.get(at..)?.first_chunk().copied()
}

fn put(message: &mut [u8], at: usize, bytes: &[u8]) {
    for (place, byte) in message.iter_mut().skip(at).zip(bytes) {
        *place = *byte;
    }
}

/// The Internet checksum (RFC 1071); an odd last byte counts as the high half of a word.
fn checksum(message: &[u8]) -> u16 {
    let word = |pair: &[u8]| {
        let (high, low) = (pair.first().copied(), pair.get(1).copied());
        u32::from(high.unwrap_or(0)) << 8 | u32::from(low.unwrap_or(0))
    };
    let mut sum: u32 = message.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The reply of an honest reflector to `request`.
    fn answered(request: &[u8], kind: u8, stamp: Option<u32>) -> Vec<u8> {
        let mut message = request.to_vec();
        message[0] = kind;
        if let Some(stamp) = stamp {
            put(&mut message, 12, &stamp.to_be_bytes());
            put(&mut message, 16, &stamp.to_be_bytes());
        }
        put(&mut message, 2, &[0, 0]);
        let sum = checksum(&message).to_be_bytes();
        put(&mut message, 2, &sum);
        message
    }

    fn with_header(message: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45];
        packet.resize(20, 0);
        packet.extend_from_slice(message);
        packet
    }

    #[test]
    fn replies_carry_what_the_requests_carried() {
        let request = echo_request(false, 7, 9, 0x0123_4567_89ab_cdef);
        assert_eq!(checksum(&request), 0);
        let body = Body::Echo { nonce: 0x0123_4567_89ab_cdef };
        let expected = Some(IcmpReply { identifier: 7, sequence: 9, body });
        let message = answered(&request, ECHO_REPLY, None);
        assert_eq!(reply(Format::Icmp, &message), expected);
        assert_eq!(reply(Format::Ipv4Icmp, &with_header(&message)), expected);
        let request = echo_request(true, 7, 9, 0x0123_4567_89ab_cdef);
        assert_eq!(reply(Format::Icmpv6, &answered(&request, ECHO_REPLY_V6, None)), expected);

        let message = answered(&timestamp_request(3, 5, 17), TIMESTAMP_REPLY, Some(99));
        let body = Body::Timestamp { originate: 17, receive: 99, transmit: 99 };
        let expected = Some(IcmpReply { identifier: 3, sequence: 5, body });
        assert_eq!(reply(Format::Ipv4Icmp, &with_header(&message)), expected);
    }

    #[test]
    fn what_is_no_intact_reply_is_refused() {
        let request = echo_request(false, 7, 9, 1);
        assert_eq!(reply(Format::Icmp, &request), None, "a request");
        let good = answered(&request, ECHO_REPLY, None);
        for length in [0, 1, 3, 8, 15] {
            assert_eq!(reply(Format::Icmp, &good[..length]), None, "{length} bytes");
        }
        let mut bent = good.clone();
        bent[40] ^= 1;
        assert_eq!(reply(Format::Icmp, &bent), None, "a wrong checksum");
        assert_eq!(reply(Format::Icmpv6, &good), None, "another protocol's type");
        let mut unreachable = good;
        put(&mut unreachable, 0, &[3, 1]);
        assert_eq!(reply(Format::Icmp, &unreachable), None, "destination unreachable");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(packet in proptest::collection::vec(any::<u8>(), 0..200)) {
            for format in [Format::Icmp, Format::Ipv4Icmp, Format::Icmpv6] {
                let _ = reply(format, &packet);
            }
        }
    }
}
