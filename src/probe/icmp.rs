//! ICMP of this host, tied to a WAN by source address or interface: echo by surge-ping, and
//! timestamps for reflectors whose clock has proved sane.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence, SurgeError};
use tracing::{debug, info};

use super::{Answer, Judge, Lie, Prober, timestamp::Timestamps};
use crate::{
    clock::Clock,
    config::{Bind, ProbeConfig},
    control::{ProbeOutcome, ReflectorId},
    units::{Delay, MonoTime},
};

/// Payload of an echo request in bytes, as `ping` sends it.
const PAYLOAD: [u8; 56] = [0x77; 56];
/// ICMP type of an echo reply (RFC 792).
const ECHO_REPLY: u8 = 0;
/// ICMPv6 type of an echo reply (RFC 4443).
const ECHO_REPLY_V6: u8 = 129;

/// Least time between two requests to reflectors whose clock is on trial.
const TRIAL_INTERVAL: Duration = Duration::from_millis(250);
/// Requests of a trial leave by so much more after the turn, each, so that a clock is not seen at
/// the same digit every time.
const TRIAL_STEP: Duration = Duration::from_millis(3);

/// Why a WAN's probes cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum IcmpError {
    /// Neither an unprivileged nor a raw ICMP socket is permitted.
    #[error(
        "not permitted to send ICMP echo: allow it for this user's group with `sysctl -w \
         net.ipv4.ping_group_range=\"0 2147483647\"`, or give the program the capability with \
         `setcap cap_net_raw+ep` (systemd: AmbientCapabilities=CAP_NET_RAW)"
    )]
    NotPermitted,
    /// The source address or the interface cannot be used.
    #[error("cannot send probes from {bind}: {source}; check that it exists on this host")]
    Bind {
        /// What the configuration names.
        bind: String,
        /// What the operating system says.
        source: io::Error,
    },
}

/// Sends ICMP echo requests to the reflectors of one WAN.
pub struct IcmpProber {
    reflectors: Vec<IpAddr>,
    v4: Option<Client>,
    v6: Option<Client>,
    identifier: PingIdentifier,
    clock: Clock,
    /// Absent where raw sockets are not permitted, or not wanted.
    timestamps: Option<Timestamps>,
    trials: Mutex<Trials>,
}

/// Whose clocks are sane.
#[derive(Debug)]
struct Trials {
    judges: Vec<Judge>,
    next: MonoTime,
}

impl fmt::Debug for IcmpProber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IcmpProber").field("reflectors", &self.reflectors).finish_non_exhaustive()
    }
}

impl IcmpProber {
    /// Opens the sockets that the reflectors' families need. `number` tells the WANs of this
    /// process apart in their packets.
    ///
    /// # Errors
    /// [`IcmpError`] if the sockets are refused or cannot be bound as configured.
    pub fn open(config: &ProbeConfig, number: u16, clock: Clock) -> Result<Self, IcmpError> {
        let open = |kind: ICMP, wanted: fn(&IpAddr) -> bool| {
            let needed = config.reflectors.iter().any(wanted);
            needed.then(|| client(kind, &config.bind)).transpose()
        };
        let process = u16::try_from(std::process::id() & 0xffff).unwrap_or(0);
        let identifier = process.wrapping_add(number);
        let wanted = config.timestamps && config.reflectors.iter().any(IpAddr::is_ipv4);
        // A raw socket needs more than an echo does, and echoes do without it. Another identifier,
        // because sockets of both kinds see the answers of both.
        let timestamps = wanted.then(|| Timestamps::open(&config.bind, !identifier).ok()).flatten();
        Ok(Self {
            v4: open(ICMP::V4, IpAddr::is_ipv4)?,
            v6: open(ICMP::V6, IpAddr::is_ipv6)?,
            identifier: PingIdentifier(identifier),
            clock,
            timestamps,
            trials: Mutex::new(Trials {
                judges: vec![Judge::default(); config.reflectors.len()],
                next: clock.now(),
            }),
            reflectors: config.reflectors.clone(),
        })
    }

    /// Tells whether `reflector` answers an ICMP timestamp request within `longest`; `None` if it
    /// cannot be asked: raw sockets are not permitted or not wanted, or it is no IPv4 address.
    pub async fn answers_timestamps(
        &self,
        reflector: ReflectorId,
        longest: Duration,
    ) -> Option<bool> {
        let (Some(IpAddr::V4(target)), Some(timestamps)) =
            (self.target(reflector), &self.timestamps)
        else {
            return None;
        };
        timestamps.ask(target, reflector.0, longest).await.ok().map(|stamps| stamps.is_some())
    }

    fn trials(&self) -> MutexGuard<'_, Trials> {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn target(&self, reflector: ReflectorId) -> Option<IpAddr> {
        self.reflectors.get(usize::from(reflector.0)).copied()
    }

    async fn echo(&self, target: IpAddr, sequence: u16, timeout: Duration) -> ProbeOutcome {
        let client = match target {
            IpAddr::V4(_) => self.v4.as_ref(),
            IpAddr::V6(_) => self.v6.as_ref(),
        };
        let Some(client) = client else { return ProbeOutcome::Unsent };
        let mut pinger = client.pinger(target, self.identifier).await;
        pinger.timeout(timeout);
        match pinger.ping(PingSequence(sequence), &PAYLOAD).await {
            Ok((packet, rtt)) if is_echo_reply(&packet) => ProbeOutcome::Reply(Delay::from(rtt)),
            // On a raw socket an ICMP error ("unreachable") is handed over like a reply, with
            // the tiny delay of the router that sent it.
            Ok(_) | Err(SurgeError::Timeout { .. }) => ProbeOutcome::Lost,
            Err(_) => ProbeOutcome::Unsent,
        }
    }

    /// Asks a reflector for the time and lets its judge look at the answer.
    async fn timestamp(
        &self,
        timestamps: &Timestamps,
        (reflector, target): (ReflectorId, Ipv4Addr),
        sequence: u16,
        timeout: Duration,
    ) -> Answer {
        let Ok(stamps) = timestamps.ask(target, sequence, timeout).await else {
            return ProbeOutcome::Unsent.into();
        };
        let now = self.clock.now();
        let mut trials = self.trials();
        let Some(judge) = trials.judges.get_mut(usize::from(reflector.0)) else {
            return ProbeOutcome::Unsent.into();
        };
        let was_trusted = judge.is_trusted();
        let (answer, lie) = match stamps {
            Some(stamps) => {
                let told = judge.observe(&stamps, now);
                let outcome = ProbeOutcome::Reply(stamps.rtt);
                (Answer { outcome, one_way: told.ok() }, told.err())
            }
            None => (ProbeOutcome::Lost.into(), judge.missed(now).err()),
        };
        let is_trusted = judge.is_trusted();
        match lie {
            None if is_trusted && !was_trusted => {
                info!(%target, "the reflector's clock tells the directions' delays apart");
            }
            Some(lie) if was_trusted && lie != Lie::Silent => {
                info!(%target, why = lie.explain(), "the reflector's clock is not trusted");
            }
            Some(lie) => debug!(%target, why = lie.explain(), "its clock is of no use"),
            None => {}
        }
        answer
    }
}

/// One sequence over all reflectors of the WAN wraps after 54 minutes at 20 a second, long after
/// any answer.
fn short(sequence: u64) -> u16 {
    u16::try_from(sequence & 0xffff).unwrap_or(0)
}

fn client(kind: ICMP, bind: &Bind) -> Result<Client, IcmpError> {
    let builder = Config::builder().kind(kind);
    let builder = match bind {
        Bind::Any => builder,
        Bind::Source(source) => builder.bind(SocketAddr::new(*source, 0)),
        Bind::Interface(name) => builder.interface(name),
    };
    Client::new(&builder.build()).map_err(|source| match (source.kind(), bind) {
        // The cause is left out: it is a text of several lines that says the same.
        (io::ErrorKind::PermissionDenied, _) => IcmpError::NotPermitted,
        (_, Bind::Any) => IcmpError::Bind { bind: "this host".to_owned(), source },
        (_, Bind::Source(address)) => {
            IcmpError::Bind { bind: format!("source address {address}"), source }
        }
        (_, Bind::Interface(name)) => IcmpError::Bind { bind: format!("interface {name}"), source },
    })
}

impl Prober for IcmpProber {
    fn probe(
        &self,
        reflector: ReflectorId,
        sequence: u64,
        timeout: Duration,
    ) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let sequence = short(sequence);
            match (self.target(reflector), &self.timestamps) {
                (Some(IpAddr::V4(target)), Some(timestamps))
                    if self.tells_directions(reflector) =>
                {
                    self.timestamp(timestamps, (reflector, target), sequence, timeout).await
                }
                (Some(target), _) => self.echo(target, sequence, timeout).await.into(),
                (None, _) => ProbeOutcome::Unsent.into(),
            }
        })
    }

    fn errand(
        self: Arc<Self>,
        reflector: ReflectorId,
        sequence: u64,
        timeout: Duration,
    ) -> Option<BoxFuture<'static, ()>> {
        let Some(IpAddr::V4(target)) = self.target(reflector) else { return None };
        self.timestamps.as_ref()?;
        let now = self.clock.now();
        let answers = {
            let mut trials = self.trials();
            if now < trials.next {
                return None;
            }
            let answers = trials.judges.get(usize::from(reflector.0))?.trial(now)?;
            trials.next = now + TRIAL_INTERVAL;
            answers
        };
        Some(Box::pin(async move {
            tokio::time::sleep(TRIAL_STEP * u32::from(answers)).await;
            let Some(timestamps) = &self.timestamps else { return };
            let asked = (reflector, target);
            self.timestamp(timestamps, asked, short(sequence), timeout).await;
        }))
    }

    fn tells_directions(&self, reflector: ReflectorId) -> bool {
        let trials = self.trials();
        trials.judges.get(usize::from(reflector.0)).is_some_and(Judge::is_trusted)
    }
}

fn is_echo_reply(packet: &IcmpPacket) -> bool {
    match packet {
        IcmpPacket::V4(packet) => packet.get_icmp_type().0 == ECHO_REPLY,
        IcmpPacket::V6(packet) => packet.get_icmpv6_type().0 == ECHO_REPLY_V6,
    }
}
