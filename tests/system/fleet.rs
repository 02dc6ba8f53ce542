//! Many controllers under one Prometheus: found by files, and shown quickly. And the configurations
//! of `docs/fleet.md`, as Prometheus reads them.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    monitor::{Prometheus, demo, replaced, repository},
    stack::{accepted, chosen},
};
use crate::support::{child::until_within, site::Site};

const SITES: usize = 50;
/// Seconds between two points of the overview's panels.
const STEP: u32 = 60;
/// How many requests a browser has in flight at once.
const CONNECTIONS: usize = 6;
/// For two scrapes of all, 15 s apart, and for rules over them.
const DEADLINE: Duration = Duration::from_mins(2);
const QUICK: Duration = Duration::from_secs(1);

/// Fifty targets that are one demo: what counts is how much Prometheus has to read.
#[test]
fn the_overview_of_fifty_controllers_is_quick() {
    let site = Site::new();
    let (_demo, target) = demo(&site);
    fs::create_dir_all(site.path("fleet/targets")).unwrap();
    fs::create_dir_all(site.path("fleet/alerts")).unwrap();
    let targets: Vec<Value> = (1..=SITES)
        .map(|number| json!({"targets": [target], "labels": {"site": format!("branch-{number}")}}))
        .collect();
    site.write("fleet/targets/branches.json", &json!(targets).to_string());
    for file in fs::read_dir(repository("alerts")).unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&file, site.path("fleet/alerts").join(file.file_name().unwrap())).unwrap();
    }
    let config = fs::read_to_string(repository("docs/fleet/prometheus.yml")).unwrap();
    let config = replaced(&config, "scheme: https", "scheme: http");
    let start = config.find("    basic_auth:").unwrap();
    let end = start + config[start..].find("    #").unwrap();
    let config = format!("{}{}", &config[..start], &config[end..]);
    let prometheus = Prometheus::start(&site.write("fleet/prometheus.yaml", &config), &[]);

    let sites = SITES as f64;
    let record = "count(count by (instance) (instance_wan:wanctl_rtt_seconds:p99_rate5m))";
    until_within(DEADLINE, "fifty controllers", || {
        let all =
            |query: &str| prometheus.query(query, "").iter().any(|(_, value)| *value >= sites);
        (all("sum(up)") && all(record)).then_some(())
    });
    let board = fs::read_to_string(repository("dashboards/overview.json")).unwrap();
    let board: Value = serde_json::from_str(&board).unwrap();
    let panels = board["panels"].as_array().unwrap().iter();
    let targets: Vec<&Value> =
        panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten()).collect();
    // The machine may be busy with something else; three measurements show what the queries take.
    let quickest = (0..3).map(|_| check(&prometheus, &targets)).min().unwrap();
    assert!(quickest < QUICK, "the {} queries of the overview took {quickest:?}", targets.len());
}

/// Asks everything that the dashboard asks, as a browser does, and returns how long it took.
fn check(prometheus: &Prometheus, targets: &[&Value]) -> Duration {
    let start = Instant::now();
    let hour_ago = jiff::Timestamp::now().as_second() as f64 - 3600.0;
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                while let Some(target) = targets.get(next.fetch_add(1, Relaxed)) {
                    let since = (target["instant"] == false).then_some(hour_ago);
                    prometheus
                        .series(&chosen(target["expr"].as_str().unwrap()), since, STEP)
                        .unwrap();
                }
            });
        }
    });
    start.elapsed()
}

#[test]
fn the_configurations_of_the_fleet_are_accepted() {
    for (name, agent) in [
        ("prometheus.yml", false),
        ("agent-mimir.yml", true),
        ("agent-thanos.yml", true),
        ("agent-victoriametrics.yml", true),
    ] {
        // The files that they name are on other machines.
        let mut arguments = vec!["check", "config", "--syntax-only"];
        if agent {
            arguments.push("--agent");
        }
        let path = format!("docs/fleet/{name}");
        arguments.push(&path);
        accepted("promtool", "prometheus", &arguments);
    }
    accepted("promtool", "prometheus", &["check", "rules", "docs/fleet/silent.rules.yaml"]);
    let targets = fs::read_to_string(repository("docs/fleet/targets/branches.json")).unwrap();
    let targets: Value = serde_json::from_str(&targets).unwrap();
    assert!(targets.as_array().unwrap().iter().all(|group| group["labels"]["site"].is_string()));
}
