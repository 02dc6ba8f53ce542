//! Requests and replies over one ICMP socket. A reply counts only if it comes from the address
//! that was asked and repeats the identifier, the sequence number and the random proof of a
//! request that waits for it.
//!
//! Identifier, first sequence number and proofs are random, so that a forger who sees none of our
//! packets has to guess 64 bits and more. A forged packet leaves the request waiting.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use ring::rand::{SecureRandom as _, SystemRandom};
use socket2::Type;
use surge_ping::{AsyncSocket, Config, ICMP};
use tokio::{sync::oneshot, task::JoinHandle, time};

use super::wire::{Body, Format, IcmpReply};
use crate::probe::Bind;
use crate::probe::icmp::wire;

/// After an error of the socket, so that one that stays is not a busy loop.
const AFTER_ERROR: Duration = Duration::from_millis(100);
/// Identifiers that are tried: another program may use one already.
const IDENTIFIERS: u32 = 8;
/// A timestamp request names a time of the day in milliseconds; any will do, since it is only
/// compared, and a random one cannot be guessed.
const DAY_MS: u32 = 86_400_000;

/// What an exchange asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// ICMP echo.
    Echo,
    /// `ICMPv6` echo.
    EchoV6,
    /// ICMP timestamps, which need a raw socket.
    Timestamp,
}

/// One socket, and the requests that wait for their replies.
#[derive(Debug)]
pub(super) struct Exchange {
    kind: Kind,
    socket: Socket,
    waiting: Waiting,
    identifier: u16,
    first: u16,
    receiver: JoinHandle<()>,
}

struct Socket(AsyncSocket);

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Socket")
    }
}

/// A request has left, and this came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchanged {
    pub(super) sent: Instant,
    pub(super) received: Instant,
    pub(super) body: Body,
}

/// The requests that wait, by sequence number. There are never more than a schedule sends until
/// it gives one up, a few hundred.
type Waiting = Arc<Mutex<HashMap<u16, Request>>>;

#[derive(Debug)]
struct Request {
    target: IpAddr,
    proof: Proof,
    results: oneshot::Sender<(Instant, Body)>,
}

/// What the reply must repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    Nonce(u64),
    Originate(u32),
}

impl Proof {
    fn is_in(self, body: &Body) -> bool {
        match (self, *body) {
            (Self::Nonce(sent), Body::Echo { nonce }) => sent == nonce,
            (Self::Originate(sent), Body::Timestamp { originate, .. }) => sent == originate,
            (Self::Nonce(_) | Self::Originate(_), _) => false,
        }
    }
}

impl Exchange {
    /// Opens a socket at the end `bind`: an unprivileged one if possible, except for timestamps.
    pub(super) fn open(kind: Kind, bind: &Bind) -> io::Result<Self> {
        let (socket, identifier) = open(kind, bind)?;
        let is_raw = socket.get_type() == Type::RAW;
        let format = match kind {
            Kind::EchoV6 => Format::Icmpv6,
            Kind::Echo | Kind::Timestamp if is_raw => Format::Ipv4Icmp,
            Kind::Echo => Format::Icmp,
            Kind::Timestamp => return Err(io::ErrorKind::PermissionDenied.into()),
        };
        let waiting = Waiting::default();
        let receiver = receive(socket.clone(), format, identifier, Arc::clone(&waiting));
        let first = u16::from_be_bytes(random()?);
        let receiver = tokio::spawn(receiver);
        Ok(Self { kind, socket: Socket(socket), waiting, identifier, first, receiver })
    }

    /// Sends one request to `target`; the number of a request must not be that of another that
    /// still waits. The reply is waited for by what is returned.
    ///
    /// # Errors
    /// What the operating system says if the request cannot be sent.
    pub(super) async fn send(&self, target: IpAddr, number: u64) -> io::Result<Sent<'_>> {
        let low = u16::try_from(number & 0xffff).unwrap_or_default();
        let sequence = self.first.wrapping_add(low);
        let (proof, mut message) = self.request(sequence)?;
        let (results, reply) = oneshot::channel();
        lock(&self.waiting).insert(sequence, Request { target, proof, results });
        let guard = Forget { waiting: &self.waiting, sequence };
        let at = Instant::now();
        self.socket.0.send_to(&mut message, &SocketAddr::new(target, 0)).await?;
        Ok(Sent { at, reply, _guard: guard })
    }

    fn request(&self, sequence: u16) -> io::Result<(Proof, Vec<u8>)> {
        let identifier = self.identifier;
        Ok(match self.kind {
            Kind::Echo | Kind::EchoV6 => {
                let nonce = u64::from_be_bytes(random()?);
                let is_v6 = self.kind == Kind::EchoV6;
                let message = wire::echo_request(is_v6, identifier, sequence, nonce);
                (Proof::Nonce(nonce), message.to_vec())
            }
            Kind::Timestamp => {
                let originate = u32::from_be_bytes(random()?) % DAY_MS;
                let message = wire::timestamp_request(identifier, sequence, originate);
                (Proof::Originate(originate), message.to_vec())
            }
        })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

/// A request that has left.
pub(super) struct Sent<'a> {
    pub(super) at: Instant,
    reply: oneshot::Receiver<(Instant, Body)>,
    _guard: Forget<'a>,
}

impl Sent<'_> {
    /// Waits for the reply until `longest` after the request; `None` if none has come until then.
    /// May be called again, to wait longer.
    pub(super) async fn reply(&mut self, longest: Duration) -> Option<Exchanged> {
        let end = time::Instant::from_std(self.at) + longest;
        let (received, body) = time::timeout_at(end, &mut self.reply).await.ok()?.ok()?;
        Some(Exchanged { sent: self.at, received, body })
    }
}

/// Takes a request that is given up out of the list.
struct Forget<'a> {
    waiting: &'a Waiting,
    sequence: u16,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        lock(self.waiting).remove(&self.sequence);
    }
}

/// Opens the socket. An unprivileged one gets its identifier from the port to which it is bound.
fn open(kind: Kind, bind: &Bind) -> io::Result<(AsyncSocket, u16)> {
    let (icmp, hint, any): (_, _, IpAddr) = match kind {
        Kind::Echo => (ICMP::V4, Type::DGRAM, Ipv4Addr::UNSPECIFIED.into()),
        Kind::EchoV6 => (ICMP::V6, Type::DGRAM, Ipv6Addr::UNSPECIFIED.into()),
        Kind::Timestamp => (ICMP::V4, Type::RAW, Ipv4Addr::UNSPECIFIED.into()),
    };
    let source = match bind {
        Bind::Source(source) => *source,
        Bind::Any | Bind::Interface(_) => any,
    };
    let mut taken = io::ErrorKind::AddrInUse.into();
    for _ in 0..IDENTIFIERS {
        // With port 0 the kernel would choose, and count upwards.
        let identifier = u16::from_be_bytes(random()?).max(1);
        let config = Config::builder().kind(icmp).sock_type_hint(hint);
        let config = config.bind(SocketAddr::new(source, identifier));
        let config = match bind {
            Bind::Any | Bind::Source(_) => config,
            Bind::Interface(name) => config.interface(name),
        };
        match AsyncSocket::new(&config.build()) {
            Ok(socket) => return Ok((socket, identifier)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => taken = error,
            Err(error) => return Err(error),
        }
    }
    Err(taken)
}

async fn receive(socket: AsyncSocket, format: Format, identifier: u16, waiting: Waiting) {
    // A raw socket sees all ICMP of the host; a reply to us is not longer than this.
    let mut buffer = [0; 256];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            time::sleep(AFTER_ERROR).await;
            continue;
        };
        let received = Instant::now();
        let Some(reply) = buffer.get(..length).and_then(|packet| wire::reply(format, packet))
        else {
            continue;
        };
        if let Some(request) = claim(&mut lock(&waiting), identifier, from.ip(), &reply) {
            // Whoever asked may have given up.
            let _ = request.results.send((received, reply.body));
        }
    }
}

/// Takes the request that a reply answers out of the list, if it answers one.
fn claim(
    waiting: &mut HashMap<u16, Request>,
    identifier: u16,
    from: IpAddr,
    reply: &IcmpReply,
) -> Option<Request> {
    let request = waiting.get(&reply.sequence)?;
    let is_answer = reply.identifier == identifier
        && request.target == from
        && request.proof.is_in(&reply.body);
    if is_answer { waiting.remove(&reply.sequence) } else { None }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, HashMap<u16, Request>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes that nobody can guess.
fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the operating system provides no random bytes"))?;
    Ok(bytes)
}

/// Takes any packet for a reply, to an echo and to a timestamp request that wait; returns whether
/// one was answered.
#[cfg(fuzzing)]
pub(in crate::probe) fn fuzzed(packet: &[u8], sequence: u16, proof: u32) -> bool {
    let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
    [Format::Icmp, Format::Ipv4Icmp, Format::Icmpv6].into_iter().any(|format| {
        let Some(reply) = wire::reply(format, packet) else { return false };
        [Proof::Nonce(proof.into()), Proof::Originate(proof)].into_iter().any(|proof| {
            let (results, _reply) = oneshot::channel();
            let request = Request { target: from, proof, results };
            claim(&mut HashMap::from([(sequence, request)]), 0, from, &reply).is_some()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn only_what_repeats_everything_is_a_reply_and_only_once() {
        let (results, _reply) = oneshot::channel();
        let proof = Proof::Nonce(42);
        let request = Request { target: TARGET, proof, results };
        let mut waiting = HashMap::from([(9, request)]);
        let good = IcmpReply { identifier: 7, sequence: 9, body: Body::Echo { nonce: 42 } };
        let stamps = Body::Timestamp { originate: 42, receive: 0, transmit: 0 };
        for (from, forged) in [
            (ELSEWHERE, good),
            (TARGET, IcmpReply { identifier: 8, ..good }),
            (TARGET, IcmpReply { sequence: 10, ..good }),
            (TARGET, IcmpReply { body: Body::Echo { nonce: 43 }, ..good }),
            (TARGET, IcmpReply { body: stamps, ..good }),
        ] {
            assert!(claim(&mut waiting, 7, from, &forged).is_none(), "{from} {forged:?}");
            assert_eq!(waiting.len(), 1, "a forged reply took the place of the true one");
        }
        assert!(claim(&mut waiting, 7, TARGET, &good).is_some());
        assert!(claim(&mut waiting, 7, TARGET, &good).is_none(), "a duplicate");
    }

    #[test]
    fn a_timestamp_reply_must_repeat_the_time_of_the_request() {
        let (results, _reply) = oneshot::channel();
        let request = Request { target: TARGET, proof: Proof::Originate(5), results };
        let mut waiting = HashMap::from([(1, request)]);
        let reply = |originate| {
            let body = Body::Timestamp { originate, receive: 1, transmit: 2 };
            IcmpReply { identifier: 3, sequence: 1, body }
        };
        assert!(claim(&mut waiting, 3, TARGET, &reply(6)).is_none());
        assert!(claim(&mut waiting, 3, TARGET, &reply(5)).is_some());
    }

    #[test]
    fn random_bytes_differ() {
        let drawn: std::collections::HashSet<[u8; 8]> =
            (0..64).map(|_| random().unwrap()).collect();
        assert_eq!(drawn.len(), 64);
    }
}
