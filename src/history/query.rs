//! Reading a history, beside a daemon that writes it or after it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::{
    HistoryError,
    schema::{self, Identity, failed},
    summary::{Gathering, Summary},
};
use crate::units::Timestamp;

/// How long a reader waits where SQLite must wait, as while a log is recovered after a crash.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A read-only view of a history. It blocks no writer, and no writer blocks it.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

/// An event as it is stored: also one whose kind only a newer wanctl knows.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// Number of the event within the file.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Name of the WAN that it is about, if it is about one.
    pub wan: Option<String>,
    /// What happened, as in [`super::Event::kind`].
    pub kind: String,
    /// The details: a JSON object.
    pub payload: serde_json::Value,
}

impl Reader {
    /// Opens the history at `path`, which is never created or changed.
    ///
    /// # Errors
    /// [`HistoryError::Missing`], [`HistoryError::Foreign`] or [`HistoryError::Newer`] if there is
    /// no history that this wanctl understands, [`HistoryError::Sqlite`] if it cannot be read.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        if !path.exists() {
            return Err(HistoryError::Missing { path: path.to_owned() });
        }
        let opening = failed("opening", path);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(&opening)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(&opening)?;
        match schema::identify(&connection, path)? {
            Identity::Ours => Ok(Self { connection, path: path.to_owned() }),
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
        let number: Option<i64> = self.read("SELECT id FROM wan WHERE name = ?1", |statement| {
            statement.query_row([wan], |row| row.get(0)).optional()
        })?;
        let Some(number) = number else {
            return Err(HistoryError::UnknownWan { name: wan.to_owned(), known: self.wans()? });
        };
        self.read(
            "SELECT at, delta_us,
                    download_state, download_achieved_bps, download_desired_bps,
                    upload_state, upload_achieved_bps, upload_desired_bps
             FROM cycle WHERE wan = ?1 AND at >= ?2 AND at < ?3 ORDER BY at",
            |statement| {
                let mut rows = statement.query([number, from.micros(), to.micros()])?;
                let mut gathering = Gathering::default();
                while let Some(row) = rows.next()? {
                    gathering.add(row.try_into()?);
                }
                Ok(gathering.finish())
            },
        )
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
        self.read(
            "SELECT event.id, at, name, kind, payload FROM event LEFT JOIN wan ON wan.id = wan
             WHERE at >= ?1 AND at < ?2 ORDER BY at, event.id",
            |statement| {
                let rows = statement.query_map([from.micros(), to.micros()], recorded)?;
                rows.collect()
            },
        )
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

fn recorded(row: &rusqlite::Row<'_>) -> rusqlite::Result<RecordedEvent> {
    let payload: String = row.get(4)?;
    Ok(RecordedEvent {
        id: row.get(0)?,
        at: Timestamp::from_micros(row.get(1)?),
        wan: row.get(2)?,
        kind: row.get(3)?,
        // Someone else's hand may have been in the file: what is no JSON is shown as it is.
        payload: serde_json::from_str(&payload).unwrap_or(serde_json::Value::String(payload)),
    })
}

#[cfg(test)]
mod tests;
