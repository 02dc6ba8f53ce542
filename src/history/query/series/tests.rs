use std::time::Duration;

use tempfile::TempDir;

use super::{
    super::super::{
        Retention, Settings, fixture,
        fixture::{START, STEP},
    },
    *,
};

/// Two hours of a cycle a second, of which the older part is only kept in coarser tiers.
fn history(directory: &TempDir) -> (Settings, Timestamp) {
    let minutes = |minutes: u64| Duration::from_mins(minutes);
    let retention = Retention {
        raw: minutes(5),
        seconds: minutes(20),
        minutes: minutes(45),
        five_minutes: minutes(60),
        ..Retention::default()
    };
    let settings = Settings { retention, ..fixture::settings(directory) };
    let mut store = fixture::store(&settings);
    store.write(&fixture::batch((0..7200).map(|n| fixture::cycle(0, n * 20)))).unwrap();
    let end = START.after(STEP * 20 * 7200);
    while store.upkeep(end, end).unwrap() {}
    store.close();
    (settings, end)
}

#[test]
fn a_stream_is_as_fine_as_wanted_where_it_can_be_and_whole_everywhere() {
    let directory = TempDir::new().unwrap();
    let (settings, end) = history(&directory);
    let reader = Reader::open(&settings.path).unwrap();
    for (resolution, finest) in [
        (Resolution::Raw, None),
        (Resolution::Tier(Tier::Second), Some(Tier::Second)),
        (Resolution::Tier(Tier::Minute), Some(Tier::Minute)),
        (Resolution::Tier(Tier::Hour), Some(Tier::Hour)),
    ] {
        let series = reader.series("cable", START, end, resolution).unwrap();
        let points: Vec<Point> = series.map(Result::unwrap).collect();
        assert_eq!(points.iter().map(|point| point.bucket.cycles()).sum::<u64>(), 7200);
        assert!(points.is_sorted_by(|a, b| a.at < b.at && a.tier >= b.tier), "{resolution:?}");
        assert_eq!(points.last().unwrap().tier, finest);
        assert_eq!(points.first().unwrap().tier, Some(Tier::Hour));
    }
}

#[test]
fn a_bucket_that_is_not_complete_yet_is_summed_up_of_finer_ones() {
    let directory = TempDir::new().unwrap();
    let settings = fixture::settings(&directory);
    let mut store = fixture::store(&settings);
    store.write(&fixture::batch((0..400).map(|n| fixture::cycle(0, n)))).unwrap();
    let reader = Reader::open(&settings.path).unwrap();
    let end = START.after(STEP * 400);
    let hours = reader.series("cable", START, end, Resolution::Tier(Tier::Hour)).unwrap();
    let hours: Vec<Point> = hours.map(Result::unwrap).collect();
    assert_eq!((hours.len(), hours[0].bucket.cycles()), (1, 400));
    let part = reader.series("cable", START.after(STEP * 30), end, Resolution::Raw).unwrap();
    assert_eq!(part.count(), 370);
}
