//! A history of each version that was ever written opens and keeps its rows.

use std::path::Path;

use rusqlite::Connection;

use super::super::SCHEMA_VERSION;
use crate::{
    control::{DirectionMemory, PerDirection, WanMemory},
    history::{
        KeptSteering, Memories, Reader, fixture,
        memory::{Content, MemoryRow},
        row::Batch,
        steering_memory::SteeringRow,
    },
    units::{BitRate, Delay, Timestamp},
};

const VERSION_1: &str = include_str!("../../adopt/version_1.sql");
const VERSION_2: &str = include_str!("version_2.sql");

/// Three cycles in the table of version 1.
const CYCLES: &str =
    "INSERT INTO cycle (wan, at, number, measurement, delta_us, download_desired_bps)
    VALUES (1, 1790000000000000, 1, 1, 2200, 92000000), (1, 1790000000050000, 2, 1, 2200, 92000000),
           (1, 1790000000100000, 3, 1, 2200, 92000000)";

/// The tables that version 1 came to have later, without a version of their own.
const MEMORIES: &str = r#"
CREATE TABLE memory (
    wan INTEGER PRIMARY KEY REFERENCES wan (id), at INTEGER NOT NULL, content TEXT NOT NULL
) STRICT;
CREATE TABLE steering_memory (
    id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL, content TEXT NOT NULL
) STRICT;
INSERT INTO memory VALUES (1, 1790000000000005, '{"reflectors": {"192.0.2.1": {"baseline_us": 7000}},
    "download": {"desired_bps": 90}, "upload": {"desired_bps": 9}}');
INSERT INTO steering_memory VALUES (1, 1790000000000006, '{"sensitive": "dsl", "carrier": "cable"}');
"#;

/// What is remembered of `cable`: when it was current, the idle delay, and the download's rate; and
/// the WANs of steering.
type Remembered = (Option<(Timestamp, Option<Delay>, BitRate)>, Option<(String, String)>);

fn remembered(path: &Path) -> Remembered {
    let memories = Memories::open(path).unwrap();
    let wan = memories.of_wan("cable", &["192.0.2.1".to_owned()]).unwrap();
    let steering = memories.of_steering().unwrap();
    (
        wan.map(|(at, wan)| (at, wan.baselines[0], wan.directions.download.desired)),
        steering.map(|(_, kept)| (kept.memory.sensitive, kept.memory.carrier)),
    )
}

/// Brings the file that `sql` describes up to date, checks that all its rows are there, and returns
/// what it remembers, which must not change by that.
fn taken_over(sql: &str) -> Remembered {
    let directory = tempfile::tempdir().unwrap();
    let settings = fixture::settings(&directory);
    Connection::open(&settings.path).unwrap().execute_batch(sql).unwrap();
    let before = remembered(&settings.path);

    let mut store = fixture::store(&settings);
    store.write(&fixture::batch([fixture::cycle(0, 1000)])).unwrap();
    while store.upkeep(fixture::START, fixture::START).unwrap() {}
    let reader = Reader::open(&settings.path).unwrap();
    let version: i64 =
        reader.connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, SCHEMA_VERSION);
    assert_eq!(reader.verify().unwrap().problems, Vec::<String>::new());
    let all = (Timestamp::default(), Timestamp::from_micros(i64::MAX));
    let summary = reader.summary("cable", all.0, all.1).unwrap();
    assert_eq!((summary.cycles, summary.total.span_ms()), (4, 200));
    let shown: i64 =
        reader.connection.query_row("SELECT count(*) FROM cycles", [], |row| row.get(0)).unwrap();
    assert_eq!(shown, 4);
    assert_eq!(reader.events(all.0, all.1).unwrap().len(), 1);
    assert_eq!(remembered(&settings.path), before);

    // From now on it remembers, whatever it did before.
    let direction = DirectionMemory { desired: BitRate::from_bps(1), proven: None };
    let directions = PerDirection { download: direction, upload: direction };
    let learned = Content::new(&WanMemory { baselines: Vec::new(), directions }, &[]);
    let memories = vec![MemoryRow { wan: 0, at: fixture::START, content: learned }];
    let steering = Some(SteeringRow::new(fixture::START, &KeptSteering::default()));
    store.write(&Batch { memories, steering, ..Batch::default() }).unwrap();
    let (wan, steering) = remembered(&settings.path);
    assert_eq!(wan.map(|(at, ..)| at), Some(fixture::START));
    assert!(steering.is_some());
    before
}

#[test]
fn version_1_is_taken_over() {
    assert_eq!(taken_over(&format!("{VERSION_1}{CYCLES}")), (None, None));
}

#[test]
fn version_1_is_taken_over_with_what_it_remembers() {
    let learned = (
        Timestamp::from_micros(1_790_000_000_000_005),
        Some(Delay::from_micros(7000)),
        BitRate::from_bps(90),
    );
    let steering = ("dsl".to_owned(), "cable".to_owned());
    let told = taken_over(&format!("{VERSION_1}{CYCLES};{MEMORIES}"));
    assert_eq!(told, (Some(learned), Some(steering)));
}

#[test]
fn version_2_is_taken_over() {
    assert_eq!(taken_over(VERSION_2), (None, None));
}
