//! `/system/resource/cpu`: the load of each core. One shaped CAKE keeps one core busy.

use super::{nothing_follows, nothing_more};
use crate::routeros::schema::{
    Access, Kind, Menu,
    Presence::{Always, Required},
    Property, property,
};

/// The menu.
pub(in crate::routeros) static CPU: Menu = Menu {
    path: "system/resource/cpu",
    properties: PROPERTIES,
    first_id: 0,
    is_named: false,
    is_ordered: false,
    access: Access::Read,
    is_counted: false,
    complete: nothing_follows,
    show: nothing_more,
};

static PROPERTIES: &[Property] = &[
    property("cpu", Kind::Text, Required),
    property("disk", Kind::Whole(0, 100), Always("0")),
    property("irq", Kind::Whole(0, 100), Always("0")),
    property("load", Kind::Whole(0, 100), Always("3")),
];
