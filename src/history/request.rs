//! What is asked of a history: words in, a question out. Pure: the time now and the time zone are
//! given, so that every mistake can be tested and fuzzed.

mod cursor;
mod export;
mod time;

use std::fmt;

use jiff::tz::TimeZone;
use wanctl_core::units::Timestamp;

use super::{Field, Resolution, field};

pub use cursor::Cursor;
pub use export::ExportRequest;
pub use time::{moment, span_before};

/// How far back is looked if nothing is said.
const DEFAULT_SPAN: &str = "1h";

/// Which rows are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryQuery {
    /// From this moment on ...
    pub from: Timestamp,
    /// ... and before this one.
    pub to: Timestamp,
    /// Only these WANs; all if it is empty.
    pub wans: Vec<String>,
    /// What of each row.
    pub fields: Vec<&'static Field>,
    /// How fine.
    pub resolution: Resolution,
}

/// A parameter that makes no sense, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}: {reason}")]
pub struct QueryError {
    /// Which.
    pub parameter: &'static str,
    /// What is wrong with it, and what would be right.
    pub reason: String,
}

impl QueryError {
    pub(super) fn new(parameter: &'static str, reason: impl Into<String>) -> Self {
        Self { parameter, reason: reason.into() }
    }
}

/// The words that choose a span of time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TimeRangeArgs<'a> {
    pub(super) last: Option<&'a str>,
    pub(super) from: Option<&'a str>,
    pub(super) to: Option<&'a str>,
}

impl HistoryQuery {
    /// Builds the question that these words mean. Without any, it is the last hour of all WANs.
    ///
    /// `last` counts back from `to`, which is now unless it is given; `last` and `from` exclude
    /// each other. Times without a zone are of `zone`.
    ///
    /// # Errors
    /// The first [`QueryError`].
    pub fn parse(
        words: &QueryArgs<'_>,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<Self, QueryError> {
        let QueryArgs { last, from, to, wans, metrics, resolution: fineness } = *words;
        let (from, to) = span(TimeRangeArgs { last, from, to }, now, zone)?;
        let fields = match metrics {
            None => Field::default_columns(),
            Some(list) => {
                field::choose(list).map_err(|reason| QueryError::new("metrics", reason))?
            }
        };
        let fineness = fineness.map_or(Ok(Resolution::Auto), resolution)?;
        Ok(Self { from, to, wans: wans.to_vec(), fields, resolution: fineness })
    }
}

/// The words of a question, each as its user gave it.
#[derive(Debug, Clone, Copy, Default)]
pub struct QueryArgs<'a> {
    /// How far back, such as `90m`.
    pub last: Option<&'a str>,
    /// When it begins, see [`moment`].
    pub from: Option<&'a str>,
    /// When it ends, likewise.
    pub to: Option<&'a str>,
    /// Which WANs.
    pub wans: &'a [String],
    /// Which fields, separated by commas.
    pub metrics: Option<&'a str>,
    /// How fine.
    pub resolution: Option<&'a str>,
}

/// Reads the name of a resolution.
///
/// # Errors
/// A [`QueryError`] that lists the names.
pub(super) fn resolution(name: &str) -> Result<Resolution, QueryError> {
    Resolution::named(&name.to_ascii_lowercase()).ok_or_else(|| {
        let reason = format!("`{}` is none of auto, raw, 1s, 1m, 5m and 1h", name.escape_debug());
        QueryError::new("resolution", reason)
    })
}

fn span(
    words: TimeRangeArgs<'_>,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<(Timestamp, Timestamp), QueryError> {
    let TimeRangeArgs { last, from, to } = words;
    let at = |parameter, text: Option<&str>| {
        let read =
            |text| moment(text, now, zone).map_err(|reason| QueryError::new(parameter, reason));
        text.map(read).transpose()
    };
    let to = at("to", to)?.unwrap_or(now);
    let from = match (at("from", from)?, last) {
        (Some(_), Some(_)) => {
            return Err(QueryError::new("last", "give either `last` or `from`, not both"));
        }
        (Some(from), None) => from,
        (None, last) => span_before(last.unwrap_or(DEFAULT_SPAN), to, zone)
            .map_err(|reason| QueryError::new("last", reason))?,
    };
    if from < to {
        return Ok((from, to));
    }
    let reported = |at| time::format_time(at, zone);
    let reason = format!("{} is not before the end, {}", reported(from), reported(to));
    Err(QueryError::new("from", reason))
}

/// Quotes what a user wrote without its control characters, and not endlessly.
fn quoted(text: &str) -> impl fmt::Display {
    let short: String = text.chars().take(60).collect();
    format!("`{}`", short.escape_debug())
}

#[cfg(test)]
mod tests;
