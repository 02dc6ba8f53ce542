//! The demo under the Prometheus and the Alertmanager of the demo stack: every query of every
//! dashboard and every rule has an answer, and what goes wrong in it reaches the Alertmanager.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    monitor::{Alertmanager, Prometheus, STEP, demo, encoded, replaced, repository},
    tool::tool,
};
use crate::support::{
    child::{Exit, Program},
    site::Site,
};

/// The demo's cable dies after 105 s, for 15 s.
const SHOW: Duration = Duration::from_secs(150);
/// Between two rounds of what has had no answer yet.
const ROUND: Duration = Duration::from_secs(2);
/// How much faster time passes for the rules whose firing is waited for.
const SPEEDUP: u32 = 20;

/// Queries that are rightly empty in the demo: part of the query, and why.
const EMPTY: &[(&str, &str)] = &[
    ("ALERTS{", "the demo is healthy: nothing fires"),
    ("wanctl_shaper_dropped_packets_total", "RouterOS counts no drops of CAKE queues"),
];
/// Metrics of alerts that the demo rightly lacks, and why.
const ABSENT: &[(&str, &str)] = &[
    ("wanctl_web_certificate_not_after_timestamp_seconds", "the demo serves without TLS"),
    ("wanctl_web_config_last_reload_successful", "the demo has no web configuration"),
];
/// What the demo's trouble with the cable sets off, if time passes faster.
const TROUBLE: [&str; 2] = ["WanctlCongestionHard", "WanctlWanDown"];

#[test]
fn every_panel_and_every_rule_has_an_answer_in_the_demo() {
    let site = Site::new();
    let since = jiff::Timestamp::now().as_millisecond() as f64 / 1000.0;
    let (demo, target) = demo(&site);
    let alertmanager = Alertmanager::start(&site);
    let normal = Prometheus::of_the_stack(&site, "usual", target, &alertmanager, 1);
    let hasty = Prometheus::of_the_stack(&site, "hasty", target, &alertmanager, SPEEDUP);

    let mut open = queries();
    assert!(open.len() > 120, "only {} queries were found", open.len());
    let mut fired = BTreeSet::new();
    let start = Instant::now();
    let mut silent = BTreeSet::from(TROUBLE.map(str::to_owned));
    while !(open.is_empty() && silent.is_empty()) {
        open.retain(|query| !query.is_answered(&normal, since));
        fired.extend(alertmanager.firing());
        silent.retain(|name| !fired.contains(name));
        let left: Vec<&str> = open.iter().map(|query| query.expr.as_str()).collect();
        assert!(
            start.elapsed() < SHOW,
            "after {SHOW:?} without an answer: {left:#?}\nsilent: {silent:?}, fired: {fired:?}"
        );
        std::thread::sleep(ROUND);
    }
    annotations_and_variables_are_understood(&normal, since);
    rules_are_evaluated(&normal);
    nothing_is_wrong(&normal);
    for prometheus in [&normal, &hasty] {
        assert!(!prometheus.program.stderr().contains("level=error"), "{prometheus:#?}");
    }
    demo.terminate();
    demo.exit().expect(0);
}

/// In a demo that gets its share of the processor no alert fires but those that inform. One that does
/// not misses its own simulated replies, and the alerts are right to say so.
fn nothing_is_wrong(prometheus: &Prometheus) {
    let skipped = "max(instance_wan:wanctl_cycle_ticks_skipped_per_tick:ratio_rate5m)";
    let skipped = prometheus.query(skipped, "")[0].1;
    let firing = prometheus.query(r#"ALERTS{alertstate="firing", severity!="info"}"#, "alertname");
    assert!(firing.is_empty() || skipped > 0.05, "{skipped} of the ticks dropped: {firing:?}");
}

/// A query of a panel.
#[derive(Debug)]
struct Query {
    expr: String,
    instant: bool,
}

impl Query {
    /// Whether it yields a number. Panics if it is not understood.
    fn is_answered(&self, prometheus: &Prometheus, since: f64) -> bool {
        let since = (!self.instant).then_some(since);
        let reported = prometheus.series(&self.expr, since, STEP);
        let reported = reported.unwrap_or_else(|error| panic!("{}: {error}", self.expr));
        let is_number = |value: &Value| value[1].as_str().is_some_and(|text| text != "NaN");
        reported.iter().any(|series| match series["values"].as_array() {
            Some(values) => values.iter().any(is_number),
            None => is_number(&series["value"]),
        })
    }
}

fn files() -> Vec<PathBuf> {
    let entries =
        fs::read_dir(repository("dashboards")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|file| file.extension().is_some_and(|kind| kind == "json")).collect()
}

fn boards() -> Vec<Value> {
    let read = |file| serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    files().into_iter().map(read).collect()
}

/// Every query of every panel, but for those that are rightly empty.
fn queries() -> Vec<Query> {
    let boards = boards();
    let panels = boards.iter().flat_map(|board| board["panels"].as_array().unwrap());
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets
        .map(|target| Query {
            expr: chosen(target["expr"].as_str().unwrap()),
            instant: target["instant"].as_bool().unwrap(),
        })
        .filter(|query| !EMPTY.iter().any(|(part, _)| query.expr.contains(part)))
        .collect()
}

/// Puts in what Grafana would for a short look at everything.
pub(crate) fn chosen(expr: &str) -> String {
    let mut expr = expr.to_owned();
    for (variable, value) in [
        ("$__rate_interval", "15s"),
        ("$__interval", "15s"),
        ("$__range", "3m"),
        ("$instance", ".*"),
        ("$wan", ".*"),
        ("$direction", ".*"),
    ] {
        expr = expr.replace(variable, value);
    }
    assert!(!expr.contains('$'), "{expr}");
    expr
}

/// Annotations mark what happens, so that they may be empty; variables may not.
fn annotations_and_variables_are_understood(prometheus: &Prometheus, since: f64) {
    for board in boards() {
        for annotation in board["annotations"]["list"].as_array().unwrap() {
            let expr = chosen(annotation["expr"].as_str().unwrap());
            prometheus
                .series(&expr, Some(since), STEP)
                .unwrap_or_else(|error| panic!("{expr}: {error}"));
        }
        for variable in board["templating"]["list"].as_array().unwrap() {
            let query = chosen(variable["query"].as_str().unwrap());
            let Some(inner) = query.strip_prefix("label_values(") else { continue };
            let (selector, label) = inner.trim_end_matches(')').rsplit_once(", ").unwrap();
            let path = format!("/api/v1/label/{label}/values?match[]={}", encoded(selector));
            let found = prometheus.ask(&path);
            assert!(!found["data"].as_array().unwrap().is_empty(), "{query} finds nothing");
        }
    }
}

/// Every rule is in good health; what a recording rule records is there, and so is everything that
/// an alert looks at.
fn rules_are_evaluated(prometheus: &Prometheus) {
    let reported = prometheus.ask("/api/v1/rules");
    let groups = reported["data"]["groups"].as_array().unwrap();
    let rules: Vec<&Value> =
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert!(rules.len() > 40, "only {} rules were found", rules.len());
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        let name = rule["name"].as_str().unwrap();
        if rule["type"] == "recording" {
            assert!(!prometheus.query(name, "").is_empty(), "{name} is empty");
        }
        for metric in metrics(rule["query"].as_str().unwrap()) {
            let is_there = !prometheus.query(&format!("count({metric})"), "").is_empty();
            let may_be_absent = ABSENT.iter().any(|(absent, _)| *absent == metric);
            assert!(is_there != may_be_absent, "{name}: {metric} is there: {is_there}");
        }
    }
}

/// The names of metrics in a query.
fn metrics(query: &str) -> BTreeSet<&str> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    let prefixes = ["wanctl_", "process_", "instance:", "instance_wan"];
    words.filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix))).collect()
}

/// A program of the distribution has nothing to say against a file.
pub(crate) fn accepted(program: &str, package: &str, arguments: &[&str]) {
    let mut command = tool(program, package);
    command.current_dir(repository("")).args(arguments);
    let exit = Program::finish(command);
    assert!(exit.status.success(), "{program} {arguments:?}: {exit:#?}");
}

#[test]
fn the_configurations_of_the_stack_are_accepted() {
    accepted(
        "promtool",
        "prometheus",
        &["check", "config", "--syntax-only", "compose/prometheus.yaml"],
    );
    accepted("amtool", "prometheus-alertmanager", &["check-config", "compose/alertmanager.yaml"]);
    let severities = ["critical", "warning", "info"].map(|severity| format!("severity={severity}"));
    for severity in &severities {
        let route = ["config", "routes", "test", "--config.file=compose/alertmanager.yaml"];
        let route = [&route[..], &["--verify.receivers=nobody", severity]].concat();
        accepted("amtool", "prometheus-alertmanager", &route);
    }
}

/// Debian's `jsonschema` checks JSON against a schema of other people's.
fn validated(files: &[PathBuf], schema: &str) -> Exit {
    let mut command = tool("jsonschema", "python3-jsonschema");
    for file in files {
        command.arg("-i").arg(file);
    }
    command.arg(repository(schema));
    Program::finish(command)
}

#[test]
fn the_compose_file_follows_the_specification() {
    const SCHEMA: &str = "tests/data/compose-spec.json";
    let site = Site::new();
    let text = fs::read_to_string(repository("compose.yaml")).unwrap();
    let written = |text: &str| {
        let mut stack: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
        stack.apply_merge().unwrap();
        site.write("compose.json", &serde_json::to_string(&stack).unwrap())
    };
    validated(&[written(&text)], SCHEMA).expect(0);
    let wrong = replaced(&text, "read_only: true", "readonly: true");
    validated(&[written(&wrong)], SCHEMA).expect(1);
}

#[test]
fn the_dashboards_are_what_grafana_calls_dashboards() {
    const SCHEMA: &str = "tests/data/grafana/dashboard.schema.json";
    let site = Site::new();
    validated(&files(), SCHEMA).expect(0);
    let mut wrong = boards().remove(0);
    // The second panel: the first is a row.
    wrong["panels"][1]["options"]["colour"] = Value::from("red");
    validated(&[site.write("board.json", &wrong.to_string())], SCHEMA).expect(1);
}
