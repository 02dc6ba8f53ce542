//! What a path leads to.

use super::{
    errors::Refusal,
    rows::{INTERFACE, MANGLE, QUEUE_SIMPLE, QUEUE_TREE, QUEUE_TYPE},
    schema::Menu,
};

/// Something with a path of its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// A list of rows.
    Menu(&'static Menu),
    /// One object without an identifier.
    Single(Single),
    /// The command that pings.
    Ping,
}

/// The objects without an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Single {
    /// `/system/identity`.
    Identity,
    /// `/system/resource`.
    Resource,
}

static PLACES: [(&str, Place); 9] = [
    ("queue/tree", Place::Menu(&QUEUE_TREE)),
    ("queue/simple", Place::Menu(&QUEUE_SIMPLE)),
    ("queue/type", Place::Menu(&QUEUE_TYPE)),
    ("ip/firewall/mangle", Place::Menu(&MANGLE)),
    ("interface", Place::Menu(&INTERFACE)),
    ("system/resource", Place::Single(Single::Resource)),
    ("system/identity", Place::Single(Single::Identity)),
    ("ping", Place::Ping),
    ("tool/ping", Place::Ping),
];

/// Returns the place that `segments` begin with, and the segments that are left.
///
/// # Errors
/// Refuses unknown paths, naming the first word that leads nowhere.
pub(super) fn find(segments: &[String]) -> Result<(Place, &[String]), Refusal> {
    let begins = |path: &str, depth: usize| {
        path.split('/').take(depth).eq(segments.iter().take(depth).map(String::as_str))
    };
    for (path, place) in &PLACES {
        let depth = path.split('/').count();
        if segments.len() >= depth && begins(path, depth) {
            return Ok((*place, &segments[depth..]));
        }
    }
    let is_known = |depth: &usize| PLACES.iter().any(|(path, _)| begins(path, *depth));
    let strange = (1..=segments.len()).find(|depth| !is_known(depth));
    Err(match strange {
        Some(depth) => Refusal::no_such_command(&segments[depth - 1]),
        None => Refusal::bad("no such command"),
    })
}
