use std::fs;

use rusqlite::types::Value;
use tempfile::TempDir;
use wanctl_core::Cycle;

use super::{
    super::fixture::{START, STEP},
    *,
};
use crate::history::fixture;

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn number(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn cycles(numbers: std::ops::Range<u64>) -> impl Iterator<Item = Cycle> {
    numbers.map(|number| fixture::cycle(0, number))
}

/// A cycle of the first WAN whose wall clock shows `millis` after the start.
fn cycle_at(number: u64, millis: i64) -> Cycle {
    let wall = Timestamp::from_micros(START.micros() + millis * 1000);
    Cycle { wall, ..fixture::cycle(0, number) }
}

const COUNT: &str = "SELECT count(*) FROM cycles";

#[test]
fn every_column_of_the_view_holds_what_its_name_says() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    // The second of them is the first of its second.
    fixture::store(&settings).write(&fixture::batch(cycles(19..21))).unwrap();

    let connection = Connection::open(&settings.path).unwrap();
    let mut query = connection.prepare("SELECT * FROM cycles ORDER BY at_ms DESC LIMIT 1").unwrap();
    let names: Vec<String> = query.column_names().map(str::to_owned).collect();
    let values: Vec<Value> = query
        .query_row([], |row| (0..names.len()).map(|column| row.get(column)).collect())
        .unwrap();
    let text = |text: &str| Value::Text(text.to_owned());
    let int = Value::Integer;
    let mut expected = vec![
        ("wan".to_owned(), text("cable")),
        ("at_ms".to_owned(), int(START.after(STEP * 20).micros() / 1000)),
        ("measurement".to_owned(), text("healthy")),
        ("method".to_owned(), text("icmp_echo")),
    ];
    let reported = [
        ("fresh", 6),
        ("delayed", 2),
        ("quorum", 1),
        ("probes_sent", 2),
        ("probes_lost", 1),
        ("gap", 0),
        ("span_ms", 50),
        ("skipped", 4),
        ("overran", 0),
        ("lateness_us", 300),
        ("rtt_us", 24_300),
        ("baseline_us", 22_100),
        ("delta_us", 2_200),
        ("jitter_us", 870),
        ("noise_us", 640),
    ];
    expected.extend(reported.map(|(name, value)| (name.to_owned(), int(value))));
    for (direction, reason, load, attributed, place) in [
        ("download", "raise_shaper_limited", "high", 1, 0),
        ("upload", "hold_application_limited", "low", 0, 1),
    ] {
        let reported = [
            ("state", text("green")),
            ("reason", text(reason)),
            ("phase", text("cruise")),
            ("load", text(load)),
            ("attributed", int(attributed)),
            ("desired_bps", int(92_000_000 + 1000 * place)),
            ("observed_bps", int(93_000_000 + 1000 * place)),
            ("delivery_bps", int((92_000_000 + 1000 * place) * 45 / 100)),
            ("capacity_bps", int((101_200_000 + 1100 * place + 5_000) / 10_000 * 10_000)),
            ("backlog_bytes", int(15_168)),
            ("bytes", int(256_000 + place)),
            ("packets", int(210 + place)),
            ("drops", int(3 + place)),
            ("writes", int(0)),
        ];
        expected.extend(reported.map(|(name, value)| (format!("{direction}_{name}"), value)));
    }
    let stored: Vec<_> = names.into_iter().zip(values).collect();
    assert_eq!(stored, expected);
}

#[test]
fn traffic_is_unknown_at_first_and_survives_a_counter_reset() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut reset = fixture::cycle(0, 2);
    reset.directions.download.as_mut().unwrap().queue.as_mut().unwrap().bytes = 700;
    let batch = fixture::batch([fixture::cycle(0, 1), reset]);
    fixture::store(&settings).write(&batch).unwrap();
    let connection = Connection::open(&settings.path).unwrap();
    let mut query = connection.prepare("SELECT download_bytes FROM cycles ORDER BY at_ms").unwrap();
    let bytes: Vec<Option<i64>> =
        query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(bytes, [None, Some(700)]);
}

#[test]
fn a_clock_that_steps_back_or_stands_still_loses_no_row() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    // 0, 50, 100 ms; then back to 50, whose place is taken; then stuck at 100.
    let steps = [0, 50, 100, 50, 51, 100, 100, 100];
    let shown = (1..).zip(steps).map(|(number, millis)| cycle_at(number, millis));
    store.write(&fixture::batch(shown)).unwrap();
    // And another process that starts over at the same moments.
    store.write(&fixture::batch([cycle_at(9, 0), cycle_at(10, 50)])).unwrap();

    let connection = Connection::open(&settings.path).unwrap();
    let mut query = connection.prepare("SELECT at_ms FROM cycles ORDER BY at_ms").unwrap();
    let placed: Vec<i64> = query
        .query_map([], |row| Ok(row.get::<_, i64>(0)? - START.micros() / 1000))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(placed, [0, 1, 50, 51, 52, 53, 100, 101, 102, 103]);
}

/// The promise of docs/history.md, on a link that rests, loads one direction, loads both.
#[test]
fn a_cycle_takes_at_most_60_bytes() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    let mut life = fixture::SampleHistory::new();
    for _ in 0..10 {
        store.write(&fixture::batch((0..1200).map(|_| life.next_cycle()))).unwrap();
    }
    let pages = "SELECT sum(pgsize) FROM dbstat WHERE name GLOB 'cycle_*'";
    let bytes = number(&settings.path, pages) as f64 / 12_000.0;
    assert!(bytes <= 60.0, "{bytes:.1} bytes a cycle");
    assert!(bytes > 45.0, "{bytes:.1} bytes a cycle: does this link live?");
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
fn a_lock_of_another_connection_is_recognised_and_waited_out() {
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
    let HistoryError::SetAside(archived_as, _) = error else { panic!("{error:?}") };
    let name = archived_as.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("history.db.corrupt-2"), "{name}");
    assert_eq!(fs::read(&archived_as).unwrap(), content);
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
            HistoryError::SetAside(archived_as, _) => kept.push(archived_as),
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
    assert!(matches!(error, HistoryError::Unfit { .. }), "{error:?}");
    assert!(settings.path.is_dir());
}

#[test]
fn a_database_of_another_application_is_left_as_it_is() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    set(&settings, "application_id", 7);
    let before = fs::read(&settings.path).unwrap();

    let error = fixture::store(&settings).write(&fixture::batch(cycles(0..1))).unwrap_err();
    let said = "is a database of another application (application_id 0x7)";
    assert!(error.to_string().contains(said), "{error}");
    assert_eq!(fs::read(&settings.path).unwrap(), before);
}

#[test]
fn a_history_with_another_schema_is_kept_under_another_name() {
    for other in [1, 99] {
        let directory = directory();
        let settings = fixture::settings(&directory);
        set(&settings, "user_version", other);
        let before = fs::read(&settings.path).unwrap();

        let mut store = fixture::store(&settings);
        let batch = fixture::batch(cycles(0..1));
        let error = store.write(&batch).unwrap_err();
        let text = error.with_causes();
        let HistoryError::SetAside(archived_as, _) = error else { panic!("{error:?}") };
        assert!(archived_as.to_str().unwrap().contains(&format!("history.db.schema-{other}-2")));
        assert_eq!(fs::read(&archived_as).unwrap(), before);
        assert!(text.contains(&format!("is a history with schema {other}, and this")), "{text}");
        store.write(&batch).unwrap();
        assert_eq!(number(&settings.path, COUNT), 1);
    }
}

/// Writes an empty history whose header says `value` for `pragma`.
fn set(settings: &Settings, pragma: &str, value: i64) {
    let mut store = fixture::store(settings);
    store.write(&Batch::default()).unwrap();
    store.close();
    let theirs = Connection::open(&settings.path).unwrap();
    theirs.pragma_update(None, pragma, value).unwrap();
    theirs.close().unwrap();
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
    let (mut sums, mut taken) = (Sums::new(), IngestResult::NOTHING);
    for row in fixture::batch(cycles(200..300)).cycles {
        ingest::insert(&transaction, 1, row.at_ms, &row.values, &mut sums, &mut taken).unwrap();
    }
    ingest::add_sums(&transaction, sums).unwrap();
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
    let mut names: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["history.db", "history.db-lock"]);
}

#[test]
fn a_log_that_outgrew_its_limit_is_cut_back_when_no_reader_needs_it() {
    let directory = directory();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    store.write(&fixture::batch(cycles(0..10))).unwrap();
    let log = with_suffix(&settings.path, "-wal");
    fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(2 * LOG_BYTES).unwrap();

    let reader = Connection::open(&settings.path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM cycles").unwrap();
    store.write(&fixture::batch(cycles(10..20))).unwrap();
    store.upkeep(START, START).unwrap();
    assert!(store.sizes().1 > LOG_BYTES);
    reader.execute_batch("COMMIT").unwrap();
    store.upkeep(START, START).unwrap();
    assert_eq!(store.sizes().1, 0);
    assert_eq!(number(&settings.path, COUNT), 20);
}
