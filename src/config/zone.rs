//! Reads `zone:` of a direction, what shapes the law of states and floors.

use std::ops::RangeInclusive;

use wanctl_core::{Direction, Limits, ZoneFloors, ZoneParams, units::BitRate};

use super::{
    document::Node,
    read::Table,
    report::{Read, Reported},
    value,
};

/// What a factor may be: a cut that leaves less than a tenth in 50 ms is none but a stop.
const FACTORS: RangeInclusive<f64> = 0.1..=1.0;
/// Reads the parameters of a direction with these limits.
pub(super) fn read(
    table: &mut Table<'_>,
    direction: Direction,
    limits: Option<&Limits>,
) -> Read<ZoneParams> {
    let green = table.optional("floor_green_mbps", value::mbps);
    let yellow = table.optional("floor_yellow_mbps", value::mbps);
    let soft_red = soft_red(table, direction);
    let factor_down = table.optional("factor_down", factor);
    let factor_down_yellow = table.optional("factor_down_yellow", factor);
    let step_up = table.optional("step_up_mbps_per_s", value::mbps);
    let green_required = table.optional("green_required_ms", value::millis(50..=10_000));

    let given = Given { green: green?, yellow: yellow?, soft_red: soft_red? };
    let (factor_down, factor_down_yellow) = (factor_down?, factor_down_yellow?);
    let (step_up, green_required) = (step_up?, green_required?);
    // A mistake in the limits has been reported already.
    let limits = limits.ok_or(Reported)?;
    let defaults = ZoneParams::defaults(direction, limits);
    let factor_down = factor_down.unwrap_or(defaults.factor_down);
    let milder = defaults.factor_down_yellow.max(factor_down);
    let factor_down_yellow = factor_down_yellow.unwrap_or(milder);
    if factor_down_yellow < factor_down {
        let message = format!(
            "{factor_down_yellow} must not be below `factor_down`, which is {factor_down}: YELLOW \
             would cut deeper than RED"
        );
        return Err(table.fail("factor_down_yellow", message));
    }
    Ok(ZoneParams {
        floors: floors(table, direction, &given, limits)?,
        factor_down,
        factor_down_yellow,
        step_up: step_up.unwrap_or(defaults.step_up),
        green_required: green_required.unwrap_or(defaults.green_required),
    })
}

/// Reads the floor of a state that only a download has.
fn soft_red(table: &mut Table<'_>, direction: Direction) -> Read<Option<BitRate>> {
    let key = "floor_soft_red_mbps";
    let floor = table.optional(key, value::mbps)?;
    if floor.is_some() && direction == Direction::Upload {
        return Err(table.fail(key, "an upload has no SOFT_RED: it is RED above `soft_red_ms`"));
    }
    Ok(floor)
}

/// The floors as the file has them.
struct Given {
    green: Option<BitRate>,
    yellow: Option<BitRate>,
    soft_red: Option<BitRate>,
}

/// The floor of RED is the floor of the direction; a floor that is not given is that of the next
/// worse state, but for SOFT_RED, which has that of YELLOW.
fn floors(
    table: &Table<'_>,
    direction: Direction,
    given: &Given,
    limits: &Limits,
) -> Read<ZoneFloors> {
    let red = limits.floor;
    let yellow = given.yellow.or(given.soft_red).unwrap_or(red);
    let soft_red = match direction {
        Direction::Download => Some(given.soft_red.unwrap_or(yellow)),
        Direction::Upload => None,
    };
    let green = given.green.unwrap_or(yellow);
    let ascending = [
        ("floor_mbps", Some(red)),
        ("floor_soft_red_mbps", given.soft_red),
        ("floor_yellow_mbps", given.yellow),
        ("floor_green_mbps", given.green),
        ("ceiling_mbps", Some(limits.ceiling)),
    ];
    // What is not given follows its neighbours, and is right if they are.
    let ascending = ascending.map(|(key, rate)| rate.map(|rate| (key, rate)));
    let ascending: Vec<(&'static str, BitRate)> = ascending.into_iter().flatten().collect();
    for ((lower_key, lower), (key, rate)) in ascending.iter().zip(ascending.iter().skip(1)) {
        if rate < lower {
            let (rate, lower) = (rate.mbps(), lower.mbps());
            return Err(if *key == "ceiling_mbps" {
                let message = format!("{lower} must not be above `{key}`, which is {rate}");
                table.fail(lower_key, message)
            } else {
                let message = format!("{rate} must not be below `{lower_key}`, which is {lower}");
                table.fail(key, message)
            });
        }
    }
    Ok(ZoneFloors { green, yellow, soft_red, red })
}

fn factor(node: &Node) -> Result<f64, String> {
    let number = match node {
        Node::Whole(number) => *number as f64,
        Node::Number(number) => *number,
        _ => f64::NAN,
    };
    if FACTORS.contains(&number) {
        return Ok(number);
    }
    let (least, most) = (FACTORS.start(), FACTORS.end());
    Err(format!("expected a number from {least} to {most}, got {}", value::quoted(node)))
}
