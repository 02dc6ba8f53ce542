//! Reads `router:` or `routers:`: which routers there are, of which kind, and how they are reached.

#[cfg(feature = "routeros")]
mod routeros;

use std::{collections::BTreeMap, path::Path, time::Duration};

use wanctl_core::{Direction, steering::Rank};

use super::{
    RouterConfig,
    document::Node,
    read::{Table, similar},
    report::{Read, Reported},
    surroundings::Environment,
    value,
    wan::Taken,
};
#[cfg(feature = "routeros")]
use crate::router::routeros::KIND as KIND_ROUTEROS;
use crate::{
    actuator::Pace,
    router::{Connection, KINDS, QueueRef, SwitchMenu, SwitchRef},
};

/// Most routers of one daemon.
const MAX_ROUTERS: usize = 16;

/// The routers of a configuration, as far as WANs must know them: none if they are wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Routers<'a>(pub(super) &'a [RouterConfig]);

/// Reads the routers; relative paths start at `base`.
pub(super) fn read(
    table: &mut Table<'_>,
    base: &Path,
    surroundings: &Environment<'_>,
) -> Read<Vec<RouterConfig>> {
    let only = table.optional_table("router", |table| one(table, base, surroundings));
    let several = table.optional_tables("routers", 1..=MAX_ROUTERS, |name, table| {
        let router = one(table, base, surroundings)?;
        let name = value::line(64)(&Node::Text(name.to_owned()));
        let name = name.map_err(|message| table.fail_here(message))?;
        Ok(RouterConfig { name, ..router })
    });
    match (only?, several?) {
        (Some(only), None) => Ok(vec![only]),
        (None, Some(several)) => Ok(several),
        (None, None) => Err(table.miss(&["router", "routers"])),
        (Some(_), Some(_)) => {
            Err(table.fail("routers", "only one of `router`, `routers` may be given"))
        }
    }
}

fn one(table: &mut Table<'_>, base: &Path, surroundings: &Environment<'_>) -> Read<RouterConfig> {
    let connection = connection(table, base, surroundings);
    let stats_interval =
        table.or("stats_interval_ms", value::millis(50..=5000), Duration::from_millis(100));
    let pace = pace(table);
    let (connection, stats_interval, pace) = (connection?, stats_interval?, pace?);
    Ok(RouterConfig { stats_interval, pace, ..RouterConfig::only(connection) })
}

/// Reads `kind`, and the keys of that kind.
fn connection(
    table: &mut Table<'_>,
    base: &Path,
    surroundings: &Environment<'_>,
) -> Read<Connection> {
    let kind = table.optional("kind", value::line(64))?;
    let Some(default) = KINDS.first() else {
        return Err(table.fail_here(
            "this wanctl was built without a backend for any kind of router; use a build with \
             one, for example `--features routeros`",
        ));
    };
    match kind.as_deref().unwrap_or(default) {
        #[cfg(feature = "routeros")]
        KIND_ROUTEROS => routeros::read(table, base, surroundings).map(Connection::RouterOs),
        _ => {
            let _ = (base, surroundings);
            // The keys of another kind are not known here.
            table.accept_all();
            let kinds: Vec<String> = KINDS.iter().map(|kind| format!("`{kind}`")).collect();
            let kinds = kinds.join(", ");
            Err(table.fail("kind", format!("not a kind of router that this wanctl has: {kinds}")))
        }
    }
}

fn pace(table: &mut Table<'_>) -> Read<Pace> {
    let default = Pace::default();
    let coalesce = table.or("raise_interval_ms", value::millis(0..=5000), default.coalesce);
    let raises = table.or(
        "raises_per_minute",
        value::whole(6..=6000, "raises"),
        u64::from(default.raises_per_minute),
    );
    let writes = table.or(
        "writes_per_hour",
        value::whole(60..=360_000, "writes"),
        u64::from(default.writes_per_hour),
    );
    Ok(Pace {
        coalesce: coalesce?,
        raises_per_minute: u32::try_from(raises?).unwrap_or(default.raises_per_minute),
        writes_per_hour: u32::try_from(writes?).unwrap_or(default.writes_per_hour),
        ..default
    })
}

/// The keys that name a WAN's queues, by the kind of its router.
pub(super) enum QueueKeys {
    #[cfg(feature = "routeros")]
    RouterOs(routeros::QueueKeys),
}

impl QueueKeys {
    /// Reads which queue shapes a direction, from the table of that direction.
    pub(super) fn of(
        &self,
        table: &mut Table<'_>,
        direction: Direction,
        queues: &mut Taken,
    ) -> Read<QueueRef> {
        match *self {
            #[cfg(feature = "routeros")]
            Self::RouterOs(ref keys) => keys.of(table, direction, queues),
        }
    }
}

/// The switches in use, by router, menu and comment, with the key that uses each.
pub(super) type SwitchUses = BTreeMap<(usize, SwitchMenu, String), String>;

/// By kind of router: reading the keys that name its queues and switches.
impl Routers<'_> {
    /// Reads the keys of a WAN that name the queues of both directions.
    pub(super) fn queue_keys(
        self,
        router: usize,
        table: &mut Table<'_>,
        queues: &mut Taken,
    ) -> Read<QueueKeys> {
        match self.kind(router) {
            #[cfg(feature = "routeros")]
            KIND_ROUTEROS => routeros::QueueKeys::read(table, queues).map(QueueKeys::RouterOs),
            _ => Err(unknown_kind(table)),
        }
    }

    /// Reads `steer` of an item of `steering.wans`.
    pub(super) fn steer_keys(
        self,
        table: &mut Table<'_>,
        rank: Rank,
        (router, uses): (usize, &mut SwitchUses),
    ) -> Read<Vec<SwitchRef>> {
        match self.kind(router) {
            #[cfg(feature = "routeros")]
            KIND_ROUTEROS => routeros::steer_keys(table, rank, (router, uses)),
            _ => Err(unknown_kind(table)),
        }
    }

    /// Reads `failover` of an item of `steering.wans`.
    pub(super) fn failover_key(
        self,
        table: &mut Table<'_>,
        rank: Rank,
        (router, uses): (usize, &mut SwitchUses),
    ) -> Read<SwitchRef> {
        match self.kind(router) {
            #[cfg(feature = "routeros")]
            KIND_ROUTEROS => routeros::failover_key(table, rank, (router, uses)),
            _ => Err(unknown_kind(table)),
        }
    }

    /// The kind of a router; the default one if the routers are wrong.
    fn kind(self, place: usize) -> &'static str {
        let kind = self.0.get(place).map(|router| router.connection.kind());
        kind.or(KINDS.first().copied()).unwrap_or_default()
    }
}

/// That no kind is compiled in has been reported.
fn unknown_kind(table: &mut Table<'_>) -> Reported {
    table.accept_all();
    Reported
}

impl Routers<'_> {
    /// Reads `router` of a table: the place of the router that it names. It may be left out if
    /// there is only one, or if there is a `default`.
    pub(super) fn named(self, table: &mut Table<'_>, default: Option<usize>) -> Read<usize> {
        let name = table.optional("router", value::line(64))?;
        // What is wrong with the routers has been reported.
        if self.0.is_empty() {
            return Err(Reported);
        }
        let Some(name) = name else {
            let only = (self.0.len() == 1).then_some(0);
            return default.or(only).ok_or_else(|| table.miss(&["router"]));
        };
        let place = self.0.iter().position(|router| router.name == name);
        place.ok_or_else(|| {
            let names: Vec<&str> = self.0.iter().map(|router| router.name.as_str()).collect();
            let shown = value::printable(&name);
            let hint = if let Some(meant) = similar(&name, names.iter().copied()) {
                format!("did you mean `{}`?", value::printable(meant))
            } else {
                let names = names.into_iter().map(|name| format!("`{}`", value::printable(name)));
                format!("there are {}", names.collect::<Vec<_>>().join(", "))
            };
            table.fail("router", format!("there is no router `{shown}`; {hint}"))
        })
    }

    /// Returns whether the router with this place can ping without delaying a write.
    pub(super) fn pings_apart(self, place: usize) -> bool {
        self.0.get(place).is_some_and(|router| router.connection.pings_apart())
    }
}
