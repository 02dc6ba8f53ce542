use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::history::{
    Reader, Resolution, Tier,
    fixture::{self, START, STEP, SampleHistory},
};

fn names(list: &str) -> Vec<&'static str> {
    choose(list).unwrap().into_iter().map(Field::name).collect()
}

#[test]
fn a_word_means_all_that_begin_with_it() {
    assert_eq!(names("delta_p95"), ["delta_p95_us"]);
    assert_eq!(names("delta_p95_us,delta_p95,DELTA_P95"), ["delta_p95_us"]);
    assert_eq!(names("bytes"), ["download_bytes", "upload_bytes"]);
    assert_eq!(names("upload_backlog"), ["upload_backlog_max_bytes"]);
    assert_eq!(names("delivery_mean"), ["download_delivery_mean_bps", "upload_delivery_mean_bps"]);
    assert_eq!(names("delta").len(), 7);
    assert!(names("download").iter().all(|name| name.starts_with("download_")));
}

#[test]
fn states_are_asked_for_as_states() {
    assert_eq!(
        names("download_state"),
        [
            "download_unknown_ms",
            "download_green_ms",
            "download_yellow_ms",
            "download_soft_red_ms",
            "download_red_ms"
        ]
    );
    assert_eq!(names("state").len(), 10);
    assert_eq!(names("measurement")[1], "healthy_ms");
    assert!(["bypass_ms", "cannot_send_ms"].iter().all(|name| names("measurement").contains(name)));
}

#[test]
fn other_names_are_known() {
    assert_eq!(names("wanctl_rtt_seconds"), names("rtt"));
    assert_eq!(names("wanctl_shaper_sent_bytes_total"), names("bytes"));
    assert_eq!(names("wanctl_rate_download_mbps"), names("download_desired"));
    assert_eq!(names("wanctl_state"), names("state"));
}

#[test]
fn what_means_nothing_is_reported_with_what_was_perhaps_meant() {
    let reported = choose("delta,delat_p95_us").unwrap_err();
    assert_eq!(reported, "there is no metric `delat_p95_us`; did you mean `delta_p95_us`?");
    assert!(choose("\u{1b}[2J").unwrap_err().contains("`\\u{1b}[2J`"));
    assert!(choose("wanctl_steering_enabled").unwrap_err().contains("events"));
    assert_eq!(choose(" , ").unwrap_err(), "no metric is named");
}

#[test]
fn names_split_into_direction_and_topic() {
    let topic = |name| Field::named(name).unwrap().topic();
    assert_eq!(topic("delta_p95_us"), (None, "delta_p95"));
    assert_eq!(topic("download_bytes"), (Some(Direction::Download), "bytes"));
    assert_eq!(topic("upload_delivery_mean_bps"), (Some(Direction::Upload), "delivery_mean"));
    assert_eq!(topic("cycles"), (None, "cycles"));
}

#[test]
fn the_default_columns_are_all_known() {
    assert_eq!(Field::default_columns().len(), 29);
}

#[test]
fn a_field_says_what_the_view_says() {
    let directory = TempDir::new().unwrap();
    let settings = fixture::settings(&directory);
    let mut life = SampleHistory::new();
    let cycles = (0..600).map(|_| life.next_cycle());
    fixture::store(&settings).write(&fixture::batch(cycles)).unwrap();
    let reader = Reader::open(&settings.path).unwrap();
    let view = Connection::open(&settings.path).unwrap();
    let end = START.after(STEP * 600);
    let series = reader.series("cable", START, end, Resolution::Tier(Tier::Second)).unwrap();
    let mut compared = 0;
    for point in series.map(Result::unwrap) {
        for field in Field::all().iter().filter(|field| !field.name().contains("p99")) {
            let sql = format!("SELECT {} FROM seconds WHERE start = ?1", field.name());
            let second = point.at.micros() / 1_000_000;
            let seen: Option<i64> = view.query_row(&sql, [second], |row| row.get(0)).unwrap();
            let reported = field.value(&point.bucket);
            // SQL rounds towards zero, and a mean may be negative.
            let same =
                reported.zip(seen).map_or(reported == seen, |(one, other)| (one - other).abs() < 2);
            assert!(same, "{}: {reported:?}, in the view {seen:?}", field.name());
            compared += 1;
        }
    }
    assert!(compared > 30 * 70, "{compared}");
}
