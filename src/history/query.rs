//! Reading a history, beside a daemon that writes it or after it.

mod events;
mod series;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::{
    HistoryError,
    schema::{self, Identity, SCHEMA_VERSION, failed},
    summary::{Gathering, Summary},
};
use crate::units::Timestamp;

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
    /// [`HistoryError::Missing`], [`HistoryError::Foreign`], [`HistoryError::Newer`] or
    /// [`HistoryError::Older`] if there is no history that this wanctl reads, [`HistoryError::Sqlite`] if it cannot be read.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        match Self::open_of_any_version(path)? {
            (reader, SCHEMA_VERSION) => Ok(reader),
            (Self { path, .. }, version) => Err(HistoryError::Older { path, version }),
        }
    }

    /// Opens a history of this version or an older one, and returns its version.
    pub(super) fn open_of_any_version(path: &Path) -> Result<(Self, i64), HistoryError> {
        if !path.exists() {
            return Err(HistoryError::Missing { path: path.to_owned() });
        }
        let opening = failed("opening", path);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(&opening)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(&opening)?;
        match schema::identify(&connection, path)? {
            Identity::Ours(version) => Ok((Self { connection, path: path.to_owned() }, version)),
            Identity::Blank => Err(HistoryError::Missing { path: path.to_owned() }),
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

    /// Sums up the cycles of `wan` from `from` on and before `to`.
    ///
    /// # Errors
    /// [`HistoryError::UnknownWan`] and [`HistoryError::Sqlite`].
    pub fn summary(
        &self,
        wan: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Summary, HistoryError> {
        let number = self.number_of(wan)?;
        let mut gathering = Gathering::default();
        let [from, to] = [from, to].map(|at| at.micros().saturating_add(999).div_euclid(1000));
        let gathered = self.connection.unchecked_transaction().and_then(|snapshot| {
            gathering.gather(&snapshot, number, from, to)?;
            snapshot.commit()
        });
        gathered.map_err(failed("reading", &self.path))?;
        Ok(gathering.finish())
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
            None => Err(HistoryError::UnknownWan { name: wan.to_owned(), known: self.wans()? }),
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

#[cfg(test)]
mod tests;
