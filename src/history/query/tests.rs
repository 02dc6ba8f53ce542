use std::fs;

use tempfile::TempDir;
use wanctl_core::{
    CongestionState, Direction,
    units::{BitRate, Delay},
};

use super::{
    super::{
        compact,
        fixture::{START, STEP},
        row::Batch,
    },
    *,
};
use crate::history::{DelayKind, RateKind, fixture};

fn all() -> (Timestamp, Timestamp) {
    (Timestamp::default(), Timestamp::from_micros(i64::MAX))
}

/// A history of 100 cycles of the first WAN; from cycle 75 on the upload is red.
fn history(directory: &TempDir) -> PathBuf {
    let settings = fixture::settings(directory);
    let cycles = (0..100).map(|number| {
        let mut cycle = fixture::cycle(0, number);
        if number >= 75 {
            cycle.directions.upload.as_mut().unwrap().state = CongestionState::Red;
            cycle.measurement.delta = Some(Delay::from_micros(90_000));
        }
        cycle
    });
    fixture::store(&settings).write(&fixture::batch(cycles)).unwrap();
    settings.path
}

#[test]
fn a_summary_reports_a_span_of_one_wan() {
    let directory = TempDir::new().unwrap();
    let reader = Reader::open(&history(&directory)).unwrap();
    let (from, to) = all();
    let summary = reader.summary("cable", from, to).unwrap();
    assert_eq!(summary.cycles(), 100);
    let near = |quantile, exact: i64| {
        let found = summary.quantile(DelayKind::Delta, quantile).unwrap().micros();
        assert!((found - exact).abs() * 30 <= exact, "{found}");
    };
    near(0.5, 2_200);
    near(0.95, 90_000);
    let time = |state| summary.state_ms(Direction::Upload, state);
    let measured = summary.measured_ms(Direction::Upload);
    assert_eq!((time(CongestionState::Red) * 4, time(CongestionState::Yellow)), (measured, 0));
    let desired = summary.rate(Direction::Upload, RateKind::Desired).unwrap();
    assert_eq!(desired.mean, BitRate::from_bps(92_001_000));

    // The end of a span is not in it.
    let part = reader.summary("cable", START.after(STEP), START.after(STEP * 3)).unwrap();
    assert_eq!(part.cycles(), 2);
    assert_eq!(reader.summary("dsl", from, to).unwrap().cycles(), 0);
}

#[test]
fn events_come_in_order_with_the_names_of_their_wans() {
    let directory = TempDir::new().unwrap();
    let reader = Reader::open(&history(&directory)).unwrap();
    let (from, to) = all();
    let events = reader.events(from, to).unwrap();
    assert_eq!(events.len(), 1);
    let RecordedEvent { at, wan, kind, payload, .. } = &events[0];
    assert_eq!((wan.as_deref(), kind.as_str()), (Some("cable"), "state_changed"));
    assert_eq!(*at, START.after(STEP * 75));
    assert_eq!(payload["to"], "red");
    assert_eq!(reader.events(from, *at).unwrap(), []);
}

#[test]
fn a_wan_that_is_unknown_is_named_with_those_that_are_known() {
    let directory = TempDir::new().unwrap();
    let reader = Reader::open(&history(&directory)).unwrap();
    let (from, to) = all();
    let error = reader.summary("starlink", from, to).unwrap_err();
    assert_eq!(error.to_string(), "the history knows no WAN starlink; it knows: cable, dsl");
    assert_eq!(reader.wans().unwrap(), ["cable", "dsl"]);
}

#[test]
fn what_is_no_history_is_refused_and_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("notes.txt");
    assert!(matches!(Reader::open(&path), Err(HistoryError::Missing { .. })));
    assert!(!path.exists());
    fs::write(&path, "").unwrap();
    assert!(matches!(Reader::open(&path), Err(HistoryError::Missing { .. })));
    fs::write(&path, "milk, bread, butter, and all the rest of it\n").unwrap();
    let error = Reader::open(&path).unwrap_err();
    assert!(error.with_causes().contains("file is not a database"), "{}", error.with_causes());
    assert!(path.exists());
}

#[test]
fn a_reader_and_a_writer_do_not_disturb_each_other() {
    let directory = TempDir::new().unwrap();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    store.write(&fixture::batch([fixture::cycle(0, 1)])).unwrap();
    let reader = Reader::open(&settings.path).unwrap();
    let snapshot = Connection::open(&settings.path).unwrap();
    snapshot.execute_batch("BEGIN; SELECT count(*) FROM wan").unwrap();
    let (from, to) = all();
    assert_eq!(reader.summary("cable", from, to).unwrap().cycles(), 1);
    store.write(&fixture::batch([fixture::cycle(0, 2)])).unwrap();
    assert_eq!(reader.summary("cable", from, to).unwrap().cycles(), 2);
    store.write(&Batch::default()).unwrap();
    assert!(reader.connection.execute("DELETE FROM cycle_1", []).is_err());
}

#[test]
fn what_is_no_regular_file_is_refused_without_waiting() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let says = |error: HistoryError| error.with_causes();
    let why =
        format!("{} cannot be a history: this is a named pipe, not a regular file", path.display());
    assert_eq!(says(Reader::open(&path).unwrap_err()), why);
    assert_eq!(says(compact(&path).unwrap_err()), why);
    let mut settings = fixture::settings(&directory);
    settings.path = path;
    assert_eq!(says(fixture::store(&settings).write(&Batch::default()).unwrap_err()), why);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn events_are_filtered_and_streamed_by_the_page() {
    let directory = TempDir::new().unwrap();
    let path = history(&directory);
    let hand = Connection::open(&path).unwrap();
    hand.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
         INSERT INTO event (at, wan, kind, payload) SELECT ?1 + i / 3, 2, 'odd', '{}' FROM n",
        [START.micros()],
    )
    .unwrap();
    let reader = Reader::open(&path).unwrap();
    let (from, to) = all();
    let count = |wan: Option<&str>, kinds: &[&str]| {
        let kinds = kinds.iter().map(|&kind| kind.to_owned()).collect();
        let events: Vec<_> = reader
            .events_of(EventFilter { from, to, wan: wan.map(str::to_owned), kinds })
            .map(|event| event.unwrap().id)
            .collect();
        let distinct: std::collections::BTreeSet<_> = events.iter().collect();
        assert_eq!(distinct.len(), events.len());
        events.len()
    };
    assert_eq!((count(None, &[]), count(Some("dsl"), &[])), (2501, 2500));
    assert_eq!(count(Some("cable"), &["state_changed", "odd"]), 1);
    assert_eq!((count(None, &["odd"]), count(Some("cable"), &["odd"])), (2500, 0));
}
