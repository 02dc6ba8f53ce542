use std::fs;

use rusqlite::types::Value;
use tempfile::TempDir;

use super::{
    super::fixture::{self, START, STEP},
    *,
};
use crate::control::Cycle;

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn number(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn cycles(numbers: std::ops::Range<u64>) -> impl Iterator<Item = Cycle> {
    numbers.map(|number| fixture::cycle(0, number))
}

/// A cycle of the first WAN whose wall clock shows `micros` after the start.
fn cycle_at(number: u64, micros: i64) -> Cycle {
    let wall = Timestamp::from_micros(START.micros() + micros);
    Cycle { wall, ..fixture::cycle(0, number) }
}

const COUNT: &str = "SELECT count(*) FROM cycle";

#[test]
fn every_column_holds_what_its_name_says() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    fixture::store(&settings).write(&fixture::batch(cycles(1..3))).unwrap();

    let connection = Connection::open(&settings.path).unwrap();
    let mut query = connection.prepare("SELECT * FROM cycle ORDER BY at DESC LIMIT 1").unwrap();
    let names: Vec<String> = query.column_names().map(str::to_owned).collect();
    let values: Vec<Value> = query
        .query_row([], |row| (0..names.len()).map(|column| row.get(column)).collect())
        .unwrap();
    let expected = [
        ("wan", 1),
        ("at", START.after(STEP * 2).micros()),
        ("number", 2),
        ("measurement", 1),
        ("fresh", 6),
        ("votes", 2),
        ("bloated", 1),
        ("rtt_us", 24_300),
        ("baseline_us", 22_100),
        ("delta_us", 2_200),
        ("jitter_us", 870),
        ("lateness_us", 310),
        ("busy_us", 95),
        ("skipped", 4),
        ("download_state", 0),
        ("download_reason", 2),
        ("download_load", 3),
        ("download_blamed", 1),
        ("download_achieved_bps", 41_000_000),
        ("download_desired_bps", 92_000_000),
        ("download_observed_bps", 93_000_000),
        ("download_backlog_bytes", 15_140),
        ("download_bytes", 256_000),
        ("download_packets", 210),
        ("download_drops", 3),
        ("upload_state", 0),
        ("upload_reason", 8),
        ("upload_load", 2),
        ("upload_blamed", 0),
        ("upload_achieved_bps", 41_000_001),
        ("upload_desired_bps", 92_000_001),
        ("upload_observed_bps", 93_000_001),
        ("upload_backlog_bytes", 15_141),
        ("upload_bytes", 256_001),
        ("upload_packets", 211),
        ("upload_drops", 4),
    ];
    let stored: Vec<_> = names.iter().map(String::as_str).zip(values).collect();
    assert_eq!(stored, expected.map(|(name, value)| (name, Value::Integer(value))));
}

#[test]
fn traffic_is_unknown_at_first_and_survives_a_counter_reset() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut reset = fixture::cycle(0, 2);
    reset.directions.download.queue.as_mut().unwrap().bytes = 700;
    let batch = fixture::batch([fixture::cycle(0, 1), reset]);
    fixture::store(&settings).write(&batch).unwrap();
    let connection = Connection::open(&settings.path).unwrap();
    let mut query = connection.prepare("SELECT download_bytes FROM cycle ORDER BY at").unwrap();
    let bytes: Vec<Option<i64>> =
        query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(bytes, [None, Some(700)]);
}

#[test]
fn a_clock_that_steps_back_or_stands_still_loses_no_row() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    // 0, 50, 100 µs; then back to 50, whose place is taken; then stuck at 100.
    let steps = [0, 50, 100, 50, 51, 100, 100, 100];
    let shown = (1..).zip(steps).map(|(number, micros)| cycle_at(number, micros));
    store.write(&fixture::batch(shown)).unwrap();
    // And another process that starts over at the same moments.
    store.write(&fixture::batch([cycle_at(9, 0), cycle_at(10, 50)])).unwrap();

    let connection = Connection::open(&settings.path).unwrap();
    let mut query = connection.prepare("SELECT number, at FROM cycle ORDER BY number").unwrap();
    let placed: Vec<(i64, i64)> = query
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? - START.micros())))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let expected = [
        (1, 0),
        (2, 50),
        (3, 100),
        (4, 51),
        (5, 52),
        (6, 101),
        (7, 102),
        (8, 103),
        (9, 1),
        (10, 53),
    ];
    assert_eq!(placed, expected);
}

#[test]
fn a_missing_directory_is_created() {
    let directory = directory();
    let mut settings = fixture::settings(&directory);
    settings.path = directory.path().join("var/lib/history.db");
    fixture::store(&settings).write(&fixture::batch(cycles(0..1))).unwrap();
    assert_eq!(number(&settings.path, COUNT), 1);
}

#[test]
fn a_full_disk_leaves_no_half_batch_and_the_next_attempt_writes_it_all() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    store.write(&fixture::batch(cycles(0..10))).unwrap();
    let connection = &store.open.as_ref().unwrap().connection;
    connection.query_row("PRAGMA max_page_count = 10", [], |_| Ok(())).unwrap();

    let batch = fixture::batch(cycles(10..1000));
    let error = store.write(&batch).unwrap_err();
    assert!(error.with_causes().ends_with("database or disk is full"), "{}", error.with_causes());
    assert_eq!(number(&settings.path, COUNT), 10);
    // The limit went with the connection: the disk has room again.
    store.write(&batch).unwrap();
    assert_eq!(number(&settings.path, COUNT), 1000);
}

#[test]
fn a_lock_of_another_connection_is_told_apart_and_waited_out() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    store.write(&Batch::default()).unwrap();
    let other = Connection::open(&settings.path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let batch = fixture::batch(cycles(0..10));
    assert!(store.write(&batch).unwrap_err().is_busy());
    other.execute_batch("COMMIT").unwrap();
    store.write(&batch).unwrap();
    assert_eq!(number(&settings.path, COUNT), 10);
}

/// Writes rows, lets `damage` spoil the closed file, and expects that the file is kept and that a
/// new history begins.
fn expect_set_aside(damage: impl FnOnce(&mut Vec<u8>)) {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    store.write(&fixture::batch(cycles(0..1000))).unwrap();
    store.close();
    let mut content = fs::read(&settings.path).unwrap();
    damage(&mut content);
    fs::write(&settings.path, &content).unwrap();

    let mut store = fixture::store(&settings);
    let batch = fixture::batch(cycles(1000..1010));
    let error = store.write(&batch).unwrap_err();
    let HistoryError::SetAside { kept_as, .. } = error else { panic!("{error:?}") };
    let name = kept_as.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("history.db.corrupt-2"), "{name}");
    assert_eq!(fs::read(&kept_as).unwrap(), content);
    store.write(&batch).unwrap();
    assert_eq!(number(&settings.path, COUNT), 10);
}

#[test]
fn a_corrupt_header_sets_the_file_aside() {
    expect_set_aside(|content| content[..64].fill(0xa5));
}

#[test]
fn corrupt_pages_set_the_file_aside() {
    expect_set_aside(|content| content[4096..].fill(0xa5));
}

#[test]
fn what_was_set_aside_is_not_replaced_by_the_next() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut kept = Vec::new();
    for number in 0..3 {
        fs::write(&settings.path, format!("this is no database, for the time {number}\n")).unwrap();
        match fixture::store(&settings).write(&Batch::default()).unwrap_err() {
            HistoryError::SetAside { kept_as, .. } => kept.push(kept_as),
            error => panic!("{error:?}"),
        }
    }
    for (number, path) in kept.iter().enumerate() {
        assert!(fs::read_to_string(path).unwrap().contains(&format!("the time {number}")));
    }
}

#[test]
fn only_files_are_set_aside() {
    let directory = directory();
    let mut settings = fixture::settings(&directory);
    settings.path = directory.path().join("history");
    fs::create_dir(&settings.path).unwrap();
    let error = fixture::store(&settings).write(&Batch::default()).unwrap_err();
    assert!(matches!(error, HistoryError::Sqlite { step: "opening", .. }), "{error:?}");
    assert!(settings.path.is_dir());
}

#[test]
fn a_database_of_another_application_or_of_the_future_is_left_as_it_is() {
    for (pragma, value, said) in [
        ("application_id", 7, "is a database of another application (application_id 0x7)"),
        ("user_version", 2, "was written by a newer wanctl (schema 2, this one knows 1)"),
    ] {
        let directory = directory();
        let settings = fixture::settings(&directory);
        let mut store = fixture::store(&settings);
        store.write(&Batch::default()).unwrap();
        store.close();
        let theirs = Connection::open(&settings.path).unwrap();
        theirs.pragma_update(None, pragma, value).unwrap();
        theirs.close().unwrap();
        let before = fs::read(&settings.path).unwrap();

        let error = fixture::store(&settings).write(&fixture::batch(cycles(0..1))).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(fs::read(&settings.path).unwrap(), before);
    }
}

#[test]
fn a_kill_costs_at_most_the_batch_in_flight() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    store.write(&fixture::batch(cycles(0..100))).unwrap();
    store.write(&fixture::batch(cycles(100..200))).unwrap();
    // A transaction that has already reached the log, but not its end.
    let open = store.open.as_mut().unwrap();
    let transaction = open.connection.transaction().unwrap();
    {
        let mut insert = transaction.prepare(&INSERT_CYCLE).unwrap();
        for row in fixture::batch(cycles(200..300)).cycles {
            row.insert(&mut insert, 1, row.at.micros()).unwrap();
        }
    }
    transaction.cache_flush().unwrap();
    // What a kill would leave behind; and the log torn in its last page besides.
    let remains = directory.path().join("remains.db");
    fs::copy(&settings.path, &remains).unwrap();
    let log = fs::read(with_suffix(&settings.path, "-wal")).unwrap();
    fs::write(with_suffix(&remains, "-wal"), &log[..log.len() - 1000]).unwrap();

    let mut survivor = fixture::store(&Settings { path: remains.clone(), ..settings.clone() });
    survivor.write(&fixture::batch(cycles(300..301))).unwrap();
    let connection = Connection::open(&remains).unwrap();
    let verdict: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!((verdict.as_str(), number(&remains, COUNT)), ("ok", 201));
}

#[test]
fn a_file_that_was_removed_or_replaced_is_begun_anew() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    store.write(&fixture::batch(cycles(0..10))).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(with_suffix(&settings.path, suffix)).unwrap();
    }
    store.write(&fixture::batch(cycles(10..13))).unwrap();
    assert_eq!(number(&settings.path, COUNT), 3);
}

#[test]
fn closing_leaves_one_whole_file() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    store.write(&fixture::batch(cycles(0..10))).unwrap();
    assert!(store.sizes().1 > 0);
    store.close();
    let names: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["history.db"]);
}

#[test]
fn a_log_that_outgrew_its_limit_is_cut_back_when_no_reader_needs_it() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    store.write(&fixture::batch(cycles(0..10))).unwrap();
    let log = with_suffix(&settings.path, "-wal");
    fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(2 * WAL_LIMIT).unwrap();

    let reader = Connection::open(&settings.path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM cycle").unwrap();
    store.write(&fixture::batch(cycles(10..20))).unwrap();
    store.trim(START).unwrap();
    assert!(store.sizes().1 > WAL_LIMIT);
    reader.execute_batch("COMMIT").unwrap();
    store.trim(START).unwrap();
    assert_eq!(store.sizes().1, 0);
    assert_eq!(number(&settings.path, COUNT), 20);
}
