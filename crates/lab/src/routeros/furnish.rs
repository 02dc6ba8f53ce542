//! The rows that a router starts with, from its configuration.

use super::{
    EmulatorConfig, FastTrack, Policy, User,
    rows::{
        BUILT_IN, CONNECTION, CPU, FASTTRACK, FILTER, FILTER6, GROUP, INTERFACE, LIST_MEMBER,
        MANGLE, MANGLE6, QUEUE_SIMPLE, QUEUE_TREE, QUEUE_TYPE, ROUTE, ROUTING_RULE, ROUTING_TABLE,
        USER,
    },
    schema::Menu,
    store::{Changes, Store},
    system::CORES,
};

/// Interfaces that every router here has.
const INTERFACES: [&str; 3] = ["ether1", "ether2", BRIDGE];
/// The one that all of the LAN is behind.
const BRIDGE: &str = "bridge";
/// The group that may do everything.
const FULL: &str = "full";

/// Builds the rows of `config`, and what they refer to: interfaces, CAKE types and routing tables
/// are made for every name that nothing else explains.
pub(super) fn furnished(config: &EmulatorConfig) -> Store {
    let mut store = Store::new(config.wan_interfaces.clone());
    place_interfaces(&mut store, config);
    place_types(&mut store, config);
    place_queues(&mut store, config);
    place_firewall(&mut store, config);
    place_routes(&mut store, config);
    place_rules(&mut store, config);
    place_users(&mut store, &config.users);
    for core in 0..CORES {
        place(&mut store, &CPU, &[("cpu", &format!("cpu{core}"))]);
    }
    store
}

/// Adds a row without checks: what the configuration says exists, mistakes included.
fn place(store: &mut Store, menu: &Menu, values: &[(&str, &str)]) {
    let found = |(name, value): &(&str, &str)| {
        menu.property(name).ok().map(|property| (property, (*value).to_owned()))
    };
    let changes: Changes = values.iter().filter_map(found).collect();
    let added = store.add(menu, None, &changes);
    debug_assert!(added.is_ok(), "the emulator's own rows are complete: {added:?}");
}

fn place_interfaces(store: &mut Store, config: &EmulatorConfig) {
    let is_queue = |name: &str| config.queues.iter().any(|queue| queue.name == name);
    let parents = config.queues.iter().map(|queue| queue.parent.as_str());
    let parents = parents.filter(|parent| *parent != "global" && !is_queue(parent));
    let named = parents.chain(config.wan_interfaces.iter().map(String::as_str));
    for name in INTERFACES.into_iter().chain(named) {
        if store.named(&INTERFACE, name).is_none() {
            place(store, &INTERFACE, &[("name", name)]);
        }
    }
    for name in &config.wan_interfaces {
        place(store, &LIST_MEMBER, &[("list", "WAN"), ("interface", name)]);
    }
    if !config.wan_interfaces.iter().any(|name| name == BRIDGE) {
        place(store, &LIST_MEMBER, &[("list", "LAN"), ("interface", BRIDGE)]);
    }
}

fn place_types(store: &mut Store, config: &EmulatorConfig) {
    let of_trees = config.queues.iter().map(|queue| queue.queue_type.as_str());
    let of_simple = config.simple_queues.iter().map(|queue| queue.queue_type.as_str());
    for name in of_trees.chain(of_simple) {
        let is_built_in = BUILT_IN.iter().any(|(built_in, _)| *built_in == name);
        if !is_built_in && store.named(&QUEUE_TYPE, name).is_none() {
            place(store, &QUEUE_TYPE, &[("kind", "cake"), ("name", name)]);
        }
    }
}

fn place_queues(store: &mut Store, config: &EmulatorConfig) {
    for queue in &config.queues {
        let values = [
            ("name", &*queue.name),
            ("parent", &queue.parent),
            ("queue", &queue.queue_type),
            ("max-limit", &queue.max_limit.bps().to_string()),
            ("bucket-size", &queue.bucket_size),
        ];
        place(store, &QUEUE_TREE, &values);
    }
    for queue in &config.simple_queues {
        let values = [
            ("name", &*queue.name),
            ("target", &queue.target),
            ("queue", &format!("{0}/{0}", queue.queue_type)),
            ("max-limit", &format!("{}/{}", queue.from_target.bps(), queue.to_target.bps())),
        ];
        place(store, &QUEUE_SIMPLE, &values);
    }
}

fn place_firewall(store: &mut Store, config: &EmulatorConfig) {
    // A rule that was never switched off does not have the key at all.
    let switch = |is_disabled: bool| is_disabled.then_some(("disabled", "true"));
    let all = [(&MANGLE, &config.mangle), (&MANGLE6, &config.mangle6)];
    for (menu, rule) in
        all.into_iter().flat_map(|(menu, rules)| rules.iter().map(move |r| (menu, r)))
    {
        let mut values =
            vec![("chain", &*rule.chain), ("action", &rule.action), ("comment", &rule.comment)];
        values.extend(rule.more.iter().map(|(name, value)| (*name, &**value)));
        values.extend(switch(rule.disabled));
        place(store, menu, &values);
    }
    for mark in &config.connections {
        place(store, &CONNECTION, &[("connection-mark", mark)]);
    }
    for (menu, state) in [(&FILTER, config.fasttrack), (&FILTER6, config.fasttrack6)] {
        if state == FastTrack::Absent {
            continue;
        }
        let mut values = vec![
            ("chain", "forward"),
            ("action", FASTTRACK),
            ("connection-state", "established,related"),
            ("comment", "defconf: fasttrack"),
        ];
        values.extend(switch(state == FastTrack::Disabled));
        place(store, menu, &values);
    }
}

fn place_routes(store: &mut Store, config: &EmulatorConfig) {
    let of_routes = config.routes.iter().map(|route| &route.table);
    for table in config.routing_tables.iter().chain(of_routes) {
        if store.named(&ROUTING_TABLE, table).is_none() {
            place(store, &ROUTING_TABLE, &[("name", table), ("fib", "")]);
        }
    }
    for route in &config.routes {
        let mut values = vec![
            ("dst-address", &*route.destination),
            ("gateway", &route.gateway),
            ("routing-table", &route.table),
            ("comment", &route.comment),
            ("disabled", if route.disabled { "true" } else { "false" }),
        ];
        let distance = route.distance.to_string();
        values.push(("distance", &distance));
        place(store, &ROUTE, &values);
    }
}

fn place_rules(store: &mut Store, config: &EmulatorConfig) {
    for rule in &config.routing_rules {
        let values = [
            ("action", &*rule.action),
            ("table", &rule.table),
            ("comment", &rule.comment),
            ("disabled", if rule.disabled { "true" } else { "false" }),
        ];
        place(store, &ROUTING_RULE, &values);
    }
}

/// Gives every user who may not do everything a group of the same name.
fn place_users(store: &mut Store, users: &[User]) {
    for user in users {
        let is_full = Policy::ALL.iter().all(|policy| user.may(*policy));
        let group = if is_full { FULL } else { &*user.name };
        if store.named(&GROUP, group).is_none() {
            let word = |policy: &Policy| {
                format!("{}{}", if user.may(*policy) { "" } else { "!" }, policy.word())
            };
            let policies: Vec<String> = Policy::ALL.iter().map(word).collect();
            place(store, &GROUP, &[("name", group), ("policy", &policies.join(","))]);
        }
        place(store, &USER, &[("name", &user.name), ("group", group)]);
    }
}
