//! `/ip/firewall/mangle`: the rules that steer, in the order in which they are evaluated.

use super::{show_as_valid, show_zero};
use crate::routeros::schema::{
    Access, Kind, Live, Menu,
    Presence::{OnceWritten, Required, WhileSet},
    Property, Values, property,
};

/// The menu. Its rows have no names: a path must give an identifier.
pub(in crate::routeros) static MANGLE: Menu = Menu {
    path: "ip/firewall/mangle",
    properties: PROPERTIES,
    first_id: 1,
    is_named: false,
    is_ordered: true,
    access: Access::Open,
    is_counted: true,
    complete,
    show,
};

/// The same for IPv6.
pub(in crate::routeros) static MANGLE6: Menu = Menu {
    path: "ipv6/firewall/mangle",
    properties: PROPERTIES,
    first_id: 1,
    is_named: false,
    is_ordered: true,
    access: Access::Open,
    is_counted: true,
    complete,
    show,
};

static PROPERTIES: &[Property] = &[
    property("action", Kind::Text, Required),
    property("chain", Kind::Text, Required),
    property("comment", Kind::Text, WhileSet),
    property("connection-bytes", Kind::Text, WhileSet),
    property("connection-mark", Kind::Text, WhileSet),
    property("connection-state", Kind::Text, WhileSet),
    property("connection-type", Kind::Text, WhileSet),
    property("disabled", Kind::Flag, OnceWritten),
    property("dscp", Kind::Text, WhileSet),
    property("dst-address", Kind::Text, WhileSet),
    property("dst-address-list", Kind::Text, WhileSet),
    property("dst-address-type", Kind::Text, WhileSet),
    property("dst-port", Kind::Text, WhileSet),
    property("in-interface", Kind::Text, WhileSet),
    property("in-interface-list", Kind::Text, WhileSet),
    property("jump-target", Kind::Text, WhileSet),
    property("log", Kind::Flag, OnceWritten),
    property("log-prefix", Kind::Text, OnceWritten),
    property("new-connection-mark", Kind::Text, WhileSet),
    property("new-dscp", Kind::Text, WhileSet),
    property("new-packet-mark", Kind::Text, WhileSet),
    property("new-routing-mark", Kind::RoutingTable, WhileSet),
    property("out-interface", Kind::Text, WhileSet),
    property("out-interface-list", Kind::Text, WhileSet),
    property("packet-mark", Kind::Text, WhileSet),
    property("passthrough", Kind::Flag, OnceWritten),
    property("per-connection-classifier", Kind::Text, WhileSet),
    property("protocol", Kind::Text, WhileSet),
    property("routing-mark", Kind::Text, WhileSet),
    property("src-address", Kind::Text, WhileSet),
    property("src-address-list", Kind::Text, WhileSet),
    property("src-port", Kind::Text, WhileSet),
];

fn complete(values: &mut Values) {
    if values.get("action").is_some_and(|action| action.starts_with("mark-")) {
        values.entry("passthrough").or_insert_with(|| "true".to_owned());
    }
}

fn show(shown: &mut Values, live: &mut Live<'_>) {
    show_zero(shown, &["bytes", "packets"], "0");
    show_as_valid(shown, live);
}
