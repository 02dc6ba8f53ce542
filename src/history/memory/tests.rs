//! What is remembered finds its place again.

use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use wanctl_core::units::BitRate;

use super::*;
use crate::history::{self, Settings, fixture};

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|&name| name.to_owned()).collect()
}

fn ms(millis: i64) -> Delay {
    Delay::from_micros(millis * 1000)
}

fn learned() -> WanMemory {
    let direction = |bps| DirectionMemory {
        desired: BitRate::from_bps(bps),
        proven: Some(BitRate::from_bps(bps + 1)),
    };
    WanMemory {
        baselines: vec![Some(ms(12)), None, Some(ms(31))],
        directions: PerDirection { download: Some(direction(90)), upload: Some(direction(9)) },
    }
}

/// Has a writer keep `learned()` of the WAN `cable` and closes it.
fn kept(directory: &TempDir) -> Settings {
    let settings = fixture::settings(directory);
    let (recorder, writer) = history::start(settings.clone());
    recorder.memory(0, fixture::START, &learned(), &names(&["1.1.1.1", "8.8.8.8", "9.9.9.9"]));
    writer.close(Duration::from_secs(5)).unwrap();
    settings
}

#[test]
fn what_was_learned_comes_back_with_its_time() {
    let directory = TempDir::new().unwrap();
    let memories = Memories::open(&kept(&directory).path).unwrap();
    let reflectors = names(&["1.1.1.1", "8.8.8.8", "9.9.9.9"]);
    let reported = memories.of_wan("cable", &reflectors).unwrap();
    assert_eq!(reported, Some((fixture::START, learned())));
    assert_eq!(memories.of_wan("dsl", &reflectors).unwrap(), None);
    assert_eq!(memories.of_wan("a WAN that never was", &reflectors).unwrap(), None);
}

#[test]
fn another_list_of_reflectors_gets_what_is_known_of_each_address() {
    let directory = TempDir::new().unwrap();
    let memories = Memories::open(&kept(&directory).path).unwrap();
    let reflectors = names(&["9.9.9.9", "1.0.0.1", "1.1.1.1", "8.8.8.8"]);
    let (_, memory) = memories.of_wan("cable", &reflectors).unwrap().unwrap();
    assert_eq!(memory.baselines, [Some(ms(31)), None, Some(ms(12)), None]);
}

#[test]
fn the_newest_memory_replaces_the_one_before() {
    let directory = TempDir::new().unwrap();
    let settings = kept(&directory);
    let (recorder, writer) = history::start(settings.clone());
    let later = fixture::START.after(Duration::from_mins(1));
    let mut newer = learned();
    newer.directions.upload.as_mut().unwrap().desired = BitRate::from_bps(77);
    recorder.memory(0, later, &newer, &names(&["1.1.1.1", "8.8.8.8", "9.9.9.9"]));
    writer.close(Duration::from_secs(5)).unwrap();
    let memories = Memories::open(&settings.path).unwrap();
    let (at, memory) = memories.of_wan("cable", &[]).unwrap().unwrap();
    assert_eq!((at, memory.directions), (later, newer.directions));
}

#[test]
fn unknown_keys_are_not_minded_and_nonsense_is_reported_or_left_out() {
    let directory = TempDir::new().unwrap();
    let settings = kept(&directory);
    let connection = Connection::open(&settings.path).unwrap();
    let set = |content: &str| {
        connection.execute("UPDATE memory SET content = ?1", [content]).unwrap();
        Memories::open(&settings.path).unwrap().of_wan("cable", &names(&["a", "b", "c"]))
    };
    let newer = r#"{"reflectors": {"a": {"baseline_us": 7, "score": 0.9}, "b": {"baseline_us": -1},
        "c": {"baseline_us": 9000000000}}, "download": {"desired_bps": 5, "safe": 1},
        "upload": {"desired_bps": 6}, "sideways": {}}"#;
    let (_, memory) = set(newer).unwrap().unwrap();
    assert_eq!(memory.baselines, [Some(Delay::from_micros(7)), None, None]);
    assert_eq!(memory.directions.download.unwrap().desired, BitRate::from_bps(5));
    let error = set("{}").unwrap_err();
    assert!(matches!(error, HistoryError::Memory { .. }), "{error}");
}

#[test]
fn steering_comes_back_as_it_was() {
    let kept = SavedSteering {
        memory: SteeringMemory {
            sensitive: "lte".to_owned(),
            default_route: "cable".to_owned(),
            hold_down: Duration::from_secs(12),
            failover_hold_down: Duration::ZERO,
            steered: vec![Duration::from_mins(3), Duration::from_secs(18)],
            failed_over: Vec::new(),
        },
        steer_override: Some(("lte".to_owned(), Timestamp::from_micros(7))),
    };
    let row = MemoryRow::of_steering(Timestamp::from_micros(5), &kept);
    let content: SteeringContent = serde_json::from_str(&row.content).unwrap();
    assert_eq!(SavedSteering::from(content), kept);
}

#[test]
fn keys_that_only_another_version_knows_are_no_obstacle() {
    let text = r#"{"sensitive":"a","default_route":"b","later":1}"#;
    let content: SteeringContent = serde_json::from_str(text).unwrap();
    assert_eq!(SavedSteering::from(content).memory.default_route, "b");
}
