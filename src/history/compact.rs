//! Writing a history anew without its free pages.

use std::{fs, path::Path};

use rusqlite::{Connection, OpenFlags};

use super::{
    HistoryError, file,
    schema::{Identity, failed},
};
use crate::history::schema;

/// Sizes of the file in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
}

/// Writes the history at `path` anew, as small as its content. Needs as
/// much free space as the content takes, and no daemon that writes the file: a running one gives
/// space back by itself, if more slowly.
///
/// # Errors
/// [`HistoryError::InUse`] if a wanctl writes the file, [`HistoryError::Missing`],
/// [`HistoryError::Unfit`], [`HistoryError::Foreign`] or [`HistoryError::OtherSchema`] if it is no history of this wanctl,
/// and [`HistoryError::Sqlite`]; the file is then as it was.
pub fn compact(path: &Path) -> Result<Compacted, HistoryError> {
    let missing = || HistoryError::Missing(path.to_owned());
    let size = || fs::metadata(path).map(|meta| meta.len()).map_err(|_| missing());
    file::is_there(path)?;
    let before = size()?;
    let _lock = file::lock(path)?;
    let compacting = failed("compacting", path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&compacting)?;
    if schema::identify(&connection, path)? == Identity::Blank {
        return Err(missing());
    }
    rewrite(&connection).map_err(&compacting)?;
    drop(connection);
    Ok(Compacted { before, after: size()? })
}

fn rewrite(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("VACUUM")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Reader, fixture},
        *,
    };
    use wanctl_core::units::Timestamp;

    #[test]
    fn what_was_freed_is_given_back_and_what_is_kept_stays() {
        let directory = tempfile::tempdir().unwrap();
        let settings = fixture::settings(&directory);
        let mut store = fixture::store(&settings);
        store.write(&fixture::batch((1..2000).map(|number| fixture::cycle(0, number)))).unwrap();
        let busy = compact(&settings.path).unwrap_err();
        assert!(matches!(busy, HistoryError::InUse { .. }), "{busy:?}");
        store.close();
        let sql = "DELETE FROM cycle_1 WHERE rowid % 20 <> 0";
        Connection::open(&settings.path).unwrap().execute(sql, []).unwrap();
        let Compacted { before, after } = compact(&settings.path).unwrap();
        assert!(after < before, "{before} {after}");
        let reader = Reader::open(&settings.path).unwrap();
        let all = (Timestamp::default(), Timestamp::from_micros(i64::MAX));
        assert_eq!(reader.summary("cable", all.0, all.1).unwrap().cycles(), 1999);
    }
}
