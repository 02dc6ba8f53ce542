//! The dashboards in `dashboards/`: six lists of panels, and the files that follow from them.

mod checks;
mod dashboard;
mod internals;
mod overview;
mod panel;
mod queues;
mod report;
mod shared;
mod steering;
mod wan;

use std::{collections::BTreeSet, env, fs};

pub(crate) use checks::selectors;
use dashboard::Dashboard;
use serde_json::{Value, json};
use wanctl_core::{CongestionState, MeasurementState};

use super::names::repository;

fn dashboards() -> [Dashboard; 6] {
    [
        overview::board(),
        wan::board(),
        queues::board(),
        steering::board(),
        internals::board(),
        report::board(),
    ]
}

/// Every query of every panel and annotation.
pub(crate) fn queries() -> Vec<String> {
    let mut queries = Vec::new();
    for board in dashboards() {
        let json: Value = serde_json::from_str(&board.file()).unwrap();
        collect(&json, &mut queries);
    }
    queries
}

fn collect(json: &Value, queries: &mut Vec<String>) {
    match json {
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, queries)),
        Value::Object(parts) => {
            queries.extend(parts.get("expr").and_then(Value::as_str).map(str::to_owned));
            parts.values().for_each(|part| collect(part, queries));
        }
        _ => {}
    }
}

#[test]
fn the_files_are_what_is_written_here() {
    for board in dashboards() {
        let file = repository(&format!("dashboards/{}.json", board.name));
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&file, board.file()).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == board.file(),
            "{} is out of date: UPDATE_EXPECT=1 cargo test --test observability",
            file.display()
        );
    }
}

#[test]
fn the_files_are_in_order() {
    let mut faults = Vec::new();
    for board in dashboards() {
        let json: Value = serde_json::from_str(&board.file()).unwrap();
        faults.extend(checks::faults(&json).into_iter().map(|f| format!("{}: {f}", board.name)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A state that a board does not know is drawn as nothing, or as a bare number.
#[test]
fn every_state_has_a_word_and_a_colour() {
    let known = |states: &[(&'static str, panel::Word)]| -> BTreeSet<&'static str> {
        states.iter().map(|(name, _)| *name).collect()
    };
    assert_eq!(known(&shared::CONGESTION), CongestionState::ALL.map(CongestionState::name).into());
    assert_eq!(
        known(&shared::MEASUREMENT),
        MeasurementState::ALL.map(MeasurementState::name).into()
    );
    let measured = MeasurementState::ALL.into_iter().filter(|state| state.is_measured());
    let measured: Vec<&str> = measured.map(MeasurementState::name).collect();
    assert_eq!(shared::MEASURED, measured.join("|"));
    for states in [&shared::CONGESTION[..], &shared::MEASUREMENT[..]] {
        let values: BTreeSet<_> = states.iter().map(|(_, (value, ..))| value).collect();
        let colours: BTreeSet<_> = states.iter().map(|(_, (.., colour))| colour).collect();
        assert_eq!((values.len(), colours.len()), (states.len(), states.len()));
    }
}

#[test]
fn what_is_not_in_order_is_found() {
    let good: Value = serde_json::from_str(&wan::board().file()).unwrap();
    assert_eq!(checks::faults(&good), Vec::<String>::new());
    let expr = "/panels/1/targets/0/expr";
    for (place, value, reported) in [
        ("/panels/2/id", json!(2), "the id 2 is there twice"),
        ("/panels/2/gridPos/x", json!(0), "it covers another panel"),
        ("/panels/1/type", json!("graph"), "no panel of the kind `graph`"),
        ("/panels/1/description", json!(""), "it is not described"),
        ("/panels/1/fieldConfig/defaults/unit", json!("ms"), "the unit \"ms\" is not known"),
        ("/panels/1/fieldConfig/defaults/thresholds/steps/0/value", json!(0), "do not rise"),
        ("/panels/1/datasource/uid", json!("prometheus"), "not the chosen one"),
        ("/panels/1/targets/0/legendFormat", json!("{{host}}"), "the legend names host"),
        ("/panels/1/targets/0/range", json!(true), "neither of a moment nor of a time"),
        (expr, json!("wanctl_x_total{instance=~\"$instance\"}"), "not within rate"),
        (expr, json!("sum(wanctl_x{wan=~\"$wan\"})"), "not of the chosen instance"),
        (expr, json!("wanctl_x{instance=~\"$instance\", a=\"$b\"}"), "no variable $b"),
        ("/links/0/keepTime", json!(false), "lose the choice or the time"),
        ("/templating/list/1/description", json!(""), "is not explained"),
    ] {
        let mut board = good.clone();
        *board.pointer_mut(place).unwrap() = value;
        let faults = checks::faults(&board);
        assert!(faults.iter().any(|fault| fault.contains(reported)), "{place}: {faults:?}");
    }
}
