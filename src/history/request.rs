//! Questions to a history: parameters in, a query out. Pure: the time now and the time zone are
//! given, so that every mistake can be tested and fuzzed.

mod export;
mod time;

use std::fmt;

use jiff::tz::TimeZone;
use wanctl_core::units::Timestamp;

use super::{Field, Resolution, field};

pub use export::{Cursor, ExportRequest};
use time::{moment, span_before};

/// The span of a query that names none.
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
    /// The columns of each row.
    pub fields: Vec<&'static Field>,
    /// How fine.
    pub resolution: Resolution,
}

/// A parameter that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}: {reason}")]
pub struct QueryError {
    /// Its name.
    pub parameter: &'static str,
    /// What is wrong with it, and what would be right.
    pub reason: String,
}

impl QueryError {
    fn new(parameter: &'static str, reason: impl Into<String>) -> Self {
        Self { parameter, reason: reason.into() }
    }
}

/// The parameters of a query, each as its user gave it: options of `wanctl history`, or the query of
/// `GET /metrics/history`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct QueryArgs {
    /// How far back from --to, for example `90m`, `24h`, `7d` or `2w`; an hour if nothing is said.
    #[arg(long, value_name = "TIME", conflicts_with = "from")]
    pub last: Option<String>,
    /// From when on: RFC 3339, 'YYYY-MM-DD HH:MM', 'HH:MM', 'yesterday 14:00', '2h ago'.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Until when; now if nothing is said.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only this WAN; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub wan: Vec<String>,
    /// The columns, for example `delta,download_delivery` or `all`.
    #[arg(long, value_name = "LIST")]
    pub metrics: Option<String>,
    /// How fine: `auto`, `raw`, `1s`, `1m`, `5m` or `1h`. What is older than that is kept is
    /// coarser.
    #[arg(long, value_name = "SPAN")]
    pub resolution: Option<String>,
}

impl HistoryQuery {
    /// Builds the query that these parameters mean. Without any, it is the last hour of all WANs.
    ///
    /// `last` counts back from `to`, which is now unless it is given; `last` and `from` exclude
    /// each other. Times without a zone are of `zone`.
    ///
    /// # Errors
    /// The first [`QueryError`].
    pub fn parse(args: &QueryArgs, now: Timestamp, zone: &TimeZone) -> Result<Self, QueryError> {
        let (from, to) = span(args, now, zone)?;
        let fields = match &args.metrics {
            None => Field::default_columns(),
            Some(list) => {
                field::choose(list).map_err(|reason| QueryError::new("metrics", reason))?
            }
        };
        let resolution = args.resolution.as_deref().map_or(Ok(Resolution::Auto), resolution)?;
        Ok(Self { from, to, wans: args.wan.clone(), fields, resolution })
    }
}

/// Reads the name of a resolution.
fn resolution(name: &str) -> Result<Resolution, QueryError> {
    Resolution::named(&name.to_ascii_lowercase()).ok_or_else(|| {
        let reason = format!("`{}` is none of auto, raw, 1s, 1m, 5m and 1h", name.escape_debug());
        QueryError::new("resolution", reason)
    })
}

fn span(
    QueryArgs { last, from, to, .. }: &QueryArgs,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<(Timestamp, Timestamp), QueryError> {
    let at = |parameter, text: &Option<String>| {
        let read =
            |text| moment(text, now, zone).map_err(|reason| QueryError::new(parameter, reason));
        text.as_deref().map(read).transpose()
    };
    let to = at("to", to)?.unwrap_or(now);
    let from = match (at("from", from)?, last) {
        (Some(_), Some(_)) => {
            return Err(QueryError::new("last", "give either `last` or `from`, not both"));
        }
        (Some(from), None) => from,
        (None, last) => span_before(last.as_deref().unwrap_or(DEFAULT_SPAN), to, zone)
            .map_err(|reason| QueryError::new("last", reason))?,
    };
    if from < to {
        return Ok((from, to));
    }
    let [from, to] = [from, to].map(|at| time::format_time(at, zone));
    Err(QueryError::new("from", format!("{from} is not before the end, {to}")))
}

/// Quotes what a user wrote without its control characters, and not endlessly.
fn quoted(text: &str) -> impl fmt::Display {
    let short: String = text.chars().take(60).collect();
    format!("`{}`", short.escape_debug())
}

#[cfg(test)]
mod tests;
