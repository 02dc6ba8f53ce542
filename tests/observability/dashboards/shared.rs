//! What several dashboards say in the same way: selectors, colours, words for states.

use serde_json::{Value, json};

use super::panel::{Steps, Word};

/// The chosen controllers.
pub(crate) const OF_INSTANCE: &str = r#"instance=~"$instance""#;
/// The chosen WANs of the chosen controllers.
pub(crate) const OF_WAN: &str = r#"instance=~"$instance", wan=~"$wan""#;
/// The chosen directions of the chosen WANs.
pub(crate) const OF_DIRECTION: &str =
    r#"instance=~"$instance", wan=~"$wan", direction=~"$direction""#;

/// Added delay: nothing, felt by those who play, felt by those who talk, felt by everybody.
pub(crate) const DELAY: Steps =
    &[(0.0, "green"), (0.015, "yellow"), (0.045, "orange"), (0.08, "red")];
/// A share of the time or of packets that ought to be none.
pub(crate) const BAD_SHARE: Steps = &[(0.0, "green"), (0.01, "yellow"), (0.05, "red")];
/// A share of the time that ought to be all.
pub(crate) const GOOD_SHARE: Steps =
    &[(0.0, "red"), (0.9, "orange"), (0.98, "yellow"), (0.995, "green")];
/// A count that ought to be zero.
pub(crate) const NONE: Steps = &[(0.0, "green"), (1.0, "red")];
/// A value that is neither good nor bad.
pub(crate) const PLAIN: Steps = &[(0.0, "text")];
/// One is well, zero is not.
pub(crate) const ALIVE: Steps = &[(0.0, "red"), (1.0, "green")];

/// The congestion states, from well to worst. What is partly unknown is not shown as green.
pub(crate) const CONGESTION: [(&str, Word); 5] = [
    ("green", (0, "GREEN", "green")),
    ("unknown", (1, "UNKNOWN", "blue")),
    ("yellow", (2, "YELLOW", "yellow")),
    ("soft_red", (3, "SOFT RED", "orange")),
    ("red", (4, "RED", "red")),
];
/// How far the probes can be trusted, from well to worst.
pub(crate) const MEASUREMENT: [(&str, Word); 7] = [
    ("healthy", (0, "HEALTHY", "green")),
    ("reduced", (1, "REDUCED", "yellow")),
    ("starting", (2, "STARTING", "blue")),
    ("bypass", (3, "BYPASS", "orange")),
    ("stalled", (4, "STALLED", "purple")),
    ("cannot_send", (5, "CANNOT SEND", "text")),
    ("collapsed", (6, "COLLAPSED", "red")),
];
/// Selects the measurement states in which the delay is measured.
pub(crate) const MEASURED: &str = "healthy|reduced";
/// Where steering stands.
pub(crate) const STEERING: [(&str, Word); 5] = [
    ("default", (0, "DEFAULT", "green")),
    ("confirming", (1, "CONFIRMING", "yellow")),
    ("recovering", (2, "RECOVERING", "blue")),
    ("steered", (3, "STEERED", "orange")),
    ("override", (4, "OVERRIDE", "purple")),
];

/// The words alone.
pub(crate) fn words<const N: usize>(states: &[(&str, Word); N]) -> [Word; N] {
    states.map(|(_, word)| word)
}

/// The worst state of each step, from a counter of the time in each: one that lasted less than a
/// hundredth of the step does not count. Unlike the gauge it misses nothing between two scrapes.
pub(crate) fn worst<const N: usize>(
    counter: &str,
    selector: &str,
    by: &str,
    states: &[(&str, Word); N],
) -> String {
    let share = |state: &str| {
        format!(r#"rate({counter}{{{selector}, state="{state}"}}[$__rate_interval])"#)
    };
    worst_share(share, by, states)
}

/// The worst state of the five minutes before each point, from a recorded share of the time: for
/// many WANs at once, for which the counters would be much to read.
pub(crate) fn worst_recorded<const N: usize>(
    record: &str,
    selector: &str,
    by: &str,
    states: &[(&str, Word); N],
) -> String {
    worst_share(|state| format!(r#"{record}{{{selector}, state="{state}"}}"#), by, states)
}

/// Where no state held, because nobody knows which, there is no point.
fn worst_share<const N: usize>(
    share: impl Fn(&str) -> String,
    by: &str,
    states: &[(&str, Word); N],
) -> String {
    // The first of several `or` wins. Each part is small before they are joined: it is quick.
    let parts = states.iter().rev().map(|(state, (value, _, _))| {
        format!("(max by ({by}) ({}) > 0.01) * 0 + {value}", share(state))
    });
    parts.collect::<Vec<_>>().join(" or ")
}

/// The state of now, from the gauge.
pub(crate) fn now<const N: usize>(
    gauge: &str,
    selector: &str,
    by: &str,
    states: &[(&str, Word); N],
) -> String {
    let parts = states.map(|(state, (value, _, _))| {
        format!(r#"{value} * {gauge}{{{selector}, state="{state}"}}"#)
    });
    format!("max by ({by}) ({})", parts.join(" or "))
}

/// A quantile of a histogram over the dashboard's own step.
pub(crate) fn quantile(quantile: &str, histogram: &str, selector: &str, by: &str) -> String {
    format!(
        "histogram_quantile({quantile}, sum by ({by}, le) (rate({histogram}_bucket{{{selector}}}\
         [$__rate_interval])))"
    )
}

/// The rate of a counter, summed by labels.
pub(crate) fn rate(counter: &str, selector: &str, by: &str) -> String {
    format!("sum by ({by}) (rate({counter}{{{selector}}}[$__rate_interval]))")
}

/// Renames the columns of a merged table, and drops the time.
pub(crate) fn columns(names: &[&str]) -> Value {
    let mut renamed = serde_json::Map::new();
    for (letter, name) in ('A'..='Z').zip(names) {
        renamed.insert(format!("Value #{letter}"), json!(name));
    }
    json!({"excludeByName": {"Time": true}, "indexByName": {}, "renameByName": renamed})
}

/// A link from a row of a table to the page of its WAN.
pub(crate) fn to_wan() -> Value {
    json!([{
        "title": "The WAN in detail",
        "url": "/d/wanctl-wan?var-instance=${__data.fields.instance}&var-wan=${__data.fields.wan}&\
                var-datasource=${datasource}&${__url_time_range}",
    }])
}

/// A cell whose text has the colour of its value.
pub(crate) fn coloured() -> Value {
    json!({"type": "color-text"})
}

/// Thresholds for one column.
pub(crate) fn thresholds(steps: Steps) -> Value {
    let steps = steps.iter().enumerate().map(|(number, (from, colour))| {
        json!({"color": colour, "value": if number == 0 { Value::Null } else { json!(from) }})
    });
    json!({"mode": "absolute", "steps": steps.collect::<Vec<_>>()})
}

/// The words of states for one column.
pub(crate) fn mappings<const N: usize>(states: &[(&str, Word); N]) -> Value {
    let mut options = serde_json::Map::new();
    for (_, (value, text, colour)) in states {
        options.insert(value.to_string(), json!({"text": text, "color": colour, "index": value}));
    }
    json!([{"type": "value", "options": options}])
}
