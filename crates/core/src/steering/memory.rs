//! What must survive a restart; whoever keeps it keeps its age as well.

use std::time::Duration;

use super::{Rank, RouteTarget, WanFacts};

/// Where traffic was sent, and how long that was still to hold.
///
/// WANs are named, because their order may change with the configuration. It is believed only as
/// far as the router's switches say the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SteeringMemory {
    /// The WAN of new latency-sensitive connections.
    pub sensitive: String,
    /// The WAN of everything else.
    pub default_route: String,
    /// What was left of the hold-down.
    pub hold_down: Duration,
    /// What was left of the minimum stay.
    pub failover_hold_down: Duration,
    /// How long ago new latency-sensitive connections were moved, within the last hour.
    pub steered: Vec<Duration>,
    /// How long ago everything else was moved, within the last hour.
    pub failed_over: Vec<Duration>,
}

impl SteeringMemory {
    /// Returns the remembered target, if the WANs are still there.
    pub(super) fn target(&self, wans: &[WanFacts]) -> Option<RouteTarget> {
        let rank = |name: &str| wans.iter().position(|wan| wan.name == name).map(Rank);
        Some(RouteTarget {
            sensitive: rank(&self.sensitive)?,
            default_route: rank(&self.default_route)?,
        })
    }

    /// Returns the memory as it is `age` later.
    pub(super) fn aged(&self, age: Duration) -> Self {
        let older = |ages: &[Duration]| ages.iter().map(|past| past.saturating_add(age)).collect();
        Self {
            sensitive: self.sensitive.clone(),
            default_route: self.default_route.clone(),
            hold_down: self.hold_down.saturating_sub(age),
            failover_hold_down: self.failover_hold_down.saturating_sub(age),
            steered: older(&self.steered),
            failed_over: older(&self.failed_over),
        }
    }
}
