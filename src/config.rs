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
mod service;
mod steering;
mod surroundings;
mod value;
mod wan;
mod web;
mod zone;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

pub use change::{Change, Class};
pub use errors::{ConfigErrors, Place, Problem};
pub use probe::{KNOWN_IPV4, KNOWN_IPV6};
pub use steering::{PlacedSwitch, SteeringConfig, SteeringExit};
pub use surroundings::{Environment, FileText};
pub use web::{Users, WebConfig, WebTls};

use wanctl_core::{PerDirection, WanParams};

use crate::{
    actuator::Pace,
    probe::ProbeConfig,
    router::{Connection, QueueRef, Router},
};

/// A whole, valid configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it comes from.
    pub origin: Origin,
    /// The routers whose queues are shaped, in the order of the file; at least one, names unique.
    pub routers: Vec<RouterConfig>,
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
    /// Returns the queues of the router with this place, in the order of the file, download first.
    #[must_use]
    pub fn queues(&self, router: usize) -> Vec<QueueRef> {
        let wans = self.wans.iter().filter(|wan| wan.router == router);
        wans.flat_map(|wan| wan.queues.present()).map(|(_, queue)| queue.clone()).collect()
    }

    /// Returns the router of a WAN.
    #[must_use]
    pub fn router_of(&self, wan: &WanConfig) -> Option<&RouterConfig> {
        self.routers.get(wan.router)
    }

    /// Prepares a client for each router; nothing is sent yet.
    ///
    /// # Errors
    /// A sentence that names the router whose settings cannot be used on this host.
    pub fn open_routers(&self) -> Result<Vec<Router>, String> {
        let open = |(place, router): (usize, &RouterConfig)| {
            let opened = router.connection.open(&router.name, self.queues(place));
            opened.map_err(|why| format!("router `{}`: {why}", router.name))
        };
        self.routers.iter().enumerate().map(open).collect()
    }
}

/// Where a configuration comes from, to distinguish configurations in metrics and in the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file; empty for a configuration that is built in.
    pub file: String,
    /// SHA-256 of the file's text, in hexadecimal.
    pub sha256: String,
}

/// A router.
#[derive(Debug, Clone)]
pub struct RouterConfig {
    /// Its name.
    pub name: String,
    /// How to reach it.
    pub connection: Connection,
    /// Time between two readings of the queues' counters.
    pub stats_interval: Duration,
    /// How eagerly limits are written.
    pub pace: Pace,
}

impl RouterConfig {
    /// The name of the only router.
    pub const ONLY: &'static str = "router";

    /// Returns the configuration of the only router with all defaults.
    #[must_use]
    pub fn only(connection: Connection) -> Self {
        Self {
            name: Self::ONLY.to_owned(),
            connection,
            stats_interval: Duration::from_millis(100),
            pace: Pace::default(),
        }
    }
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
    /// Decide and export, write nothing.
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
    /// The place of its router in [`Config::routers`].
    pub router: usize,
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
