//! The menus that the emulator has.

mod connection;
mod cpu;
mod filter;
mod group;
mod interface;
mod list_member;
mod mangle;
mod netwatch;
mod queue_simple;
mod queue_tree;
mod queue_type;
mod route;
mod routing_rule;
mod routing_table;
mod user;

pub(super) use connection::{CONNECTION, CONNECTION6};
pub(super) use cpu::CPU;
pub(super) use filter::{FASTTRACK, FILTER, FILTER6};
pub(super) use group::GROUP;
pub(super) use interface::INTERFACE;
pub(super) use list_member::LIST_MEMBER;
pub(super) use mangle::{MANGLE, MANGLE6};
pub(super) use netwatch::NETWATCH;
pub(super) use queue_simple::QUEUE_SIMPLE;
pub(super) use queue_tree::QUEUE_TREE;
pub(super) use queue_type::{BUILT_IN, FIRST_BUILT_IN, QUEUE_TYPE};
pub(super) use route::ROUTE;
pub(super) use routing_rule::ROUTING_RULE;
pub(super) use routing_table::ROUTING_TABLE;
pub(super) use user::USER;

use super::{
    schema::{Live, Menu, Values},
    values,
};

/// Every menu.
pub(super) static MENUS: [&Menu; 18] = [
    &QUEUE_TREE,
    &QUEUE_SIMPLE,
    &QUEUE_TYPE,
    &MANGLE,
    &MANGLE6,
    &FILTER,
    &FILTER6,
    &CONNECTION,
    &CONNECTION6,
    &ROUTE,
    &ROUTING_RULE,
    &ROUTING_TABLE,
    &INTERFACE,
    &LIST_MEMBER,
    &NETWATCH,
    &CPU,
    &USER,
    &GROUP,
];

/// For menus where nothing follows from what was written.
fn nothing_follows(_: &mut Values) {}

/// For menus that show what is stored and no more.
fn nothing_more(_: &mut Values, _: &mut Live<'_>) {}

/// Shows counters that stand at zero: the emulator moves no packets there.
fn show_zero(shown: &mut Values, names: &[&'static str], zero: &str) {
    shown.extend(names.iter().map(|name| (*name, zero.to_owned())));
}

/// Shows whether the router made a row itself, and that the row works.
fn show_as_valid(shown: &mut Values, live: &mut Live<'_>) {
    shown.insert("dynamic", values::shown_flag(live.row.is_dynamic).into());
    shown.insert("invalid", "false".into());
}
