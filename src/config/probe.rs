//! Reads `source`, `interface`, `reflectors` and `probe` of a WAN.

mod known;

use std::{net::IpAddr, time::Duration};

pub use known::{IPV4 as KNOWN_IPV4, IPV6 as KNOWN_IPV6};
use wanctl_core::{EvidenceParams, StateThresholds};

use super::{
    document::Node,
    read::Table,
    report::{Read, Reported},
    value,
};
use crate::probe::{
    Bind, DEFAULT_ACTIVE, HOST_INTERVAL, IDLE_SLOWDOWN, ProbeConfig, ProbeMethodChoice,
};

/// Most reflectors of a WAN: at the default interval each would then be probed every 3.2 s.
const MAX_REFLECTORS: usize = 64;
/// With fewer reflectors than this, one that misbehaves cannot be outvoted.
const FEW_REFLECTORS: usize = 3;
/// A reply counts for this many rounds of the reflectors, so that a few lost probes are no gap.
const FRESH_ROUNDS: u32 = 4;
/// A reply counts for at least this long.
const FRESH_AT_LEAST: Duration = Duration::from_secs(1);
/// Time between two probes if the router sends them, one after the other, each for a request.
const ROUTER_INTERVAL: Duration = Duration::from_millis(200);
/// The same for TCP connects: each is three packets, and a server may think of an attack.
const TCP_INTERVAL: Duration = Duration::from_millis(100);
/// The longest name of a Linux network interface, in bytes.
const INTERFACE_BYTES: usize = 15;
/// The longest name of an interface of RouterOS that is taken, in characters.
const ROUTER_INTERFACE: usize = 128;

/// Reads how a WAN is measured. `several`: there are other WANs, `pings` that its router
/// can ping without delaying a write.
pub(super) fn read(table: &mut Table<'_>, several: bool, pings: bool) -> Read<ProbeConfig> {
    let settings = table.table("probe", settings);
    let is_router =
        matches!(&settings, Ok((settings, _)) if settings.method == ProbeMethodChoice::RouterPing);
    let bind = bind(table, is_router);
    if several && matches!(bind, Ok(Bind::Any)) {
        table.warn_here(
            "has neither `source` nor `interface`: its probes follow the routing table and may \
             measure another WAN",
        );
    }
    let listed = reflectors(table, bind.as_ref().ok());
    if is_router && !pings {
        table.warn_here(
            "is probed by the router with the user that writes the rates: a lost ping delays a \
             cut by a second; set a separate user in `router.pings`",
        );
    }
    let (bind, listed, (settings, with_reserve)) = (bind?, listed?, settings?);
    let (named, reserve) = match listed {
        Some(named) if with_reserve => {
            let reserve = known::reserve(&bind, &named);
            (named, reserve)
        }
        Some(named) => (named, Vec::new()),
        None => (known::reflectors(&bind), Vec::new()),
    };
    let count = |list: &[IpAddr]| u16::try_from(list.len()).unwrap_or(u16::MAX);
    let (active, reserves) = (settings.active.min(count(&named)), count(&reserve));
    let reflectors = named.into_iter().chain(reserve).collect();
    Ok(ProbeConfig { reflectors, builtin_spares: reserves, bind, active, ..settings })
}

/// What the control core must know of how its samples come.
pub(super) fn evidence(probe: &ProbeConfig, thresholds: &StateThresholds) -> EvidenceParams {
    let turns = u32::from(probe.active);
    // On an idle link a reply must last until its successor is due, and half a round longer.
    let idle = probe.idle_interval * turns * 3 / 2;
    EvidenceParams {
        reflectors: u16::try_from(probe.reflectors.len()).unwrap_or(u16::MAX),
        probe_interval: probe.interval,
        stale_after: (probe.interval * turns * FRESH_ROUNDS).max(idle).max(FRESH_AT_LEAST),
        queue_threshold: thresholds.yellow,
    }
}

fn bind(table: &mut Table<'_>, is_router: bool) -> Read<Bind> {
    let source = table.optional("source", value::host_address);
    let interface =
        table.optional("interface", if is_router { router_interface } else { interface });
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

/// A name of RouterOS, which may hold spaces and slashes.
fn router_interface(node: &Node) -> Result<String, String> {
    value::line(ROUTER_INTERFACE)(node)
}

/// The reflectors that the file names; `None` if it leaves the choice to us.
fn reflectors(table: &mut Table<'_>, bind: Option<&Bind>) -> Read<Option<Vec<IpAddr>>> {
    let mut reflectors = Vec::new();
    let mut mistake = None;
    let Some(items) = table.optional_list("reflectors", 1..=MAX_REFLECTORS)? else {
        return Ok(None);
    };
    for item in items {
        let address = item.scalar(value::host_address).and_then(|address| match bind {
            _ if reflectors.contains(&address) => {
                Err(item.fail(format!("{address} is in the list twice")))
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
                "fewer than {FEW_REFLECTORS}: a single slow reflector looks like congestion; list \
                 about twelve, or leave the key out"
            ),
        );
    }
    Ok(Some(reflectors))
}

/// The table `probe`; what comes from elsewhere is empty.
/// Returns besides whether there are built-in spares.
fn settings(table: &mut Table<'_>) -> Read<(ProbeConfig, bool)> {
    let method = table.or(
        "method",
        value::choice(&[
            ("auto", ProbeMethodChoice::Auto),
            ("icmp", ProbeMethodChoice::Icmp),
            ("router_ping", ProbeMethodChoice::RouterPing),
            ("tcp_connect", ProbeMethodChoice::TcpConnect),
        ]),
        ProbeMethodChoice::Auto,
    );
    let active = table.or("active", value::whole(1..=64, "reflectors"), u64::from(DEFAULT_ACTIVE));
    let interval = table.optional("interval_ms", value::millis(20..=1000));
    let budget = table.optional("budget_pps", value::whole(1..=50, "packets per second"));
    let idle = table.optional("idle_interval_ms", value::millis(20..=10_000));
    let timeout = table.or("timeout_ms", value::millis(100..=5000), Duration::from_secs(1));
    let timestamps = table.or("timestamps", value::choice(&[("auto", true), ("off", false)]), true);
    let spares = table.or("builtin_spares", value::flag, true);
    let rotation = table.optional("rotate_minutes", value::whole(5..=1440, "minutes"));

    let (method, given, budget, idle) = (method?, interval?, budget?, idle?);
    let default_interval = match method {
        ProbeMethodChoice::Auto | ProbeMethodChoice::Icmp => HOST_INTERVAL,
        ProbeMethodChoice::RouterPing => ROUTER_INTERVAL,
        ProbeMethodChoice::TcpConnect => TCP_INTERVAL,
    };
    let least = budget.map_or(Duration::ZERO, |packets| {
        Duration::from_secs(1) / u32::try_from(packets).unwrap_or(1)
    });
    let interval = given.unwrap_or(default_interval).max(least);
    if let Some(given) = given.filter(|given| *given < least) {
        table.warn(
            "interval_ms",
            format!("{} is less than `budget_pps` allows; `budget_pps` applies", given.as_millis()),
        );
    }
    let idle_interval = match idle {
        Some(idle) if idle < interval => {
            return Err(shorter_when_idle(table, idle, interval));
        }
        Some(idle) => idle,
        None => interval * IDLE_SLOWDOWN,
    };
    let probe = ProbeConfig {
        method,
        reflectors: Vec::new(),
        builtin_spares: 0,
        active: u16::try_from(active?).unwrap_or(DEFAULT_ACTIVE),
        bind: Bind::Any,
        interval,
        idle_interval,
        timeout: timeout?,
        timestamps: timestamps?,
        rotation: rotation?.map(|minutes| Duration::from_secs(minutes * 60)),
    };
    Ok((probe, spares?))
}

fn shorter_when_idle(table: &Table<'_>, idle: Duration, interval: Duration) -> Reported {
    table.fail(
        "idle_interval_ms",
        format!(
            "{} must not be below the time between two probes of a busy link, which is {}",
            idle.as_millis(),
            interval.as_millis()
        ),
    )
}

#[cfg(test)]
mod tests;
