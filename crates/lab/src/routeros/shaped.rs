//! Which queues of the plant a row stands for, and what it wants of them.

use std::collections::BTreeMap;

use wanctl_core::units::BitRate;

use super::{
    rows::{FASTTRACK, FILTER, QUEUE_SIMPLE, QUEUE_TREE},
    schema::{Menu, Row},
    store::Store,
};
use crate::plant::Side;

/// Deepest nesting of queues that is followed; a circle of parents ends there.
const DEEPEST: usize = 16;

/// A queue of the plant, as a row sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shaped {
    /// Which part of the row it is.
    pub(super) side: Option<Side>,
    /// Its name in the plant.
    pub(super) queue: String,
    /// The limit that the row shows.
    pub(super) limit: BitRate,
}

/// Returns the queues that `row` of `menu` stands for, in the order of the values it shows.
pub(super) fn shaped_by(store: &Store, menu: &Menu, row: &Row) -> Vec<Shaped> {
    let limits = row.get("max-limit");
    if menu.path == QUEUE_TREE.path {
        vec![Shaped { side: None, queue: row.get("name").to_owned(), limit: limit(limits) }]
    } else if menu.path == QUEUE_SIMPLE.path {
        let sides = sides(store, row);
        let limits = limits.split_once('/').unwrap_or_default();
        let shaped = |(side, limit): (Side, BitRate)| Shaped {
            side: Some(side),
            queue: side.of(row.get("name")),
            limit,
        };
        sides.into_iter().zip([limit(limits.0), limit(limits.1)]).map(shaped).collect()
    } else {
        Vec::new()
    }
}

/// Returns which way the first value of a simple queue goes, and which the second: what comes
/// *from* an interface towards the internet is a download.
fn sides(store: &Store, row: &Row) -> [Side; 2] {
    let is_wan = row.get("target").split(',').any(|target| store.is_wan(target));
    let first = if is_wan { Side::Download } else { Side::Upload };
    [first, first.opposite()]
}

/// Reads a limit as it is stored.
fn limit(text: &str) -> BitRate {
    BitRate::from_bps(text.parse().unwrap_or(0))
}

/// Returns the limits that all queues have in force: zero for those that are switched off, and
/// for those that traffic is taken past.
pub(super) fn limits(store: &Store) -> BTreeMap<String, BitRate> {
    let mut limits = BTreeMap::new();
    for menu in [&QUEUE_TREE, &QUEUE_SIMPLE] {
        for row in store.rows(menu) {
            let is_idle = row.is_disabled() || is_bypassed(store, menu, row);
            let in_force =
                |shaped: Shaped| (shaped.queue, if is_idle { BitRate::ZERO } else { shaped.limit });
            limits.extend(shaped_by(store, menu, row).into_iter().map(in_force));
        }
    }
    limits
}

/// Tells whether a `FastTrack` rule is in force.
pub(super) fn is_fasttracking(store: &Store) -> bool {
    store.rows(&FILTER).iter().any(|row| row.get("action") == FASTTRACK && !row.is_disabled())
}

/// Tells whether `FastTrack` takes traffic past `row` of `menu`: past every simple queue, and past
/// the trees that hang under `global`.
pub(super) fn is_bypassed(store: &Store, menu: &Menu, row: &Row) -> bool {
    if !is_fasttracking(store) {
        return false;
    }
    menu.path == QUEUE_SIMPLE.path
        || (menu.path == QUEUE_TREE.path && top_of(store, row) == "global")
}

/// Returns what the tree that `row` belongs to hangs under.
fn top_of<'a>(store: &'a Store, row: &'a Row) -> &'a str {
    let mut parent = row.get("parent");
    for _ in 0..DEEPEST {
        match store.named(&QUEUE_TREE, parent) {
            Some(above) => parent = above.get("parent"),
            None => break,
        }
    }
    parent
}
