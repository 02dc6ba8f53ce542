//! `wanctl history --plot`: charts of a span of time.

mod panels;

use std::{
    env,
    io::{self, IsTerminal as _, Write},
    str::FromStr,
};

use anyhow::bail;
use jiff::{ToSpan as _, Zoned, tz::TimeZone};
use terminal_size::{Height, Width, terminal_size};
use wanctl_core::units::Timestamp;

use super::{QueryContext, human};
use crate::{
    history::{Bucket, HistoryError, Resolution, Tier},
    plot::{PICTURE_COLUMNS, PictureFile, Plot, TerminalSize, draw_in_terminal},
    router::visible,
};

/// Width and height in letters if the output is no terminal.
const NO_TERMINAL: (usize, usize) = (101, 24);
/// Marks of the time axis of a picture.
const PICTURE_TIMES: usize = 10;

/// Where charts are drawn.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Terminal,
    File(PictureFile),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if name == "-" { Ok(Self::Terminal) } else { name.parse().map(Self::File) }
    }
}

pub(super) fn to_file(
    asking: &QueryContext,
    chosen: bool,
    file: &PictureFile,
) -> Result<(), anyhow::Error> {
    Ok(file.write(&plots(asking, chosen, PICTURE_COLUMNS, PICTURE_TIMES)?)?)
}

/// Draws with the dots of Braille letters.
pub(super) fn to_terminal(
    out: &mut dyn Write,
    asking: &QueryContext,
    chosen: bool,
) -> Result<(), anyhow::Error> {
    let is_coloured =
        io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    let (width, height) = terminal_size()
        .map_or(NO_TERMINAL, |(Width(width), Height(height))| (width.into(), height.into()));
    let size = TerminalSize::fitting(width, height, is_coloured);
    for (place, plot) in plots(asking, chosen, size.dots(), size.time_marks())?.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        draw_in_terminal(out, plot, size)?;
    }
    Ok(())
}

/// Returns a plot for each WAN of which there is something in the span.
fn plots(
    asking: &QueryContext,
    chosen: bool,
    columns: usize,
    time_marks: usize,
) -> Result<Vec<Plot>, anyhow::Error> {
    let QueryContext { question, zone, .. } = asking;
    let span = human::span(question.from, question.to, zone);
    let times = times(question.from, question.to, zone, time_marks);
    let mut plots = Vec::new();
    for wan in &asking.wans {
        let buckets = buckets(asking, wan, columns)?;
        if buckets.iter().all(Option::is_none) {
            continue;
        }
        let panels = if chosen {
            panels::of_fields(&question.fields, &buckets)?
        } else {
            panels::defaults(&buckets)
        };
        let title = format!("{}, {span}", visible(wan));
        plots.push(Plot { title, panels, times: times.clone() });
    }
    if plots.is_empty() {
        bail!("nothing is recorded from {span}");
    }
    Ok(plots)
}

/// Sums up each column's share of the time. A bucket that is longer than a column is in each
/// column that it covers.
fn buckets(
    asking: &QueryContext,
    wan: &str,
    columns: usize,
) -> Result<Vec<Option<Bucket>>, HistoryError> {
    let question = &asking.question;
    let (from, to) = (question.from.micros(), question.to.micros());
    let width = (to - from).max(1) as f64 / columns as f64;
    let resolution = match question.resolution {
        // The coarsest rows that are not wider than a column.
        Resolution::Auto => {
            let fits = |tier: &&Tier| tier.seconds() as f64 * 1e6 <= width;
            Tier::ALL.iter().rev().find(fits).map_or(Resolution::Raw, |t| Resolution::Tier(*t))
        }
        chosen => chosen,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let column = |at: i64| ((at - from) as f64 / width) as usize;
    let mut all: Vec<Option<Bucket>> = vec![None; columns];
    for point in asking.reader.series(wan, question.from, question.to, resolution)? {
        let point = point?;
        let at = point.at.micros();
        let length = point.tier.map_or(0, |tier| tier.seconds() * 1_000_000);
        let first = column(at);
        let last = column(at + (length - 1).max(0)).min(columns.saturating_sub(1));
        for sum in all.iter_mut().take(last.max(first) + 1).skip(first) {
            sum.get_or_insert_default().merge(&point.bucket);
        }
    }
    Ok(all)
}

/// Steps between marks of time in seconds, up to half a day, and in days.
const SECONDS: [i64; 17] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200];
const DAYS: [i64; 8] = [1, 2, 7, 14, 31, 61, 92, 183];

/// Returns the marks of the time axis, round on the clock of `zone`: at most about `count`.
fn times(from: Timestamp, to: Timestamp, zone: &TimeZone, count: usize) -> Vec<(f64, String)> {
    let (begin, length) = (from.micros(), to.micros() - from.micros());
    let seconds = length / 1_000_000;
    let count = i64::try_from(count.max(1)).unwrap_or(1);
    let fitting = SECONDS.iter().find(|&&step| seconds / step <= count);
    let (step, format) = if let Some(&step) = fitting {
        (step.seconds(), if step < 60 { "%H:%M:%S" } else { "%H:%M" })
    } else {
        let days = DAYS.iter().find(|&&days| seconds / (days * 86_400) <= count);
        (days.unwrap_or(&365).days(), "%m-%d")
    };
    let start = human::zoned(from, zone).start_of_day().ok();
    // A day has no more steps than seconds.
    let all = std::iter::successors(start, |at: &Zoned| at.checked_add(step).ok()).take(100_000);
    let passed = all.map(|at| (at.timestamp().as_microsecond() - begin, at));
    let inside =
        passed.take_while(|(passed, _)| *passed < length).filter(|(passed, _)| *passed >= 0);
    let mark = |(passed, at): (i64, Zoned)| {
        let is_midnight = at.start_of_day().is_ok_and(|day| day == at);
        let label = at.strftime(if is_midnight { "%m-%d" } else { format }).to_string();
        (passed as f64 / length.max(1) as f64, label)
    };
    inside.map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_round_on_the_clock_of_the_zone() {
        // 2026-03-01 11:07 UTC, an hour more in the zone.
        let from = Timestamp::from_micros(1_772_363_220_000_000);
        let zone = TimeZone::posix("CET-1").unwrap();
        let labels = |seconds: i64, count| -> Vec<String> {
            let to = Timestamp::from_micros(from.micros() + seconds * 1_000_000);
            times(from, to, &zone, count).into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels(3600, 6), ["12:10", "12:20", "12:30", "12:40", "12:50", "13:00"]);
        assert_eq!(labels(86_400, 4), ["18:00", "03-02", "06:00", "12:00"]);
        assert_eq!(labels(3 * 86_400, 4), ["03-02", "03-03", "03-04"]);
        assert!(labels(365 * 86_400, 8).len() < 9);
    }
}
