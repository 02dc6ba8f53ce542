//! Rows as text for programs: CSV and JSON. Times are UTC, numbers are integers in the unit that
//! ends their field's name.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

use jiff::Timestamp as Instant;
use serde_json::json;
use wanctl_core::units::Timestamp;

use super::{Bucket, Field, HistoryError, HistoryQuery, Row, Rows};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One object with the rows in it.
    Json,
    /// A line of names and a line for each row (RFC 4180); what is not known is empty.
    Csv,
}

/// Why an answer ended early.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The history cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The answer cannot be written.
    #[error("writing the answer")]
    Write(#[from] io::Error),
}

/// Writes rows as CSV; `see` is shown each.
///
/// # Errors
/// [`AnswerError`].
pub fn write_csv(
    out: &mut dyn Write,
    rows: &mut Rows<'_>,
    question: &HistoryQuery,
    mut see: impl FnMut(&Row),
) -> Result<(), AnswerError> {
    let names: Vec<&str> = question.fields.iter().map(|field| field.name()).collect();
    writeln!(out, "time,wan,resolution,{}", names.join(","))?;
    for row in rows {
        let row = row?;
        let (time, wan, resolution) = (utc(row.point.at), quoted(&row.wan), resolution(&row));
        let values = csv_values(&question.fields, &row.point.bucket);
        writeln!(out, "{time},{wan},{resolution}{values}")?;
        see(&row);
    }
    Ok(())
}

/// Returns the cells of `fields`, each after a comma.
#[must_use]
pub fn csv_values(fields: &[&Field], bucket: &Bucket) -> String {
    fields.iter().fold(String::new(), |mut cells, field| {
        let _ = match field.value(bucket) {
            Some(value) => write!(cells, ",{value}"),
            None => write!(cells, ","),
        };
        cells
    })
}

/// Writes rows as a JSON object: `from`, `to`, `resolution`, `rows`, and `next`, the cursor of the
/// next page or null; `see` is shown each row.
///
/// # Errors
/// [`AnswerError`].
pub fn write_json(
    out: &mut dyn Write,
    rows: &mut Rows<'_>,
    question: &HistoryQuery,
    mut see: impl FnMut(&Row),
) -> Result<(), AnswerError> {
    let HistoryQuery { from, to, resolution, .. } = *question;
    let settled = resolution.settled(from, to).name();
    let [from, to] = [from, to].map(utc);
    write!(out, r#"{{"from":"{from}","to":"{to}","resolution":"{settled}","rows":["#)?;
    let mut before = "\n";
    for row in rows.by_ref() {
        let row = row?;
        out.write_all(before.as_bytes())?;
        write_object(out, &row, &question.fields)?;
        before = ",\n";
        see(&row);
    }
    let next = rows.next_page().map(ToString::to_string);
    writeln!(out, "\n],\"next\":{}}}", json!(next))?;
    Ok(())
}

/// Writes a row as an object, its members in the order of the fields.
fn write_object(out: &mut dyn Write, row: &Row, fields: &[&'static Field]) -> io::Result<()> {
    let (time, wan) = (utc(row.point.at), json!(&*row.wan));
    write!(out, r#"{{"time":"{time}","wan":{wan},"resolution":"{}""#, resolution(row))?;
    for field in fields {
        match field.value(&row.point.bucket) {
            Some(value) => write!(out, r#","{}":{value}"#, field.name())?,
            None => write!(out, r#","{}":null"#, field.name())?,
        }
    }
    out.write_all(b"}")
}

fn resolution(row: &Row) -> &'static str {
    row.point.tier.map_or("raw", super::Tier::name)
}

/// Returns a moment in RFC 3339, with as many decimals as it has.
pub(super) fn utc(at: Timestamp) -> String {
    Instant::from_microsecond(at.micros())
        .map_or_else(|_| at.micros().to_string(), |at| at.to_string())
}

/// Returns a cell of CSV.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}
