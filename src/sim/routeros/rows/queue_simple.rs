//! `/queue/simple`: rows that can be kept and read, but shape nothing here.

use super::{nothing_follows, show_as_static, show_zero};
use crate::sim::routeros::schema::{
    Kind, Live, Menu,
    Presence::{Always, Required, WhileSet},
    Property, Values, property,
};

/// The menu.
pub(in crate::sim::routeros) static QUEUE_SIMPLE: Menu = Menu {
    path: "queue/simple",
    properties: PROPERTIES,
    first_id: 1,
    is_named: true,
    is_open: true,
    is_counted: false,
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
    let pairs =
        ["bytes", "dropped", "packet-rate", "packets", "queued-bytes", "queued-packets", "rate"];
    let totals = [
        "total-bytes",
        "total-dropped",
        "total-packet-rate",
        "total-packets",
        "total-queued-bytes",
        "total-queued-packets",
        "total-rate",
    ];
    show_zero(shown, &pairs, "0/0");
    show_zero(shown, &totals, "0");
    show_as_static(shown, live);
}
