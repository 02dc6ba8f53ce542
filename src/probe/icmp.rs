//! ICMP echo by surge-ping, tied to a WAN by source address or interface.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::future::BoxFuture;
use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence, SurgeError};

use super::Prober;
use crate::{
    config::{Bind, ProbeConfig},
    control::{ProbeOutcome, ReflectorId},
    units::Delay,
};

/// Payload of an echo request in bytes, as `ping` sends it.
const PAYLOAD: [u8; 56] = [0x77; 56];
/// ICMP type of an echo reply (RFC 792).
const ECHO_REPLY: u8 = 0;
/// ICMPv6 type of an echo reply (RFC 4443).
const ECHO_REPLY_V6: u8 = 129;

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
    pub fn open(config: &ProbeConfig, number: u16) -> Result<Self, IcmpError> {
        let open = |kind: ICMP, wanted: fn(&IpAddr) -> bool| {
            let needed = config.reflectors.iter().any(wanted);
            needed.then(|| client(kind, &config.bind)).transpose()
        };
        Ok(Self {
            reflectors: config.reflectors.clone(),
            v4: open(ICMP::V4, IpAddr::is_ipv4)?,
            v6: open(ICMP::V6, IpAddr::is_ipv6)?,
            identifier: PingIdentifier(
                u16::try_from(std::process::id() & 0xffff).unwrap_or(0).wrapping_add(number),
            ),
        })
    }
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
    ) -> BoxFuture<'_, ProbeOutcome> {
        Box::pin(async move {
            let target = self.reflectors.get(usize::from(reflector.0)).copied();
            let client = target.and_then(|target| match target {
                IpAddr::V4(_) => self.v4.as_ref(),
                IpAddr::V6(_) => self.v6.as_ref(),
            });
            let (Some(target), Some(client)) = (target, client) else {
                return ProbeOutcome::Unsent;
            };
            // One sequence over all reflectors of the WAN wraps after 54 minutes at 20 a second,
            // long after any answer.
            let sequence = PingSequence(u16::try_from(sequence & 0xffff).unwrap_or(0));
            let mut pinger = client.pinger(target, self.identifier).await;
            pinger.timeout(timeout);
            match pinger.ping(sequence, &PAYLOAD).await {
                Ok((packet, rtt)) if is_echo_reply(&packet) => {
                    ProbeOutcome::Reply(Delay::from(rtt))
                }
                // On a raw socket an ICMP error ("unreachable") is handed over like a reply, with
                // the tiny delay of the router that sent it.
                Ok(_) | Err(SurgeError::Timeout { .. }) => ProbeOutcome::Lost,
                Err(_) => ProbeOutcome::Unsent,
            }
        })
    }
}

fn is_echo_reply(packet: &IcmpPacket) -> bool {
    match packet {
        IcmpPacket::V4(packet) => packet.get_icmp_type().0 == ECHO_REPLY,
        IcmpPacket::V6(packet) => packet.get_icmpv6_type().0 == ECHO_REPLY_V6,
    }
}
