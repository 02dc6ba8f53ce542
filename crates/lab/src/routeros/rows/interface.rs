//! `/interface`: what the queues hang under.

use super::{nothing_follows, show_zero};
use crate::routeros::{
    schema::{
        Access, Kind, Live, Menu,
        Presence::{Always, Required, WhileSet},
        Property, Values, property,
    },
    values,
};

/// The menu.
pub(in crate::routeros) static INTERFACE: Menu = Menu {
    path: "interface",
    properties: PROPERTIES,
    first_id: 1,
    is_named: true,
    is_ordered: false,
    access: Access::Set,
    is_counted: false,
    complete: nothing_follows,
    show,
};

static PROPERTIES: &[Property] = &[
    property("comment", Kind::Text, WhileSet),
    property("disabled", Kind::Flag, Always("false")),
    property("mtu", Kind::Whole(68, 65_535), Always("1500")),
    property("name", Kind::Name, Required),
];

fn show(shown: &mut Values, live: &mut Live<'_>) {
    let carried = live.shapers.carried_under(live.store, live.row.get("name"));
    let idle = ["rx-byte", "rx-packet", "rx-drop", "rx-error", "tx-drop", "tx-error"];
    show_zero(shown, &idle, "0");
    shown.insert("tx-byte", carried.bytes.to_string());
    shown.insert("tx-packet", carried.packets.to_string());
    let dropped = if live.quirks.interface_drops { carried.dropped } else { 0 };
    shown.insert("tx-queue-drop", dropped.to_string());
    shown.insert("running", values::shown_flag(!live.row.is_disabled()).into());
    shown.insert("type", "ether".into());
    shown.insert("mac-address", format!("48:A9:8A:00:00:{:02X}", live.row.id & 0xFF));
}
