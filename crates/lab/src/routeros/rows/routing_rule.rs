//! `/routing/rule`: which traffic is looked up in which table, in the order of evaluation.

use super::nothing_follows;
use crate::routeros::{
    schema::{
        Access, Kind, Live, Menu,
        Presence::{Always, WhileSet},
        Property, Values, property,
    },
    values,
};

/// The menu.
pub(in crate::routeros) static ROUTING_RULE: Menu = Menu {
    path: "routing/rule",
    properties: PROPERTIES,
    first_id: 1,
    is_named: false,
    is_ordered: true,
    access: Access::Open,
    is_counted: false,
    complete: nothing_follows,
    show,
};

static ACTIONS: &[&str] = &["lookup", "lookup-only-in-table", "drop", "unreachable"];

static PROPERTIES: &[Property] = &[
    property("action", Kind::Choice(ACTIONS), Always("lookup")),
    property("comment", Kind::Text, WhileSet),
    property("disabled", Kind::Flag, Always("false")),
    property("dst-address", Kind::Text, WhileSet),
    property("interface", Kind::Text, WhileSet),
    property("min-prefix", Kind::Whole(0, 128), WhileSet),
    property("routing-mark", Kind::RoutingTable, WhileSet),
    property("src-address", Kind::Text, WhileSet),
    property("table", Kind::RoutingTable, WhileSet),
];

fn show(shown: &mut Values, live: &mut Live<'_>) {
    let rows = live.store.rows(&ROUTING_RULE);
    let following = rows.iter().skip_while(|row| row.id != live.row.id).nth(1);
    shown.insert(".nextid", values::shown_id(following.map_or(u32::MAX, |row| row.id)));
    shown.insert("inactive", values::shown_flag(live.row.is_disabled()).into());
}
