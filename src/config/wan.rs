//! Reads an item of `wans:`, what is measured and shaped.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use super::{
    Bind, ProbeConfig, QueueRef, Side, Via, WanConfig,
    document::Node,
    read::Table,
    report::{Read, Reported},
    value, zone,
};
use crate::{
    control::{
        Direction, DirectionParams, EvidenceParams, LawKind, Limits, PerDirection, StateThresholds,
        WanParams,
    },
    units::{BitRate, Delay},
};

/// Most reflectors of a WAN: at the default interval each is then probed every 3.2 s.
const MAX_REFLECTORS: usize = 64;
/// With fewer reflectors than this, one that misbehaves cannot be outvoted.
const FEW_REFLECTORS: usize = 3;
/// A reply counts for this many rounds of the reflectors, so that a few lost probes are no gap.
const FRESH_ROUNDS: u32 = 4;
/// A reply counts for at least this long.
const FRESH_AT_LEAST: Duration = Duration::from_secs(1);
/// A floor above this share of the ceiling may not drain a queue at the provider.
const HIGH_FLOOR: f64 = 0.25;
/// Time between two probes of a WAN that this host sends.
const HOST_INTERVAL: Duration = Duration::from_millis(50);
/// The same if the router sends them, one after the other, each for a request.
const ROUTER_INTERVAL: Duration = Duration::from_millis(200);
/// The longest name of a Linux network interface, in bytes.
const INTERFACE_BYTES: usize = 15;

/// What the WANs together need: no two of the same name, no two on the same queue.
#[derive(Default)]
pub(super) struct Uses {
    names: BTreeMap<String, String>,
    queues: BTreeMap<String, String>,
}

/// Reads one WAN. `several` tells that there are others, `pings` that the router has a user for
/// pings alone.
pub(super) fn read(
    table: &mut Table<'_>,
    several: bool,
    pings: bool,
    uses: &mut Uses,
) -> Read<WanConfig> {
    let name = table
        .required("name", value::line(64))
        .and_then(|name| claim(table, "name", name, &mut uses.names));
    let bind = bind(table);
    if several && matches!(bind, Ok(Bind::Any)) {
        table.warn_here(
            "has neither `source` nor `interface`, so its probes follow the routing table and \
             may measure another WAN",
        );
    }
    let reflectors = reflectors(table, bind.as_ref().ok());
    let timing = table.table("probe", |probe| {
        let via = probe.or(
            "via",
            value::choice(&[("host", Via::Host), ("router", Via::Router)]),
            Via::Host,
        );
        let usual = if matches!(via, Ok(Via::Router)) { ROUTER_INTERVAL } else { HOST_INTERVAL };
        let interval = probe.or("interval_ms", value::millis(20..=1000), usual);
        let timeout = probe.or("timeout_ms", value::millis(100..=5000), Duration::from_secs(1));
        Ok((via?, interval?, timeout?))
    });
    if matches!(timing, Ok((Via::Router, ..))) && !pings {
        table.warn_here(
            "is probed by the router with the user that also writes the rates: a lost ping holds a \
             cut up for a second; give `router.pings` a user of its own",
        );
    }
    let thresholds = table.table("delay", thresholds);
    let simple = simple_queue(table, &mut uses.queues);
    let mut queue_of = |key, which| {
        table.required_table(key, |table| {
            let queue = match &simple {
                Ok(None) => tree(table, &mut uses.queues),
                Ok(Some(simple)) => no_tree(table).map(|()| simple.of(which)),
                Err(Reported) => Err(Reported),
            };
            let params = direction(table, which);
            Ok((queue?, params?))
        })
    };
    let download = queue_of("download", Direction::Download);
    let upload = queue_of("upload", Direction::Upload);

    let (name, bind, reflectors) = (name?, bind?, reflectors?);
    let ((via, interval, timeout), thresholds) = (timing?, thresholds?);
    let ((download_queue, download), (upload_queue, upload)) = (download?, upload?);
    let evidence = evidence(&reflectors, interval, &thresholds);
    Ok(WanConfig {
        name,
        probe: ProbeConfig { via, reflectors, bind, interval, timeout },
        queues: PerDirection { download: download_queue, upload: upload_queue },
        params: WanParams { evidence, thresholds, directions: PerDirection { download, upload } },
    })
}

/// Takes `value` for its own, unless another part of the file has it.
fn claim(
    table: &Table<'_>,
    key: &'static str,
    value: String,
    taken: &mut BTreeMap<String, String>,
) -> Read<String> {
    if let Some(by) = taken.get(&value) {
        let value = value::printable(&value);
        return Err(table.fail(key, format!("`{value}` is taken already, by {by}")));
    }
    taken.insert(value.clone(), table.path_of(key).text().to_owned());
    Ok(value)
}

fn bind(table: &mut Table<'_>) -> Read<Bind> {
    let source = table.optional("source", value::host_address);
    let interface = table.optional("interface", interface);
    match (source?, interface?) {
        (None, None) => Ok(Bind::Any),
        (Some(address), None) => Ok(Bind::Source(address)),
        (None, Some(name)) => Ok(Bind::Interface(name)),
        (Some(_), Some(_)) => {
            Err(table.fail("interface", "only one of `source`, `interface` may be given"))
        }
    }
}

fn interface(node: &Node) -> Result<String, String> {
    let name = value::line(INTERFACE_BYTES)(node)?;
    if name.len() > INTERFACE_BYTES || name.contains('/') || name.contains(char::is_whitespace) {
        return Err(format!(
            "expected the name of a network interface: up to {INTERFACE_BYTES} bytes, no `/`, \
             no spaces"
        ));
    }
    Ok(name)
}

fn reflectors(table: &mut Table<'_>, bind: Option<&Bind>) -> Read<Vec<IpAddr>> {
    let mut reflectors = Vec::new();
    let mut mistake = None;
    for item in table.list("reflectors", 1..=MAX_REFLECTORS)? {
        let address = item.scalar(value::host_address).and_then(|address| match bind {
            _ if reflectors.contains(&address) => {
                Err(item.fail(format!("{address} is in the list already")))
            }
            Some(Bind::Source(source)) if source.is_ipv4() != address.is_ipv4() => {
                Err(item.fail(format!("{address} cannot be reached from the source {source}")))
            }
            _ => Ok(address),
        });
        match address {
            Ok(address) => reflectors.push(address),
            Err(reported) => mistake = Some(reported),
        }
    }
    if let Some(reported) = mistake {
        return Err(reported);
    }
    if reflectors.len() < FEW_REFLECTORS {
        table.warn(
            "reflectors",
            format!(
                "fewer than {FEW_REFLECTORS}: a reflector that is slow by itself looks like \
                 congestion; five or six are good"
            ),
        );
    }
    Ok(reflectors)
}

fn thresholds(table: &mut Table<'_>) -> Read<StateThresholds> {
    let mut threshold =
        |key, default| table.or(key, value::threshold, Delay::from_millis_f64(default));
    let yellow = threshold("yellow_ms", 15.0);
    let soft_red = threshold("soft_red_ms", 45.0);
    let red = threshold("red_ms", 80.0);
    let (yellow, soft_red, red) = (yellow?, soft_red?, red?);
    above(table, ("soft_red_ms", soft_red), ("yellow_ms", yellow))?;
    above(table, ("red_ms", red), ("soft_red_ms", soft_red))?;
    Ok(StateThresholds { yellow, soft_red, red })
}

fn above(
    table: &Table<'_>,
    (key, value): (&'static str, Delay),
    (lower_key, lower): (&'static str, Delay),
) -> Read<()> {
    if value > lower {
        return Ok(());
    }
    let default = if table.has(key) { "" } else { " (the default)" };
    let (value, lower) = (value.millis(), lower.millis());
    Err(table.fail(key, format!("{value}{default} must be above `{lower_key}`, which is {lower}")))
}

/// A simple queue, which shapes both directions.
struct Simple {
    name: String,
    /// The side that is the upload.
    upload: Side,
}

impl Simple {
    fn of(&self, direction: Direction) -> QueueRef {
        let side = match (direction, self.upload) {
            (Direction::Upload, side) => side,
            (Direction::Download, Side::First) => Side::Second,
            (Direction::Download, Side::Second) => Side::First,
        };
        QueueRef::Simple { name: self.name.clone(), side }
    }
}

fn simple_queue(
    table: &mut Table<'_>,
    queues: &mut BTreeMap<String, String>,
) -> Read<Option<Simple>> {
    let name = table.optional("simple_queue", value::line(256));
    // The first value is what the target sends: upload if it is in the home.
    let upload = table.or(
        "simple_queue_target",
        value::choice(&[("lan", Side::First), ("wan", Side::Second)]),
        Side::First,
    );
    let Some(name) = name? else {
        if table.has("simple_queue_target") {
            return Err(table.fail("simple_queue_target", "is of no use without `simple_queue`"));
        }
        return Ok(None);
    };
    let name = claim(table, "simple_queue", name, queues)?;
    Ok(Some(Simple { name, upload: upload? }))
}

fn tree(table: &mut Table<'_>, queues: &mut BTreeMap<String, String>) -> Read<QueueRef> {
    let queue = table.required("queue", value::line(256))?;
    claim(table, "queue", queue, queues).map(QueueRef::Tree)
}

fn no_tree(table: &mut Table<'_>) -> Read<()> {
    if table.optional("queue", value::line(256))?.is_some() {
        let message = "this WAN has a `simple_queue`, which shapes both directions";
        return Err(table.fail("queue", message));
    }
    Ok(())
}

/// The laws by their names in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LawName {
    Adaptive,
    Zone,
    Fixed,
}

fn direction(table: &mut Table<'_>, which: Direction) -> Read<DirectionParams> {
    let law = table.or(
        "law",
        value::choice(&[
            ("adaptive", LawName::Adaptive),
            ("zone", LawName::Zone),
            ("fixed", LawName::Fixed),
        ]),
        LawName::Adaptive,
    );
    let limits = limits(table);
    let zone = table.table("zone", |table| zone::read(table, which, limits.as_ref().ok()));
    if let (Ok(LawName::Adaptive | LawName::Zone), Ok(Limits { floor, ceiling, .. })) =
        (&law, &limits)
        && floor.fraction_of(*ceiling).is_some_and(|share| share > HIGH_FLOOR)
    {
        table.warn(
            "floor_mbps",
            format!(
                "above {} % of `ceiling_mbps`: when the link is worse than that, a queue at the \
                 provider cannot be drained",
                HIGH_FLOOR * 100.0
            ),
        );
    }
    let (law, limits, zone) = (law?, limits?, zone?);
    if table.has("zone") && law != LawName::Zone {
        return Err(table.fail("zone", "is of no use without `law: zone`"));
    }
    let law = match law {
        LawName::Adaptive => LawKind::Adaptive,
        LawName::Zone => LawKind::Zone(zone),
        LawName::Fixed => LawKind::Fixed,
    };
    Ok(DirectionParams { limits, law })
}

fn limits(table: &mut Table<'_>) -> Read<Limits> {
    let floor = table.required("floor_mbps", value::mbps);
    let base = table.optional("base_mbps", value::mbps);
    let ceiling = table.required("ceiling_mbps", value::mbps);
    let (floor, base, ceiling) = (floor?, base?, ceiling?);
    if floor > ceiling {
        return Err(beyond(table, ("floor_mbps", floor), "above", ("ceiling_mbps", ceiling)));
    }
    let base = base.unwrap_or_else(|| ceiling.scaled(0.5).max(floor));
    if base > ceiling {
        return Err(beyond(table, ("base_mbps", base), "above", ("ceiling_mbps", ceiling)));
    }
    if base < floor {
        return Err(beyond(table, ("base_mbps", base), "below", ("floor_mbps", floor)));
    }
    Ok(Limits { floor, base, ceiling })
}

fn beyond(
    table: &Table<'_>,
    (key, rate): (&'static str, BitRate),
    side: &str,
    (bound_key, bound): (&'static str, BitRate),
) -> Reported {
    let (rate, bound) = (rate.mbps(), bound.mbps());
    table.fail(key, format!("{rate} must not be {side} `{bound_key}`, which is {bound}"))
}

fn evidence(
    reflectors: &[IpAddr],
    interval: Duration,
    thresholds: &StateThresholds,
) -> EvidenceParams {
    let count = u16::try_from(reflectors.len()).unwrap_or(u16::MAX);
    let round = interval * u32::from(count);
    EvidenceParams {
        reflectors: count,
        probe_interval: interval,
        stale_after: (round * FRESH_ROUNDS).max(FRESH_AT_LEAST),
        bloat_threshold: thresholds.yellow,
    }
}
