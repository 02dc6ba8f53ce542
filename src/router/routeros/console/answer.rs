//! Reads rows from what the console printed.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::{
    super::{
        json::{self, OneOrMany},
        road::Row,
    },
    spelling::as_over_rest,
};

/// Reads rows from JSON, which is typed here while REST has nothing but texts.
///
/// # Errors
/// What keeps it from being read.
pub(super) fn from_json(body: &str) -> Result<Vec<Row>, String> {
    // Whatever a command says besides its value comes before it. Line ends in a value are escaped,
    // so those that are left were put in at the width of the terminal.
    let lines = body.lines().map(|line| line.trim_end_matches('\r'));
    let text: String =
        lines.skip_while(|line| !line.starts_with(['[', '{', '"'])).collect::<Vec<_>>().concat();
    let text = text.trim();
    if text.is_empty() {
        return Err("nothing was printed where rows should be".to_owned());
    }
    // An empty list of rows is an empty text to some versions.
    if text == "\"\"" {
        return Ok(Vec::new());
    }
    let rows: OneOrMany<BTreeMap<String, Value>> = json::parse(text.as_bytes())?;
    Ok(Vec::from(rows).into_iter().map(|row| row_of(row.into_iter().map(texts))).collect())
}

fn texts((property, value): (String, Value)) -> (String, Option<String>) {
    (property, text_of(&value))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(plain(number)),
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => {
            Some(values.iter().filter_map(text_of).collect::<Vec<_>>().join(","))
        }
    }
}

/// Writes a number as REST does: `5.000000` is a whole number that was serialised with care.
fn plain(number: &Number) -> String {
    let text = number.to_string();
    match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole.to_owned(),
        _ => text,
    }
}

/// Reads rows from lines that begin with `mark`: `mark row` begins a row, `mark name=value` is a
/// value, and what follows without a mark belongs to the value above it.
///
/// # Errors
/// The line that is none of these.
pub(super) fn from_text(body: &str, mark: &str) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Vec<(String, Option<String>)>> = Vec::new();
    for line in body.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        let marked = line.strip_prefix(mark).and_then(|rest| rest.strip_prefix(' '));
        let last = rows.last_mut();
        match (marked, last) {
            (Some("row"), _) => rows.push(Vec::new()),
            (Some(value), Some(row)) => {
                let (name, value) =
                    value.split_once('=').ok_or_else(|| format!("`{value}` is no value"))?;
                row.push((name.to_owned(), Some(value.to_owned())));
            }
            (Some(value), None) => return Err(format!("`{value}` belongs to no row")),
            (None, Some(row)) => {
                if let Some((_, Some(value))) = row.last_mut() {
                    value.push('\n');
                    value.push_str(line);
                }
            }
            // What a command says besides its value.
            (None, None) => {}
        }
    }
    // The end of the last line is not part of the last value.
    if let Some((_, Some(value))) = rows.last_mut().and_then(|row| row.last_mut())
        && let Some(without) = value.strip_suffix('\n')
    {
        value.truncate(without.len());
    }
    Ok(rows.into_iter().map(row_of).collect())
}

fn row_of(values: impl IntoIterator<Item = (String, Option<String>)>) -> Row {
    let spelt = |(property, value): (String, Option<String>)| {
        // A comment that is empty is absent over REST.
        let value = value.filter(|value| property != "comment" || !value.is_empty())?;
        let value = as_over_rest(&property, &value);
        Some((property, value))
    };
    Row(values.into_iter().filter_map(spelt).collect())
}
