//! The menus that the emulator has.

mod interface;
mod mangle;
mod queue_simple;
mod queue_tree;
mod queue_type;

pub(super) use interface::INTERFACE;
pub(super) use mangle::MANGLE;
pub(super) use queue_simple::QUEUE_SIMPLE;
pub(super) use queue_tree::QUEUE_TREE;
pub(super) use queue_type::{BUILT_IN, FIRST_BUILT_IN, QUEUE_TYPE};

use super::schema::{Live, Menu, Values};

/// Every menu.
pub(super) static MENUS: [&Menu; 5] =
    [&QUEUE_TREE, &QUEUE_SIMPLE, &QUEUE_TYPE, &MANGLE, &INTERFACE];

/// For menus where nothing follows from what was written.
fn nothing_follows(_: &mut Values) {}

/// Shows counters that stand at zero: the emulator moves no packets there.
fn show_zero(shown: &mut Values, names: &[&'static str], zero: &str) {
    shown.extend(names.iter().map(|name| (*name, zero.to_owned())));
}

/// Shows the marks of a row that works and was made by a person.
fn show_as_static(shown: &mut Values, _: &mut Live<'_>) {
    shown.insert("dynamic", "false".into());
    shown.insert("invalid", "false".into());
}
