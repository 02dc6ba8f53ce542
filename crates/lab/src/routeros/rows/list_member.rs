//! `/interface/list/member`: which interfaces are those of the WAN, as the default configuration
//! groups them.

use super::{nothing_follows, show_as_valid};
use crate::routeros::schema::{
    Access, Kind, Menu,
    Presence::{Always, Required, WhileSet},
    Property, property,
};

/// The menu.
pub(in crate::routeros) static LIST_MEMBER: Menu = Menu {
    path: "interface/list/member",
    properties: PROPERTIES,
    first_id: 1,
    is_named: false,
    is_ordered: false,
    access: Access::Open,
    is_counted: false,
    complete: nothing_follows,
    show: show_as_valid,
};

static PROPERTIES: &[Property] = &[
    property("comment", Kind::Text, WhileSet),
    property("disabled", Kind::Flag, Always("false")),
    property("interface", Kind::Text, Required),
    property("list", Kind::Text, Required),
];
