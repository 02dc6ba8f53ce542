//! The rows that a router starts with, from its configuration.

use super::{
    EmulatorConfig, FastTrack, Policy,
    menus::{
        BUILT_IN, CONNECTION, CPU, FASTTRACK, FILTER, FILTER6, GROUP, INTERFACE, LIST_MEMBER,
        MANGLE, MANGLE6, QUEUE_SIMPLE, QUEUE_TREE, QUEUE_TYPE, ROUTE, ROUTING_RULE, ROUTING_TABLE,
        USER,
    },
    store::Store,
    system::CORES,
};

/// The interface that all of the LAN is behind.
const BRIDGE: &str = "bridge";
/// The group that may do everything.
const FULL: &str = "full";

/// Builds the rows of `config`, and what they refer to: interfaces, CAKE types and routing tables
/// are made for every name that nothing else defines.
pub(super) fn initial_rows(config: &EmulatorConfig) -> Store {
    let mut store = Store::new(config.wan_interfaces.clone());
    place_interfaces(&mut store, config);
    place_queues(&mut store, config);
    place_firewall(&mut store, config);
    place_routes(&mut store, config);
    place_users(&mut store, config);
    for core in 0..CORES {
        store.place(CPU, &[("cpu", &format!("cpu{core}"))]);
    }
    store
}

fn place_interfaces(store: &mut Store, config: &EmulatorConfig) {
    let is_queue = |name: &str| config.queues.iter().any(|queue| queue.name == name);
    let parents = config.queues.iter().map(|queue| queue.parent.as_str());
    let parents = parents.filter(|parent| *parent != "global" && !is_queue(parent));
    let wans = config.wan_interfaces.iter().map(String::as_str);
    for name in ["ether1", "ether2", BRIDGE].into_iter().chain(parents).chain(wans.clone()) {
        if store.named(INTERFACE, name).is_none() {
            store.place(INTERFACE, &[("name", name)]);
        }
    }
    for name in wans.clone() {
        store.place(LIST_MEMBER, &[("list", "WAN"), ("interface", name)]);
    }
    if !wans.clone().any(|name| name == BRIDGE) {
        store.place(LIST_MEMBER, &[("list", "LAN"), ("interface", BRIDGE)]);
    }
}

fn place_queues(store: &mut Store, config: &EmulatorConfig) {
    let of_trees = config.queues.iter().map(|queue| queue.queue_type.as_str());
    let of_simple = config.simple_queues.iter().map(|queue| queue.queue_type.as_str());
    for name in of_trees.chain(of_simple) {
        let is_built_in = BUILT_IN.iter().any(|(built_in, _)| *built_in == name);
        if !is_built_in && store.named(QUEUE_TYPE, name).is_none() {
            store.place(QUEUE_TYPE, &[("kind", "cake"), ("name", name)]);
        }
    }
    for queue in &config.queues {
        let values = [
            ("name", &*queue.name),
            ("parent", &queue.parent),
            ("queue", &queue.queue_type),
            ("max-limit", &queue.max_limit.bps().to_string()),
            ("bucket-size", &queue.bucket_size),
        ];
        store.place(QUEUE_TREE, &values);
    }
    for queue in &config.simple_queues {
        let values = [
            ("name", &*queue.name),
            ("target", &queue.target),
            ("queue", &format!("{0}/{0}", queue.queue_type)),
            ("max-limit", &format!("{}/{}", queue.from_target.bps(), queue.to_target.bps())),
        ];
        store.place(QUEUE_SIMPLE, &values);
    }
}

fn place_firewall(store: &mut Store, config: &EmulatorConfig) {
    // A rule that was never disabled does not have the key at all.
    let disabled = |is_disabled: bool| is_disabled.then_some(("disabled", "true"));
    for (menu, rules) in [(MANGLE, &config.mangle), (MANGLE6, &config.mangle6)] {
        for rule in rules {
            let mut values =
                vec![("chain", &*rule.chain), ("action", &rule.action), ("comment", &rule.comment)];
            values.extend(rule.more.iter().map(|(name, value)| (*name, &**value)));
            values.extend(disabled(rule.disabled));
            store.place(menu, &values);
        }
    }
    for mark in &config.connections {
        store.place(CONNECTION, &[("connection-mark", mark)]);
    }
    for (menu, state) in [(FILTER, config.fasttrack), (FILTER6, config.fasttrack6)] {
        if state != FastTrack::Absent {
            let mut values = vec![
                ("chain", "forward"),
                ("action", FASTTRACK),
                ("connection-state", "established,related"),
                ("comment", "defconf: fasttrack"),
            ];
            values.extend(disabled(state == FastTrack::Disabled));
            store.place(menu, &values);
        }
    }
}

fn place_routes(store: &mut Store, config: &EmulatorConfig) {
    let disabled = |is_disabled: bool| if is_disabled { "true" } else { "false" };
    let of_routes = config.routes.iter().map(|route| &route.table);
    for table in config.routing_tables.iter().chain(of_routes) {
        if store.named(ROUTING_TABLE, table).is_none() {
            store.place(ROUTING_TABLE, &[("name", table), ("fib", "")]);
        }
    }
    for route in &config.routes {
        let values = [
            ("dst-address", &*route.destination),
            ("gateway", &route.gateway),
            ("routing-table", &route.table),
            ("comment", &route.comment),
            ("disabled", disabled(route.disabled)),
            ("distance", &route.distance.to_string()),
        ];
        store.place(ROUTE, &values);
    }
    for rule in &config.routing_rules {
        let values = [
            ("action", &*rule.action),
            ("table", &rule.table),
            ("comment", &rule.comment),
            ("disabled", disabled(rule.disabled)),
        ];
        store.place(ROUTING_RULE, &values);
    }
}

fn place_users(store: &mut Store, config: &EmulatorConfig) {
    for user in &config.users {
        let is_full = Policy::ALL.iter().all(|policy| user.may(*policy));
        let group = if is_full { FULL } else { &*user.name };
        if store.named(GROUP, group).is_none() {
            let word = |policy: &Policy| {
                format!("{}{}", if user.may(*policy) { "" } else { "!" }, policy.word())
            };
            let policies: Vec<String> = Policy::ALL.iter().map(word).collect();
            store.place(GROUP, &[("name", group), ("policy", &policies.join(","))]);
        }
        store.place(USER, &[("name", &user.name), ("group", group)]);
    }
}
