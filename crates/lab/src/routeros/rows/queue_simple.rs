//! `/queue/simple`: two queues in one row, with their values side by side.
//!
//! The first value is what the target sends, the second what it receives: upload and download, as
//! long as the target is not an interface towards the internet.

use super::{
    nothing_follows,
    queue_tree::{dropped_by, shown_rate},
    show_as_valid,
};
use crate::routeros::schema::{
    Access, Kind, Live, Menu,
    Presence::{Always, Required, WhileSet},
    Property, Values, property,
};

/// The menu.
pub(in crate::routeros) static QUEUE_SIMPLE: Menu = Menu {
    path: "queue/simple",
    properties: PROPERTIES,
    first_id: 1,
    is_named: true,
    is_ordered: false,
    access: Access::Open,
    is_counted: true,
    complete: nothing_follows,
    show,
};

static PROPERTIES: &[Property] = &[
    property("bucket-size", Kind::Pair(&Kind::Decimal(10.0)), Always("0.1/0.1")),
    property("burst-limit", Kind::Pair(&Kind::Rate), Always("0/0")),
    property("burst-threshold", Kind::Pair(&Kind::Rate), Always("0/0")),
    property("burst-time", Kind::Pair(&Kind::Time), Always("0s/0s")),
    property("comment", Kind::Text, WhileSet),
    property("disabled", Kind::Flag, Always("false")),
    property("dst", Kind::Text, WhileSet),
    property("limit-at", Kind::Pair(&Kind::Rate), Always("0/0")),
    property("max-limit", Kind::Pair(&Kind::Rate), Always("0/0")),
    property("name", Kind::Name, Required),
    property("packet-marks", Kind::Text, Always("")),
    property("parent", Kind::Text, Always("none")),
    property("priority", Kind::Pair(&Kind::Whole(1, 8)), Always("8/8")),
    property("queue", Kind::Pair(&Kind::QueueType), Always("default-small/default-small")),
    property("target", Kind::Text, Always("")),
];

fn show(shown: &mut Values, live: &mut Live<'_>) {
    let counters = live.shapers.read_row(live.store, &QUEUE_SIMPLE, live.row, live.now);
    let [first, second] = counters.as_slice() else { return };
    let types = live.row.get("queue").split_once('/').unwrap_or_default();
    let dropped =
        (dropped_by(live, types.0, first.dropped), dropped_by(live, types.1, second.dropped));
    for (pair, total, (from, to)) in [
        ("bytes", "total-bytes", (first.bytes, second.bytes)),
        ("dropped", "total-dropped", dropped),
        ("packet-rate", "total-packet-rate", (first.packet_rate, second.packet_rate)),
        ("packets", "total-packets", (first.packets, second.packets)),
        ("queued-bytes", "total-queued-bytes", (first.queued_bytes, second.queued_bytes)),
        ("queued-packets", "total-queued-packets", (first.queued_packets, second.queued_packets)),
        ("rate", "total-rate", (shown_rate(live, first.rate), shown_rate(live, second.rate))),
    ] {
        shown.insert(pair, format!("{from}/{to}"));
        shown.insert(total, (from + to).to_string());
    }
    show_as_valid(shown, live);
}
