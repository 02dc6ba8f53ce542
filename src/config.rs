//! The configuration: YAML in, a typed and valid `Config` out.
//!
//! Parse, don't validate: a `Config` that exists is right, and nothing after `load` returns a
//! configuration error. All mistakes of a file are reported at once, each with its place.

mod document;
mod errors;
mod load;
mod locate;
mod path;
mod read;
mod report;
mod router;
mod secret;
mod service;
mod surroundings;
mod value;
mod wan;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

pub use errors::{ConfigErrors, Place, Problem};
pub use secret::Secret;
pub use surroundings::{FileText, Surroundings};

use crate::control::{PerDirection, WanParams};

/// A whole, valid configuration.
#[derive(Debug, Clone)]
pub struct Config {
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
}

/// How to reach the router.
#[derive(Debug, Clone)]
pub struct RouterConfig {
    /// Base URL, scheme and authority only, without a trailing slash: `https://192.168.88.1`.
    pub url: String,
    /// RouterOS user.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// How the router's certificate is verified; of no meaning for `http`.
    pub trust: Trust,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// How often the queues' counters are read.
    pub stats_interval: Duration,
}

/// How the router's TLS certificate is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
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
    Restore,
}

/// One WAN.
#[derive(Debug, Clone)]
pub struct WanConfig {
    /// Its name, in labels, logs and the history.
    pub name: String,
    /// How its delay is measured.
    pub probe: ProbeConfig,
    /// RouterOS names of its shaper queues.
    pub queues: PerDirection<String>,
    /// What shapes its control.
    pub params: WanParams,
}

/// How a WAN's delay is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeConfig {
    /// The reflectors, at least one, each once.
    pub reflectors: Vec<IpAddr>,
    /// The local end of the probes.
    pub bind: Bind,
    /// Time between two probes of this WAN; the reflectors take turns.
    pub interval: Duration,
    /// Time after which a probe without an answer is lost.
    pub timeout: Duration,
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

/// The SQLite history.
#[derive(Debug, Clone)]
pub struct HistoryConfig {
    /// The database file, or `None` to keep no history.
    pub path: Option<PathBuf>,
    /// How long single cycles are kept.
    pub raw_retention: Duration,
}

/// The HTTP server.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where it listens.
    pub listen: SocketAddr,
}
