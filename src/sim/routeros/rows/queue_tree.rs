//! `/queue/tree`: where the controller's limits live.

use super::nothing_follows;
use crate::sim::routeros::{
    schema::{
        Kind, Live, Menu,
        Presence::{Always, Required, WhileSet},
        Property, Values, property,
    },
    values,
};

/// The menu.
pub(in crate::sim::routeros) static QUEUE_TREE: Menu = Menu {
    path: "queue/tree",
    properties: PROPERTIES,
    first_id: 0x100_0000,
    is_named: true,
    is_open: true,
    is_counted: true,
    complete: nothing_follows,
    show,
};

static PROPERTIES: &[Property] = &[
    property("bucket-size", Kind::Decimal(10.0), Always("0.1")),
    property("burst-limit", Kind::Rate, Always("0")),
    property("burst-threshold", Kind::Rate, Always("0")),
    property("burst-time", Kind::Time, Always("0s")),
    property("comment", Kind::Text, WhileSet),
    property("disabled", Kind::Flag, Always("false")),
    property("limit-at", Kind::Rate, Always("0")),
    property("max-limit", Kind::Rate, Always("0")),
    property("name", Kind::Name, Required),
    property("packet-mark", Kind::Text, Always("")),
    property("parent", Kind::Parent, Required),
    property("priority", Kind::Whole(1, 8), Always("8")),
    property("queue", Kind::QueueType, Always("default-small")),
];

fn show(shown: &mut Values, live: &mut Live<'_>) {
    let Live { row, store, shapers, now } = live;
    let counters = shapers.read(row.id, row.get("name"), *now);
    let kind = store.queue_kind(row.get("queue"));
    // A CAKE leaf's drops never reach this counter; whoever steers by it steers blind.
    let dropped = if kind == Some("cake") { 0 } else { counters.dropped };
    let is_invalid = kind.is_none() || !store.has_parent(row.get("parent"));
    for (name, value) in [
        ("bytes", counters.bytes),
        ("dropped", dropped),
        ("packet-rate", counters.packet_rate),
        ("packets", counters.packets),
        ("queued-bytes", counters.queued_bytes),
        ("queued-packets", counters.queued_packets),
        ("rate", counters.rate.bps()),
    ] {
        shown.insert(name, value.to_string());
    }
    shown.insert("invalid", values::shown_flag(is_invalid).into());
}
