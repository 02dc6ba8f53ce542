//! Takes over the cycles that version 1 of the schema has left, a few in each step.
//!
//! They go the same way as new ones: into the table of their WAN and into the tiers. A step moves
//! its rows in one transaction, so that a crash between two loses and doubles nothing. What
//! version 1 did not know (probes, writes) stays zero; the number of the cycle is not kept.

use rusqlite::{Row, Transaction};

use super::{
    ingest,
    row::{CycleValues, LONGEST_SPAN_MS, RAW_COLUMNS, field, first_column},
    schema::OLD_CYCLES,
};
use crate::control::Direction;

/// Rows in one step: some milliseconds.
const STEP_ROWS: i64 = 200;

/// Moves some rows, and drops the old table when it is empty. Returns whether there was any.
pub(super) fn step(transaction: &Transaction<'_>) -> rusqlite::Result<bool> {
    let left: bool = transaction
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1)")?
        .query_row([OLD_CYCLES], |row| row.get(0))?;
    if !left {
        return Ok(false);
    }
    let rows: Vec<(i64, i64, Option<i64>, CycleValues)> = transaction
        .prepare_cached(&format!("SELECT * FROM {OLD_CYCLES} ORDER BY wan, at LIMIT ?1"))?
        .query_map([STEP_ROWS], read)?
        .collect::<rusqlite::Result<_>>()?;
    let Some(&(last_wan, last_at, ..)) = rows.last() else {
        transaction.execute_batch(&format!("DROP TABLE {OLD_CYCLES}"))?;
        return Ok(true);
    };
    let mut sums = ingest::Sums::default();
    let mut before: Option<(i64, i64, Option<i64>)> = None;
    for (wan, at, number, values) in rows {
        let values = with_span(values, before, (wan, at, number));
        before = Some((wan, at, number));
        ingest::insert(transaction, wan, at.div_euclid(1000), &values, &mut sums, None)?;
    }
    ingest::add_sums(transaction, sums)?;
    let delete = format!("DELETE FROM {OLD_CYCLES} WHERE wan < ?1 OR wan = ?1 AND at <= ?2");
    transaction.prepare_cached(&delete)?.execute([last_wan, last_at])?;
    Ok(true)
}

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, i64, Option<i64>, CycleValues)> {
    let int = |name: &str| row.get::<_, Option<i64>>(name);
    let mut values: CycleValues = [None; RAW_COLUMNS.len()];
    let zero = |value: Option<i64>| value.unwrap_or(0);
    let mut codes = field::MEASUREMENT.put(zero(int("measurement")?))
        | field::BLOATED.put(zero(int("bloated")?))
        | field::FRESH.put(zero(int("fresh")?))
        | field::VOTES.put(zero(int("votes")?));
    let timing = field::LATENESS_100US.put(zero(int("lateness_us")?) / 100)
        | field::SKIPPED.put(zero(int("skipped")?));
    for (slot, name) in values[2..6].iter_mut().zip(["rtt", "baseline", "delta", "jitter"]) {
        *slot = int(&format!("{name}_us"))?.map(|micros| (micros + 5).div_euclid(10));
    }
    for direction in Direction::ALL {
        let of = |name: &str| int(&format!("{}_{name}", direction.name()));
        codes |= field::state(direction).put(zero(of("state")?))
            | field::reason(direction).put(zero(of("reason")?))
            | field::load(direction).put(zero(of("load")?))
            | field::blamed(direction).put(zero(of("blamed")?));
        let kbps = |bps: Option<i64>| bps.map(|bps| (bps + 500).div_euclid(1000));
        let (desired, achieved) = (kbps(of("desired_bps")?), kbps(of("achieved_bps")?));
        let observed = kbps(of("observed_bps")?);
        let queue = of("backlog_bytes")?.map(|backlog| {
            let drops = of("drops").ok().flatten().unwrap_or(0);
            field::backlog(direction).put((backlog + 63) / 64) | field::drops(direction).put(drops)
        });
        let load = desired.zip(achieved).and_then(|(all, some)| (100 * some).checked_div(all));
        let lag = desired.zip(observed).map(|(desired, observed)| desired - observed);
        let first = first_column(direction);
        let traffic = [desired, load, lag, of("bytes")?, of("packets")?, queue];
        values[first..first + traffic.len()].copy_from_slice(&traffic);
    }
    (values[0], values[1]) = (Some(codes), Some(timing));
    Ok((row.get("wan")?, row.get("at")?, int("number")?, values))
}

/// Puts in how long the cycle stands for: the time since the row before, if that was the cycle
/// before. The first row of a step cannot tell; it gets the usual 50 ms.
fn with_span(
    mut values: CycleValues,
    before: Option<(i64, i64, Option<i64>)>,
    now: (i64, i64, Option<i64>),
) -> CycleValues {
    const USUAL_MS: i64 = 50;
    let (wan, at, number) = now;
    let follows = before.filter(|&(of, ..)| of == wan);
    let elapsed = follows.map(|(_, then, _)| at.div_euclid(1000) - then.div_euclid(1000));
    let elapsed = elapsed.filter(|elapsed| (0..=LONGEST_SPAN_MS).contains(elapsed));
    let next = follows.is_none_or(|(.., then)| then.map(|then| then + 1) == number);
    let gap = i64::from(!next || follows.is_some() && elapsed.is_none() || number == Some(1));
    let [codes, timing, ..] = &mut values;
    *codes = codes.map(|codes| codes | field::GAP.put(gap));
    *timing = timing.map(|timing| timing | field::SPAN_MS.put(elapsed.unwrap_or(USUAL_MS)));
    values
}

#[cfg(test)]
mod tests;
