//! Where traffic goes, and which switches of the router say so.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::WanFacts;
use crate::units::MonoTime;

/// A WAN's place in the order of preference; 0 is the default WAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rank(pub usize);

impl Rank {
    /// The preferred WAN.
    pub const DEFAULT_WAN: Self = Self(0);
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Which WAN takes what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RouteTarget {
    /// The WAN of new latency-sensitive connections.
    pub sensitive: Rank,
    /// The WAN of everything else.
    pub default_route: Rank,
}

/// How everything is sent over another WAN than the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailoverMethod {
    /// This WAN's own default route can be disabled, so that the next one takes over.
    DisableRoute,
    /// A rule can be enabled that sends everything over this WAN.
    EnableRule,
}

/// What a switch does.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SwitchKind {
    /// Enabled, it sends new latency-sensitive connections over its WAN.
    SteerRule,
    /// The same for IPv6.
    SteerRule6,
    /// Its WAN's default route: enabled by default, disabled to fail over.
    FailoverRoute,
    /// Enabled, it sends everything over its WAN.
    FailoverRule,
}

named!(SwitchKind::name);

impl SwitchKind {
    const fn is_for_steering(self) -> bool {
        matches!(self, Self::SteerRule | Self::SteerRule6)
    }
}

/// One rule or route of the router that is enabled and disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Switch {
    /// The WAN that it belongs to.
    pub wan: Rank,
    /// What it does.
    pub kind: SwitchKind,
}

/// How a switch ought to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwitchOrder {
    /// The switch.
    pub switch: Switch,
    /// Whether it ought to be enabled.
    pub enabled: bool,
}

/// What is known of a switch on the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwitchReport {
    /// The switch.
    pub switch: Switch,
    /// Whether it was enabled when it was last seen, and when that was.
    pub seen: Option<(bool, MonoTime)>,
    /// Since when the router has not been known to follow what is ordered; `None` if it does.
    pub pending_since: Option<MonoTime>,
    /// A write may or may not have been carried out.
    pub in_doubt: bool,
    /// The switch cannot be used: no rule matches, several do, or it is of the wrong kind.
    pub refused: bool,
}

/// What the router was last known to do about all switches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteActuation {
    /// The switches; one that is missing has not been seen.
    pub switches: Vec<SwitchReport>,
}

impl RouteActuation {
    fn report(&self, switch: Switch) -> Option<&SwitchReport> {
        self.switches.iter().find(|report| report.switch == switch)
    }

    /// Returns whether every usable switch has been seen.
    pub(super) fn has_seen(&self, switches: &[Switch]) -> bool {
        switches.iter().all(|switch| {
            self.report(*switch).is_some_and(|report| report.seen.is_some() || report.refused)
        })
    }

    pub(super) fn is_pending(&self) -> bool {
        self.switches.iter().any(|report| report.pending_since.is_some() && !report.refused)
    }

    /// Returns whether a switch of steering is not confirmed yet.
    pub(super) fn is_steering_pending(&self) -> bool {
        let steers = |report: &&SwitchReport| report.switch.kind.is_for_steering();
        let mut reports = self.switches.iter().filter(steers);
        reports.any(|report| report.pending_since.is_some() && !report.refused)
    }

    pub(super) fn in_doubt(&self) -> Vec<Switch> {
        self.switches.iter().filter(|report| report.in_doubt).map(|report| report.switch).collect()
    }

    pub(super) fn is_refused(&self, switch: Switch) -> bool {
        self.report(switch).is_some_and(|report| report.refused)
    }

    fn is_enabled(&self, switch: Switch) -> Option<bool> {
        self.report(switch).and_then(|report| report.seen).map(|(enabled, _)| enabled)
    }

    /// Returns which of `switches`, ordered to be so for `target`, are not known to be at rest.
    pub(super) fn not_at_default(&self, switches: &[Switch], target: RouteTarget) -> Vec<Switch> {
        let ordered = orders(switches, target);
        let is_at_rest = |rest: &SwitchOrder| {
            ordered.contains(rest) && self.is_enabled(rest.switch) == Some(rest.enabled)
        };
        let rest = orders(switches, RouteTarget::default()).into_iter();
        rest.filter(|rest| !is_at_rest(rest)).map(|rest| rest.switch).collect()
    }

    /// Reads the target that the switches, as seen, amount to. Of several that contradict each
    /// other the most preferred counts, and where every route is withdrawn the default WAN does; the orders
    /// that follow put the rest right.
    pub(super) fn read_back(&self, switches: &[Switch], wans: usize) -> RouteTarget {
        let seen = |kind: SwitchKind, enabled: bool| {
            let wanted = move |switch: &&Switch| switch.kind == kind;
            switches.iter().filter(wanted).filter(move |s| self.is_enabled(**s) == Some(enabled))
        };
        let failed_over = seen(SwitchKind::FailoverRule, true).map(|switch| switch.wan).min();
        let disabled: Vec<Rank> =
            seen(SwitchKind::FailoverRoute, false).map(|switch| switch.wan).collect();
        let stands = (0..wans).map(Rank).find(|rank| !disabled.contains(rank));
        let default_route = failed_over.or(stands).unwrap_or_default();
        let steered = seen(SwitchKind::SteerRule, true).map(|switch| switch.wan).min();
        RouteTarget { sensitive: steered.unwrap_or(default_route), default_route }
    }
}

/// Lists all switches there are.
pub(super) fn switches(wans: &[WanFacts]) -> Vec<Switch> {
    let of_wan = |(rank, wan): (usize, &WanFacts)| {
        let failover_method = wan.failover_method.map(|failover_method| match failover_method {
            FailoverMethod::DisableRoute => SwitchKind::FailoverRoute,
            FailoverMethod::EnableRule => SwitchKind::FailoverRule,
        });
        let steer = wan.has_steer.then_some(SwitchKind::SteerRule);
        let steer6 = wan.has_steer6.then_some(SwitchKind::SteerRule6);
        let kinds = [steer, steer6, failover_method].into_iter().flatten();
        kinds.map(move |kind| Switch { wan: Rank(rank), kind }).collect::<Vec<_>>()
    };
    wans.iter().enumerate().flat_map(of_wan).collect()
}

/// Returns the desired state of each switch for `target`; those to enable first, so that a route
/// exists throughout.
pub(super) fn orders(switches: &[Switch], target: RouteTarget) -> Vec<SwitchOrder> {
    let RouteTarget { sensitive, default_route } = target;
    let has_failover_rule =
        switches.contains(&Switch { wan: default_route, kind: SwitchKind::FailoverRule });
    let mut orders: Vec<SwitchOrder> = switches
        .iter()
        .map(|switch| {
            let enabled = match switch.kind {
                // What goes with everything else needs no rule of its own.
                SwitchKind::SteerRule | SwitchKind::SteerRule6 => {
                    switch.wan == sensitive && sensitive != default_route
                }
                SwitchKind::FailoverRule => switch.wan == default_route,
                // A rule that diverts leaves the routes for those who come after it.
                SwitchKind::FailoverRoute => has_failover_rule || switch.wan >= default_route,
            };
            SwitchOrder { switch: *switch, enabled }
        })
        .collect();
    orders.sort_by_key(|order| !order.enabled);
    orders
}

/// Returns the switches that must be usable before `rank` can carry everything, or `None` if
/// there is no way to make it do so.
pub(super) fn needed_for_default_route(switches: &[Switch], rank: Rank) -> Option<Vec<Switch>> {
    let failover_rule = Switch { wan: rank, kind: SwitchKind::FailoverRule };
    if rank == Rank::DEFAULT_WAN {
        return Some(Vec::new());
    }
    if switches.contains(&failover_rule) {
        return Some(vec![failover_rule]);
    }
    let before = (0..rank.0).map(|wan| Switch { wan: Rank(wan), kind: SwitchKind::FailoverRoute });
    let before: Vec<Switch> = before.collect();
    before.iter().all(|switch| switches.contains(switch)).then_some(before)
}

#[cfg(test)]
mod tests;
