use rusqlite::Connection;

use super::{
    super::{
        fixture::{self, START, STEP},
        schema::{self, Identity},
    },
    *,
};

fn history(cycles: i64) -> (Connection, Vec<i64>) {
    let mut connection = Connection::open_in_memory().unwrap();
    let names = ["cable".to_owned(), "dsl".to_owned()];
    let wans = schema::prepare(&mut connection, Identity::Blank, &names).unwrap();
    connection
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
             INSERT INTO cycle (wan, at, number) SELECT id, ?2 + i * ?3, i FROM n, wan",
            params![cycles, START.micros(), Delay::from(STEP).micros()],
        )
        .unwrap();
    (connection, wans)
}

fn left(connection: &Connection) -> (i64, i64) {
    connection
        .query_row("SELECT count(*), min(number) FROM cycle WHERE wan = 2", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap()
}

#[test]
fn only_what_is_older_than_the_retention_goes() {
    let (connection, wans) = history(100);
    let now = START.after(STEP * 100);
    trim(&connection, &wans, now, STEP * 100).unwrap();
    assert_eq!(left(&connection), (100, 0));
    trim(&connection, &wans, now, STEP * 40).unwrap();
    assert_eq!(left(&connection), (40, 60));
}

#[test]
fn a_backlog_goes_in_bounded_slices_oldest_first() {
    let (connection, wans) = history(12_000);
    let now = START.after(STEP * 12_000);
    let most = SLICE_ROWS * i64::try_from(SLICES_WHEN_BEHIND).unwrap();
    trim(&connection, &wans, now, STEP * 100).unwrap();
    assert_eq!(left(&connection), (12_000 - most, most));
    trim(&connection, &wans, now, STEP * 100).unwrap();
    trim(&connection, &wans, now, STEP * 100).unwrap();
    assert_eq!(left(&connection), (100, 11_900));
}

#[test]
fn pages_are_given_back_step_by_step_down_to_the_spare_ones() {
    let (connection, wans) = history(40_000);
    let pages = || -> (i64, i64) {
        let read = |sql| connection.query_row(sql, [], |row| row.get(0)).unwrap();
        (read("PRAGMA page_count"), read("PRAGMA freelist_count"))
    };
    let (before, _) = pages();
    let now = START.after(STEP * 40_000);
    trim(&connection, &wans, now, Duration::ZERO).unwrap();
    assert!(pages().0 >= before - VACUUM_PAGES);
    for _ in 0..60 {
        trim(&connection, &wans, now, Duration::ZERO).unwrap();
    }
    let (after, free) = pages();
    assert_eq!(free, SPARE_PAGES);
    assert!(after < SPARE_PAGES + 20, "{after} pages are left of {before}");
}

#[test]
fn events_stay_for_a_year() {
    let (connection, wans) = history(0);
    connection
        .execute(
            "INSERT INTO event (at, kind, payload) VALUES (?1, 'start', '{}'), (?2, 'stop', '{}')",
            [START.micros(), START.after(STEP).micros()],
        )
        .unwrap();
    trim(&connection, &wans, START.after(EVENT_RETENTION + STEP), Duration::ZERO).unwrap();
    let kinds: String =
        connection.query_row("SELECT group_concat(kind) FROM event", [], |row| row.get(0)).unwrap();
    assert_eq!(kinds, "stop");
}

#[test]
fn a_trim_without_work_takes_no_lock() {
    let directory = tempfile::tempdir().unwrap();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    store.write(&fixture::batch([fixture::cycle(0, 1)])).unwrap();
    let other = Connection::open(&settings.path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.trim(START).unwrap();
}
