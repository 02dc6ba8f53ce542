//! `/user/group`: what the groups of the users allow, for clients that check before they need it.

use super::{nothing_follows, nothing_more};
use crate::routeros::schema::{
    Access, Kind, Menu,
    Presence::{Always, Required},
    Property, property,
};

/// The menu. Groups are those of the emulator's configuration.
pub(in crate::routeros) static GROUP: Menu = Menu {
    path: "user/group",
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
    property("name", Kind::Name, Required),
    property("policy", Kind::Text, Required),
    property("skin", Kind::Text, Always("default")),
];
