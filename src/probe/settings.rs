//! How a WAN's delay is measured.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use socket2::Socket;

/// Default number of active reflectors: a queue seen by three of six within 300 ms is a queue, and
/// two with wrong delays are outvoted.
pub const DEFAULT_ACTIVE: u16 = 6;
/// Default time between two probes of a WAN that this host sends.
pub const HOST_INTERVAL: Duration = Duration::from_millis(50);
/// Default factor by which an idle link is probed more slowly.
pub const IDLE_SLOWDOWN: u32 = 4;

/// How a WAN's delay is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeConfig {
    /// Who sends the probes, and what kind.
    pub method: ProbeMethodChoice,
    /// The reflectors that are known, each once: 1 to 64 that the file names, or the built-in ones.
    pub reflectors: Vec<IpAddr>,
    /// How many of them, the last ones, are built-in reflectors in reserve for those that die.
    pub builtin_spares: u16,
    /// How many of them take turns, from 1 to all that are not in reserve.
    pub active: u16,
    /// The local end of the probes.
    pub bind: Bind,
    /// Time between two probes of this WAN; the budget of packets is part of it.
    pub interval: Duration,
    /// The same while the link is idle; `interval` or longer.
    pub idle_interval: Duration,
    /// Time after which a probe without an answer is lost.
    pub timeout: Duration,
    /// Whether reflectors are asked for the time, to measure one-way delays.
    pub timestamps: bool,
    /// How often a reflector makes room for another without a fault of its own, if at all.
    pub rotation: Option<Duration>,
}

impl ProbeConfig {
    /// Returns how `reflectors` are probed when nothing else is said.
    #[must_use]
    pub fn of(reflectors: Vec<IpAddr>) -> Self {
        Self {
            method: ProbeMethodChoice::Auto,
            active: DEFAULT_ACTIVE.min(u16::try_from(reflectors.len()).unwrap_or(DEFAULT_ACTIVE)),
            reflectors,
            builtin_spares: 0,
            bind: Bind::Any,
            interval: HOST_INTERVAL,
            idle_interval: HOST_INTERVAL * IDLE_SLOWDOWN,
            timeout: Duration::from_secs(1),
            timestamps: true,
            rotation: None,
        }
    }

    /// Returns the reflectors that are not in reserve.
    #[must_use]
    pub fn named(&self) -> &[IpAddr] {
        let count = self.reflectors.len().saturating_sub(usize::from(self.builtin_spares));
        self.reflectors.get(..count).unwrap_or_default()
    }
}

/// Who sends a WAN's probes, and what kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeMethodChoice {
    /// ICMP from this host, and something else where that does not work.
    Auto,
    /// ICMP from this host.
    Icmp,
    /// ICMP from the router.
    RouterPing,
    /// TCP connects from this host.
    TcpConnect,
}

/// What ties a WAN's probes to that WAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    /// Nothing: the routing table chooses.
    Any,
    /// A local source address, for policy routing by source.
    Source(IpAddr),
    /// A network interface.
    Interface(String),
}

impl Bind {
    /// Ties a socket to this end.
    ///
    /// # Errors
    /// What the operating system says if there is no such address or interface.
    pub fn tie(&self, socket: &Socket) -> io::Result<()> {
        match self {
            Self::Any => Ok(()),
            Self::Source(source) => socket.bind(&SocketAddr::new(*source, 0).into()),
            Self::Interface(name) => socket.bind_device(Some(name.as_bytes())),
        }
    }
}

/// How fast a WAN is probed; the control loop says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// As often as is configured: something may be going on.
    #[default]
    Full,
    /// Slower: nothing has flowed for a while, and nothing is wrong.
    Idle,
}
