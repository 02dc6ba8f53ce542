use std::{fs, ops::Range};

use rusqlite::Connection;
use tempfile::TempDir;

use wanctl_core::units::{Delay, Timestamp};

use super::{
    super::{Reader, Retention, Stats, fixture},
    *,
};

const FAST: Pace = Pace {
    batch_span: Duration::from_millis(2),
    batch_items: 16,
    queue_items: 32,
    retry: Duration::from_millis(1),
    busy_timeout: Duration::ZERO,
};
const DEADLINE: Duration = Duration::from_secs(10);

fn send(recorder: &Recorder, numbers: Range<u64>) {
    for number in numbers {
        recorder.cycle(Arc::new(fixture::cycle(0, number)));
    }
}

/// Waits until the figures are as `expected` wants them.
fn wait_for(recorder: &Recorder, expected: impl Fn(&Stats) -> bool) -> Stats {
    let until = Instant::now() + DEADLINE;
    loop {
        let stats = recorder.stats();
        if expected(&stats) {
            return stats;
        }
        assert!(Instant::now() < until, "not reached: {stats:?}");
        thread::yield_now();
    }
}

fn stored(settings: &Settings) -> u64 {
    let reader = Reader::open(&settings.path).unwrap();
    reader
        .summary("cable", Timestamp::default(), Timestamp::from_micros(i64::MAX))
        .unwrap()
        .cycles()
}

fn events(settings: &Settings) -> Vec<String> {
    let reader = Reader::open(&settings.path).unwrap();
    let events = reader.events(Timestamp::default(), Timestamp::from_micros(i64::MAX)).unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

#[test]
fn closing_writes_all_that_is_queued() {
    let directory = TempDir::new().unwrap();
    let settings = fixture::settings(&directory);
    // A batch that would take a minute to fill: closing must not wait for it.
    let pace = Pace { batch_span: Duration::from_mins(1), batch_items: 4096, ..FAST };
    let (recorder, writer) = start_at(settings.clone(), pace);
    recorder.event(Clock::wall(), None, Event::Start { version: "0".into(), mode: "active" });
    send(&recorder, 0..20);
    writer.close(DEADLINE).unwrap();
    assert_eq!(stored(&settings), 20);
    assert_eq!(events(&settings), ["start"]);
    let stats = recorder.stats();
    assert_eq!((stats.rows_written, stats.events_written, stats.queued), (20, 1, 0));
    assert!(stats.last_commit.is_some() && stats.database_bytes > 0);

    // What comes too late is counted.
    send(&recorder, 20..22);
    assert_eq!(recorder.stats().dropped, 2);
}

#[test]
fn a_directory_that_cannot_be_written_is_reported_and_tried_again() {
    let directory = TempDir::new().unwrap();
    let mut settings = fixture::settings(&directory);
    let obstacle = directory.path().join("obstacle");
    fs::write(&obstacle, "a file where a directory should be").unwrap();
    settings.path = obstacle.join("history.db");
    let (recorder, writer) = start_at(settings.clone(), FAST);
    send(&recorder, 0..10);
    let stats = wait_for(&recorder, |stats| stats.failures >= 2);
    assert!(stats.failing);
    assert!(stats.last_error.unwrap().starts_with("creating the directory "));

    fs::remove_file(&obstacle).unwrap();
    let stats = wait_for(&recorder, |stats| stats.rows_written == 10);
    assert_eq!(stats.dropped, 0);
    writer.close(DEADLINE).unwrap();
    let stats = recorder.stats();
    assert!(!stats.failing && stats.last_error.is_some());
    assert_eq!(stored(&settings), 10);
}

#[test]
fn a_locked_database_fills_the_queue_then_drops_and_loses_nothing_that_was_taken() {
    let directory = TempDir::new().unwrap();
    let settings = fixture::settings(&directory);
    let (recorder, writer) = start_at(settings.clone(), FAST);
    wait_for(&recorder, |stats| stats.database_bytes > 0);
    let other = Connection::open(&settings.path).unwrap();
    other.busy_timeout(DEADLINE).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    send(&recorder, 0..100);
    let locked = wait_for(&recorder, |stats| stats.failures > 0);
    assert!(locked.dropped >= 100 - 32 - 16, "{locked:?}");
    assert!(locked.last_error.unwrap().ends_with("database is locked"));

    other.execute_batch("ROLLBACK").unwrap();
    let stats = wait_for(&recorder, |stats| stats.queued == 0);
    assert_eq!(stats.rows_written + stats.dropped, 100);
    writer.close(DEADLINE).unwrap();
    assert_eq!(stored(&settings), stats.rows_written);
}

#[test]
fn a_lock_that_ends_while_closing_costs_nothing() {
    let directory = TempDir::new().unwrap();
    let settings = fixture::settings(&directory);
    let (recorder, writer) = start_at(settings.clone(), FAST);
    wait_for(&recorder, |stats| stats.database_bytes > 0);
    let other = Connection::open(&settings.path).unwrap();
    other.busy_timeout(DEADLINE).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    send(&recorder, 0..10);
    let closing = thread::spawn(move || writer.close(DEADLINE));
    wait_for(&recorder, |stats| stats.failures > 0);
    other.execute_batch("ROLLBACK").unwrap();
    closing.join().unwrap().unwrap();
    assert_eq!(stored(&settings), 10);
}

#[test]
fn closing_ends_in_time_under_a_lock_that_stays() {
    let directory = TempDir::new().unwrap();
    let settings = fixture::settings(&directory);
    let (recorder, writer) = start_at(settings.clone(), FAST);
    wait_for(&recorder, |stats| stats.database_bytes > 0);
    let other = Connection::open(&settings.path).unwrap();
    other.busy_timeout(DEADLINE).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    send(&recorder, 0..3);
    wait_for(&recorder, |stats| stats.failing);
    let error = writer.close(Duration::from_millis(5)).unwrap_err().to_string();
    assert!(error.starts_with("the last 3 cycles and events were not written"), "{error}");
    assert!(error.ends_with("database is locked"), "{error}");
}

#[test]
fn closing_a_hopeless_history_says_what_is_lost_and_why() {
    let directory = TempDir::new().unwrap();
    let mut settings = fixture::settings(&directory);
    settings.path = "/proc/wanctl/history.db".into();
    let (recorder, writer) = start_at(settings, FAST);
    send(&recorder, 0..3);
    let error = writer.close(DEADLINE).unwrap_err().to_string();
    assert!(error.starts_with("the last 3 cycles and events were not written"), "{error}");
    assert!(error.contains("creating the directory /proc/wanctl"), "{error}");
}

#[test]
fn a_refused_file_stays_and_control_goes_on() {
    let directory = TempDir::new().unwrap();
    let settings = fixture::settings(&directory);
    let theirs = Connection::open(&settings.path).unwrap();
    theirs.execute_batch("CREATE TABLE theirs (id)").unwrap();
    let (recorder, writer) = start_at(settings.clone(), FAST);
    send(&recorder, 0..3);
    let stats = wait_for(&recorder, |stats| stats.failing);
    assert!(stats.last_error.unwrap().contains("database of another application"));
    assert!(writer.close(DEADLINE).is_err());
    let tables: i64 =
        theirs.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn a_corrupt_file_is_reported_in_an_event_of_the_new_one() {
    let directory = TempDir::new().unwrap();
    let settings = fixture::settings(&directory);
    fs::write(&settings.path, "this was a database once, before the power failed\n").unwrap();
    let (recorder, writer) = start_at(settings.clone(), FAST);
    send(&recorder, 0..3);
    let stats = wait_for(&recorder, |stats| stats.events_written == 1);
    assert!(stats.last_error.unwrap().contains("history.db.corrupt-2"));
    writer.close(DEADLINE).unwrap();
    assert_eq!((stored(&settings), events(&settings)), (3, vec!["history_archived".to_owned()]));
}

#[test]
fn without_recorders_the_writer_writes_the_rest_and_ends() {
    let directory = TempDir::new().unwrap();
    let settings = fixture::settings(&directory);
    let (recorder, writer) = start_at(settings.clone(), FAST);
    send(&recorder, 0..10);
    drop(recorder);
    writer.thread.join().unwrap();
    assert_eq!(stored(&settings), 10);
}

#[test]
fn a_shorter_retention_takes_effect_while_it_runs() {
    let directory = TempDir::new().unwrap();
    let settings = fixture::settings(&directory);
    let (recorder, writer) = start_at(settings.clone(), FAST);
    let at =
        |age: Duration| Timestamp::from_micros(Clock::wall().micros() - Delay::from(age).micros());
    for (number, age) in [(1, Duration::from_hours(2)), (2, Duration::from_mins(1))] {
        let wall = at(age);
        recorder.cycle(Arc::new(wanctl_core::Cycle { wall, ..fixture::cycle(0, number) }));
    }
    wait_for(&recorder, |stats| stats.rows_written == 2);
    let kept = || -> i64 {
        let connection = Connection::open(&settings.path).unwrap();
        connection.query_row("SELECT count(*) FROM cycles", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(kept(), 2);
    recorder.retain(Retention { raw: Duration::from_hours(1), ..settings.retention });
    let until = Instant::now() + DEADLINE;
    while kept() != 1 {
        assert!(Instant::now() < until, "nothing was trimmed");
        thread::yield_now();
    }
    assert_eq!(stored(&settings), 2, "the tiers still have both");
    writer.close(DEADLINE).unwrap();
}
