//! The rows of the benchmark as a table, as JSON and as CSV.

use serde::Serialize;
use serde_json::Value;
use wanctl_core::units::Delay;

use super::{
    results::{AddedDelay, LawResults},
    runner::Row,
};
use crate::text_table::{aligned, number};

const HEADING: [&str; 12] = [
    "scenario",
    "seed",
    "law",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "used",
    "over",
    "down s",
    "up s",
    "idle cuts",
    "writes/h",
];
/// Columns of words.
const WORDS: [usize; 2] = [0, 2];
const CSV_HEADER: &str = "law,scenario,seed,added_delay_p50_ms,added_delay_p95_ms,\
                          added_delay_p99_ms,utilisation,utilisation_download,utilisation_upload,\
                          over_capacity,reaction_down_s,reaction_up_s,idle_cuts,writes_per_hour,\
                          lost";

/// A row of the JSON and CSV output.
#[derive(Debug, Serialize)]
struct OutputRow<'a> {
    law: &'a str,
    scenario: &'a str,
    seed: u64,
    added_delay_ms: OutputDelay,
    utilisation: Option<f64>,
    utilisation_download: Option<f64>,
    utilisation_upload: Option<f64>,
    over_capacity: Option<f64>,
    reaction_down_s: Option<f64>,
    reaction_up_s: Option<f64>,
    idle_cuts: Option<u64>,
    writes_per_hour: Option<f64>,
    lost: Option<f64>,
}

#[derive(Debug, Serialize)]
struct OutputDelay {
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
}

impl<'a> OutputRow<'a> {
    fn new(row: &'a Row) -> Self {
        let Row { law, scenario, seed, results } = row;
        let [p50, p95, p99] = delays(results);
        // The simulation is accurate to four decimals at most.
        let rounded = |value: Option<f64>| value.map(|value| (value * 1e4).round() / 1e4);
        Self {
            law,
            scenario,
            seed: *seed,
            added_delay_ms: OutputDelay { p50, p95, p99 },
            utilisation: rounded(results.utilisation),
            utilisation_download: rounded(results.utilisation_of.download),
            utilisation_upload: rounded(results.utilisation_of.upload),
            over_capacity: rounded(results.over_capacity),
            reaction_down_s: rounded(results.reaction_down),
            reaction_up_s: rounded(results.reaction_up),
            idle_cuts: results.idle_cuts,
            writes_per_hour: rounded(results.writes_per_hour),
            lost: rounded(results.lost),
        }
    }
}

/// Returns the percentiles of the added delay in ms.
fn delays(results: &LawResults) -> [Option<f64>; 3] {
    let all = results.added_delay.map(|AddedDelay { p50, p95, p99 }| [p50, p95, p99]);
    all.map_or([None; 3], |all| all.map(Delay::millis).map(Some))
}

/// Returns the rows as a JSON list, one row a line.
#[must_use]
pub fn json(rows: &[Row]) -> String {
    // Numbers, texts and lists of fixed keys cannot fail to be written.
    let line = |row| serde_json::to_string(&OutputRow::new(row)).unwrap_or_default();
    let lines: Vec<String> = rows.iter().map(line).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// Returns the rows as CSV (RFC 4180) with a header; a result that does not exist is an empty field.
#[must_use]
pub fn csv(rows: &[Row]) -> String {
    let mut text = format!("{CSV_HEADER}\n");
    for row in rows {
        let row = serde_json::to_value(OutputRow::new(row)).unwrap_or_default();
        let field = |name: &str| {
            let percentile = name.strip_prefix("added_delay_").and_then(|n| n.strip_suffix("_ms"));
            match percentile.map_or(&row[name], |name| &row["added_delay_ms"][name]) {
                Value::String(text) if text.contains([',', '"', '\n', '\r']) => {
                    format!("\"{}\"", text.replace('"', "\"\""))
                }
                Value::String(text) => text.clone(),
                Value::Number(number) if number.is_u64() => number.to_string(),
                value => value.as_f64().map_or_else(String::new, |value| value.to_string()),
            }
        };
        text.push_str(&CSV_HEADER.split(',').map(field).collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

/// Returns the rows as a table, with a mean of each law at its end if there are several scenarios
/// or seeds. A mean is taken over those rows that have the result.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut lines = vec![HEADING.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| {
        let first = [row.scenario.clone(), row.seed.to_string(), row.law.clone()];
        cells(first, shown(&row.results))
    }));
    let mut laws: Vec<&str> = Vec::new();
    for row in rows {
        if !laws.contains(&row.law.as_str()) {
            laws.push(&row.law);
        }
    }
    if rows.len() > laws.len() {
        lines.extend(laws.into_iter().map(|law| {
            let of_law = rows.iter().filter(|row| row.law == law);
            let of_law: Vec<_> = of_law.map(|row| shown(&row.results)).collect();
            cells(["mean".to_owned(), String::new(), law.to_owned()], means(&of_law))
        }));
    }
    aligned(&lines, &WORDS)
}

/// Returns the results that the table shows, in its order.
fn shown(results: &LawResults) -> [Option<f64>; 9] {
    let [p50, p95, p99] = delays(results);
    [
        p50,
        p95,
        p99,
        results.utilisation,
        results.over_capacity,
        results.reaction_down,
        results.reaction_up,
        results.idle_cuts.map(|cuts| cuts as f64),
        results.writes_per_hour,
    ]
}

fn means(rows: &[[Option<f64>; 9]]) -> [Option<f64>; 9] {
    std::array::from_fn(|column| {
        let known: Vec<f64> = rows.iter().filter_map(|row| row[column]).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    })
}

fn cells([scenario, seed, law]: [String; 3], results: [Option<f64>; 9]) -> [String; 12] {
    let [p50, p95, p99, used, over, down, up, cuts, writes] = results;
    let percent = |share: Option<f64>| match share {
        Some(share) => format!("{:.1} %", 100.0 * share),
        None => "-".to_owned(),
    };
    let is_whole = cuts.is_none_or(|cuts| cuts.fract() <= 0.0);
    [
        scenario,
        seed,
        law,
        number(p50, 1),
        number(p95, 1),
        number(p99, 1),
        percent(used),
        percent(over),
        number(down, 2),
        number(up, 2),
        number(cuts, usize::from(!is_whole)),
        number(writes, 0),
    ]
}

#[cfg(test)]
mod tests;
