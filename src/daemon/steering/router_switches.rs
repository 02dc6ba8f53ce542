//! The switches of all routers: each order goes to the router that has the switch.

use std::{collections::BTreeMap, mem};

use tokio::sync::watch;
use wanctl_core::steering::{RouteActuation, Switch, SwitchKind, SwitchOrder};

use crate::{actuator::SwitchChannels, config::PlacedSwitch};

/// The channels to the actuators, and which of them has which switch.
#[derive(Debug)]
pub(super) struct RouterSwitches {
    router_of: BTreeMap<Switch, usize>,
    links: Vec<SwitchChannels>,
}

impl RouterSwitches {
    pub(super) fn new(switches: &[PlacedSwitch], links: Vec<SwitchChannels>) -> Self {
        let placed = switches.iter().map(|placed| (placed.at.switch, placed.router));
        Self { router_of: placed.collect(), links }
    }

    /// Returns how far all routers have followed.
    pub(super) fn actuation(&self) -> RouteActuation {
        let reports = |link: &SwitchChannels| link.actuation.borrow().switches.clone();
        RouteActuation { switches: self.links.iter().flat_map(reports).collect() }
    }

    /// Orders how the switches ought to be, and how they are to be left at the end. Within a router
    /// the actuator enables before it disables; between routers, `actuation` decides here.
    pub(super) fn order(
        &self,
        orders: &[SwitchOrder],
        exit: &[SwitchOrder],
        actuation: &RouteActuation,
    ) {
        for (router, link) in self.links.iter().enumerate() {
            let waits =
                |order: &&SwitchOrder| !self.waits_for_other(router, order, orders, actuation);
            replace(&link.orders, self.of_router(router, orders).filter(waits));
            replace(&link.exit_orders, self.of_router(router, exit));
        }
    }

    fn of_router<'a>(
        &self,
        router: usize,
        orders: &'a [SwitchOrder],
    ) -> impl Iterator<Item = &'a SwitchOrder> {
        orders.iter().filter(move |order| self.router_of.get(&order.switch) == Some(&router))
    }

    /// Returns whether `order` disables a switch while another router has yet to enable one for the
    /// same traffic. A steering rule that cannot be used is not waited for: without any rule,
    /// connections take the default route.
    fn waits_for_other(
        &self,
        router: usize,
        order: &SwitchOrder,
        orders: &[SwitchOrder],
        actuation: &RouteActuation,
    ) -> bool {
        let steers = |kind| matches!(kind, SwitchKind::SteerRule | SwitchKind::SteerRule6);
        let kind = order.switch.kind;
        let is_awaited = |other: &&SwitchOrder| {
            let report = actuation.switches.iter().find(|report| report.switch == other.switch);
            let is_enabled = report.and_then(|report| report.seen).is_some_and(|(on, _)| on);
            let is_refused = report.is_some_and(|report| report.refused);
            steers(other.switch.kind) == steers(kind)
                && other.enabled
                && !is_enabled
                && !(steers(kind) && is_refused)
        };
        let of_others = orders
            .iter()
            .filter(|other| self.router_of.get(&other.switch).is_some_and(|of| *of != router));
        !order.enabled && of_others.into_iter().any(|other| is_awaited(&other))
    }
}

fn replace<'a>(
    channel: &watch::Sender<Vec<SwitchOrder>>,
    orders: impl Iterator<Item = &'a SwitchOrder>,
) {
    let orders: Vec<SwitchOrder> = orders.copied().collect();
    channel.send_if_modified(|known| mem::replace(known, orders.clone()) != orders);
}

#[cfg(test)]
mod tests {
    use wanctl_core::{
        steering::{Rank, SwitchReport},
        units::MonoTime,
    };

    use super::*;
    use crate::router::{SwitchMenu, SwitchRef};

    const FIRST: Switch = Switch { wan: Rank(0), kind: SwitchKind::FailoverRoute };
    const SECOND: Switch = Switch { wan: Rank(1), kind: SwitchKind::FailoverRule };

    fn routers(places: [usize; 2]) -> RouterSwitches {
        let at = |switch| SwitchRef { switch, menu: SwitchMenu::Route, comment: String::new() };
        let located = [FIRST, SECOND].into_iter().zip(places);
        let switches: Vec<PlacedSwitch> =
            located.map(|(switch, router)| PlacedSwitch { router, at: at(switch) }).collect();
        RouterSwitches::new(&switches, vec![SwitchChannels::default(), SwitchChannels::default()])
    }

    #[test]
    fn a_route_is_disabled_only_once_the_other_router_has_enabled_its_own() {
        let order = |switch, enabled| SwitchOrder { switch, enabled };
        let orders = [order(SECOND, true), order(FIRST, false)];
        let seen = |enabled| RouteActuation {
            switches: vec![SwitchReport {
                switch: SECOND,
                seen: Some((enabled, MonoTime::ZERO)),
                pending_since: None,
                in_doubt: false,
                refused: false,
            }],
        };
        for (places, is_enabled, first) in
            [([0, 1], false, 0), ([0, 1], true, 1), ([0, 0], false, 2)]
        {
            let routers = routers(places);
            routers.order(&orders, &orders, &seen(is_enabled));
            assert_eq!(routers.links[0].orders.borrow().len(), first, "{places:?} {is_enabled}");
            assert_eq!(
                routers.links[0].exit_orders.borrow().len(),
                if places[1] == 0 { 2 } else { 1 }
            );
        }
    }
}
