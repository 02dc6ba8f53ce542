//! The parameters of `GET /metrics/history`, and the cursor that joins its pages.

use std::fmt;

use jiff::tz::TimeZone;
use wanctl_core::units::Timestamp;

use super::{HistoryQuery, QueryArgs, QueryError, quoted, resolution};
use crate::history::{Format, Resolution};

const PARAMETERS: [&str; 9] =
    ["last", "from", "to", "wan", "metrics", "resolution", "limit", "cursor", "format"];
/// Rows of a page if nothing is said.
const DEFAULT_LIMIT: usize = 1_000;
const MAX_LIMIT: usize = 100_000;

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
        let mut args = QueryArgs::default();
        let (mut limit, mut cursor, mut format) = (None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            // `range` is what 1.7 called it.
            let name = if name == "range" { "last" } else { name.as_ref() };
            let known = PARAMETERS.into_iter().find(|known| *known == name);
            let name = known.ok_or_else(|| unknown(name))?;
            if value.is_empty() {
                continue;
            }
            let value = value.into_owned();
            let slot = match name {
                "last" => &mut args.last,
                "from" => &mut args.from,
                "to" => &mut args.to,
                "metrics" => &mut args.metrics,
                "resolution" => &mut args.resolution,
                "limit" => &mut limit,
                "cursor" => &mut cursor,
                "format" => &mut format,
                _ => {
                    args.wan.push(value);
                    continue;
                }
            };
            if slot.replace(value).is_some() {
                return Err(QueryError::new(name, "is given twice"));
            }
        }
        for time in [&mut args.from, &mut args.to].into_iter().flatten() {
            *time = with_plus(time);
        }
        let mut question = HistoryQuery::parse(&args, now, &TimeZone::UTC)?;
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
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| {
        let reason = format!("{} is no number from 1 to {MAX_LIMIT}", quoted(text));
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

/// The first row that a page had no room for, and what of the query must not change between
/// pages. Written `FROM.TO.RESOLUTION.AT.WAN`, the times in µs since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Start of the asked span.
    pub from: Timestamp,
    /// End of the asked span.
    pub to: Timestamp,
    /// How fine the rows are.
    pub resolution: Resolution,
    /// When the next row is, or begins.
    pub at: Timestamp,
    /// The WAN of the next row.
    pub wan: String,
}

impl Cursor {
    /// Reads what [`Cursor`]'s `Display` has written.
    ///
    /// # Errors
    /// A [`QueryError`].
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let nonsense = "this is no cursor: pass on what `next` said, unchanged";
        Self::read(text).ok_or_else(|| QueryError::new("cursor", nonsense))
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, '.');
        let time = |text: &str| text.parse().ok().map(Timestamp::from_micros);
        let (from, to) = (time(parts.next()?)?, time(parts.next()?)?);
        let resolution = resolution(parts.next()?).ok()?;
        let (at, wan) = (time(parts.next()?)?, parts.next()?.to_owned());
        let is_inside = from < to && at < to && resolution != Resolution::Auto && !wan.is_empty();
        is_inside.then_some(Self { from, to, resolution, at, wan })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, resolution, at, wan } = self;
        let [from, to, at] = [from, to, at].map(|at| at.micros());
        write!(f, "{from}.{to}.{}.{at}.{wan}", resolution.name())
    }
}
