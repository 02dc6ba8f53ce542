//! `/routing/table`: what marks and rules send traffic to.

use super::{nothing_follows, show_as_valid};
use crate::routeros::schema::{
    Access, Kind, Menu,
    Presence::{OnceWritten, Required, WhileSet},
    Property, property,
};

/// The menu. Its first row, `main`, is the router's own and has the identifier `*0`.
pub(in crate::routeros) static ROUTING_TABLE: Menu = Menu {
    path: "routing/table",
    properties: PROPERTIES,
    first_id: 0,
    is_named: true,
    is_ordered: false,
    access: Access::Open,
    is_counted: false,
    complete: nothing_follows,
    show: show_as_valid,
};

static PROPERTIES: &[Property] = &[
    property("comment", Kind::Text, WhileSet),
    // There, and empty, for tables that forward packets; absent for all others.
    property("fib", Kind::Marker, OnceWritten),
    property("name", Kind::Name, Required),
];
