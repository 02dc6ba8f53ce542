//! The router as a whole: its rows, its queues and its own facts, and how a row is shown.

use std::{sync::Arc, time::Duration};

use wanctl_core::units::{BitRate, MonoTime};

use super::{
    EmulatorConfig, Quirks, RateUnit,
    initial_rows::initial_rows,
    menus::{
        FILTER, FILTER6, FIRST_BUILT_IN, INTERFACE, LIST_MEMBER, MANGLE, MANGLE6, Menu, NETWATCH,
        QUEUE_SIMPLE, QUEUE_TREE, QUEUE_TYPE, ROUTE, ROUTING_RULE, ROUTING_TABLE, Values,
    },
    shapers::{Counters, Shapers, egress, is_fasttracking, limits},
    store::{Row, Store},
    system::System,
    values,
};
use crate::plant::Plant;

/// Chains in which RouterOS shows what `FastTrack` carried past the mangle rules.
const FASTTRACK_CHAINS: [&str; 3] = ["postrouting", "forward", "prerouting"];
/// Everything that RouterOS shows of a disabled route.
const OF_DISABLED_ROUTE: [&str; 6] =
    [".id", "check-gateway", "comment", "disabled", "dst-address", "gateway"];
/// Time after a start during which no watched host has a state.
const NETWATCH_DELAY: Duration = Duration::from_mins(5);

/// Everything behind the web server.
#[derive(Debug)]
pub(super) struct World {
    pub(super) store: Store,
    pub(super) shapers: Shapers,
    pub(super) quirks: Quirks,
    pub(super) system: System,
    is_fasttracking: bool,
}

impl World {
    /// Builds the router described by `config`, its queues shaping in `plant`.
    pub(super) fn new(config: &EmulatorConfig, plant: Arc<dyn Plant>) -> Self {
        let mut world = Self {
            store: initial_rows(config),
            shapers: Shapers::new(plant),
            quirks: config.quirks,
            system: System::new(config),
            is_fasttracking: false,
        };
        world.restart_counters(MonoTime::ZERO);
        world.settle(MonoTime::ZERO);
        world
    }

    /// Returns the row of `menu` that `key`, an identifier or a name, stands for.
    pub(super) fn locate(&self, menu: &Menu, key: &str) -> Option<u32> {
        let row = match values::id(key) {
            Some(id) => self.store.row(menu.path, id),
            None if menu.kind.is_named => self.store.named(menu.path, key),
            None => None,
        };
        row.map(|row| row.id)
    }

    pub(super) fn ids(&self, menu: &Menu) -> Vec<u32> {
        self.store.rows(menu.path).iter().map(|row| row.id).collect()
    }

    /// Returns the row `id` of `menu` with everything that RouterOS shows of it.
    pub(super) fn show(&mut self, menu: &'static Menu, id: u32, now: MonoTime) -> Option<Values> {
        let row = self.store.row(menu.path, id)?.clone();
        let mut shown = row.values.clone();
        shown.insert(".id", values::shown_id(id));
        let mut add = |values: &[(&'static str, &str)]| {
            shown.extend(values.iter().map(|(name, value)| (*name, (*value).to_owned())));
        };
        let dynamic = values::shown_flag(row.is_dynamic);
        match menu.path {
            QUEUE_TREE | QUEUE_SIMPLE => self.show_queue(menu.path, &row, now, &mut shown),
            QUEUE_TYPE if id >= FIRST_BUILT_IN => add(&[("default", "true")]),
            MANGLE | MANGLE6 | FILTER | FILTER6 => add(&[
                // The emulator moves no packets there.
                ("bytes", "0"),
                ("packets", "0"),
                ("dynamic", dynamic),
                ("invalid", "false"),
            ]),
            ROUTING_TABLE | LIST_MEMBER => add(&[("dynamic", dynamic), ("invalid", "false")]),
            ROUTING_RULE => {
                let rows = self.store.rows(ROUTING_RULE).iter();
                let following = rows.skip_while(|row| row.id != id).nth(1);
                let following = values::shown_id(following.map_or(u32::MAX, |row| row.id));
                let inactive = values::shown_flag(row.is_disabled());
                add(&[(".nextid", &following), ("inactive", inactive)]);
            }
            ROUTE if row.is_disabled() => {
                shown.retain(|name, _| OF_DISABLED_ROUTE.contains(name));
            }
            ROUTE => {
                // One of the two keys is there, never both, and never with the value `false`.
                let active = if self.is_active(&row) { "active" } else { "inactive" };
                let gateway = row.get("gateway");
                add(&[(active, "true"), ("dynamic", "false"), ("static", "true")]);
                add(&[("immediate-gw", gateway)]);
            }
            INTERFACE => {
                for name in ["rx-byte", "rx-packet", "rx-drop", "rx-error", "tx-drop", "tx-error"] {
                    add(&[(name, "0")]);
                }
                let carried = self.shapers.carried_under(&self.store, row.get("name"));
                let dropped = if self.quirks.interface_drops { carried.dropped } else { 0 };
                add(&[
                    ("tx-byte", &carried.bytes.to_string()),
                    ("tx-packet", &carried.packets.to_string()),
                    ("tx-queue-drop", &dropped.to_string()),
                    ("running", values::shown_flag(!row.is_disabled())),
                    ("type", "ether"),
                    ("mac-address", &format!("48:A9:8A:00:00:{:02X}", id & 0xFF)),
                ]);
            }
            NETWATCH => {
                // Every host is up, as soon as it is watched.
                let is_watched = self.system.uptime(now) >= NETWATCH_DELAY && !row.is_disabled();
                add(&[("status", if is_watched { "up" } else { "unknown" })]);
            }
            _ => {}
        }
        Some(shown)
    }

    /// Adds the counters of a queue tree, or those of both halves of a simple queue and their sums.
    fn show_queue(&mut self, menu: &'static str, row: &Row, now: MonoTime, shown: &mut Values) {
        let counters = self.shapers.read_row(&self.store, menu, row, now);
        let types = row.get("queue").split('/');
        let halves: Vec<_> =
            counters.iter().zip(types).map(|(c, kind)| self.shown_counters(c, kind)).collect();
        match halves.as_slice() {
            [only] => {
                shown.extend(only.iter().map(|(name, _, value)| (*name, value.to_string())));
                let has_type = self.store.queue_kind(row.get("queue")).is_some();
                let is_valid = has_type && self.store.has_parent(row.get("parent"));
                shown.insert("invalid", (!is_valid).to_string());
            }
            [first, second] => {
                for ((name, total, from), (_, _, to)) in first.iter().zip(second) {
                    shown.insert(name, format!("{from}/{to}"));
                    shown.insert(total, (from + to).to_string());
                }
                shown.insert("dynamic", row.is_dynamic.to_string());
                shown.insert("invalid", "false".to_owned());
            }
            _ => {}
        }
    }

    /// Names and values of counters; the second name is that of the sum over both halves.
    fn shown_counters(
        &self,
        counters: &Counters,
        queue_type: &str,
    ) -> [(&'static str, &'static str, u64); 7] {
        // Drops of a CAKE leaf never reach this counter.
        let is_cake = self.store.queue_kind(queue_type) == Some("cake");
        let dropped = if is_cake && !self.quirks.cake_drops { 0 } else { counters.dropped };
        let rate = match self.quirks.rate_unit {
            RateUnit::Bits => counters.rate.bps(),
            RateUnit::Bytes => counters.rate.bps() / 8,
        };
        [
            ("bytes", "total-bytes", counters.bytes),
            ("dropped", "total-dropped", dropped),
            ("packet-rate", "total-packet-rate", counters.packet_rate),
            ("packets", "total-packets", counters.packets),
            ("queued-bytes", "total-queued-bytes", counters.queued_bytes),
            ("queued-packets", "total-queued-packets", counters.queued_packets),
            ("rate", "total-rate", rate),
        ]
    }

    /// Returns whether no other route of the same table and destination is nearer.
    fn is_active(&self, route: &Row) -> bool {
        let distance = |row: &Row| row.get("distance").parse().unwrap_or(u8::MAX);
        let is_rival = |row: &&Row| {
            let is_alike = |name: &&str| row.get(name) == route.get(name);
            !row.is_disabled() && ["dst-address", "routing-table"].iter().all(is_alike)
        };
        let mut rivals = self.store.rows(ROUTE).iter().filter(is_rival);
        !rivals.any(|row| distance(row) < distance(route))
    }

    /// Returns the rate that the queues under the interface named `name` carry, or `None` if there
    /// is no such interface.
    pub(super) fn rate_under(&mut self, name: &str, now: MonoTime) -> Option<BitRate> {
        self.store.named(INTERFACE, name)?;
        let queues = self.store.rows(QUEUE_TREE).iter().filter(|row| row.get("parent") == name);
        let bps = queues
            .flat_map(|row| self.shapers.read_row(&self.store, QUEUE_TREE, row, now))
            .map(|counters| counters.rate.bps());
        Some(BitRate::from_bps(bps.sum()))
    }

    pub(super) fn restart(&mut self, menu: &'static str, id: u32, now: MonoTime) {
        if let Some(row) = self.store.row(menu, id) {
            self.shapers.restart_row(&self.store, menu, row, now);
        }
    }

    /// Restarts the counters of the queues that `concerns`.
    pub(super) fn restart_queues(&mut self, now: MonoTime, concerns: impl Fn(&Row) -> bool) {
        for menu in [QUEUE_TREE, QUEUE_SIMPLE] {
            for row in self.store.rows(menu).iter().filter(|row| concerns(row)) {
                self.shapers.restart_row(&self.store, menu, row, now);
            }
        }
    }

    fn restart_counters(&mut self, now: MonoTime) {
        self.restart_queues(now, |_| true);
    }

    /// Applies what follows from the rows: limits, gateways, and what `FastTrack` does to them.
    pub(super) fn settle(&mut self, now: MonoTime) {
        let is_fasttracking = is_fasttracking(&self.store);
        if is_fasttracking != self.is_fasttracking {
            self.is_fasttracking = is_fasttracking;
            self.show_fasttrack();
            self.restart_counters(now);
        }
        self.shapers.enforce(limits(&self.store));
        self.shapers.route(egress(&self.store));
    }

    /// Makes the router's own mangle rules anew; they get other identifiers each time.
    fn show_fasttrack(&mut self) {
        self.store.remove_dynamic(MANGLE);
        for chain in FASTTRACK_CHAINS.into_iter().filter(|_| self.is_fasttracking) {
            let rule = [
                ("action", "passthrough"),
                ("chain", chain),
                ("comment", "special dummy rule to show fasttrack counters"),
            ];
            let rule = rule.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
            self.store.add_dynamic(MANGLE, rule);
        }
    }

    /// Starts the router at `now`: limits and rules have survived, counters have not.
    pub(super) fn boot(&mut self, now: MonoTime) {
        self.system.boot(now);
        self.show_fasttrack();
        self.restart_counters(now);
    }

    /// Gives the queue tree named `queue` a new identifier and fresh counters.
    pub(super) fn recreate(&mut self, queue: &str, now: MonoTime) {
        if let Some((old, new)) = self.store.recreate_queue(queue) {
            self.shapers.forget(QUEUE_TREE, old);
            self.restart(QUEUE_TREE, new, now);
        }
    }
}
