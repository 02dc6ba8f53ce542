//! Reads `steering.wans`, the WANs in the order of preference and what is switched for each.

use std::collections::BTreeMap;

use wanctl_core::steering::{FailoverMethod, Rank, Switch, SwitchKind, SwitchOrder, WanFacts};

use super::{PlacedSwitch, must_be_bound};
use crate::{
    actuator::ConntrackFlush,
    config::{
        WanConfig,
        read::Table,
        report::{Read, Reported},
        router::{Routers, SwitchUses},
        value,
    },
    router::{MarkedConnections, SwitchRef},
};

/// Most WANs that stand in for each other; more than anybody has, few enough to be looked over.
const MAX_WANS: usize = 8;

/// What `steering.wans` says.
pub(super) struct Wans {
    pub(super) facts: Vec<WanFacts>,
    pub(super) switches: Vec<PlacedSwitch>,
    pub(super) forgets: Vec<ConntrackFlush>,
    pub(super) configs: Vec<WanConfig>,
}

/// What one item says.
struct Item {
    facts: WanFacts,
    /// On the router with this place.
    switches: Vec<SwitchRef>,
    router: usize,
    /// The mark of its connections that begin anew when they are to take another way.
    forget: Option<String>,
    config: WanConfig,
}

/// What is taken already, and by which key.
#[derive(Default)]
struct Taken {
    wans: BTreeMap<String, String>,
    rows: SwitchUses,
}

pub(super) fn read(table: &mut Table<'_>, known: &[WanConfig], routers: Routers<'_>) -> Read<Wans> {
    let items = table.list("wans", 2..=MAX_WANS)?;
    let mut taken = Taken::default();
    let read: Vec<Read<Item>> = items
        .into_iter()
        .enumerate()
        .map(|(rank, item)| {
            item.table(|table| one(table, Rank(rank), (known, routers), &mut taken))
        })
        .collect();
    let mut wans = Wans { facts: vec![], switches: vec![], forgets: vec![], configs: vec![] };
    let mut marks = Vec::new();
    for item in read.into_iter().collect::<Read<Vec<Item>>>()? {
        wans.facts.push(item.facts);
        let router = item.router;
        wans.switches.extend(item.switches.into_iter().map(|at| PlacedSwitch { router, at }));
        marks.push(item.forget);
        wans.configs.push(item.config);
    }
    wans.forgets = forgets(&wans.switches, &marks);
    Ok(wans)
}

/// Returns which connections are forgotten after which change: when an alternate is enabled, those
/// on the default WAN; when it is disabled, those on the alternate.
fn forgets(switches: &[PlacedSwitch], marks: &[Option<String>]) -> Vec<ConntrackFlush> {
    let ipv6 = switches.iter().any(|placed| placed.at.switch.kind == SwitchKind::SteerRule6);
    let of = |rank: Rank| {
        let mark = marks.get(rank.0).cloned().flatten()?;
        Some(MarkedConnections { mark, ipv6 })
    };
    let after = |switch: Switch, enabled: bool, left: Rank| {
        of(left).map(|connections| ConntrackFlush {
            after: SwitchOrder { switch, enabled },
            connections,
        })
    };
    let of_switch = |at: &SwitchRef| match at.switch.kind {
        SwitchKind::SteerRule | SwitchKind::FailoverRule => {
            vec![after(at.switch, true, Rank::DEFAULT_WAN), after(at.switch, false, at.switch.wan)]
        }
        SwitchKind::FailoverRoute => vec![after(at.switch, false, at.switch.wan)],
        // Goes along with the rule for IPv4.
        SwitchKind::SteerRule6 => Vec::new(),
    };
    switches.iter().flat_map(|placed| of_switch(&placed.at)).flatten().collect()
}

fn one(
    table: &mut Table<'_>,
    rank: Rank,
    (known, routers): (&[WanConfig], Routers<'_>),
    taken: &mut Taken,
) -> Read<Item> {
    let name = table.required("name", value::line(64));
    let config = name.and_then(|name| find(table, &name, known, taken));
    // Its switches are on its own router unless another is named.
    let own = config.as_ref().ok().map(|wan| wan.router);
    let router = routers.named(table, own);
    let place = router.unwrap_or(usize::MAX);
    let uses = (place, &mut taken.rows);
    let steer = table.optional_table("steer", |table| routers.steer_keys(table, rank, uses));
    let forget = table.optional("forget_mark", value::line(64));
    let uses = (place, &mut taken.rows);
    let failover =
        table.optional_table("failover", |table| routers.failover_key(table, rank, uses));
    let (config, router, steer, failover, forget) = (config?, router?, steer?, failover?, forget?);
    let failover_method = failover.as_ref().and_then(|at| match at.switch.kind {
        SwitchKind::FailoverRoute => Some(FailoverMethod::DisableRoute),
        SwitchKind::FailoverRule => Some(FailoverMethod::EnableRule),
        SwitchKind::SteerRule | SwitchKind::SteerRule6 => None,
    });
    let switches: Vec<SwitchRef> = steer.into_iter().flatten().chain(failover).collect();
    let has = |kind| switches.iter().any(|at| at.switch.kind == kind);
    let facts = WanFacts {
        name: config.name.clone(),
        place: known.iter().position(|wan| wan.name == config.name).unwrap_or_default(),
        limits: config.params.limits(),
        metered: config.metered,
        has_steer: has(SwitchKind::SteerRule),
        has_steer6: has(SwitchKind::SteerRule6),
        failover_method,
    };
    Ok(Item { facts, switches, router, forget, config })
}

fn find(table: &Table<'_>, name: &str, known: &[WanConfig], taken: &mut Taken) -> Read<WanConfig> {
    let shown = value::printable(name);
    if let Some(by) = taken.wans.get(name) {
        return Err(table.fail("name", format!("`{shown}` is in the list twice, first at {by}")));
    }
    taken.wans.insert(name.to_owned(), table.path_of("name").text().to_owned());
    // What is wrong with the WANs has been reported already.
    if known.is_empty() {
        return Err(Reported);
    }
    let Some(wan) = known.iter().find(|wan| wan.name == name) else {
        let names: Vec<String> =
            known.iter().map(|wan| format!("`{}`", value::printable(&wan.name))).collect();
        let names = names.join(", ");
        return Err(table.fail("name", format!("there is no WAN `{shown}`; there are {names}")));
    };
    must_be_bound(table, wan)?;
    Ok(wan.clone())
}
