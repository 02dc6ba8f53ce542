use rusqlite::Connection;

use super::{
    super::{Reader, fixture, schema},
    *,
};
use crate::units::Timestamp;

/// The schema of version 1, as its files have it.
const VERSION_1: &str = include_str!("version_1.sql");

#[test]
fn a_history_of_version_1_keeps_its_rows() {
    let directory = tempfile::tempdir().unwrap();
    let settings = fixture::settings(&directory);
    let old = Connection::open(&settings.path).unwrap();
    old.execute_batch(VERSION_1).unwrap();
    let start = fixture::START.micros();
    old.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)
         INSERT INTO cycle (wan, at, number, measurement, delta_us, rtt_us, download_state,
                            download_desired_bps, download_bytes)
         SELECT 1, ?1 + i * 50000, i, 1, 2200, 24300, 3, 92000000, 1000 FROM n",
        [start],
    )
    .unwrap();
    old.close().unwrap();

    let mut store = fixture::store(&settings);
    // New cycles come while the old ones are still on their way.
    store.write(&fixture::batch([fixture::cycle(0, 1000)])).unwrap();
    let mut steps = 0;
    while store.upkeep(fixture::START, fixture::START).unwrap() {
        steps += 1;
        assert!(steps < 100, "it does not end");
    }
    let reader = Reader::open(&settings.path).unwrap();
    assert_eq!(reader.verify().unwrap().problems, Vec::<String>::new());
    let end = Timestamp::from_micros(i64::MAX);
    let summary = reader.summary("cable", Timestamp::default(), end).unwrap();
    assert_eq!(summary.cycles, 451);
    assert_eq!(summary.total.span_ms(), 451 * 50);
    assert_eq!(summary.total.bytes(Direction::Download), 450_000);
    assert_eq!(summary.directions.download.states[3].0.name(), "red");
    assert!(summary.directions.download.states[3].1 > 0.99);
    let events = reader.events(Timestamp::default(), end).unwrap();
    assert_eq!(events.len(), 1);
    let version: i64 =
        reader.connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, schema::SCHEMA_VERSION);
}

#[test]
fn an_old_history_is_named_to_who_only_reads() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.db");
    Connection::open(&path).unwrap().execute_batch(VERSION_1).unwrap();
    let told = Reader::open(&path).unwrap_err().to_string();
    assert!(told.contains("was written by an older wanctl (schema 1"), "{told}");
}
