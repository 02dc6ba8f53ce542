//! `/queue/type`: the built-in types, and the CAKE types that the router's owner made.
//!
//! No version of RouterOS shows statistics of a type here: no tins, no marks, no delays.

use crate::routeros::schema::{
    Access, Kind, Live, Menu,
    Presence::{OnceWritten, Required},
    Property, Values, property,
};

/// Identifier of the first built-in type.
pub(in crate::routeros) const FIRST_BUILT_IN: u32 = 0xFFFF_FFF5;

/// Names and kinds of the built-in types, in the order of their identifiers.
pub(in crate::routeros) static BUILT_IN: [(&str, &str); 10] = [
    ("default", "pfifo"),
    ("ethernet-default", "pfifo"),
    ("wireless-default", "sfq"),
    ("synchronous-default", "red"),
    ("hotspot-default", "sfq"),
    ("pcq-upload-default", "pcq"),
    ("pcq-download-default", "pcq"),
    ("only-hardware-queue", "none"),
    ("multi-queue-ethernet-default", "mq-pfifo"),
    ("default-small", "pfifo"),
];

/// The menu.
pub(in crate::routeros) static QUEUE_TYPE: Menu = Menu {
    path: "queue/type",
    properties: PROPERTIES,
    first_id: 0xA,
    is_named: true,
    is_ordered: false,
    access: Access::Open,
    is_counted: false,
    complete,
    show,
};

static KINDS: &[&str] =
    &["bfifo", "cake", "codel", "fq-codel", "mq-pfifo", "none", "pcq", "pfifo", "red", "sfq"];
static FLOW_MODES: &[&str] = &[
    "flowblind",
    "srchost",
    "dsthost",
    "hosts",
    "flows",
    "dual-srchost",
    "dual-dsthost",
    "triple-isolate",
];
static RTT_SCHEMES: &[&str] = &[
    "none",
    "datacentre",
    "lan",
    "metro",
    "regional",
    "internet",
    "oceanic",
    "satellite",
    "interplanetary",
];

static PROPERTIES: &[Property] = &[
    property("cake-ack-filter", Kind::Choice(&["none", "filter", "aggressive"]), OnceWritten),
    property("cake-atm", Kind::Choice(&["none", "atm", "ptm"]), OnceWritten),
    property("cake-autorate-ingress", Kind::Flag, OnceWritten),
    property("cake-bandwidth", Kind::Rate, OnceWritten),
    property(
        "cake-diffserv",
        Kind::Choice(&["diffserv3", "diffserv4", "diffserv8", "besteffort", "precedence"]),
        OnceWritten,
    ),
    property("cake-flowmode", Kind::Choice(FLOW_MODES), OnceWritten),
    property("cake-memlimit", Kind::Whole(0, u32::MAX as i64), OnceWritten),
    property("cake-mpu", Kind::Whole(0, 256), OnceWritten),
    property("cake-nat", Kind::Flag, OnceWritten),
    property("cake-overhead", Kind::Whole(-64, 256), OnceWritten),
    property("cake-overhead-scheme", Kind::Text, OnceWritten),
    property("cake-rtt", Kind::Time, OnceWritten),
    property("cake-rtt-scheme", Kind::Choice(RTT_SCHEMES), OnceWritten),
    property("cake-wash", Kind::Flag, OnceWritten),
    property("kind", Kind::Choice(KINDS), Required),
    property("name", Kind::Name, Required),
];

/// A row shows the properties of its own kind only.
fn complete(values: &mut Values) {
    if values.get("kind").is_none_or(|kind| kind != "cake") {
        values.retain(|name, _| !name.starts_with("cake-"));
        return;
    }
    for (name, default) in [
        ("cake-ack-filter", "none"),
        ("cake-atm", "none"),
        ("cake-autorate-ingress", "false"),
        ("cake-bandwidth", "0"),
        ("cake-diffserv", "diffserv3"),
        ("cake-flowmode", "triple-isolate"),
        ("cake-memlimit", "0"),
        ("cake-nat", "false"),
        ("cake-overhead", "0"),
        ("cake-overhead-scheme", ""),
        ("cake-rtt", "100ms"),
        ("cake-rtt-scheme", "none"),
        ("cake-wash", "false"),
    ] {
        values.entry(name).or_insert_with(|| default.to_owned());
    }
}

fn show(shown: &mut Values, live: &mut Live<'_>) {
    if live.row.id >= FIRST_BUILT_IN {
        shown.insert("default", "true".into());
    }
}
