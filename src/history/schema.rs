//! The database file: whose it is, and what is in it when it is new.

mod tables;

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{HistoryError, code, tier::Tier};

/// The `user_version` of the files that this wanctl writes, and the only one that it reads.
pub(super) const SCHEMA_VERSION: i64 = 5;

/// The `application_id` of a history: "wanc" in ASCII.
const APPLICATION_ID: i64 = 0x7761_6e63;

const TABLES: &str = include_str!("schema.sql");

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// A history of [`SCHEMA_VERSION`].
    Ours,
    /// A database without content, free for the taking.
    Blank,
}

/// Identifies the owner of the database.
///
/// # Errors
/// [`HistoryError::Foreign`] for a file to be left alone, [`HistoryError::OtherSchema`] for a history
/// of another version.
pub(super) fn identify(connection: &Connection, path: &Path) -> Result<Identity, HistoryError> {
    let read = |sql| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map_err(failed("reading the header of", path))
    };
    let foreign = |application_id| HistoryError::Foreign(path.to_owned(), application_id);
    let application_id = read("PRAGMA application_id")?;
    // Before anything else is read: what belongs to another is not ours to find corrupt.
    if application_id != APPLICATION_ID && application_id != 0 {
        return Err(foreign(application_id));
    }
    let version = read("PRAGMA user_version")?;
    match (application_id, version, read("SELECT count(*) FROM sqlite_schema")?) {
        (0, 0, 0) => Ok(Identity::Blank),
        (0, _, _) => Err(foreign(0)),
        (_, SCHEMA_VERSION, _) => Ok(Identity::Ours),
        _ => Err(HistoryError::OtherSchema(path.to_owned(), version)),
    }
}

/// Makes the database ready for the WANs of these names, its tables included if it is blank, and
/// returns the database's number of each WAN.
pub(super) fn prepare(
    connection: &mut Connection,
    identity: Identity,
    wans: &[String],
) -> rusqlite::Result<Vec<i64>> {
    if identity == Identity::Blank {
        // This one has an effect only before the first table.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if identity == Identity::Blank {
        transaction.execute_batch(TABLES)?;
        for tier in Tier::ALL {
            transaction.execute_batch(&tables::create_tier(tier))?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    write_codes(&transaction)?;
    let numbers = wans
        .iter()
        .map(|name| number_of(&transaction, name))
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let all = all_wans(&transaction)?;
    for (number, _) in &all {
        transaction.execute_batch(&tables::create_raw(*number))?;
    }
    tables::renew_views(&transaction, &all)?;
    transaction.commit()?;
    // After the tables: so the identity stands in the file itself before there is a log.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    Ok(numbers)
}

/// Returns numbers and names of all WANs that the history has ever known.
pub(super) fn all_wans(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM wan ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn write_codes(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare(
        "INSERT INTO code (kind, value, name) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET name = excluded.name WHERE name <> excluded.name",
    )?;
    for (kind, value, name) in code::table() {
        insert.execute(params![kind, value, name])?;
    }
    Ok(())
}

fn number_of(transaction: &Transaction<'_>, wan: &str) -> rusqlite::Result<i64> {
    transaction.execute("INSERT INTO wan (name) VALUES (?1) ON CONFLICT DO NOTHING", [wan])?;
    transaction.query_row("SELECT id FROM wan WHERE name = ?1", [wan], |row| row.get(0))
}

/// Returns what turns an error of SQLite into one that says what was being done.
pub(super) fn failed(step: &'static str, path: &Path) -> impl Fn(rusqlite::Error) -> HistoryError {
    move |source| HistoryError::Sqlite(step, path.to_owned(), source)
}

#[cfg(test)]
mod tests;
