use tempfile::TempDir;

use super::{
    super::fixture::{START, STEP},
    *,
};
use crate::history::fixture;

/// Ten minutes of one WAN, tiers built.
fn history(directory: &TempDir) -> std::path::PathBuf {
    let settings = fixture::settings(directory);
    let mut store = fixture::store(&settings);
    store.write(&fixture::batch((0..1200).map(|n| fixture::cycle(0, n * 10)))).unwrap();
    let end = START.after(STEP * 20_000);
    while store.upkeep(end, end).unwrap() {}
    store.close();
    settings.path
}

#[test]
fn a_whole_history_has_no_problems() {
    let directory = TempDir::new().unwrap();
    let found = Reader::open(&history(&directory)).unwrap().verify().unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
    assert_eq!((found.cycles, found.gaps), (1200, 1200));
    assert!(found.compared > 600, "{}", found.compared);
}

#[test]
fn what_disagrees_is_named() {
    let directory = TempDir::new().unwrap();
    let path = history(&directory);
    let at = START.micros() / 1_000_000 / 60 * 60 + 120;
    for (damage, reported) in [
        (format!("UPDATE tier_1m SET cycles = 7 WHERE start = {at}"), "cycles is 7, not "),
        (format!("DELETE FROM tier_1m WHERE start = {at}"), "is missing"),
        (format!("UPDATE tier_1s SET rtt_histogram = x'' WHERE start = {at}"), "histogram"),
        ("UPDATE mark SET trimmed = built + 3600 WHERE level = 60".to_owned(), "a hole"),
    ] {
        let spoilt = directory.path().join("spoilt.db");
        std::fs::copy(&path, &spoilt).unwrap();
        let hand = Connection::open(&spoilt).unwrap();
        hand.execute(&damage, []).unwrap();
        hand.close().unwrap();
        let found = Reader::open(&spoilt).unwrap().verify().unwrap();
        assert!(found.problems.iter().any(|problem| problem.contains(reported)), "{found:?}");
    }
}
