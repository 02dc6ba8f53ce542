//! The database file: whose it is, and what is in it when it is new.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{HistoryError, code, memory, steering_memory};

/// The `user_version` of the files that this wanctl writes.
pub(super) const SCHEMA_VERSION: i64 = 1;

/// The `application_id` of a history: "wanc" in ASCII.
const APPLICATION_ID: i64 = 0x7761_6e63;

const TABLES: &str = include_str!("schema.sql");

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// A history that this wanctl understands.
    Ours,
    /// A database without content, free for the taking.
    Blank,
}

/// Tells whose database this is.
///
/// # Errors
/// [`HistoryError::Foreign`] and [`HistoryError::Newer`], for files to be left alone.
pub(super) fn identify(connection: &Connection, path: &Path) -> Result<Identity, HistoryError> {
    let read = |sql| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map_err(failed("reading the header of", path))
    };
    let foreign = |application_id| HistoryError::Foreign { path: path.to_owned(), application_id };
    let application_id = read("PRAGMA application_id")?;
    // Before anything else is read: what belongs to another is not ours to find corrupt.
    if application_id != APPLICATION_ID && application_id != 0 {
        return Err(foreign(application_id));
    }
    let version = read("PRAGMA user_version")?;
    if application_id == APPLICATION_ID && version > SCHEMA_VERSION {
        return Err(HistoryError::Newer { path: path.to_owned(), version });
    }
    match (application_id, version, read("SELECT count(*) FROM sqlite_schema")?) {
        (0, 0, 0) => Ok(Identity::Blank),
        (0, _, _) => Err(foreign(0)),
        _ => Ok(Identity::Ours),
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
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    transaction.execute_batch(memory::TABLE)?;
    transaction.execute_batch(steering_memory::TABLE)?;
    write_codes(&transaction)?;
    let numbers =
        wans.iter().map(|name| number_of(&transaction, name)).collect::<Result<_, _>>()?;
    transaction.commit()?;
    // After the tables: so the identity stands in the file itself before there is a log.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    Ok(numbers)
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
    move |source| HistoryError::Sqlite { step, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blank() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    fn identity(connection: &Connection) -> Result<Identity, HistoryError> {
        identify(connection, Path::new("history.db"))
    }

    #[test]
    fn only_a_history_or_an_empty_database_is_touched() {
        let mut connection = blank();
        assert_eq!(identity(&connection).unwrap(), Identity::Blank);
        prepare(&mut connection, Identity::Blank, &[]).unwrap();
        assert_eq!(identity(&connection).unwrap(), Identity::Ours);

        connection.pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
        assert!(matches!(identity(&connection), Err(HistoryError::Newer { version: 2, .. })));
        connection.pragma_update(None, "application_id", 7).unwrap();
        assert!(matches!(
            identity(&connection),
            Err(HistoryError::Foreign { application_id: 7, .. })
        ));

        let unmarked = blank();
        unmarked.execute_batch("CREATE TABLE theirs (id)").unwrap();
        assert!(matches!(identity(&unmarked), Err(HistoryError::Foreign { .. })));
    }

    #[test]
    fn a_wan_keeps_its_number_when_the_configuration_is_reordered() {
        let mut connection = blank();
        let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let first = prepare(&mut connection, Identity::Blank, &names(&["cable", "dsl"])).unwrap();
        let second =
            prepare(&mut connection, Identity::Ours, &names(&["lte", "dsl", "cable"])).unwrap();
        assert_eq!((second[1], second[2]), (first[1], first[0]));
    }

    #[test]
    fn a_name_that_changed_is_corrected_at_the_next_open() {
        let mut connection = blank();
        prepare(&mut connection, Identity::Blank, &[]).unwrap();
        connection.execute("UPDATE code SET name = 'old' WHERE kind = 'state'", []).unwrap();
        prepare(&mut connection, Identity::Ours, &[]).unwrap();
        let name: String = connection
            .query_row("SELECT name FROM code WHERE kind = 'state' AND value = 2", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(name, "soft_red");
    }
}
