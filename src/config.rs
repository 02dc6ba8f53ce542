//! The configuration: YAML in, a typed and valid `Config` out.
//!
//! Parse, don't validate: a `Config` that exists is right, and nothing after `load` returns a
//! configuration error. All mistakes of a file are reported at once, each with its place.

mod change;
mod document;
mod errors;
mod load;
mod locate;
mod path;
mod probe;
mod read;
mod report;
mod router;
mod secret;
mod service;
mod steering;
mod surroundings;
mod value;
mod wan;
mod web;
mod zone;

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

pub use change::{Change, Class};
pub use errors::{ConfigErrors, Place, Problem};
pub use probe::{Bind, KNOWN_IPV4, KNOWN_IPV6, ProbeConfig, ProbeMethodChoice};
pub use secret::Secret;
pub use steering::{
    ConntrackFlush, MarkedConnections, SteeringConfig, SteeringExit, SwitchMenu, SwitchRef,
};
pub use surroundings::{Environment, FileText};
pub use web::{Users, WebConfig, WebTls};

use wanctl_core::{Direction, PerDirection, WanParams};

/// A whole, valid configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it comes from.
    pub origin: Origin,
    /// The router whose queues are shaped.
    pub router: RouterConfig,
    /// The WANs, in the order of the file; at least one, names and queues unique.
    pub wans: Vec<WanConfig>,
    /// The control loop.
    pub control: ControlConfig,
    /// The SQLite history.
    pub history: HistoryConfig,
    /// The HTTP server.
    pub http: HttpConfig,
    /// Steering and failover between the WANs, if it is configured.
    pub steering: Option<SteeringConfig>,
}

impl Config {
    /// Returns every queue of every WAN, in the order of the file, download first.
    #[must_use]
    pub fn queues(&self) -> Vec<QueueRef> {
        let all = self.wans.iter().flat_map(|wan| wan.queues.present());
        all.map(|(_, queue)| queue.clone()).collect()
    }
}

/// Where a configuration comes from, to tell one from another in metrics and in the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file; empty for a configuration that is built in.
    pub file: String,
    /// SHA-256 of the file's text, in hexadecimal.
    pub sha256: String,
}

/// How to reach the router.
#[derive(Debug, Clone)]
pub struct RouterConfig {
    /// Base URL, scheme and authority only, without a trailing slash: `https://192.168.88.1`.
    pub url: String,
    /// Which roads lead there.
    pub transport: TransportChoice,
    /// The user who reads and writes.
    pub credentials: Credentials,
    /// Another user who reads the counters: RouterOS serves different users in parallel.
    pub statistics: Option<Credentials>,
    /// Another user who sends pings for WANs that are probed from the router.
    pub pings: Option<Credentials>,
    /// The second road.
    pub ssh: SshConfig,
    /// How the router's certificate is verified; of no meaning for `http`.
    pub trust: TlsTrust,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// How often the queues' counters are read.
    pub stats_interval: Duration,
    /// How eagerly limits are written.
    pub pace: Pace,
}

impl RouterConfig {
    /// Returns the configuration of a router at `url` as it is when nothing else is said.
    #[must_use]
    pub fn at(url: &str, credentials: Credentials) -> Self {
        let host = url.split("://").last().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        Self {
            url: url.to_owned(),
            transport: TransportChoice::Rest,
            ssh: SshConfig {
                host: host.to_owned(),
                port: 22,
                user: credentials.user.clone(),
                key_file: None,
                known_hosts_file: None,
            },
            credentials,
            statistics: None,
            pings: None,
            trust: TlsTrust::System,
            request_timeout: Duration::from_secs(3),
            stats_interval: Duration::from_millis(100),
            pace: Pace::default(),
        }
    }
}

/// Which roads lead to the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportChoice {
    /// REST only.
    Rest,
    /// SSH only.
    Ssh,
    /// REST, and SSH while REST fails.
    Auto,
}

/// A user of the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// RouterOS user.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

impl Credentials {
    /// Joins a user and a password.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        Self { user: user.to_owned(), password: Secret::new(password.to_owned()) }
    }
}

/// The road over SSH. Passwords are not used there: RouterOS refuses them once a user has a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshConfig {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// RouterOS user.
    pub user: String,
    /// The private key; if not given, the SSH client's own choice.
    pub key_file: Option<PathBuf>,
    /// Known host keys; if not given, the SSH client's own file.
    pub known_hosts_file: Option<PathBuf>,
}

/// How eagerly limits are written. A cut beyond the deadband is never held back by any of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Raises, and cuts within the deadband, wait this long after a queue's last write.
    pub coalesce: Duration,
    /// Differences up to this share of the limit in force are small, 0 to 1.
    pub deadband: f64,
    /// A small difference that lasts is written after this long.
    pub settle: Duration,
    /// Most raises per minute and queue.
    pub raises_per_minute: u32,
    /// Most writes per hour and queue, whatever for; only new cuts may exceed it.
    pub writes_per_hour: u32,
}

impl Default for Pace {
    /// 200 ms between raises, as small climbs proved to be worth joining in the predecessor's
    /// production; 1 % is below what a person or a congestion controller can tell apart; 300 is
    /// what 200 ms allow. 7200 writes in an hour are two a second, more than any link needed on
    /// average in the lab; a router whose flash is written 4 KiB for each of them, and endures 10^9
    /// such writes, lasts for 16 years of that.
    fn default() -> Self {
        Self {
            coalesce: Duration::from_millis(100),
            deadband: 0.01,
            settle: Duration::from_secs(10),
            raises_per_minute: 300,
            writes_per_hour: 7200,
        }
    }
}

/// A shaper queue of the router.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueRef {
    /// A queue tree, which shapes one direction.
    Tree(String),
    /// One direction of a simple queue.
    Simple {
        /// Its name.
        name: String,
        /// The direction that is meant.
        direction: Direction,
        /// On which side its target is said to be; if nothing is said, the router decides.
        target: Option<QueueTarget>,
    },
}

/// On which side of the router the target of a simple queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueTarget {
    /// In the home: the queue's first values are those of the upload.
    Lan,
    /// At the provider: the queue's first values are those of the download.
    Wan,
}

impl QueueRef {
    /// Returns the queue's name on the router.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Tree(name) | Self::Simple { name, .. } => name,
        }
    }
}

impl fmt::Display for QueueRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree(name) => write!(f, "queue tree `{name}`"),
            Self::Simple { name, .. } => write!(f, "simple queue `{name}`"),
        }
    }
}

/// How the router's TLS certificate is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsTrust {
    /// By the certificate authorities built into the platform.
    System,
    /// By the PEM certificates of this file.
    CaFile(PathBuf),
    /// By the SHA-256 fingerprint of the certificate itself.
    Fingerprint([u8; 32]),
    /// Not at all.
    Insecure,
}

/// The control loop.
#[derive(Debug, Clone)]
pub struct ControlConfig {
    /// Time between two cycles, 20 ms to 1 s.
    pub interval: Duration,
    /// Whether rates are written to the router.
    pub mode: Mode,
    /// What is left on the router when the daemon ends.
    pub on_exit: OnExit,
}

/// Whether rates are written to the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Decide and write.
    Active,
    /// Decide and tell, write nothing.
    Observe,
}

/// What is left on the router when the daemon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExit {
    /// The last limits.
    Keep,
    /// The configured base rates.
    Base,
    /// The configured ceilings.
    Ceiling,
}

/// One WAN.
#[derive(Debug, Clone)]
pub struct WanConfig {
    /// Its name, in labels, logs and the history.
    pub name: String,
    /// Whether its traffic costs money.
    pub metered: bool,
    /// How its delay is measured.
    pub probe: ProbeConfig,
    /// Its shaper queues on the router: one for each direction that is shaped.
    pub queues: PerDirection<Option<QueueRef>>,
    /// What shapes its control.
    pub params: WanParams,
}

/// The SQLite history.
#[derive(Debug, Clone)]
pub struct HistoryConfig {
    /// The database file, or `None` to keep no history.
    pub path: Option<PathBuf>,
    /// How long single cycles are kept.
    pub raw: Duration,
    /// How long buckets of a second are kept.
    pub seconds: Duration,
    /// How long buckets of a minute are kept.
    pub minutes: Duration,
    /// How long buckets of five minutes are kept.
    pub five_minutes: Duration,
    /// How long buckets of an hour are kept.
    pub hours: Duration,
    /// How long events are kept.
    pub events: Duration,
    /// What database and log may take together, in bytes.
    pub max_bytes: u64,
}

impl Default for HistoryConfig {
    /// No history, and what would be kept of one.
    fn default() -> Self {
        let days = |days: u64| Duration::from_hours(24 * days);
        Self {
            path: None,
            raw: days(1),
            seconds: days(3),
            minutes: days(30),
            five_minutes: days(180),
            hours: days(5 * 365),
            events: days(365),
            max_bytes: 2_000_000_000,
        }
    }
}

/// The HTTP server.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether `POST /-/reload` is obeyed.
    pub allow_reload: bool,
    /// Whether steering may be overridden over HTTP.
    pub allow_steer: bool,
    /// Names by which the server is asked for, besides addresses, `localhost` and the name of this
    /// host; in lower case, without a port.
    pub hosts: Vec<String>,
}
