use std::collections::BTreeSet;

use tempfile::TempDir;

use super::*;
use crate::{
    catalogue::Catalogue,
    history::{
        Field, Reader, Resolution, Tier,
        fixture::{self, START, STEP, SampleHistory},
    },
    telemetry::{Format, WanLabels, encode},
};

fn exported() -> String {
    let directory = TempDir::new().unwrap();
    let settings = fixture::settings(&directory);
    let mut life = SampleHistory::new();
    let cycles = (0..600).map(|_| life.next_cycle()).chain((0..40).map(|n| fixture::cycle(1, n)));
    fixture::store(&settings).write(&fixture::batch(cycles)).unwrap();
    let reader = Reader::open(&settings.path).unwrap();
    let question = HistoryQuery {
        from: START,
        to: START.after(STEP * 602),
        wans: Vec::new(),
        fields: Field::default_columns(),
        resolution: Resolution::Tier(Tier::Second),
    };
    let mut rows = Rows::new(&reader, &question, usize::MAX, None).unwrap();
    let (mut out, mut seen) = (Vec::new(), 0);
    export(&mut out, &mut rows, &question, question.to, |_| seen += 1).unwrap();
    assert!(seen > 31, "{seen}");
    String::from_utf8(out).unwrap()
}

/// The name before the labels, the labels, and the time.
fn parts(line: &str) -> (&str, &str, f64) {
    let (name, rest) = line.split_once('{').unwrap();
    let (labels, rest) = rest.split_once("} ").unwrap();
    (name, labels, rest.split_once(' ').unwrap().1.parse().unwrap())
}

#[test]
fn each_series_is_in_one_piece_and_in_order() {
    let text = exported();
    assert!(text.ends_with("\n# EOF\n"));
    let mut done = BTreeSet::new();
    let mut current: Option<(String, f64)> = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels, at) = parts(line);
        let metric = name.rsplit_once("_bucket").map_or(name, |(name, _)| name);
        let metric = metric.trim_end_matches("_count").trim_end_matches("_sum");
        let key = format!("{metric} {}", labels.split(",le=").next().unwrap());
        let before = current.replace((key.clone(), at));
        match before {
            Some((before, then)) if before == key => assert!(then <= at, "{line}"),
            Some((before, _)) => assert!(done.insert(before) && !done.contains(&key), "{line}"),
            None => {}
        }
    }
    assert!(done.len() > 60, "{}", done.len());
}

#[test]
fn what_has_the_name_of_a_metric_has_its_type_and_bounds() {
    let mut catalogue = Catalogue::default();
    let labels = WanLabels::register(&mut catalogue);
    let mut metrics =
        crate::telemetry::CycleMetrics::new(&labels, "cable", &[], &wanctl_core::Direction::ALL);
    // What is not known yet is not on the page; a counter of drops comes with the first.
    metrics.record(&fixture::cycle(0, 1));
    metrics.record(&fixture::cycle(0, 2));
    let page = encode(&catalogue, Format::OpenMetrics).unwrap().text();
    let text = exported();
    let mut types = 0;
    for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
        assert!(page.lines().any(|known| known == line), "/metrics has no {line}");
        types += 1;
    }
    assert!(types > 10);
    let bounds = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("wanctl_rtt_seconds_bucket"));
        let le = lines.filter_map(|line| line.split("le=\"").nth(1)?.split('"').next());
        le.take(15).map(str::to_owned).collect()
    };
    assert_eq!(bounds(&text), bounds(&page));
}

#[test]
fn counters_add_up_from_the_start_and_for_each_wan() {
    let text = exported();
    let last = |wanted: &str| -> f64 {
        let of = text.lines().rfind(|line| line.starts_with(wanted)).unwrap();
        of.split(' ').nth(1).unwrap().parse().unwrap()
    };
    let green = "wanctl_controller_state_time_seconds_total{wan=\"cable\",direction=\"upload\"";
    assert!((last(&format!("{green},state=\"green\"")) - 30.0).abs() < 1.0);
    assert_eq!(last("wanctl_rtt_seconds_count{wan=\"cable\"").to_string(), "600");
    assert_eq!(last("wanctl_rtt_seconds_count{wan=\"dsl\"").to_string(), "40");
    assert_eq!(last("wanctl_rtt_seconds_bucket{wan=\"cable\",le=\"+Inf\"").to_string(), "600");
    // The mean of the delays, each below zero counted as none.
    let mean = last("wanctl_rtt_inflation_seconds_sum{wan=\"cable\"") / 600.0;
    assert!((0.0004..0.01).contains(&mean), "{mean}");
}
