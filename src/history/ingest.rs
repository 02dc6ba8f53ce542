//! The way of a cycle into the database: its row, and its share of its second's bucket.

use std::collections::BTreeMap;

use rusqlite::{Connection, params_from_iter};

use super::{
    bucket::Bucket,
    rollup,
    row::{CycleValues, RAW_COLUMNS, raw_table, summed},
    tier::Tier,
};

/// The buckets of a transaction, which are added to the finest tier at its end: by WAN and second.
pub(super) type Sums = BTreeMap<(i64, i64), Bucket>;

/// An unbroken run of taken milliseconds of a WAN, both ends included.
#[derive(Debug, Clone, Copy)]
pub(super) struct IngestResult {
    from: i64,
    to: i64,
}

impl IngestResult {
    /// Nothing is known to be taken.
    pub(super) const NOTHING: Self = Self { from: 0, to: -1 };
}

/// Inserts a cycle at `at_ms`, or at the first free millisecond from there on, and adds it to
/// `sums`.
pub(super) fn insert(
    connection: &Connection,
    wan: i64,
    at_ms: i64,
    values: &CycleValues,
    sums: &mut Sums,
    taken: &mut IngestResult,
) -> rusqlite::Result<()> {
    let (table, columns) = (raw_table(wan), RAW_COLUMNS.join(", "));
    let marks = vec!["?"; 1 + RAW_COLUMNS.len()].join(", ");
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO {table} (at_ms, {columns}) VALUES ({marks}) ON CONFLICT DO NOTHING"
    ))?;
    let at = place(at_ms, taken, |at| {
        let values = std::iter::once(Some(at)).chain(*values);
        Ok(statement.execute(params_from_iter(values))? > 0)
    })?;
    sums.entry((wan, at.div_euclid(1000))).or_default().merge(&summed(values));
    Ok(())
}

/// Adds the buckets to the finest tier, and to those above that have been built already.
pub(super) fn add_sums(connection: &Connection, sums: Sums) -> rusqlite::Result<()> {
    for ((wan, second), bucket) in sums {
        rollup::add(connection, wan, Tier::Second, second, &bucket)?;
    }
    Ok(())
}

/// Finds the first free millisecond from `wanted` on: `insert` says whether one was free.
///
/// A wall clock that steps back comes past moments that already have a row. The run of taken
/// moments is remembered, or a clock that stands still would make each row search from the start.
/// If the transaction then fails, the run only makes rows move a little further than they must.
fn place(
    wanted: i64,
    taken: &mut IngestResult,
    mut insert: impl FnMut(i64) -> rusqlite::Result<bool>,
) -> rusqlite::Result<i64> {
    let known = (taken.from..=taken.to).contains(&wanted);
    let mut at = if known { taken.to + 1 } else { wanted };
    while !insert(at)? {
        at += 1;
    }
    if known {
        taken.to = at;
    } else if at > wanted {
        *taken = IngestResult { from: wanted, to: at };
    }
    Ok(at)
}
