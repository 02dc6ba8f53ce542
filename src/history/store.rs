//! The open database file: writes batches, and mends what can be mended.
//!
//! A store is opened by its first use and again by the first use after an error, so that a disk
//! that comes back, a file that was removed and a directory that becomes writable need no restart.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use wanctl_core::units::Timestamp;

use super::{
    HistoryError, Retention, Settings,
    file::with_suffix,
    ingest::{IngestResult, Sums},
    row::{Batch, INSERT_EVENT, raw_table},
    schema::failed,
    upkeep::LOG_BYTES,
};
use crate::history::{file, ingest, schema, upkeep};

/// The history file, open or to be opened.
#[derive(Debug)]
pub(super) struct Store {
    settings: Settings,
    busy_timeout: Duration,
    open: Option<OpenStore>,
}

#[derive(Debug)]
struct OpenStore {
    connection: Connection,
    /// The database's number of each WAN of the settings.
    wans: Vec<i64>,
    /// For each WAN, the milliseconds that the last row that had to move found taken.
    taken: Vec<IngestResult>,
    /// Device and inode, to notice that the file under this name is another one.
    file: (u64, u64),
    /// Keeps a second daemon away from the file.
    _lock: fs::File,
}

impl Store {
    /// Names the store of `settings`. A lock held by another connection is waited for during
    /// `busy_timeout`.
    pub(super) fn new(settings: Settings, busy_timeout: Duration) -> Self {
        Self { settings, busy_timeout, open: None }
    }

    /// Keeps so much from now on.
    pub(super) fn retain(&mut self, retention: Retention) {
        self.settings.retention = retention;
    }

    /// Writes `batch` in one transaction: all of it or, on an error, nothing. An empty batch
    /// still opens the store.
    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), HistoryError> {
        let result = self.opened().and_then(|(open, path)| {
            if batch.is_empty() {
                return Ok(());
            }
            open.write(batch).map_err(failed("writing to", path))
        });
        self.recover_from(result)
    }

    /// Returns when the newest cycle was.
    pub(super) fn newest(&mut self) -> Result<Option<Timestamp>, HistoryError> {
        let mut newest = None;
        let result = self.opened().and_then(|(open, path)| {
            newest = open.newest().map_err(failed("reading", path))?;
            Ok(())
        });
        self.recover_from(result).map(|()| newest)
    }

    /// Does some of what is due at `now` to the tiers and, ages being counted from `aged`, to what
    /// is too old, and cuts back a log that has outgrown its limit. Returns whether more is due.
    pub(super) fn upkeep(&mut self, now: Timestamp, aged: Timestamp) -> Result<bool, HistoryError> {
        let (keep, busy_timeout) = (self.settings.retention, self.busy_timeout);
        let (_, log) = self.sizes();
        let mut more = false;
        let result = self.opened().and_then(|(open, path)| {
            let done = upkeep::run(&mut open.connection, now, aged, &keep).and_then(|due| {
                more = due;
                if log > LOG_BYTES {
                    checkpoint(&open.connection, busy_timeout)?;
                }
                Ok(())
            });
            done.map_err(failed("tending", path))
        });
        self.recover_from(result).map(|()| more)
    }

    /// Returns the sizes of the database and of its log, in bytes; zero for what is not there.
    pub(super) fn sizes(&self) -> (u64, u64) {
        let size = |path: &Path| fs::metadata(path).map_or(0, |meta| meta.len());
        (size(&self.settings.path), size(&with_suffix(&self.settings.path, "-wal")))
    }

    /// Copies the log into the database and closes the file.
    pub(super) fn close(mut self) {
        if let Some(open) = self.open.take() {
            // Whatever fails here, the log holds every commit, and the next open finds it.
            let _ = checkpoint(&open.connection, self.busy_timeout);
            let _ = open.connection.close();
        }
    }

    /// Returns the open store, opening it if need be.
    fn opened(&mut self) -> Result<(&mut OpenStore, &Path), HistoryError> {
        let path = &self.settings.path;
        let usable = self.open.take().filter(|open| identity_of(path).ok() == Some(open.file));
        let open = match usable {
            Some(open) => open,
            None => OpenStore::open(path, &self.settings.wans, self.busy_timeout)?,
        };
        Ok((self.open.insert(open), path))
    }

    /// Closes the file after an error that a new connection may mend, and sets one
    /// aside that is corrupt or has another schema.
    fn recover_from(&mut self, result: Result<(), HistoryError>) -> Result<(), HistoryError> {
        let error = match result {
            Err(error) if !error.is_busy() => error,
            other => return other,
        };
        self.open = None;
        Err(if error.is_unusable() { file::set_aside(&self.settings.path, error) } else { error })
    }
}

impl OpenStore {
    fn open(path: &Path, wans: &[String], busy_timeout: Duration) -> Result<Self, HistoryError> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)
                .map_err(|error| HistoryError::CreateDirectory(directory.to_owned(), error))?;
        }
        file::is_there(path)?;
        let lock = file::lock(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opening = failed("opening", path);
        let mut connection = Connection::open_with_flags(path, flags).map_err(&opening)?;
        connection.busy_timeout(busy_timeout).map_err(&opening)?;
        let identity = schema::identify(&connection, path)?;
        let wans = schema::prepare(&mut connection, identity, wans).map_err(&opening)?;
        for (name, value) in [
            // A power cut may cost the last second, never the file: that is what WAL promises.
            ("synchronous", "NORMAL"),
            ("journal_size_limit", &LOG_BYTES.to_string()),
        ] {
            connection.pragma_update(None, name, value).map_err(&opening)?;
        }
        let file = identity_of(path).map_err(|_| HistoryError::Missing(path.to_owned()))?;
        let taken = vec![IngestResult::NOTHING; wans.len()];
        Ok(Self { connection, wans, taken, file, _lock: lock })
    }

    fn newest(&self) -> rusqlite::Result<Option<Timestamp>> {
        let mut newest = None;
        for wan in &self.wans {
            let sql = format!("SELECT max(at_ms) FROM {}", raw_table(*wan));
            let of_wan: Option<i64> = self.connection.query_row(&sql, [], |row| row.get(0))?;
            newest = newest.max(of_wan);
        }
        Ok(newest.map(|millis| Timestamp::from_micros(millis.saturating_mul(1000))))
    }

    fn write(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        let Self { connection, wans, taken, .. } = self;
        // Immediate: a lock held by another shows here, before anything is done.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut sums = Sums::new();
        for row in &batch.cycles {
            let (wan, taken) = (wans[row.wan], &mut taken[row.wan]);
            ingest::insert(&transaction, wan, row.at_ms, &row.values, &mut sums, taken)?;
        }
        ingest::add_sums(&transaction, sums)?;
        {
            let mut insert = transaction.prepare_cached(INSERT_EVENT)?;
            for row in &batch.events {
                row.insert(&mut insert, row.wan.map(|wan| wans[wan]))?;
            }
            for row in &batch.memories {
                row.store(&transaction, row.wan.map(|wan| wans[wan]))?;
            }
        }
        transaction.commit()
    }
}

/// Copies the log into the database and empties it, unless a reader stands in the way: that is not
/// waited for, because another time will do. Leaves the connection with this `busy_timeout`.
fn checkpoint(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::ZERO)?;
    let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.busy_timeout(busy_timeout)?;
    done
}

fn identity_of(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|meta| (meta.dev(), meta.ino()))
}

#[cfg(test)]
mod tests;
