//! The whole catalogue: its documentation, its names, and what the first scrape has of it.

use std::{collections::BTreeSet, fs, path::Path};

use wanctl_core::Direction;

use super::*;
use crate::{
    actuator::SwitchMetrics,
    catalogue::{Declared, Kind},
    history::{self, Settings},
    http::Web,
    probe::ProbeMetrics,
    router::routeros::{self, Credentials, RouterOs},
    telemetry::{CycleMetrics, Format, SteeringMetrics, encode},
};

/// What precedes the generated part of the documentation.
const MARK: &str =
    "<!-- From here on written by UPDATE_EXPECT=1 cargo test --lib the_catalogue -->\n";
const WANS: [&str; 2] = ["cable", "lte"];

/// A daemon that has everything declares this.
fn everything() -> Catalogue {
    let mut catalogue = Catalogue::default();
    let metrics = Metrics::declare(&mut catalogue);
    for wan in WANS {
        let reflectors = ["192.0.2.1".to_owned()];
        drop(CycleMetrics::new(&metrics.wans, wan, &reflectors, &Direction::ALL));
        drop(ProbeMetrics::new(&metrics.probing, wan, &reflectors));
    }
    let queues = WANS.iter().flat_map(|wan| Direction::ALL.map(|direction| (*wan, direction)));
    let settings = routeros::Settings::at("http://192.0.2.1", Credentials::new("ctl", "secret"));
    let router = RouterOs::new(&settings, Vec::new()).unwrap().into_router("router");
    drop(metrics.routers.of_router(&router, queues));
    let directory = tempfile::tempdir().unwrap();
    let (recorder, writer) = history::start(Settings {
        path: directory.path().join("history.db"),
        retention: history::Retention::default(),
        wans: WANS.map(str::to_owned).to_vec(),
    });
    history::declare_metrics(&mut catalogue, recorder);
    writer.close(std::time::Duration::from_secs(5)).unwrap();
    let web = directory.path().join("web.yml");
    fs::write(&web, "http_server_config: {}\n").unwrap();
    Web::open(&web).unwrap().0.declare(&mut catalogue);
    SteeringMetrics::register(&mut catalogue, &WANS.map(str::to_owned));
    SwitchMetrics::register(&mut catalogue, &[]);
    catalogue
}

#[test]
fn the_catalogue_is_documented_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let known = fs::read_to_string(&path).unwrap();
    let (prose, tables) = known.split_once(MARK).expect("docs/metrics.md has lost its mark");
    let expected = everything().tables().unwrap();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, [prose, MARK, &expected].concat()).unwrap();
    } else {
        assert_eq!(tables, expected, "docs/metrics.md is stale; its mark says what to run");
    }
}

#[test]
fn the_names_of_the_catalogue_are_those_of_the_conventions() {
    let catalogue = everything();
    let mut names = BTreeSet::new();
    for metric in catalogue.declared() {
        let Declared { name, kind, help, .. } = metric;
        assert!(names.insert(name), "{name} is declared twice");
        assert!(name.starts_with("wanctl_") || name.starts_with("process_"), "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name}");
        assert!(*kind != Kind::Info || name.ends_with("_info"), "{name}");
        assert_eq!(*kind == Kind::Histogram, !metric.buckets.is_empty(), "{name}");
        for bad in ["_ms", "_us", "mbps", "bits", "percent", "_count", "_sum", "_bucket"] {
            assert!(!name.trim_end_matches("_total").ends_with(bad), "{name}");
        }
        assert!(!help.is_empty() && !help.ends_with('.') && !help.contains('|'), "{name}: {help}");
        assert!(metric.labels.len() <= 4, "{name} has too many labels");
    }
    let cycle = catalogue.declared().iter().find(|m| m.name == "wanctl_cycle_duration_seconds");
    let buckets = cycle.unwrap().buckets;
    assert!(buckets.contains(&0.05), "no bound at the interval: overruns cannot be read off");
}

#[test]
fn the_first_scrape_has_all_that_is_always_there_and_with_the_declared_labels() {
    let catalogue = everything();
    let page = encode(&catalogue, Format::Text).unwrap().text();
    let mut seen = BTreeSet::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels) = line.split_once(['{', ' ']).unwrap();
        let labels: Vec<&str> = labels
            .split(',')
            .filter_map(|label| label.split_once("=\"").map(|(name, _)| name))
            .filter(|label| *label != "le")
            .collect();
        let declared = catalogue.declared().iter().find(|metric| {
            let suffixes: &[&str] = match metric.kind {
                Kind::Histogram => &["_bucket", "_sum", "_count"],
                Kind::Counter | Kind::Gauge | Kind::Info => &[""],
            };
            name.strip_prefix(metric.name).is_some_and(|suffix| suffixes.contains(&suffix))
        });
        let declared = declared.unwrap_or_else(|| panic!("{name} is not declared"));
        assert_eq!(labels, declared.labels, "the labels of {name}");
        seen.insert(declared.name);
    }
    for metric in catalogue.declared() {
        let met = ["", "with steering", "with a history", "with --web.config.file", "on Linux"];
        let expected = met.contains(&metric.when);
        let is_there = seen.contains(metric.name);
        assert!(is_there || !expected, "{} is not there from the first scrape", metric.name);
        assert!(!is_there || expected, "{} is there although unknown", metric.name);
    }
}
