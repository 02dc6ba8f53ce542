//! Times and numbers as people read them.

use std::time::Duration;

use jiff::{Timestamp as Instant, Zoned, tz::TimeZone};
use wanctl_core::{CongestionState, Direction, MeasurementState, units::Timestamp};

use crate::history::{Bucket, Field, Unit};

/// Returns a moment in a zone.
pub(super) fn zoned(at: Timestamp, zone: &TimeZone) -> Zoned {
    let instant = Instant::from_microsecond(at.micros()).unwrap_or(if at.micros() < 0 {
        Instant::MIN
    } else {
        Instant::MAX
    });
    instant.to_zoned(zone.clone())
}

/// Returns a span of time in the words of its end: `2026-03-01 12:00:00 to 13:00:00 (UTC+01:00)`.
pub(super) fn span(from: Timestamp, to: Timestamp, zone: &TimeZone) -> String {
    let [from, to] = [from, to].map(|at| zoned(at, zone));
    let same = from.offset() == to.offset();
    let shown = |at: &Zoned| at.strftime(if same { "%F %T" } else { "%F %T (UTC%:z)" }).to_string();
    let end = if same { to.strftime(" (UTC%:z)").to_string() } else { String::new() };
    format!("{} to {}{end}", shown(&from), shown(&to))
}

/// Returns a field's value in its unit for people, without the unit.
pub(super) fn value(field: &Field, bucket: &Bucket) -> Option<String> {
    let (_, factor) = field.unit().for_people();
    let number = field.value(bucket)? as f64 / factor;
    Some(match field.unit() {
        Unit::Count => format!("{number}"),
        Unit::BitsPerSecond => significant(number),
        Unit::Micros | Unit::Millis | Unit::Bytes => format!("{number:.1}"),
    })
}

/// Returns a number with about three digits that count.
pub(super) fn significant(number: f64) -> String {
    let decimals = match number.abs() {
        hundreds if hundreds >= 100.0 => 0,
        tens if tens >= 10.0 => 1,
        _ => 2,
    };
    format!("{number:.decimals$}")
}

/// Returns a span of time with its two largest units: `3 h 12 min`.
pub(super) fn length(span: Duration) -> String {
    let seconds = span.as_secs();
    let parts = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min")];
    let whole: Vec<String> = parts
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    match whole.len() {
        0 => format!("{:.1} s", span.as_secs_f64()),
        1 if seconds.is_multiple_of(60) => whole[0].clone(),
        1 => format!("{} {} s", whole[0], seconds % 60),
        _ => whole[..2].join(" ").replace(" 0 h", "").replace(" 0 min", ""),
    }
}

/// Returns bytes with a fitting prefix.
pub(super) fn bytes(count: u64) -> String {
    let count = count as f64;
    let (factor, unit) = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB")]
        .into_iter()
        .find(|(factor, _)| count >= *factor)
        .unwrap_or((1e3, "kB"));
    format!("{} {unit}", significant(count / factor))
}

/// Returns a count in groups of three digits.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns a count and what it counts.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Returns a share of 0 to 1 in percent; a share above zero is not shown as zero.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.05 {
        "<0.1 %".to_owned()
    } else if percent > 99.95 && percent < 100.0 {
        ">99.9 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// Returns the worst congestion state of a bucket, with its share of the measured time if it has not
/// all of it.
pub(super) fn worst(bucket: &Bucket, direction: Direction) -> String {
    let times = CongestionState::MEASURED.map(|state| (state, bucket.state_ms(direction, state)));
    let whole = bucket.measured_ms(direction);
    match times.iter().rev().find(|(_, time)| *time > 0) {
        None if bucket.state_ms(direction, CongestionState::Unknown) > 0 => {
            CongestionState::Unknown.name().to_owned()
        }
        None => "-".to_owned(),
        Some((state, time)) if *time == whole => state.name().to_owned(),
        Some((state, time)) => {
            format!("{} {:.0} %", state.name(), (*time as f64 / whole as f64 * 100.0).ceil())
        }
    }
}

/// Returns the share of a bucket's time in which the delay was not measured.
pub(super) fn unmeasured(bucket: &Bucket) -> f64 {
    let time = |measured| {
        let states = MeasurementState::ALL.iter().filter(|state| state.is_measured() == measured);
        states.map(|state| bucket.measurement_ms(*state)).sum::<u64>()
    };
    time(false) as f64 / (time(false) + time(true)).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units() {
        let reported = |seconds| length(Duration::from_secs_f64(seconds));
        assert_eq!(
            [reported(0.25), reported(59.9), reported(61.0)],
            ["0.2 s", "59.9 s", "1 min 1 s"]
        );
        assert_eq!([reported(7_325.0), reported(183_000.0)], ["2 h 2 min", "2 d 2 h"]);
        assert_eq!(
            [reported(600.0), reported(3_600.0), reported(86_400.0)],
            ["10 min", "1 h", "1 d"]
        );
    }

    #[test]
    fn counts_and_shares_are_easy_to_read() {
        assert_eq!([count(7), count(1234), count(1_234_567)], ["7", "1 234", "1 234 567"]);
        assert_eq!([percent(0.0), percent(0.000_1), percent(0.5)], ["0.0 %", "<0.1 %", "50.0 %"]);
        assert_eq!([percent(0.999_9), percent(1.0)], [">99.9 %", "100.0 %"]);
        assert_eq!([bytes(512), bytes(12_345_678_901)], ["0.51 kB", "12.3 GB"]);
    }
}
