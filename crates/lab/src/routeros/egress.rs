//! Where the rows send traffic: which gateway new latency-sensitive connections take, and which
//! everything else.
//!
//! Follows what steering is built of: mangle rules that mark by DSCP, routing rules without
//! conditions, and the default routes of tables. Every other rule is about other traffic.

use super::{
    rows::{MANGLE, ROUTE, ROUTING_RULE},
    schema::Row,
    store::Store,
};
use crate::plant::Egress;

/// Conditions by which a mangle rule picks some connections out of all.
const PICKING: [&str; 6] =
    ["dscp", "dst-port", "src-port", "protocol", "packet-mark", "src-address-list"];
/// Conditions of a routing rule; one without any is about everything.
const CONDITIONS: [&str; 4] = ["src-address", "dst-address", "interface", "routing-mark"];
const DEFAULT: &str = "0.0.0.0/0";

/// Follows the rows to a gateway for each kind of traffic.
pub(super) fn egress(store: &Store) -> Egress {
    let rest = of_everything(store);
    let sensitive = of_marked(store, |rule| PICKING.iter().any(|name| !rule.get(name).is_empty()));
    Egress { sensitive: sensitive.or_else(|| rest.clone()), rest }
}

fn of_everything(store: &Store) -> Option<String> {
    let plain = |rule: &Row| {
        rule.get("connection-mark").is_empty()
            && PICKING.iter().all(|name| rule.get(name).is_empty())
            && rule.get("action") == "mark-routing"
            && !rule.get("new-routing-mark").is_empty()
    };
    let by_rules = || {
        let rules = store.rows(&ROUTING_RULE).iter().filter(|rule| {
            !rule.is_disabled() && CONDITIONS.iter().all(|name| rule.get(name).is_empty())
        });
        // With `lookup`, a table without a route is passed over.
        rules
            .filter(|rule| rule.get("action").starts_with("lookup"))
            .find_map(|rule| gateway(store, rule.get("table")))
    };
    of_marked(store, plain).or_else(by_rules).or_else(|| gateway(store, "main"))
}

/// Returns where the first rule that `picks` leads to: by a routing mark of its own, or by the one
/// that another rule gives to the connections it marks.
fn of_marked(store: &Store, picks: impl Fn(&Row) -> bool) -> Option<String> {
    let rules = || store.rows(&MANGLE).iter().filter(|rule| !rule.is_disabled());
    rules().filter(|rule| picks(rule)).find_map(|rule| {
        let table = match rule.get("action") {
            "mark-routing" => rule.get("new-routing-mark"),
            "mark-connection" => {
                let mark = rule.get("new-connection-mark");
                let routing = |rule: &&Row| {
                    rule.get("action") == "mark-routing" && rule.get("connection-mark") == mark
                };
                rules().find(routing)?.get("new-routing-mark")
            }
            _ => return None,
        };
        gateway(store, table)
    })
}

/// Returns the gateway of the nearest default route of `table` that is in force.
fn gateway(store: &Store, table: &str) -> Option<String> {
    let is_default = |row: &&Row| {
        !row.is_disabled() && row.get("dst-address") == DEFAULT && row.get("routing-table") == table
    };
    let distance = |row: &&Row| row.get("distance").parse().unwrap_or(u8::MAX);
    let nearest = store.rows(&ROUTE).iter().filter(is_default).min_by_key(distance)?;
    Some(nearest.get("gateway").to_owned())
}
