//! Moments and spans in the words of people.

use jiff::{
    Span, Timestamp as Instant, ToSpan as _, Zoned,
    civil::{DateTime, Time},
    tz::TimeZone,
};
use wanctl_core::units::Timestamp;

use super::quoted;

/// What is understood, for those who were not.
const EXAMPLES: &str =
    "try 2026-03-01T14:00:00Z, '2026-03-01 14:00', 14:00, today, 'yesterday 14:00' or '2h ago'";

/// Returns the moment that `text` means: RFC 3339, a local date and time, either alone, `now`,
/// `today` or `yesterday` with or without a time, a span and `ago` (or after a minus), or seconds
/// since the epoch. What has no zone is of `zone`.
///
/// # Errors
/// A sentence with examples.
pub(super) fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    let nonsense = || format!("{} is no time; {EXAMPLES}", quoted(text));
    let here = zoned(now, zone).ok_or_else(nonsense)?;
    let lower = text.to_ascii_lowercase();
    if lower == "now" {
        return Ok(now);
    }
    if let Some(span) = lower.strip_suffix("ago").or_else(|| lower.strip_prefix('-')) {
        return span_before(span, now, zone);
    }
    if let Ok(at) = text.parse::<Instant>() {
        return Ok(ours(at));
    }
    if let Some(micros) = epoch(&lower) {
        return Instant::from_microsecond(micros).map(ours).map_err(|_| nonsense());
    }
    let local = day_and_time(&lower, &here)
        .or_else(|| text.parse::<DateTime>().ok())
        .or_else(|| Some(here.date().to_datetime(text.parse::<Time>().ok()?)));
    let at = local.and_then(|local| zone.to_ambiguous_timestamp(local).compatible().ok());
    at.map(ours).ok_or_else(nonsense)
}

/// Returns the moment that lies `text` before `end`. Days and longer are those of the calendar of
/// `zone`: a day before noon is noon, also where a clock was put forward between.
///
/// # Errors
/// A sentence with examples.
pub(super) fn span_before(
    text: &str,
    end: Timestamp,
    zone: &TimeZone,
) -> Result<Timestamp, String> {
    let lower = text.trim().to_ascii_lowercase();
    let nonsense =
        || format!("{} is no span of time; try 30m, 2h, 7d, 2w or '1d 12h'", quoted(text));
    let span: Span = lower.parse().map_err(|_| nonsense())?;
    if !span.is_positive() {
        return Err(format!("{} must be longer than nothing", quoted(text)));
    }
    let end = zoned(end, zone).ok_or_else(nonsense)?;
    let start = end.checked_sub(span).map_err(|_| format!("{} is too long", quoted(text)))?;
    Ok(ours(start.timestamp()))
}

/// Returns a moment as people of `zone` write it, with the zone's offset.
pub(super) fn format_time(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone)
        .map_or_else(|| at.micros().to_string(), |at| at.strftime("%F %T %:z").to_string())
}

/// Reads `today 14:00` and the like.
fn day_and_time(lower: &str, here: &Zoned) -> Option<DateTime> {
    let (word, rest) = lower.split_once(' ').unwrap_or((lower, ""));
    let date = match word {
        "today" => here.date(),
        "yesterday" => here.date().checked_sub(1.day()).ok()?,
        _ => return None,
    };
    let rest = rest.trim();
    let time = if rest.is_empty() { Time::midnight() } else { rest.parse().ok()? };
    Some(date.to_datetime(time))
}

/// Reads seconds since the epoch, or milliseconds if they are too many to be seconds, as µs.
fn epoch(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('@').unwrap_or(text);
    if digits.len() < 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    Some(number.saturating_mul(if digits.len() > 11 { 1_000 } else { 1_000_000 }))
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    Some(Instant::from_microsecond(at.micros()).ok()?.to_zoned(zone.clone()))
}

fn ours(at: Instant) -> Timestamp {
    Timestamp::from_micros(at.as_microsecond())
}
