//! Where the marks of an axis are.

use jiff::{ToSpan as _, Zoned, tz::TimeZone};
use wanctl_core::units::Timestamp;

use crate::cli::history::human;

/// Returns round values from `low` to `high`, about `count` of them, and the decimals that tell
/// them apart.
pub(super) fn values(low: f64, high: f64, count: usize) -> (Vec<f64>, usize) {
    let rough = (high - low).max(1e-3) / count.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = step.into_iter().find(|step| *step >= rough).unwrap_or(rough);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, not below")]
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let first = (low / step).ceil();
    let marks = (0..=2 * count).map(|place| (first + place as f64) * step);
    (marks.take_while(|mark| *mark <= high + step * 1e-6).collect(), decimals)
}

/// Steps between marks of time in seconds, up to half a day, and in days.
const SECONDS: [i64; 17] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200];
const DAYS: [i64; 8] = [1, 2, 7, 14, 31, 61, 92, 183];

/// Returns at most about `count` moments of a clock on the wall, with their labels.
pub(super) fn times(
    from: Timestamp,
    to: Timestamp,
    zone: &TimeZone,
    count: usize,
) -> Vec<(Timestamp, String)> {
    let seconds = (to.micros() - from.micros()) / 1_000_000;
    let count = i64::try_from(count.max(1)).unwrap_or(1);
    let start = human::zoned(from, zone).start_of_day();
    let Ok(start) = start else { return Vec::new() };
    let fitting = SECONDS.iter().find(|&&step| seconds / step <= count);
    let (step, format) = if let Some(&step) = fitting {
        (step.seconds(), if step < 60 { "%H:%M:%S" } else { "%H:%M" })
    } else {
        let days = DAYS.iter().find(|&&days| seconds / (days * 86_400) <= count);
        (days.unwrap_or(&365).days(), "%m-%d")
    };
    let end = to.micros();
    let mut marks = Vec::new();
    let mut at: Option<Zoned> = Some(start);
    // A day has no more steps than seconds.
    for _ in 0..100_000 {
        let Some(now) = at else { break };
        let micros = now.timestamp().as_microsecond();
        if micros >= end {
            break;
        }
        if micros >= from.micros() {
            let midnight = now.start_of_day().is_ok_and(|day| day == now);
            let label = if midnight { "%m-%d" } else { format };
            marks.push((Timestamp::from_micros(micros), now.strftime(label).to_string()));
        }
        at = now.checked_add(step).ok();
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round() {
        assert_eq!(values(0.0, 97.0, 4), (vec![0.0, 50.0], 0));
        assert_eq!(values(-3.0, 9.0, 4), (vec![0.0, 5.0], 0));
        let (marks, decimals) = values(0.0, 0.5, 4);
        assert_eq!((marks.len(), decimals), (3, 1));
    }

    #[test]
    fn times_are_those_of_the_wall() {
        // 2026-03-01 11:07 UTC, an hour more in the zone.
        let from = Timestamp::from_micros(1_772_363_220_000_000);
        let zone = TimeZone::posix("CET-1").unwrap();
        let after = |seconds: i64| Timestamp::from_micros(from.micros() + seconds * 1_000_000);
        let labels = |seconds, count| -> Vec<String> {
            times(from, after(seconds), &zone, count).into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels(3600, 6), ["12:10", "12:20", "12:30", "12:40", "12:50", "13:00"]);
        assert_eq!(labels(86_400, 4), ["18:00", "03-02", "06:00", "12:00"]);
        assert_eq!(labels(3 * 86_400, 4), ["03-02", "03-03", "03-04"]);
        assert!(labels(365 * 86_400, 8).len() < 9);
    }
}
