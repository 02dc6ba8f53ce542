//! The alerts: each says how bad it is, whom it is about and what to do, and has been seen to fire.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde::Deserialize;

use super::names::repository;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

/// A rule, as Prometheus reads it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) record: Option<String>,
    alert: Option<String>,
    pub(crate) expr: String,
    #[serde(rename = "for", default)]
    _for: Option<String>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Labels {
    severity: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Annotations {
    #[serde(default)]
    summary: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    runbook_url: String,
}

/// Tests of rules, as promtool reads them; of them, what matters here.
#[derive(Debug, Deserialize)]
struct TestFile {
    tests: Vec<TestGroup>,
}

#[derive(Debug, Deserialize)]
struct TestGroup {
    #[serde(default)]
    alert_rule_test: Vec<AlertTest>,
}

#[derive(Debug, Deserialize)]
struct AlertTest {
    alertname: String,
    #[serde(default)]
    exp_alerts: Vec<serde_yaml::Value>,
}

fn files(ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository("alerts")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|file| file.to_string_lossy().ends_with(ending)).collect()
}

/// Every rule that the demo stack loads.
pub(crate) fn rules() -> Vec<Rule> {
    let mut groups = BTreeSet::new();
    let mut rules = Vec::new();
    for file in files(".rules.yaml") {
        let text = fs::read_to_string(&file).unwrap();
        let read: RuleFile = serde_yaml::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for group in read.groups {
            assert!(groups.insert(group.name.clone()), "the group {} is there twice", group.name);
            rules.extend(group.rules);
        }
    }
    rules
}

#[test]
fn recorded_names_say_level_metric_and_operations() {
    let recorded: Vec<String> = rules().into_iter().filter_map(|rule| rule.record).collect();
    assert!(recorded.len() > 10, "{recorded:?}");
    for name in &recorded {
        let parts: Vec<&str> = name.split(':').collect();
        let [level, metric, operations] = parts[..] else { panic!("{name}") };
        assert!(level.starts_with("instance"), "{name}: what is the level?");
        assert!(metric.starts_with("wanctl_") && !metric.ends_with("_total"), "{name}");
        assert!(operations.contains("rate5m"), "{name}: which operations?");
    }
}

#[test]
fn every_alert_says_how_bad_it_is_whom_it_is_about_and_what_to_do() {
    let mut names = BTreeSet::new();
    let mut pages = BTreeSet::new();
    for rule in rules() {
        let Some(name) = rule.alert else { continue };
        let Annotations { summary, description, runbook_url } = rule.annotations;
        assert!(names.insert(name.clone()), "{name} is there twice");
        assert!(name.starts_with("Wanctl"), "{name}: ours begin alike");
        let severity = rule.labels.severity.unwrap_or_default();
        assert!(["critical", "warning", "info"].contains(&severity.as_str()), "{name}: {severity}");
        assert!(summary.ends_with('.') && !summary.contains('{'), "{name}: {summary}");
        let place = if name == "WanctlAbsent" { "$labels.job" } else { "$labels.instance" };
        assert!(description.contains(place), "{name} does not say where: {description}");
        let is_of_wan = rule.expr.contains("wan)") || rule.expr.contains("_shaper_");
        let about_wan = is_of_wan && !rule.expr.contains("without (wan)");
        assert!(!about_wan || description.contains("$labels.wan"), "{name}: which WAN?");
        assert_eq!(runbook_url, format!("docs/runbooks/{name}.md"));
        let page = fs::read_to_string(repository(&runbook_url)).unwrap();
        for part in
            [format!("# {name}\n"), "**Meaning.**".into(), "**Checks".into(), "**Remedy.**".into()]
        {
            assert!(page.contains(&part), "{runbook_url} lacks {part:?}");
        }
        pages.insert(format!("{name}.md"));
    }
    assert!(names.len() > 25, "only {} alerts", names.len());
    for entry in fs::read_dir(repository("docs/runbooks")).unwrap() {
        let page = entry.unwrap().file_name().into_string().unwrap();
        assert!(pages.contains(&page), "docs/runbooks/{page} is about no alert");
    }
}

/// tests/run has promtool carry these tests out; here is that none is missing.
#[test]
fn every_alert_is_seen_to_fire_and_to_resolve() {
    let mut seen: BTreeSet<(String, bool)> = BTreeSet::new();
    for file in files(".test.yaml") {
        let read: TestFile = serde_yaml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        for group in read.tests {
            let mut fired = BTreeSet::new();
            for test in group.alert_rule_test {
                if !test.exp_alerts.is_empty() {
                    fired.insert(test.alertname.clone());
                    seen.insert((test.alertname, true));
                } else if fired.contains(&test.alertname) {
                    seen.insert((test.alertname, false));
                }
            }
        }
    }
    for name in rules().into_iter().filter_map(|rule| rule.alert) {
        for (fires, how) in [(true, "fire"), (false, "resolve")] {
            assert!(seen.contains(&(name.clone(), fires)), "no test sees {name} {how}");
        }
    }
}

/// An inhibition of an alert that was renamed would inhibit nothing, in silence.
#[test]
fn the_alertmanager_knows_the_alerts_by_their_names() {
    let config = fs::read_to_string(repository("compose/alertmanager.yaml")).unwrap();
    let alerts: Vec<String> = rules().into_iter().filter_map(|rule| rule.alert).collect();
    let words = config.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '+');
    let named: Vec<&str> = words.filter(|word| word.starts_with("Wanctl")).collect();
    assert!(named.len() > 5, "{named:?}");
    for name in named {
        let known = match name.strip_suffix(".+") {
            Some(beginning) => alerts.iter().any(|alert| alert.starts_with(beginning)),
            None => alerts.iter().any(|alert| alert == name),
        };
        assert!(known, "there is no alert {name}");
    }
}
