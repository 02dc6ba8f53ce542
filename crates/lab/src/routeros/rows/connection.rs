//! `/ip/firewall/connection`: what the router tracks. The emulator moves no packets, so clients add
//! what there is to be tracked, which a real router would refuse.

use super::{nothing_follows, nothing_more};
use crate::routeros::schema::{
    Access, Kind, Menu,
    Presence::{Always, WhileSet},
    Property, property,
};

/// The menu.
pub(in crate::routeros) static CONNECTION: Menu = Menu { path: "ip/firewall/connection", ..OF_ANY };

/// The same for IPv6.
pub(in crate::routeros) static CONNECTION6: Menu =
    Menu { path: "ipv6/firewall/connection", ..OF_ANY };

const OF_ANY: Menu = Menu {
    path: "",
    properties: PROPERTIES,
    first_id: 1,
    is_named: false,
    is_ordered: false,
    access: Access::Open,
    is_counted: false,
    complete: nothing_follows,
    show: nothing_more,
};

static PROPERTIES: &[Property] = &[
    property("connection-mark", Kind::Text, WhileSet),
    property("dst-address", Kind::Text, WhileSet),
    property("protocol", Kind::Text, Always("udp")),
    property("src-address", Kind::Text, WhileSet),
];
