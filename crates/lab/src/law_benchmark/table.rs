//! The comparison as text: for people, for programs, for spreadsheets.

use serde::Serialize;
use wanctl_core::units::Delay;

use super::{
    figures::{AddedDelay, LawResults},
    run::Row,
};

/// The table's heading, and what a scenario is called in the rows of means.
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
const MEAN: &str = "mean";
/// Columns of words; the others are numbers, and stand to the right.
const WORDS: [usize; 2] = [0, 2];

/// A row as programs read it.
#[derive(Debug, Serialize)]
struct JsonRow<'a> {
    law: &'a str,
    scenario: &'a str,
    seed: u64,
    added_delay_ms: JsonDelay,
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
struct JsonDelay {
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
}

impl<'a> JsonRow<'a> {
    fn new(row: &'a Row) -> Self {
        let Row { law, scenario, seed, figures } = row;
        let delay = |pick: fn(AddedDelay) -> Delay| figures.added_delay.map(|d| pick(d).millis());
        Self {
            law,
            scenario,
            seed: *seed,
            added_delay_ms: JsonDelay {
                p50: delay(|d| d.p50),
                p95: delay(|d| d.p95),
                p99: delay(|d| d.p99),
            },
            utilisation: figures.utilisation.map(rounded),
            utilisation_download: figures.utilisation_of.download.map(rounded),
            utilisation_upload: figures.utilisation_of.upload.map(rounded),
            over_capacity: figures.over_capacity.map(rounded),
            reaction_down_s: figures.reaction_down.map(rounded),
            reaction_up_s: figures.reaction_up.map(rounded),
            idle_cuts: figures.idle_cuts,
            writes_per_hour: figures.writes_per_hour.map(rounded),
            lost: figures.lost.map(rounded),
        }
    }
}

/// Returns the rows as a JSON list, one row a line.
#[must_use]
pub fn json(rows: &[Row]) -> String {
    // Numbers, texts and lists of fixed keys cannot fail to be written.
    let line = |row| serde_json::to_string(&JsonRow::new(row)).unwrap_or_default();
    let lines: Vec<String> = rows.iter().map(line).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// Returns the rows as CSV with a header; a figure that does not exist is an empty field.
#[must_use]
pub fn csv(rows: &[Row]) -> String {
    let mut text = String::from(
        "law,scenario,seed,added_delay_p50_ms,added_delay_p95_ms,added_delay_p99_ms,utilisation,\
         utilisation_download,utilisation_upload,over_capacity,reaction_down_s,reaction_up_s,\
         idle_cuts,writes_per_hour,lost\n",
    );
    for row in rows {
        let JsonRow { law, scenario, seed, added_delay_ms: delay, .. } = JsonRow::new(row);
        let reported = JsonRow::new(row);
        let mut fields = vec![field(law), field(scenario), seed.to_string()];
        let numbers = [
            delay.p50,
            delay.p95,
            delay.p99,
            reported.utilisation,
            reported.utilisation_download,
            reported.utilisation_upload,
            reported.over_capacity,
            reported.reaction_down_s,
            reported.reaction_up_s,
            reported.idle_cuts.map(|cuts| cuts as f64),
            reported.writes_per_hour,
            reported.lost,
        ];
        fields.extend(numbers.map(|number| number.map_or_else(String::new, |n| n.to_string())));
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

/// Quotes a field that needs it (RFC 4180).
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Returns the rows as a table for people, with a mean of each law at its end if there are several
/// scenarios or seeds. A mean is taken over those rows that have the figure.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut lines = vec![HEADING.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| {
        let first = [row.scenario.clone(), row.seed.to_string(), row.law.clone()];
        cells(first, Shown::of(&row.figures))
    }));
    let mut laws: Vec<&str> = Vec::new();
    for row in rows {
        if !laws.contains(&row.law.as_str()) {
            laws.push(&row.law);
        }
    }
    if rows.len() > laws.len() {
        lines.extend(laws.into_iter().map(|law| {
            let of_law: Vec<Shown> = rows
                .iter()
                .filter(|row| row.law == law)
                .map(|row| Shown::of(&row.figures))
                .collect();
            cells([MEAN.to_owned(), String::new(), law.to_owned()], Shown::mean(&of_law))
        }));
    }
    aligned(&lines)
}

/// The figures that the table shows, in its order.
#[derive(Debug, Clone, Copy)]
struct Shown([Option<f64>; 9]);

impl Shown {
    fn of(figures: &LawResults) -> Self {
        let delay = figures.added_delay;
        Self([
            delay.map(|delay| delay.p50.millis()),
            delay.map(|delay| delay.p95.millis()),
            delay.map(|delay| delay.p99.millis()),
            figures.utilisation,
            figures.over_capacity,
            figures.reaction_down,
            figures.reaction_up,
            figures.idle_cuts.map(|cuts| cuts as f64),
            figures.writes_per_hour,
        ])
    }

    fn mean(rows: &[Self]) -> Self {
        Self(std::array::from_fn(|column| {
            let known: Vec<f64> = rows.iter().filter_map(|row| row.0[column]).collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        }))
    }
}

fn cells([scenario, seed, law]: [String; 3], Shown(figures): Shown) -> [String; 12] {
    let [p50, p95, p99, used, over, down, up, cuts, writes] = figures;
    let number = |value: Option<f64>, decimals: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
    };
    let percent = |share: Option<f64>| {
        share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
    };
    let whole =
        |value: Option<f64>| number(value, usize::from(value.is_some_and(|v| v.fract() > 0.0)));
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
        whole(cuts),
        number(writes, 0),
    ]
}

fn aligned(lines: &[[String; 12]]) -> String {
    let widths: [usize; 12] = std::array::from_fn(|column| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
    });
    let mut text = String::new();
    for line in lines {
        let padded = line.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            if WORDS.contains(&column) {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Rounds to what a simulation can be believed: four decimals.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests;
