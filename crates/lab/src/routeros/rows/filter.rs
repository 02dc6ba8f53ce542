//! `/ip/firewall/filter`: here for one rule, `FastTrack`, which takes traffic past the queues.

use super::{nothing_follows, show_as_valid, show_zero};
use crate::routeros::schema::{
    Access, Kind, Live, Menu,
    Presence::{OnceWritten, Required, WhileSet},
    Property, Values, property,
};

/// The action of a `FastTrack` rule.
pub(in crate::routeros) const FASTTRACK: &str = "fasttrack-connection";

/// The menu.
pub(in crate::routeros) static FILTER: Menu = Menu { path: "ip/firewall/filter", ..OF_ANY };

/// The same for IPv6, where `FastTrack` exists since 7.18. The simulated traffic is IPv4.
pub(in crate::routeros) static FILTER6: Menu = Menu { path: "ipv6/firewall/filter", ..OF_ANY };

const OF_ANY: Menu = Menu {
    path: "",
    properties: PROPERTIES,
    first_id: 1,
    is_named: false,
    is_ordered: true,
    access: Access::Open,
    is_counted: true,
    complete: nothing_follows,
    show,
};

static PROPERTIES: &[Property] = &[
    property("action", Kind::Text, Required),
    property("chain", Kind::Text, Required),
    property("comment", Kind::Text, WhileSet),
    property("connection-mark", Kind::Text, WhileSet),
    property("connection-nat-state", Kind::Text, WhileSet),
    property("connection-state", Kind::Text, WhileSet),
    property("disabled", Kind::Flag, OnceWritten),
    property("dst-address", Kind::Text, WhileSet),
    property("dst-address-list", Kind::Text, WhileSet),
    property("dst-port", Kind::Text, WhileSet),
    property("hw-offload", Kind::Flag, OnceWritten),
    property("in-interface", Kind::Text, WhileSet),
    property("in-interface-list", Kind::Text, WhileSet),
    property("log", Kind::Flag, OnceWritten),
    property("log-prefix", Kind::Text, OnceWritten),
    property("out-interface", Kind::Text, WhileSet),
    property("out-interface-list", Kind::Text, WhileSet),
    property("packet-mark", Kind::Text, WhileSet),
    property("protocol", Kind::Text, WhileSet),
    property("src-address", Kind::Text, WhileSet),
    property("src-address-list", Kind::Text, WhileSet),
    property("src-port", Kind::Text, WhileSet),
];

fn show(shown: &mut Values, live: &mut Live<'_>) {
    show_zero(shown, &["bytes", "packets"], "0");
    show_as_valid(shown, live);
}
