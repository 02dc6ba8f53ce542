//! The parameters of `GET /metrics/history`.

use jiff::tz::TimeZone;
use wanctl_core::units::Timestamp;

use super::{Cursor, HistoryQuery, QueryArgs, QueryError, quoted};
use crate::history::Format;

/// The parameters that there are.
const PARAMETERS: [&str; 9] =
    ["last", "from", "to", "wan", "metrics", "resolution", "limit", "cursor", "format"];
/// Rows of a page if nothing is said.
const DEFAULT_LIMIT: usize = 1_000;
/// Rows of a page at most.
const LARGEST_LIMIT: usize = 100_000;

/// A page of an answer, as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportRequest {
    /// Which rows.
    pub question: HistoryQuery,
    /// How they are written, if that is said.
    pub format: Option<Format>,
    /// How many rows at most.
    pub limit: usize,
    /// Where the page begins; at the beginning without one.
    pub cursor: Option<Cursor>,
}

impl ExportRequest {
    /// Reads the query of a URL. Times without a zone are UTC.
    ///
    /// # Errors
    /// The first [`QueryError`].
    pub fn parse(query: &str, now: Timestamp) -> Result<Self, QueryError> {
        let mut given: [Option<String>; PARAMETERS.len()] = Default::default();
        let mut wans: Vec<String> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            // `range` is what 1.7 called it.
            let name = if name == "range" { "last" } else { name.as_ref() };
            let Some(place) = PARAMETERS.iter().position(|known| *known == name) else {
                return Err(unknown(name));
            };
            if value.is_empty() {
                continue;
            }
            match &mut given[place] {
                _ if PARAMETERS[place] == "wan" => wans.push(value.into_owned()),
                Some(_) => return Err(QueryError::new(PARAMETERS[place], "is given twice")),
                free @ None => *free = Some(value.into_owned()),
            }
        }
        let [last, from, to, _, metrics, resolution, limit, cursor, format] = given;
        let (from, to) = (from.map(|text| with_plus(&text)), to.map(|text| with_plus(&text)));
        let words = QueryArgs {
            last: last.as_deref(),
            from: from.as_deref(),
            to: to.as_deref(),
            wans: &wans,
            metrics: metrics.as_deref(),
            resolution: resolution.as_deref(),
        };
        let mut question = HistoryQuery::parse(&words, now, &TimeZone::UTC)?;
        question.resolution = question.resolution.settled(question.from, question.to);
        let cursor = cursor.as_deref().map(Cursor::parse).transpose()?;
        if let Some(Cursor { from, to, resolution, .. }) = cursor {
            question = HistoryQuery { from, to, resolution, ..question };
        }
        let limit = limit.as_deref().map_or(Ok(DEFAULT_LIMIT), read_limit)?;
        let format = format.as_deref().map(read_format).transpose()?;
        Ok(Self { question, format, limit, cursor })
    }
}

fn read_limit(text: &str) -> Result<usize, QueryError> {
    let limit = text.parse().ok().filter(|limit| (1..=LARGEST_LIMIT).contains(limit));
    limit.ok_or_else(|| {
        let reason = format!("{} is no number from 1 to {LARGEST_LIMIT}", quoted(text));
        QueryError::new("limit", reason)
    })
}

fn read_format(text: &str) -> Result<Format, QueryError> {
    match text {
        "json" => Ok(Format::Json),
        "csv" => Ok(Format::Csv),
        _ => Err(QueryError::new("format", format!("{} is neither json nor csv", quoted(text)))),
    }
}

/// A plus in a URL is a space, which people forget to escape in a zone's offset.
fn with_plus(text: &str) -> String {
    match text.rsplit_once(' ') {
        Some((time, offset)) if time.contains(['T', 't']) && offset.contains(':') => {
            format!("{time}+{offset}")
        }
        _ => text.to_owned(),
    }
}

fn unknown(name: &str) -> QueryError {
    let near = PARAMETERS.iter().find(|known| strsim::jaro_winkler(known, name) > 0.8);
    let hint = near.map_or_else(
        || format!("there are {}", PARAMETERS.join(", ")),
        |known| format!("did you mean `{known}`?"),
    );
    QueryError::new("query", format!("there is no parameter {}; {hint}", quoted(name)))
}
