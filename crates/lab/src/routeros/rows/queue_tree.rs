//! `/queue/tree`: where the controller's limits live.

use wanctl_core::units::BitRate;

use super::nothing_follows;
use crate::routeros::{
    quirks::RateUnit,
    schema::{
        Access, Kind, Live, Menu,
        Presence::{Always, Required, WhileSet},
        Property, Values, property,
    },
    values,
};

/// The menu.
pub(in crate::routeros) static QUEUE_TREE: Menu = Menu {
    path: "queue/tree",
    properties: PROPERTIES,
    first_id: 0x100_0000,
    is_named: true,
    is_ordered: false,
    access: Access::Open,
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
    let counters = live.shapers.read_row(live.store, &QUEUE_TREE, live.row, live.now);
    let [counters] = counters.as_slice() else { return };
    let queue_type = live.row.get("queue");
    let has_type = live.store.queue_kind(queue_type).is_some();
    let is_invalid = !has_type || !live.store.has_parent(live.row.get("parent"));
    for (name, value) in [
        ("bytes", counters.bytes),
        ("dropped", dropped_by(live, queue_type, counters.dropped)),
        ("packet-rate", counters.packet_rate),
        ("packets", counters.packets),
        ("queued-bytes", counters.queued_bytes),
        ("queued-packets", counters.queued_packets),
        ("rate", shown_rate(live, counters.rate)),
    ] {
        shown.insert(name, value.to_string());
    }
    shown.insert("invalid", values::shown_flag(is_invalid).into());
}

/// Returns the drops that are shown of a queue whose type is `queue_type`. Those of a CAKE leaf
/// never reach this counter; whoever steers by it steers blind.
pub(super) fn dropped_by(live: &Live<'_>, queue_type: &str, dropped: u64) -> u64 {
    let is_cake = live.store.queue_kind(queue_type) == Some("cake");
    if is_cake && !live.quirks.cake_drops { 0 } else { dropped }
}

/// Returns `rate` in the unit in which this router shows it.
pub(super) const fn shown_rate(live: &Live<'_>, rate: BitRate) -> u64 {
    match live.quirks.rate_unit {
        RateUnit::Bits => rate.bps(),
        RateUnit::Bytes => rate.bps() / 8,
    }
}
