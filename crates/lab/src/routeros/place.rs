//! What a path leads to.

use super::{
    errors::Refusal,
    rows::{
        CONNECTION, CONNECTION6, CPU, FILTER, FILTER6, GROUP, INTERFACE, LIST_MEMBER, MANGLE,
        MANGLE6, NETWATCH, QUEUE_SIMPLE, QUEUE_TREE, QUEUE_TYPE, ROUTE, ROUTING_RULE,
        ROUTING_TABLE, USER,
    },
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
    /// The command that watches traffic.
    Monitor,
    /// The command that runs scripts.
    Execute,
}

/// The objects without an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Single {
    /// `/system/identity`.
    Identity,
    /// `/system/resource`.
    Resource,
}

/// Longer paths come before those that they begin with.
static PLACES: [(&str, Place); 24] = [
    ("queue/tree", Place::Menu(&QUEUE_TREE)),
    ("queue/simple", Place::Menu(&QUEUE_SIMPLE)),
    ("queue/type", Place::Menu(&QUEUE_TYPE)),
    ("ip/firewall/mangle", Place::Menu(&MANGLE)),
    ("ipv6/firewall/mangle", Place::Menu(&MANGLE6)),
    ("ip/firewall/connection", Place::Menu(&CONNECTION)),
    ("ipv6/firewall/connection", Place::Menu(&CONNECTION6)),
    ("ip/firewall/filter", Place::Menu(&FILTER)),
    ("ipv6/firewall/filter", Place::Menu(&FILTER6)),
    ("ip/route", Place::Menu(&ROUTE)),
    ("routing/rule", Place::Menu(&ROUTING_RULE)),
    ("routing/table", Place::Menu(&ROUTING_TABLE)),
    ("interface/monitor-traffic", Place::Monitor),
    ("interface/list/member", Place::Menu(&LIST_MEMBER)),
    ("interface", Place::Menu(&INTERFACE)),
    ("tool/netwatch", Place::Menu(&NETWATCH)),
    ("user/group", Place::Menu(&GROUP)),
    ("user", Place::Menu(&USER)),
    ("system/resource/cpu", Place::Menu(&CPU)),
    ("system/resource", Place::Single(Single::Resource)),
    ("system/identity", Place::Single(Single::Identity)),
    ("ping", Place::Ping),
    ("tool/ping", Place::Ping),
    ("execute", Place::Execute),
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
