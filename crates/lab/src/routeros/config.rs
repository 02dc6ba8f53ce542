//! The configuration of an emulated router.

use std::fmt;

use wanctl_core::units::BitRate;

use super::{LatencyProfile, Pinger, Quirks, ScheduledFault, request::ApiError};

/// The configuration of an emulated router.
#[derive(Debug, Clone)]
pub struct EmulatorConfig {
    /// Name of the router.
    pub identity: String,
    /// Version of RouterOS, as in `7.20.8 (stable)`.
    pub version: String,
    /// Name of the board.
    pub board: String,
    /// Users, each with a queue of requests of their own.
    pub users: Vec<User>,
    /// Queue trees. Interfaces and CAKE types are made for the names that they mention.
    pub queues: Vec<QueueSpec>,
    /// Simple queues. Their CAKE types are made, too.
    pub simple_queues: Vec<SimpleQueueSpec>,
    /// Interfaces towards the internet; a simple queue whose target is one of them sees upload and
    /// download the other way round.
    pub wan_interfaces: Vec<String>,
    /// Mangle rules, in their order.
    pub mangle: Vec<MangleSpec>,
    /// Mangle rules for IPv6, in their order.
    pub mangle6: Vec<MangleSpec>,
    /// Routing rules, in their order.
    pub routing_rules: Vec<RoutingRuleSpec>,
    /// Routing tables besides `main`. Those that routes mention are made by themselves.
    pub routing_tables: Vec<String>,
    /// Static routes.
    pub routes: Vec<RouteSpec>,
    /// Connections that the router tracks, each by its mark. Clients can add more, which a real
    /// router would refuse.
    pub connections: Vec<String>,
    /// Whether the firewall has a `FastTrack` rule.
    pub fasttrack: FastTrack,
    /// Whether the IPv6 firewall has one, which RouterOS knows since 7.18.
    pub fasttrack6: FastTrack,
    /// How long answers take.
    pub latency: LatencyProfile,
    /// Connections that the web server keeps at once; any further one is closed unheard.
    pub max_sessions: usize,
    /// Where the router's own pings go.
    pub pinger: Pinger,
    /// What is not known for certain about RouterOS.
    pub quirks: Quirks,
    /// What goes wrong, and when; followed only while the emulator is served.
    pub faults: Vec<ScheduledFault>,
    /// Whether `/emulator/fault` and `/emulator/log` are served beside REST, to everybody.
    pub control: bool,
    /// Calls that the log remembers.
    pub log_capacity: usize,
    /// Seed of the latencies.
    pub seed: u64,
}

/// A right of a user group; the controller needs `Api`, `RestApi`, `Read` and `Write`, and `Test`
/// for pings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// The application interface as such, on which REST is built.
    Api,
    /// REST over HTTP.
    RestApi,
    /// Reading.
    Read,
    /// Changing.
    Write,
    /// Pings and other tests.
    Test,
    /// The web interface; see [`Quirks::needs_web_policy`](super::Quirks::needs_web_policy).
    Web,
}

impl Policy {
    /// Every policy.
    pub const ALL: [Self; 6] =
        [Self::Api, Self::RestApi, Self::Read, Self::Write, Self::Test, Self::Web];

    /// Returns the word that stands for the policy in `/user/group`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::RestApi => "rest-api",
            Self::Read => "read",
            Self::Write => "write",
            Self::Test => "test",
            Self::Web => "web",
        }
    }
}

/// A user of the emulated router.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Password, in clear.
    pub password: String,
    /// What the user's group allows.
    pub policies: Vec<Policy>,
}

impl User {
    /// Builds a user who may do everything.
    #[must_use]
    pub fn full(name: &str, password: &str) -> Self {
        Self { name: name.into(), password: password.into(), policies: Policy::ALL.to_vec() }
    }

    /// Returns whether the user's group has `policy`.
    pub(super) fn may(&self, policy: Policy) -> bool {
        self.policies.contains(&policy)
    }

    /// Refuses a command that needs `policy` if the group lacks it.
    pub(super) fn require(&self, policy: Policy) -> Result<(), ApiError> {
        let refusal = || ApiError::forbidden("not enough permissions (9)");
        self.may(policy).then_some(()).ok_or_else(refusal)
    }

    /// Refuses a plain change if the group may not write, with a misleading text.
    pub(super) fn require_write_to_set(&self) -> Result<(), ApiError> {
        self.may(Policy::Write).then_some(()).ok_or_else(ApiError::no_identifier)
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, password: _, policies } = self;
        f.debug_struct("User")
            .field("name", name)
            .field("policies", policies)
            .finish_non_exhaustive()
    }
}

/// A queue tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Name of the queue, by which the plant knows it.
    pub name: String,
    /// What it hangs under: an interface, another queue, or `global`.
    pub parent: String,
    /// Name of the queue type; one that is not built in becomes a CAKE type.
    pub queue_type: String,
    /// Limit at the start; zero means unlimited.
    pub max_limit: BitRate,
    /// Bytes that may pass at once, in seconds at the limit, as text; RouterOS's default is `0.1`.
    pub bucket_size: String,
}

/// A simple queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleQueueSpec {
    /// Name of the queue; the plant knows its sides by [`QueueHalf::of`](crate::plant::QueueHalf::of).
    pub name: String,
    /// Whose traffic it shapes: an address or an interface.
    pub target: String,
    /// Name of the queue type of both sides; one that is not built in becomes a CAKE type.
    pub queue_type: String,
    /// Limit of what the target sends; zero means unlimited.
    pub from_target: BitRate,
    /// Limit of what the target receives; zero means unlimited.
    pub to_target: BitRate,
}

/// A mangle rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MangleSpec {
    /// Chain, such as `prerouting`.
    pub chain: String,
    /// Action, such as `mark-routing`.
    pub action: String,
    /// Comment, by which clients find the rule.
    pub comment: String,
    /// Whether the rule starts disabled.
    pub disabled: bool,
    /// Further properties, such as `dscp` or `new-connection-mark`, with their values.
    pub more: Vec<(&'static str, String)>,
}

/// A routing rule that looks everything up in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingRuleSpec {
    /// Action, such as `lookup`.
    pub action: String,
    /// The table; it is taken as it is, even if there is none.
    pub table: String,
    /// Comment, by which clients find the rule.
    pub comment: String,
    /// Whether the rule starts disabled.
    pub disabled: bool,
}

/// A static route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSpec {
    /// Destination, such as `0.0.0.0/0`.
    pub destination: String,
    /// Gateway: an address or an interface.
    pub gateway: String,
    /// Distance, 1 to 255; the nearest route of a table that is in force is the active one.
    pub distance: u8,
    /// Routing table.
    pub table: String,
    /// Comment, by which clients find the route.
    pub comment: String,
    /// Whether the route starts disabled.
    pub disabled: bool,
}

/// Whether the firewall has a `FastTrack` rule. One that is in force takes all traffic past simple
/// queues and past the queue trees under `global`: they neither limit nor count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FastTrack {
    /// There is none.
    #[default]
    Absent,
    /// There is one, disabled.
    Disabled,
    /// There is one, in force, as in the factory configuration.
    Enabled,
}

impl Default for EmulatorConfig {
    /// A healthy router of the RB5009 class without users, queues or rules.
    fn default() -> Self {
        Self {
            identity: "MikroTik".into(),
            version: "7.20.8 (stable)".into(),
            board: "RB5009UG+S+".into(),
            users: Vec::new(),
            queues: Vec::new(),
            simple_queues: Vec::new(),
            wan_interfaces: Vec::new(),
            mangle: Vec::new(),
            mangle6: Vec::new(),
            routing_rules: Vec::new(),
            routing_tables: Vec::new(),
            routes: Vec::new(),
            connections: Vec::new(),
            fasttrack: FastTrack::Absent,
            fasttrack6: FastTrack::Absent,
            latency: LatencyProfile::default(),
            max_sessions: 20,
            pinger: Pinger::default(),
            quirks: Quirks::default(),
            faults: Vec::new(),
            control: false,
            log_capacity: 2_000,
            seed: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let shown = format!("{:?}", User::full("ctl", "secret"));
        assert!(shown.contains("ctl") && !shown.contains("secret"), "{shown}");
    }
}
