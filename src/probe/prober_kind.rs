//! Which prober measures a WAN, and why.

use std::net::IpAddr;

use wanctl_core::ProbeMethod;

/// A way to ask a reflector how far away it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProberKind {
    /// ICMP from this host.
    Icmp,
    /// ICMP from the router.
    RouterPing,
    /// TCP connects from this host.
    TcpConnect,
}

impl ProberKind {
    /// Returns the name used in labels, logs and the configuration's documentation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Icmp => "icmp",
            Self::RouterPing => "router_ping",
            Self::TcpConnect => "tcp_connect",
        }
    }

    /// Returns how a reply of this prober was measured, given whether it has one-way delays.
    #[must_use]
    pub const fn method(self, measures_one_way: bool) -> ProbeMethod {
        match self {
            Self::Icmp if measures_one_way => ProbeMethod::IcmpTimestamp,
            Self::Icmp => ProbeMethod::IcmpEcho,
            Self::RouterPing => ProbeMethod::RouterPing,
            Self::TcpConnect => ProbeMethod::TcpConnect,
        }
    }
}

/// Why a prober is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProberReason {
    /// The configuration says so.
    Configured,
    /// It is the best, and nothing speaks against it.
    Best,
    /// This host does not permit the better one.
    NotPermitted,
    /// Nobody answers on the better one.
    Unanswered,
}

impl ProberReason {
    /// Returns the stable code used in labels.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Best => "best",
            Self::NotPermitted => "icmp_not_permitted",
            Self::Unanswered => "icmp_unanswered",
        }
    }

    /// Returns the reason in plain words.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Configured => "the configuration says so",
            Self::Best => "it is the most accurate one",
            Self::NotPermitted => {
                "this host does not permit ICMP: grant CAP_NET_RAW or widen \
                 net.ipv4.ping_group_range"
            }
            Self::Unanswered => {
                "no reflector answers ICMP: check whether it is filtered on the path"
            }
        }
    }
}

/// How many reflectors that do not answer are named.
const NAMED: usize = 8;

/// How a WAN's probes fare on their way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProberReport {
    /// The transport in use.
    pub kind: ProberKind,
    /// Why that one.
    pub reason: ProberReason,
    /// Why no probe can be sent at present, if none can.
    pub fault: Option<String>,
    /// How often the sockets were opened anew because nothing could be sent.
    pub reopened: u64,
    /// The reflectors that do not answer although others do.
    pub dead: Vec<IpAddr>,
}

impl ProberReport {
    /// Returns what a person should know: nothing while the configured prober is in use.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let other = match self.reason {
            ProberReason::Configured | ProberReason::Best => None,
            ProberReason::NotPermitted | ProberReason::Unanswered => {
                let (method, why) = (self.kind.name(), self.reason.explain());
                Some(format!("the delay is measured by {method}, because {why}"))
            }
        };
        let fault = self.fault.iter().map(|fault| format!("no probe can be sent: {fault}"));
        other.into_iter().chain(fault).chain(self.dead()).collect()
    }

    fn dead(&self) -> Option<String> {
        let named: Vec<String> = self.dead.iter().take(NAMED).map(ToString::to_string).collect();
        let more = self.dead.len().saturating_sub(NAMED);
        let named = named.join(", ");
        match (self.dead.len(), more) {
            (0, _) => None,
            (1, _) => Some(format!(
                "reflector {named} does not answer although others do; replace it in `reflectors`"
            )),
            (_, 0) => Some(format!(
                "reflectors {named} do not answer although others do; replace them in `reflectors`"
            )),
            (_, more) => Some(format!(
                "reflectors {named} and {more} more do not answer although others do; replace them \
                 in `reflectors`"
            )),
        }
    }
}
