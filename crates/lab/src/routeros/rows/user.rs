//! `/user`: who may log in, and the group that says what for. Passwords are never shown.

use super::{nothing_follows, nothing_more};
use crate::routeros::schema::{
    Access, Kind, Menu,
    Presence::{Always, Required},
    Property, property,
};

/// The menu. Users are those of the emulator's configuration.
pub(in crate::routeros) static USER: Menu = Menu {
    path: "user",
    properties: PROPERTIES,
    first_id: 1,
    is_named: true,
    is_ordered: false,
    access: Access::Read,
    is_counted: false,
    complete: nothing_follows,
    show: nothing_more,
};

static PROPERTIES: &[Property] = &[
    property("address", Kind::Text, Always("")),
    property("disabled", Kind::Flag, Always("false")),
    property("group", Kind::Text, Required),
    property("name", Kind::Name, Required),
];
