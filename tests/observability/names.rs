//! Names of metrics: those that are documented, and those that are asked for.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{alerts, dashboards};

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Metrics that Prometheus makes itself.
const PROMETHEUS: [&str; 3] = ["ALERTS", "scrape_duration_seconds", "up"];

/// The metrics that `docs/metrics.md` lists, which is generated from what is exported.
fn documented() -> BTreeSet<String> {
    let text = fs::read_to_string(repository("docs/metrics.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut names = BTreeSet::new();
    for row in rows {
        let (name, rest) = row.split_once('`').unwrap();
        let suffixes: &[&str] =
            if rest.starts_with(" | histogram") { &["_bucket", "_count", "_sum"] } else { &[""] };
        names.extend(suffixes.iter().map(|suffix| format!("{name}{suffix}")));
    }
    names
}

/// Names in a query that can only be metrics.
fn asked(query: &str) -> BTreeSet<String> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    let ours = |word: &&str| {
        ["wanctl_", "process_"].iter().any(|prefix| word.starts_with(prefix)) || word.contains(':')
    };
    let selected = dashboards::selectors(query).into_iter().map(|selector| selector.name);
    words.filter(ours).chain(selected).map(str::to_owned).collect()
}

#[test]
fn everything_that_is_asked_for_is_documented_or_recorded() {
    let mut known = documented();
    assert!(known.len() > 80, "only {} metrics are documented", known.len());
    known.extend(PROMETHEUS.map(str::to_owned));
    let rules = alerts::rules();
    known.extend(rules.iter().filter_map(|rule| rule.record.clone()));
    let queries = rules.into_iter().map(|rule| rule.expr).chain(dashboards::queries());
    let asked: BTreeSet<String> = queries.flat_map(|query| asked(&query)).collect();
    let strangers: Vec<&String> = asked.difference(&known).collect();
    assert!(strangers.is_empty(), "nobody exports {strangers:#?}");
}

#[test]
fn names_are_found_in_queries() {
    let found = asked("sum by (wan) (rate(wanctl_a_total{x=\"y\"}[5m])) / up{job=\"b\"} + a:b:c");
    let expected = ["a:b:c", "up", "wanctl_a_total"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(expected));
}
