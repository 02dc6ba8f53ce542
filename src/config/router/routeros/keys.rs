//! Reads the keys that name the queues and switches of a RouterOS.

use std::iter;

use wanctl_core::{
    Direction,
    steering::{Rank, Switch, SwitchKind},
};

use crate::{
    config::{
        read::Table,
        report::Read,
        router::SwitchUses,
        value,
        wan::{Taken, claim},
    },
    router::{QueueRef, QueueTarget, SwitchMenu, SwitchRef},
};

/// The longest comment; RouterOS takes more, people do not.
const COMMENT: usize = 256;

/// The keys of a WAN's queues: those of a simple queue, or else one in each direction.
pub(in crate::config) struct QueueKeys(Option<Simple>);

impl QueueKeys {
    pub(in super::super) fn read(table: &mut Table<'_>, queues: &mut Taken) -> Read<Self> {
        simple_queue(table, queues).map(Self)
    }

    pub(in super::super) fn of(
        &self,
        table: &mut Table<'_>,
        direction: Direction,
        queues: &mut Taken,
    ) -> Read<QueueRef> {
        match &self.0 {
            None => tree(table, direction, queues),
            Some(simple) => no_tree(table).map(|()| simple.of(direction)),
        }
    }
}

/// A simple queue, which shapes both directions.
struct Simple {
    name: String,
    /// On which side its target is said to be.
    target: Option<QueueTarget>,
}

impl Simple {
    fn of(&self, direction: Direction) -> QueueRef {
        QueueRef::Simple { name: self.name.clone(), direction, target: self.target }
    }
}

fn simple_queue(table: &mut Table<'_>, queues: &mut Taken) -> Read<Option<Simple>> {
    let name = table.optional("simple_queue", value::line(256));
    let target = table.optional(
        "simple_queue_target",
        value::choice(&[("lan", QueueTarget::Lan), ("wan", QueueTarget::Wan)]),
    );
    let Some(name) = name? else {
        if table.has("simple_queue_target") {
            return Err(table.fail("simple_queue_target", "has no effect without `simple_queue`"));
        }
        return Ok(None);
    };
    let remedy = "; give each WAN a queue of its own (docs/router.md, \"Several WANs\")";
    let name = claim(table, ("simple_queue", name), remedy, queues)?;
    Ok(Some(Simple { name, target: target? }))
}

fn tree(table: &mut Table<'_>, direction: Direction, queues: &mut Taken) -> Read<QueueRef> {
    let queue = table.required("queue", value::line(256))?;
    let remedy = format!(
        "; a queue serves one WAN: give each WAN a queue of its own, with packet marks, or leave \
         `{}` out of one of them (docs/router.md, \"Several WANs\")",
        direction.name()
    );
    claim(table, ("queue", queue), &remedy, queues).map(QueueRef::Tree)
}

fn no_tree(table: &mut Table<'_>) -> Read<()> {
    if table.optional("queue", value::line(256))?.is_some() {
        let message = "this WAN has a `simple_queue`, which shapes both directions";
        return Err(table.fail("queue", message));
    }
    Ok(())
}

/// Reads which rows move latency-sensitive connections to a WAN of this `rank`.
pub(in super::super) fn steer_keys(
    table: &mut Table<'_>,
    rank: Rank,
    (router, uses): (usize, &mut SwitchUses),
) -> Read<Vec<SwitchRef>> {
    let rule = table.required("rule", value::line(COMMENT));
    let rule6 = table.optional("rule6", value::line(COMMENT));
    let mut switch = |key, kind, menu, comment: String| {
        let comment = claim_row(table, key, (router, menu, comment), uses)?;
        Ok(SwitchRef { switch: Switch { wan: rank, kind }, menu, comment })
    };
    let rule =
        rule.and_then(|comment| switch("rule", SwitchKind::SteerRule, SwitchMenu::Mangle, comment));
    let rule6 = rule6.and_then(|comment| {
        let rule6 = |comment| switch("rule6", SwitchKind::SteerRule6, SwitchMenu::Mangle6, comment);
        comment.map(rule6).transpose()
    });
    if rank == Rank::DEFAULT_WAN {
        let message = "is not allowed for the first WAN: new connections use it by default";
        return Err(table.fail_here(message));
    }
    Ok(iter::once(rule?).chain(rule6?).collect())
}

/// Reads which row moves everything to or from a WAN of this `rank`.
pub(in super::super) fn failover_key(
    table: &mut Table<'_>,
    rank: Rank,
    (router, uses): (usize, &mut SwitchUses),
) -> Read<SwitchRef> {
    const KEYS: [(&str, SwitchMenu); 3] = [
        ("route", SwitchMenu::Route),
        ("routing_rule", SwitchMenu::RoutingRule),
        ("mangle", SwitchMenu::Mangle),
    ];
    let comments = KEYS.map(|(key, menu)| (key, menu, table.optional(key, value::line(COMMENT))));
    let mut given = Vec::new();
    for (key, menu, comment) in comments {
        given.extend(comment?.map(|comment| (key, menu, comment)));
    }
    let mut given = given.into_iter();
    let Some((key, menu, comment)) = given.next() else {
        return Err(table.miss(&KEYS.map(|(key, _)| key)));
    };
    if let Some((second, ..)) = given.next() {
        let message = "only one of `route`, `routing_rule`, `mangle` may be given";
        return Err(table.fail(second, message));
    }
    let diverts = menu != SwitchMenu::Route;
    if diverts && rank == Rank::DEFAULT_WAN {
        let message = "is not allowed for the first WAN: all traffic uses it by default; set \
                       `route` to its default route, which is disabled while the WAN is dead";
        return Err(table.fail(key, message));
    }
    let comment = claim_row(table, key, (router, menu, comment), uses)?;
    let kind = if diverts { SwitchKind::FailoverRule } else { SwitchKind::FailoverRoute };
    Ok(SwitchRef { switch: Switch { wan: rank, kind }, menu, comment })
}

/// Takes a row of the router for its own, unless another key has it.
fn claim_row(
    table: &Table<'_>,
    key: &'static str,
    row: (usize, SwitchMenu, String),
    uses: &mut SwitchUses,
) -> Read<String> {
    let comment = row.2.clone();
    if let Some(by) = uses.get(&row) {
        let comment = value::printable(&comment);
        return Err(table.fail(key, format!("`{comment}` is already used by {by}")));
    }
    uses.insert(row, table.path_of(key).text().to_owned());
    Ok(comment)
}
