//! Reads an item of `wans:`, what is measured and shaped.

use std::collections::BTreeMap;

use wanctl_core::{
    Direction, DirectionParams, LawKind, LawName, Limits, Params, PerDirection, StateThresholds,
    WanParams,
    units::{BitRate, Delay},
};

use super::{
    WanConfig, probe,
    read::Table,
    report::{Read, Reported},
    router::Routers,
    value, zone,
};

/// A floor above this share of the ceiling may not drain a queue at the provider.
const HIGH_FLOOR: f64 = 0.25;
/// Values that are in use, with the key that uses each.
pub(super) type Taken = BTreeMap<String, String>;

/// What the WANs together need: no two of the same name, no two on the same queue.
#[derive(Default)]
pub(super) struct QueueUses {
    names: Taken,
    /// By the place of their router.
    queues: BTreeMap<usize, Taken>,
}

/// Reads one WAN. `several`: there are others.
pub(super) fn read(
    table: &mut Table<'_>,
    several: bool,
    routers: Routers<'_>,
    uses: &mut QueueUses,
) -> Read<WanConfig> {
    let name = table
        .required("name", value::line(64))
        .and_then(|name| claim(table, ("name", name), "", &mut uses.names));
    let metered = table.or("metered", value::flag, false);
    let router = routers.named(table, None);
    let pings = matches!(router, Ok(router) if routers.pings_apart(router));
    let probe = probe::read(table, several, pings);
    let thresholds = table.table("delay", thresholds);
    // Of a router that is not known, nothing is in use.
    let place = router.unwrap_or(usize::MAX);
    let queues = uses.queues.entry(place).or_default();
    let keys = routers.queue_keys(place, table, queues);
    let mut queue_of = |key, which| {
        table.optional_table(key, |table| {
            let queue = match &keys {
                Ok(keys) => keys.of(table, which, queues),
                Err(Reported) => Err(Reported),
            };
            let params = direction(table, which);
            Ok((queue?, params?))
        })
    };
    let download = queue_of("download", Direction::Download);
    let upload = queue_of("upload", Direction::Upload);

    let (name, probe, thresholds) = (name?, probe?, thresholds?);
    let (download, upload) = (download?, upload?);
    if download.is_none() && upload.is_none() {
        return Err(table.miss(&["download", "upload"]));
    }
    let (download_queue, download) = download.unzip();
    let (upload_queue, upload) = upload.unzip();
    let evidence = probe::evidence(&probe, &thresholds);
    Ok(WanConfig {
        name,
        router: router?,
        metered: metered?,
        probe,
        queues: PerDirection { download: download_queue, upload: upload_queue },
        params: WanParams {
            evidence,
            thresholds,
            directions: PerDirection { download, upload },
            tuning: Params::default(),
        },
    })
}

/// Takes `value` for its own, unless another part of the file has it. If that is of another WAN,
/// `remedy` ends the message.
pub(super) fn claim(
    table: &Table<'_>,
    (key, value): (&'static str, String),
    remedy: &str,
    taken: &mut Taken,
) -> Read<String> {
    if let Some(by) = taken.get(&value) {
        let value = value::printable(&value);
        let wan = |path: &str| path.split('.').next().map(str::to_owned);
        let is_of_another = wan(by) != wan(table.path_of(key).text());
        let remedy = if is_of_another { remedy } else { "" };
        return Err(table.fail(key, format!("`{value}` is already used by {by}{remedy}")));
    }
    taken.insert(value.clone(), table.path_of(key).text().to_owned());
    Ok(value)
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

fn direction(table: &mut Table<'_>, which: Direction) -> Read<DirectionParams> {
    let law = table.or(
        "law",
        value::choice(&LawName::ALL.map(|law| (law.name(), law))),
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
                "above {} % of `ceiling_mbps`: if the capacity is lower, a queue at the provider \
                 cannot be drained",
                HIGH_FLOOR * 100.0
            ),
        );
    }
    let (law, limits, zone) = (law?, limits?, zone?);
    if table.has("zone") && law != LawName::Zone {
        return Err(table.fail("zone", "has no effect without `law: zone`"));
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
