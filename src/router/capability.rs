//! What a router can do: four small traits, and what they exchange.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use wanctl_core::{
    QueueReading,
    units::{BitRate, Delay},
};

use super::{
    Finding, MarkedConnections, QueueRef, RouterError, RouterFault, RouterText, SwitchRef,
};

/// What a request to a router comes to.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, RouterError>>;

/// One router: what it can do, by capability.
///
/// The capabilities usually share one client. It has at most one request in flight for each of its
/// users on the router, and queues the others. Callers wait for the answer or for the client's own
/// deadline; only at exit, after a deadline of theirs, do they drop a request.
#[derive(Debug, Clone)]
pub struct Router {
    /// Its name in the configuration, in labels and in messages.
    pub name: String,
    /// Its kind, one of [`KINDS`](super::KINDS).
    pub kind: &'static str,
    /// Reads and limits its queues.
    pub shaper: Arc<dyn Shaper>,
    /// Switches its rules and routes; `None` if it cannot.
    pub switches: Option<Arc<dyn Switches>>,
    /// Sends pings; `None` if it cannot.
    pub pinger: Option<Arc<dyn Pinger>>,
    /// Says what it is and what is wrong with it.
    pub inspect: Arc<dyn Inspect>,
}

/// Reads the shaper queues of a router and sets their limits.
pub trait Shaper: Send + Sync + fmt::Debug {
    /// Reads these queues, in as few requests as possible.
    ///
    /// # Errors
    /// Any [`RouterError`] that concerns all queues; what is wrong with one is in its row.
    fn read_queues<'a>(&'a self, queues: &'a [QueueRef]) -> Reply<'a, Readings>;

    /// Sets the limit of a queue, and nothing else of it, and returns the limit that the router
    /// confirms. The router may round. Setting the same limit twice is setting it once.
    ///
    /// # Errors
    /// Any [`RouterError`]; the limit in force is then unknown until it is read.
    fn set_limit<'a>(&'a self, queue: &'a QueueRef, limit: BitRate) -> Reply<'a, BitRate>;

    /// Returns whether a reading in flight leaves a write undelayed.
    fn reads_apart(&self) -> bool;
}

/// Switches the steering rules and routes of a router.
pub trait Switches: Send + Sync + fmt::Debug {
    /// Returns whether a switch is enabled.
    ///
    /// # Errors
    /// [`RouterFault::NotFound`], [`RouterFault::Ambiguous`] or [`RouterFault::Unfit`] if not
    /// exactly one row matches and does what it is for; any other [`RouterError`].
    fn switch_enabled<'a>(&'a self, switch: &'a SwitchRef) -> Reply<'a, bool>;

    /// Enables or disables a switch, and returns whether the router confirms that it is enabled.
    ///
    /// # Errors
    /// As [`Switches::switch_enabled`]. After one that concerns all requests the state of the
    /// switch is unknown until it is read.
    fn enable_switch<'a>(&'a self, switch: &'a SwitchRef, enabled: bool) -> Reply<'a, bool>;

    /// Removes tracked connections with this mark, a bounded number of them, so that their next
    /// packet takes the route that is open by then. Returns how many; none is no error.
    fn forget_connections<'a>(&'a self, of: &'a MarkedConnections) -> Reply<'a, usize>;
}

/// Sends echo requests from a router.
pub trait Pinger: Send + Sync + fmt::Debug {
    /// Sends one echo request to `address` and waits for the reply, at least as long as `wait`
    /// unless that is longer than [`Pinger::longest_wait`].
    ///
    /// # Errors
    /// Any [`RouterError`]; a lost packet is none.
    fn ping<'a>(&'a self, address: IpAddr, from: &'a PingFrom, wait: Duration)
    -> Reply<'a, Pinged>;

    /// Returns the longest time that a reply can be waited for.
    fn longest_wait(&self) -> Duration;

    /// Returns the names of the interfaces from which a ping can be sent.
    fn interfaces(&self) -> Reply<'_, Vec<RouterText>>;
}

/// Says what a router is, and what keeps it from being shaped.
pub trait Inspect: Send + Sync + fmt::Debug {
    /// Returns the transport of the last request.
    fn transport(&self) -> Transport;

    /// Returns the transports that may be in use, the preferred first.
    fn transports(&self) -> &'static [Transport];

    /// Returns the router's address, for messages.
    fn target(&self) -> String;

    /// Returns what a person can do about a fault.
    fn remedy(&self, fault: &RouterFault) -> &'static str;

    /// Checks whether the router's server answers anything at all, beside the requests in flight
    /// and without credentials; `None` if this transport has no such check.
    fn check_alive(&self) -> Option<BoxFuture<'static, bool>> {
        None
    }

    /// Returns what the router says about itself.
    fn facts(&self) -> Reply<'_, RouterFacts>;

    /// Returns what keeps the configured queues from being shaped, none of it [`Severity::Ok`](super::Severity::Ok);
    /// what cannot be checked is [`Severity::Unknown`](super::Severity::Unknown).
    fn findings(&self) -> Reply<'_, Vec<Finding>>;

    /// Returns the queues that moved no byte since the last call although their interface did.
    fn idle_queues(&self) -> Reply<'_, Vec<Finding>> {
        ready(Ok(Vec::new())).boxed()
    }

    /// Returns whether the users of the router may do what is needed, one finding a user.
    ///
    /// # Errors
    /// Any [`RouterError`]; rights that cannot be seen are [`Severity::Unknown`](super::Severity::Unknown).
    fn rights(&self, needed: Rights) -> Reply<'_, Vec<Finding>>;

    /// Returns how a queue is made: [`Severity::Ok`](super::Severity::Ok) if its limit can be written.
    fn describe_queue<'a>(&'a self, queue: &'a QueueRef) -> Reply<'a, Finding>;
}

/// What wanctl does on a router, for [`Inspect::rights`]; it always reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// It writes limits or switches.
    pub writes: bool,
    /// It sends pings.
    pub pings: bool,
}

/// Where on a router an echo request starts; by default its routes choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PingFrom {
    /// The source address.
    pub source: Option<IpAddr>,
    /// The interface.
    pub interface: Option<String>,
}

/// What became of an echo request of a router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pinged {
    /// The target answered after this round-trip time.
    Reply(Delay),
    /// No reply came, or an error from the network.
    Lost,
    /// The router could not send it; in its own words.
    Refused(String),
}

/// How requests reach a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// RouterOS REST over HTTP or HTTPS.
    Rest,
    /// RouterOS console over SSH.
    Ssh,
}

impl Transport {
    /// Returns the name used in labels and in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Ssh => "ssh",
        }
    }
}

/// What a router says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouterFacts {
    /// Its name.
    pub identity: RouterText,
    /// Its model.
    pub board: RouterText,
    /// The version of its operating system.
    pub version: RouterText,
    /// Time since it booted, if it says so.
    pub uptime: Option<Duration>,
    /// Load of its processors, 0 to 100 percent, if it says so.
    pub cpu_percent: Option<u64>,
    /// Sectors written to its flash since it was made, if it says so.
    pub flash_sectors_written: Option<u64>,
}

/// One reading of a router's queues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readings {
    /// The queues as requested, in that order; the fault of one that cannot be used: it is
    /// missing, there are several of its name, or its row cannot be read.
    pub rows: Vec<Result<QueueRow, RouterFault>>,
}

/// One direction of a shaper queue as the router shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueRow {
    /// Its counters and its limit.
    pub reading: QueueReading,
    /// Whether it shapes at all: neither disabled nor invalid.
    pub active: bool,
    /// Its tins, the most important first; none if the router does not show them.
    pub tins: Vec<Tin>,
}

/// The counters of one tin of CAKE; they only grow, but for the backlog and the delay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tin {
    /// Bytes sent.
    pub bytes: u64,
    /// Packets sent.
    pub packets: u64,
    /// Packets dropped.
    pub dropped: u64,
    /// Packets with a congestion mark set.
    pub marked: u64,
    /// Bytes in its queues.
    pub backlog_bytes: u64,
    /// Peak delay of its packets.
    pub peak_delay: Delay,
}
