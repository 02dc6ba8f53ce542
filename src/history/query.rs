//! Reading a history, beside a daemon that writes it or after it.

mod events;
mod series;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use wanctl_core::units::Timestamp;

use super::{
    Bucket, HistoryError,
    file::{self, with_suffix},
    read::sum,
    schema::{self, Identity, failed},
    tier::{Level, Tier},
};

pub use events::{EventFilter, Events, RecordedEvent};
pub use series::{Point, Resolution, Series};

/// How long a reader waits where SQLite must wait, as while a log is recovered after a crash.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A read-only view of a history. It blocks no writer, and no writer blocks it.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
}

impl Reader {
    /// Opens the history at `path`, which is never created or changed.
    ///
    /// # Errors
    /// [`HistoryError::Missing`], [`HistoryError::Unfit`], [`HistoryError::Foreign`] or
    /// [`HistoryError::OtherSchema`] if there is no history that this wanctl reads,
    /// [`HistoryError::Sqlite`] if it cannot be read.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        if !file::is_there(path)? {
            return Err(HistoryError::Missing(path.to_owned()));
        }
        let (connection, identity) = match connect(path, false) {
            Err(error) if error.is_refused() && !with_suffix(path, "-wal").exists() => {
                connect(path, true)?
            }
            connected => connected?,
        };
        match identity {
            Identity::Ours => Ok(Self { connection, path: path.to_owned() }),
            Identity::Blank => Err(HistoryError::Missing(path.to_owned())),
        }
    }

    /// Returns the names of all WANs that the history has ever known, in alphabetical order.
    ///
    /// # Errors
    /// [`HistoryError::Sqlite`].
    pub fn wans(&self) -> Result<Vec<String>, HistoryError> {
        self.read("SELECT name FROM wan ORDER BY name", |statement| {
            statement.query_map([], |row| row.get(0))?.collect()
        })
    }

    /// Returns those of [`Self::wans`] that are among `wanted`, or all if none is named there.
    ///
    /// # Errors
    /// [`HistoryError::UnknownWan`] and [`HistoryError::Sqlite`].
    pub fn wans_among(&self, wanted: &[String]) -> Result<Vec<String>, HistoryError> {
        let known = self.wans()?;
        if let Some(name) = wanted.iter().find(|wan| !known.contains(wan)) {
            return Err(HistoryError::UnknownWan(name.clone(), known));
        }
        Ok(known.into_iter().filter(|wan| wanted.is_empty() || wanted.contains(wan)).collect())
    }

    /// Sums up the cycles of `wan` from `from` on and before `to`.
    ///
    /// # Errors
    /// [`HistoryError::UnknownWan`] and [`HistoryError::Sqlite`].
    pub fn summary(
        &self,
        wan: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Bucket, HistoryError> {
        let number = self.number_of(wan)?;
        let [from, to] = [from, to].map(ceil_millis);
        let mut total = Bucket::default();
        // One view of marks and rows.
        let summed = self.connection.unchecked_transaction().and_then(|snapshot| {
            sum(&snapshot, number, Level::Tier(Tier::Hour), from, to, &mut total)
        });
        summed.map_err(failed("reading", &self.path))?;
        Ok(total)
    }

    /// Streams the rows of `wan` that overlap the time from `from` on and before `to`, oldest
    /// first, as fine as `resolution` wants and the history still has them. Spans without cycles
    /// have no rows.
    ///
    /// # Errors
    /// [`HistoryError::UnknownWan`] and [`HistoryError::Sqlite`]; the stream yields the latter.
    pub fn series(
        &self,
        wan: &str,
        from: Timestamp,
        to: Timestamp,
        resolution: Resolution,
    ) -> Result<Series<'_>, HistoryError> {
        Ok(Series::new(self, self.number_of(wan)?, from, to, resolution))
    }

    fn number_of(&self, wan: &str) -> Result<i64, HistoryError> {
        let number = self.read("SELECT id FROM wan WHERE name = ?1", |statement| {
            statement.query_row([wan], |row| row.get(0)).optional()
        })?;
        match number {
            Some(number) => Ok(number),
            None => Err(HistoryError::UnknownWan(wan.to_owned(), self.wans()?)),
        }
    }

    /// Returns the events from `from` on and before `to`, oldest first.
    ///
    /// # Errors
    /// [`HistoryError::Sqlite`].
    pub fn events(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<RecordedEvent>, HistoryError> {
        self.events_of(EventFilter { from, to, wan: None, kinds: Vec::new() }).collect()
    }

    /// Streams the events that `filter` wants, oldest first.
    #[must_use]
    pub fn events_of(&self, filter: EventFilter) -> Events<'_> {
        Events::new(self, filter)
    }

    pub(super) fn read<T>(
        &self,
        sql: &str,
        ask: impl FnOnce(&mut rusqlite::Statement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, HistoryError> {
        let answer =
            self.connection.prepare_cached(sql).and_then(|mut statement| ask(&mut statement));
        answer.map_err(failed("reading", &self.path))
    }
}

/// Opens the database to read it. SQLite makes its index of the log beside the file even to read;
/// that is impossible on a medium that cannot be written, where the file `is_immutable`: without a log
/// it is all there is.
fn connect(path: &Path, is_immutable: bool) -> Result<(Connection, Identity), HistoryError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = match path.to_str().filter(|_| is_immutable) {
        Some(name) => {
            let name = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            let uri = format!("file:{name}?immutable=1");
            Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
        }
        None => Connection::open_with_flags(path, flags),
    };
    let opening = failed("opening", path);
    let connection = opened.map_err(&opening)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(&opening)?;
    let identity = schema::identify(&connection, path)?;
    Ok((connection, identity))
}

/// Returns the first whole millisecond at or after `at`.
fn ceil_millis(at: Timestamp) -> i64 {
    at.micros().saturating_add(999).div_euclid(1000)
}

#[cfg(test)]
mod tests;
