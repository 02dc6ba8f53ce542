//! What makes a dashboard one that can be relied on.

use std::collections::BTreeSet;

use serde_json::Value;

/// Properties that a dashboard of this schema version has, of Grafana's own.
const DASHBOARD: &[&str] = &[
    "annotations",
    "description",
    "editable",
    "graphTooltip",
    "links",
    "panels",
    "refresh",
    "schemaVersion",
    "tags",
    "templating",
    "time",
    "timezone",
    "title",
    "uid",
    "version",
];
/// Properties that a panel has.
const PANEL: &[&str] = &[
    "collapsed",
    "datasource",
    "description",
    "fieldConfig",
    "gridPos",
    "id",
    "interval",
    "options",
    "panels",
    "repeat",
    "repeatDirection",
    "targets",
    "title",
    "transformations",
    "type",
];
/// The kinds of panels in use, all of which are part of Grafana itself.
const KINDS: &[&str] = &["heatmap", "row", "stat", "state-timeline", "table", "timeseries"];
/// Units of Grafana in use.
const UNITS: &[&str] = &[
    "bps",
    "bytes",
    "cps",
    "dateTimeFromNow",
    "decbytes",
    "percentunit",
    "pps",
    "reqps",
    "s",
    "short",
    "wps",
];
/// Names of colours that Grafana's themes have.
const COLOURS: &[&str] = &["blue", "green", "orange", "purple", "red", "text", "yellow"];
/// Transformations in use.
const TRANSFORMATIONS: &[&str] = &["limit", "merge", "organize", "sortBy"];
/// What Grafana replaces by itself.
const BUILT_IN: &[&str] = &["__interval", "__range", "__rate_interval"];

/// Returns a sentence for everything that is wrong with a dashboard.
pub(crate) fn faults(board: &Value) -> Vec<String> {
    let mut faults = unknown(board, DASHBOARD);
    let panels = list(&board["panels"]);
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let name = panel["title"].as_str().unwrap_or_default();
        let mut reported = unknown(panel, PANEL);
        if !ids.insert(panel["id"].as_u64()) {
            reported.push(format!("the id {} is there twice", panel["id"]));
        }
        for cell in cells(panel) {
            if !places.insert(cell) {
                reported.push(format!("it covers another panel at {cell:?}"));
                break;
            }
        }
        reported.extend(of_panel(panel, &variables(board)));
        faults.extend(reported.iter().map(|fault| format!("{name}: {fault}")));
    }
    if board["links"][0]["includeVars"] != true || board["links"][0]["keepTime"] != true {
        faults.push("the links to the others lose the choice or the time".to_owned());
    }
    for variable in list(&board["templating"]["list"]) {
        if ["name", "label", "description"].iter().any(|part| !is_text(&variable[part])) {
            faults.push(format!("the variable {} is not explained", variable["name"]));
        }
    }
    for annotation in list(&board["annotations"]["list"]) {
        let expr = annotation["expr"].as_str().unwrap_or_default();
        faults.extend(of_query(expr, &variables(board)));
    }
    faults
}

fn of_panel(panel: &Value, variables: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    let kind = panel["type"].as_str().unwrap_or_default();
    if !KINDS.contains(&kind) {
        faults.push(format!("there is no panel of the kind `{kind}`"));
    }
    if kind == "row" {
        return faults;
    }
    if panel["datasource"]["uid"] != "${datasource}" {
        faults.push("its data source is not the chosen one".to_owned());
    }
    let description = panel["description"].as_str().unwrap_or_default();
    if description.len() < 8 || description.ends_with(' ') {
        faults.push("it is not described".to_owned());
    }
    let units = std::iter::once(&panel["fieldConfig"]["defaults"]["unit"])
        .chain(properties(panel, "unit").map(|property| &property["value"]));
    for unit in units {
        if !unit.as_str().is_some_and(|unit| UNITS.contains(&unit)) {
            faults.push(format!("the unit {unit} is not known"));
        }
    }
    let thresholds = std::iter::once(&panel["fieldConfig"]["defaults"]["thresholds"])
        .chain(properties(panel, "thresholds").map(|property| &property["value"]));
    for threshold in thresholds {
        faults.extend(of_thresholds(threshold));
    }
    for transformation in list(&panel["transformations"]) {
        let id = transformation["id"].as_str().unwrap_or_default();
        if !TRANSFORMATIONS.contains(&id) || !transformation["options"].is_object() {
            faults.push(format!("the transformation `{id}` is not known or has no options"));
        }
    }
    if let Some(variable) = panel["repeat"].as_str() {
        let title = panel["title"].as_str().unwrap_or_default();
        if !variables.contains(&variable) || !title.contains(&format!("${variable}")) {
            faults.push(format!("it is repeated by `{variable}` and does not say so"));
        }
        if panel["gridPos"]["w"] != 24 {
            faults.push("its repetitions would cover its neighbours".to_owned());
        }
    }
    let targets = list(&panel["targets"]);
    if targets.is_empty() {
        faults.push("it asks nothing".to_owned());
    }
    let letters: BTreeSet<&str> = targets.iter().filter_map(|t| t["refId"].as_str()).collect();
    if letters.len() != targets.len() {
        faults.push("two queries have one letter".to_owned());
    }
    for target in targets {
        if target["instant"] == target["range"] {
            faults.push("a query is neither of a moment nor of a time, or both".to_owned());
        }
        let expr = target["expr"].as_str().unwrap_or_default();
        faults.extend(of_query(expr, variables));
        faults.extend(of_legend(target["legendFormat"].as_str().unwrap_or_default(), expr));
    }
    faults
}

/// A threshold's first step is from below, and the others rise.
fn of_thresholds(thresholds: &Value) -> Vec<String> {
    let steps = list(&thresholds["steps"]);
    let mut faults = Vec::new();
    let values: Vec<Option<f64>> = steps.iter().map(|step| step["value"].as_f64()).collect();
    if steps.is_empty() || values[0].is_some() || values.windows(2).any(|two| two[0] >= two[1]) {
        faults.push(format!("the thresholds do not rise from below: {thresholds}"));
    }
    for colour in steps.iter().filter_map(|step| step["color"].as_str()) {
        if !COLOURS.contains(&colour) {
            faults.push(format!("there is no colour `{colour}`"));
        }
    }
    faults
}

/// Every selector is bound to the choice, every counter is within a function that is meant for it,
/// and every variable is there.
fn of_query(expr: &str, variables: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    for selector in selectors(expr) {
        let is_counter =
            ["_total", "_bucket", "_count", "_sum"].iter().any(|end| selector.name.ends_with(end));
        let within = ["rate(", "increase(", "deriv(", "changes("];
        if is_counter && !within.iter().any(|function| selector.before.ends_with(function)) {
            faults.push(format!("the counter {} is not within rate or increase", selector.name));
        }
        if !selector.labels.contains(r#"instance=~"$instance""#) {
            faults.push(format!("{} is not of the chosen instance", selector.name));
        }
    }
    for part in expr.split('$').skip(1) {
        let part = part.trim_start_matches('{');
        let end = part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len());
        if !variables.contains(&&part[..end]) && !BUILT_IN.contains(&&part[..end]) {
            faults.push(format!("there is no variable ${}", &part[..end]));
        }
    }
    faults
}

/// The labels of a legend are those that the query leaves.
fn of_legend(legend: &str, expr: &str) -> Vec<String> {
    let labels = legend.split("{{").skip(1).filter_map(|part| part.split_once("}}"));
    let aggregates = expr.contains(" by (");
    let is_left = |label: &str| {
        let listed = expr.split(" by (").skip(1).filter_map(|rest| rest.split_once(')'));
        let mut listed = listed.map(|(labels, _)| labels);
        !aggregates || listed.any(|labels| labels.split(", ").any(|known| known == label))
    };
    labels
        .filter(|(label, _)| !is_left(label))
        .map(|(label, _)| format!("the legend names {label}, which the query does not leave"))
        .collect()
}

/// A metric in a query, what stands before it, and its labels.
#[derive(Debug)]
pub(crate) struct Selector<'a> {
    pub(crate) before: &'a str,
    pub(crate) name: &'a str,
    labels: &'a str,
}

/// Finds the selectors of a query: names that are followed by braces.
pub(crate) fn selectors(expr: &str) -> Vec<Selector<'_>> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    for (brace, _) in expr.match_indices('{') {
        let start = expr[..brace].rfind(|c| !is_letter(c)).map_or(0, |at| at + 1);
        let end = expr[brace..].find('}').map_or(expr.len(), |at| brace + at);
        if start < brace {
            let (before, name) = (&expr[..start], &expr[start..brace]);
            found.push(Selector { before, name, labels: &expr[brace..end] });
        }
    }
    found
}

fn variables(board: &Value) -> Vec<&str> {
    list(&board["templating"]["list"]).iter().filter_map(|each| each["name"].as_str()).collect()
}

/// The cells of the grid that a panel covers; columns beyond the grid are everybody's.
fn cells(panel: &Value) -> Vec<(u64, u64)> {
    let number = |name: &str| panel["gridPos"][name].as_u64().unwrap_or(0);
    let (x, y, w, h) = (number("x"), number("y"), number("w"), number("h"));
    (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x.min(24), y))).collect()
}

fn properties<'a>(panel: &'a Value, id: &'a str) -> impl Iterator<Item = &'a Value> {
    let overrides = list(&panel["fieldConfig"]["overrides"]).iter();
    let properties = overrides.flat_map(|each| list(&each["properties"]));
    properties.filter(move |property| property["id"] == id)
}

fn unknown(object: &Value, known: &[&str]) -> Vec<String> {
    let names = object.as_object().map(|object| object.keys()).into_iter().flatten();
    let strays = names.filter(|name| !known.contains(&name.as_str()));
    strays.map(|name| format!("`{name}` is not a property of Grafana's")).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}
