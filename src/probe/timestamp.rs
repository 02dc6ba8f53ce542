//! ICMP timestamp requests (RFC 792, types 13 and 14) over a raw socket of our own: the one kind
//! of probe that tells the way up from the way down.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::UdpSocket,
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::Stamps;
use crate::{clock::Clock, config::Bind, units::Delay};

const REQUEST: u8 = 13;
const REPLY: u8 = 14;
/// Bytes of a message: header, identifier, sequence, three timestamps.
const LENGTH: usize = 20;
/// Milliseconds and microseconds of a day.
const DAY_MS: i64 = 86_400_000;
const DAY: i64 = DAY_MS * 1000;
/// After an error of the socket, so that one that stays is not a busy loop.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// Sends timestamp requests and sorts the answers.
#[derive(Debug)]
pub(super) struct Timestamps {
    socket: Arc<UdpSocket>,
    waiting: Waiting,
    identifier: u16,
    day: Day,
    receiver: JoinHandle<()>,
}

type Tellers = HashMap<(Ipv4Addr, u16), oneshot::Sender<(Instant, Reply)>>;
type Waiting = Arc<Mutex<Tellers>>;

/// What a reflector says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reply {
    identifier: u16,
    sequence: u16,
    receive: u32,
    transmit: u32,
}

/// The time of the day by the wall clock of the start, which then runs on without steps.
#[derive(Debug, Clone, Copy)]
struct Day {
    began: Instant,
    micros: i64,
}

impl Timestamps {
    /// Opens a raw socket at the end `bind`.
    pub(super) fn open(bind: &Bind, identifier: u16) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
        socket.set_nonblocking(true)?;
        bind.tie(&socket)?;
        // Not a datagram socket, but a descriptor that sends and receives just like one.
        let socket = Arc::new(UdpSocket::from_std(socket.into())?);
        let waiting = Waiting::default();
        let receiver = tokio::spawn(receive(Arc::clone(&socket), Arc::clone(&waiting), identifier));
        let day = Day { began: Instant::now(), micros: Clock::wall().micros().rem_euclid(DAY) };
        Ok(Self { socket, waiting, identifier, day, receiver })
    }

    /// Asks `target` for the time; `None` if it does not answer within `longest`.
    pub(super) async fn ask(
        &self,
        target: Ipv4Addr,
        sequence: u16,
        longest: Duration,
    ) -> io::Result<Option<Stamps>> {
        let (teller, answer) = oneshot::channel();
        lock(&self.waiting).insert((target, sequence), teller);
        let _forget = Forget { waiting: &self.waiting, key: (target, sequence) };
        let sent = Instant::now();
        let sent_micros = self.day.at(sent);
        let originate = u32::try_from(sent_micros / 1000).unwrap_or_default();
        let message = request(self.identifier, sequence, originate);
        let address = SocketAddr::new(IpAddr::V4(target), 0);
        self.socket.send_to(&message, address).await?;
        let Ok(Ok((received, reply))) = timeout(longest, answer).await else { return Ok(None) };
        let rtt = Delay::from(received.saturating_duration_since(sent));
        let Reply { receive, transmit, .. } = reply;
        Ok(Some(Stamps { sent_micros, receive, transmit, rtt }))
    }
}

impl Drop for Timestamps {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

/// Takes a request that is given up out of the list.
struct Forget<'a> {
    waiting: &'a Waiting,
    key: (Ipv4Addr, u16),
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        lock(self.waiting).remove(&self.key);
    }
}

impl Day {
    fn at(&self, moment: Instant) -> i64 {
        let passed = Delay::from(moment.saturating_duration_since(self.began)).micros();
        (self.micros + passed % DAY).rem_euclid(DAY)
    }
}

async fn receive(socket: Arc<UdpSocket>, waiting: Waiting, identifier: u16) {
    // A raw socket sees all ICMP of the host; of what is longer than ours the rest is of no use.
    let mut buffer = [0; 128];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            sleep(AFTER_ERROR).await;
            continue;
        };
        let received = Instant::now();
        let (Some(reply), IpAddr::V4(from)) = (buffer.get(..length).and_then(parse), from.ip())
        else {
            continue;
        };
        if reply.identifier == identifier
            && let Some(teller) = lock(&waiting).remove(&(from, reply.sequence))
        {
            // Whoever asked may have given up.
            let _ = teller.send((received, reply));
        }
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, Tellers> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn request(identifier: u16, sequence: u16, originate: u32) -> [u8; LENGTH] {
    let mut message = [0; LENGTH];
    let mut put = |at: usize, bytes: &[u8]| {
        for (place, byte) in message.iter_mut().skip(at).zip(bytes) {
            *place = *byte;
        }
    };
    put(0, &[REQUEST]);
    put(4, &identifier.to_be_bytes());
    put(6, &sequence.to_be_bytes());
    put(8, &originate.to_be_bytes());
    let sum = checksum(&message).to_be_bytes();
    [message[2], message[3]] = sum;
    message
}

/// The Internet checksum (RFC 1071) of an even number of bytes.
fn checksum(message: &[u8]) -> u16 {
    let words = message.chunks_exact(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap_or_default()
}

/// Reads a packet, IP header included, if it is the answer to a timestamp request.
fn parse(packet: &[u8]) -> Option<Reply> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let message: &[u8; LENGTH] = packet.get(header..)?.first_chunk()?;
    if message[0] != REPLY || message[1] != 0 || checksum(message) != 0 {
        return None;
    }
    let short = |at: usize| Some(u16::from_be_bytes(*message.get(at..)?.first_chunk()?));
    let long = |at: usize| Some(u32::from_be_bytes(*message.get(at..)?.first_chunk()?));
    Some(Reply {
        identifier: short(4)?,
        sequence: short(6)?,
        receive: long(12)?,
        transmit: long(16)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The answer of a reflector whose clock shows `time`, in an IP header of 20 bytes.
    fn reply(identifier: u16, sequence: u16, time: u32) -> Vec<u8> {
        let mut message = request(identifier, sequence, 1).to_vec();
        message[0] = REPLY;
        message[12..16].copy_from_slice(&time.to_be_bytes());
        message[16..20].copy_from_slice(&time.to_be_bytes());
        message[2..4].fill(0);
        let sum = checksum(&message).to_be_bytes();
        message[2..4].copy_from_slice(&sum);
        let mut packet = vec![0; 20];
        packet[0] = 0x45;
        packet.extend(message);
        packet
    }

    #[test]
    fn a_request_has_a_right_checksum_and_an_answer_is_read() {
        let message = request(0x1234, 7, 43_200_000);
        assert_eq!(checksum(&message), 0);
        assert_eq!(message[..2], [13, 0]);
        let packet = reply(0x1234, 7, 43_200_010);
        let told = parse(&packet).unwrap();
        assert_eq!((told.identifier, told.sequence), (0x1234, 7));
        assert_eq!((told.receive, told.transmit), (43_200_010, 43_200_010));
    }

    #[test]
    fn what_is_damaged_or_something_else_is_no_answer() {
        let packet = reply(1, 2, 3);
        for cut in 0..packet.len() {
            assert_eq!(parse(&packet[..cut]), None);
        }
        let mut damaged = packet.clone();
        damaged[30] ^= 1;
        assert_eq!(parse(&damaged), None);
        let mut echo = packet;
        echo[20] = 0;
        assert_eq!(parse(&echo), None);
    }

    proptest! {
        #[test]
        fn no_packet_makes_it_panic(packet in prop::collection::vec(any::<u8>(), 0..128)) {
            let _ = parse(&packet);
        }
    }
}
