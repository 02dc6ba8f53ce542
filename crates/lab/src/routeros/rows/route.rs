//! `/ip/route`: static routes. A disabled one shows next to nothing of itself.

use super::nothing_follows;
use crate::routeros::{
    schema::{
        Access, Kind, Live, Menu,
        Presence::{Always, OnceWritten, Required, WhileSet},
        Property, Row, Values, property,
    },
    store::Store,
};

/// The menu.
pub(in crate::routeros) static ROUTE: Menu = Menu {
    path: "ip/route",
    properties: PROPERTIES,
    first_id: 0x8000_0001,
    is_named: false,
    is_ordered: false,
    access: Access::Open,
    is_counted: false,
    complete: nothing_follows,
    show,
};

static CHECKS: &[&str] = &["none", "arp", "ping", "bfd"];

static PROPERTIES: &[Property] = &[
    property("check-gateway", Kind::Choice(CHECKS), OnceWritten),
    property("comment", Kind::Text, WhileSet),
    property("disabled", Kind::Flag, Always("false")),
    property("distance", Kind::Whole(1, 255), Always("1")),
    property("dst-address", Kind::Text, Always("0.0.0.0/0")),
    property("gateway", Kind::Text, Required),
    property("routing-table", Kind::RoutingTable, Always("main")),
    property("scope", Kind::Whole(0, 255), Always("30")),
    property("target-scope", Kind::Whole(0, 255), Always("10")),
];

/// Everything that is left of a disabled route.
static WHILE_DISABLED: &[&str] =
    &[".id", "check-gateway", "comment", "disabled", "dst-address", "gateway"];

fn show(shown: &mut Values, live: &mut Live<'_>) {
    if live.row.is_disabled() {
        shown.retain(|name, _| WHILE_DISABLED.contains(name));
        return;
    }
    // One of the two keys is there, never both, and never with the value `false`.
    if is_active(live.store, live.row) {
        shown.insert("active", "true".into());
    } else {
        shown.insert("inactive", "true".into());
    }
    shown.insert("dynamic", "false".into());
    shown.insert("immediate-gw", live.row.get("gateway").to_owned());
    shown.insert("static", "true".into());
}

/// Tells whether no other route of the same table and destination is nearer.
fn is_active(store: &Store, route: &Row) -> bool {
    let distance = |row: &Row| row.get("distance").parse().unwrap_or(u8::MAX);
    let is_rival = |row: &&Row| {
        !row.is_disabled()
            && ["dst-address", "routing-table"].iter().all(|name| row.get(name) == route.get(name))
    };
    !store.rows(&ROUTE).iter().filter(is_rival).any(|row| distance(row) < distance(route))
}
