//! Reads rows from what the console printed.

use super::{
    super::{
        json::{Keep, MOST_ROWS},
        transport::Row,
    },
    spelling::as_over_rest,
};
use crate::router::routeros::json;

/// Reads rows from JSON, which is typed here while REST has nothing but texts.
///
/// # Errors
/// What keeps it from being read.
pub(super) fn from_json(body: &str, keep: Keep) -> Result<Vec<Row>, String> {
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
    let rows = json::rows(text.as_bytes(), keep)?;
    Ok(rows.into_iter().map(|row| row_of(row.0)).collect())
}

/// Reads rows from lines that begin with `mark`: `mark row` begins a row, `mark name=value` is a
/// value, and what follows without a mark belongs to the value above it.
///
/// # Errors
/// The line that is none of these.
pub(super) fn from_text(body: &str, mark: &str) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Vec<(String, String)>> = Vec::new();
    for line in body.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        let marked = line.strip_prefix(mark).and_then(|rest| rest.strip_prefix(' '));
        let is_full = rows.len() == MOST_ROWS;
        let last = rows.last_mut();
        match (marked, last) {
            (Some("row"), _) if is_full => {
                return Err(format!("more than {MOST_ROWS} rows"));
            }
            (Some("row"), _) => rows.push(Vec::new()),
            (Some(value), Some(row)) => {
                let (name, value) =
                    value.split_once('=').ok_or_else(|| format!("`{value}` is no value"))?;
                row.push((name.to_owned(), value.to_owned()));
            }
            (Some(value), None) => return Err(format!("`{value}` belongs to no row")),
            (None, Some(row)) => {
                if let Some((_, value)) = row.last_mut() {
                    value.push('\n');
                    value.push_str(line);
                }
            }
            // What a command says besides its value.
            (None, None) => {}
        }
    }
    // The end of the last line is not part of the last value.
    if let Some((_, value)) = rows.last_mut().and_then(|row| row.last_mut())
        && let Some(without) = value.strip_suffix('\n')
    {
        value.truncate(without.len());
    }
    Ok(rows.into_iter().map(row_of).collect())
}

fn row_of(values: impl IntoIterator<Item = (String, String)>) -> Row {
    let spelt = |(property, value): (String, String)| {
        // A comment that is empty is absent over REST.
        let is_set = property != "comment" || !value.is_empty();
        let value = as_over_rest(&property, &value);
        is_set.then_some((property, value))
    };
    Row(values.into_iter().filter_map(spelt).collect())
}
