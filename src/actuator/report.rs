//! The state of a router, for health, the log and the history.

use std::collections::BTreeMap;

use tracing::{info, warn};
use wanctl_core::{Direction, units::Timestamp};

use crate::router::{Finding, RouterError, RouterFacts, Transport};

/// A queue that does not have the limit that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverriddenQueue {
    /// The WAN's place in the configuration.
    pub wan: usize,
    /// The direction that the queue shapes.
    pub direction: Direction,
    /// What happens to it and what to do about it.
    pub what: String,
}

/// How the router is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouterReport {
    /// Whether the last request succeeded; `None` before the first.
    pub up: Option<bool>,
    /// Why not, and what to do about it.
    pub failure: Option<(RouterError, &'static str)>,
    /// The last findings.
    pub findings: Vec<Finding>,
    /// Queues that shaped nothing lately although their interface was busy.
    pub idle: Vec<Finding>,
    /// Writes that the router refused, by queue, until one succeeds.
    pub refusals: BTreeMap<usize, String>,
    /// What the last reading found wrong with the queues.
    pub queue_problems: Vec<String>,
    /// Queues that do not have the limits that were written, because the router keeps others or
    /// somebody else changes them.
    pub overridden: Vec<OverriddenQueue>,
    /// What the router says about itself.
    pub facts: Option<RouterFacts>,
    /// The transport in use.
    pub transport: Option<Transport>,
    /// When a request last succeeded.
    pub last_success: Option<Timestamp>,
}

impl RouterReport {
    /// Takes the facts, and logs what is new.
    pub(super) fn learn(&mut self, facts: RouterFacts, idle: Vec<Finding>) {
        let known = self.facts.as_ref();
        if known.is_none_or(|known| known.version != facts.version) {
            let RouterFacts { identity, board, version, .. } = &facts;
            info!(%identity, %board, %version, "connected to the router");
        }
        self.facts = Some(facts);
        if self.idle != idle {
            for finding in &idle {
                warn!(what = %finding, "a queue does not shape");
            }
            self.idle = idle;
        }
    }

    /// Returns the name of the transport in use, if any has been used.
    #[must_use]
    pub fn transport_name(&self) -> Option<&'static str> {
        self.transport.map(Transport::name)
    }

    /// Returns everything that keeps wanctl from its job, with what to do about it.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        if self.up.is_none() {
            return vec!["the router has not answered yet".to_owned()];
        }
        let failure = self.failure.as_ref().map(|(error, remedy)| format!("{error}: {remedy}"));
        let fatal = self.findings.iter().filter(|finding| finding.is_fatal());
        let mut problems: Vec<String> =
            failure.into_iter().chain(self.queue_problems.iter().cloned()).collect();
        problems.extend(self.refusals.values().cloned());
        problems.extend(self.idle.iter().map(ToString::to_string));
        // The findings are older than the last reading; what both say is reported once.
        if self.queue_problems.is_empty() && self.failure.is_none() {
            problems.extend(fatal.map(ToString::to_string));
        }
        problems
    }

    /// Returns what is allowed but should be thought about.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mild = self.findings.iter().filter(|finding| !finding.is_fatal());
        mild.map(ToString::to_string).collect()
    }
}
