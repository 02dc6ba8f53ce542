//! `/tool/netwatch`: hosts that the router watches, from five minutes after it started on.

use std::time::Duration;

use super::nothing_follows;
use crate::routeros::schema::{
    Access, Kind, Live, Menu,
    Presence::{Always, OnceWritten, Required, WhileSet},
    Property, Values, property,
};

/// How long after a start nothing is known of any host.
const STARTUP_DELAY: Duration = Duration::from_mins(5);

/// The menu. Every host is up here, as soon as it is watched.
pub(in crate::routeros) static NETWATCH: Menu = Menu {
    path: "tool/netwatch",
    properties: PROPERTIES,
    first_id: 1,
    is_named: true,
    is_ordered: false,
    access: Access::Open,
    is_counted: false,
    complete: nothing_follows,
    show,
};

static TYPES: &[&str] = &["simple", "icmp", "tcp-conn", "http-get", "https-get", "dns"];

static PROPERTIES: &[Property] = &[
    property("comment", Kind::Text, WhileSet),
    property("disabled", Kind::Flag, OnceWritten),
    property("down-script", Kind::Text, Always("")),
    property("host", Kind::Text, Required),
    property("http-codes", Kind::Text, Always("")),
    property("interval", Kind::Time, Always("10s")),
    property("name", Kind::Text, Always("")),
    property("test-script", Kind::Text, Always("")),
    property("type", Kind::Choice(TYPES), Always("simple")),
    property("up-script", Kind::Text, Always("")),
];

fn show(shown: &mut Values, live: &mut Live<'_>) {
    let is_watched = live.uptime >= STARTUP_DELAY && !live.row.is_disabled();
    shown.insert("status", if is_watched { "up" } else { "unknown" }.into());
}
