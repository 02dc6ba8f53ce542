//! Reading single cycles, each as the bucket that it is alone.

use std::ops::Range;

use rusqlite::Connection;

use super::{
    bucket::Bucket,
    row::{CycleValues, RAW_COLUMNS, raw_table, summed},
};

/// Shows `see` at most `limit` cycles of `span` (ms), oldest first.
pub(super) fn visit(
    connection: &Connection,
    wan: i64,
    span: Range<i64>,
    limit: usize,
    mut see: impl FnMut(i64, Bucket),
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT at_ms, {} FROM {} WHERE at_ms >= ?1 AND at_ms < ?2 ORDER BY at_ms LIMIT ?3",
        RAW_COLUMNS.join(", "),
        raw_table(wan)
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([span.start, span.end, limit])?;
    while let Some(row) = rows.next()? {
        let mut values: CycleValues = [None; RAW_COLUMNS.len()];
        for (place, value) in values.iter_mut().enumerate() {
            *value = row.get(place + 1)?;
        }
        see(row.get(0)?, summed(&values));
    }
    Ok(())
}
