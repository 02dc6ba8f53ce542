//! Rows for people: a line for each bucket.

use std::{fmt::Write as _, io::Write, sync::Arc};

use jiff::tz::TimeZone;
use wanctl_core::{Direction, units::Timestamp};

use super::{QueryContext, human};
use crate::{
    history::{Field, HistoryQuery, Resolution, Row, Rows, Tier},
    router::visible,
};

/// Rows that a person reads gladly.
const ENOUGH: i64 = 200;
/// What is told if nothing is asked for, besides rates and states; with short heads.
const DELAYS: [(&str, &str); 3] =
    [("delta_p50_us", "p50"), ("delta_p95_us", "p95"), ("delta_max_us", "max")];
const RATES: [(&str, &str); 2] = [("achieved", "traffic"), ("desired", "desired")];

struct Column {
    /// Lines above the values.
    head: [String; 3],
    cell: Cell,
}

enum Cell {
    Field(&'static Field),
    Worst(Direction),
    Unmeasured,
}

impl Column {
    fn of(field: &'static Field) -> Self {
        let (direction, topic) = field.topic();
        let above = direction.map_or_else(String::new, |direction| direction.name().to_owned());
        let unit = field.unit().for_people().0.to_owned();
        Self { head: [above, topic.replace('_', " "), unit], cell: Cell::Field(field) }
    }

    fn short(name: &str, above: &str, head: &str) -> Option<Self> {
        let Self { head: [_, _, unit], cell } = Self::of(Field::named(name)?);
        Some(Self { head: [above.to_owned(), head.to_owned(), unit], cell })
    }

    fn defaults() -> Vec<Self> {
        let of = |direction: Direction| {
            let above = direction.name();
            let rate = |(what, head): (&str, &str)| {
                Self::short(&format!("{above}_{what}_mean_bps"), above, head)
            };
            let head = [above.to_owned(), "worst state".to_owned(), "% of time".to_owned()];
            let worst = Self { head, cell: Cell::Worst(direction) };
            RATES.into_iter().filter_map(rate).chain([worst]).collect::<Vec<_>>()
        };
        let delays = DELAYS.iter().filter_map(|(name, head)| Self::short(name, "added", head));
        let head = ["not", "measured", "% of time"].map(str::to_owned);
        let unmeasured = Self { head, cell: Cell::Unmeasured };
        let directions = Direction::ALL.into_iter().flat_map(of);
        delays.chain([unmeasured]).chain(directions).collect()
    }

    fn width(&self) -> usize {
        let least = if matches!(self.cell, Cell::Worst(_)) { 14 } else { 7 };
        self.head.iter().map(String::len).max().unwrap_or(0).max(least)
    }

    fn text(&self, row: &Row) -> String {
        let bucket = &row.point.bucket;
        match self.cell {
            Cell::Field(field) => human::value(field, bucket).unwrap_or_else(|| "-".to_owned()),
            Cell::Worst(direction) => human::worst(bucket, direction),
            Cell::Unmeasured => human::percent(human::unmeasured(bucket)),
        }
    }
}

/// Returns the resolution that gives a table of readable length.
fn readable(question: &HistoryQuery) -> Resolution {
    if question.resolution != Resolution::Auto {
        return question.resolution;
    }
    let seconds = (question.to.micros() - question.from.micros()) / 1_000_000;
    if seconds <= 10 {
        return Resolution::Raw;
    }
    let fits = |tier: &Tier| seconds / tier.seconds() <= ENOUGH;
    Resolution::Tier(Tier::ALL.into_iter().find(fits).unwrap_or(Tier::Hour))
}

pub(super) fn print(
    out: &mut dyn Write,
    asking: &QueryContext,
    chosen: bool,
) -> Result<(), anyhow::Error> {
    let QueryContext { reader, question, wans, zone, .. } = asking;
    let question = HistoryQuery { resolution: readable(question), ..question.clone() };
    let columns: Vec<Column> = if chosen {
        question.fields.iter().map(|field| Column::of(field)).collect()
    } else {
        Column::defaults()
    };
    let (clock, width) = clock(&question, zone);
    let mut reported: Option<Arc<str>> = None;
    for row in Rows::new(reader, &question, usize::MAX, None)? {
        let row = row?;
        if reported.as_ref() != Some(&row.wan) {
            if reported.is_some() {
                writeln!(out)?;
            }
            head(out, &row.wan, &columns, &question, zone, width)?;
            reported = Some(Arc::clone(&row.wan));
        }
        let time = human::zoned(row.point.at, zone).strftime(clock).to_string();
        write!(out, "{time:width$}")?;
        for column in &columns {
            write!(out, "  {:>1$}", column.text(&row), column.width())?;
        }
        let tier = row.point.tier.map_or(Resolution::Raw, Resolution::Tier);
        // What is older than the wanted rows are kept is told as coarsely as it is known.
        let note = if tier == question.resolution { "" } else { tier.name() };
        writeln!(out, "{}{note}", if note.is_empty() { "" } else { "  in " })?;
    }
    if reported.is_none() {
        let span = human::span(question.from, question.to, zone);
        let who = if wans.is_empty() { "the WANs".to_owned() } else { wans.join(", ") };
        writeln!(out, "nothing is recorded of {} from {span}", visible(&who))?;
    }
    Ok(())
}

fn head(
    out: &mut dyn Write,
    wan: &str,
    columns: &[Column],
    question: &HistoryQuery,
    zone: &TimeZone,
    width: usize,
) -> std::io::Result<()> {
    let HistoryQuery { from, to, resolution, .. } = *question;
    let span = human::span(from, to, zone);
    writeln!(out, "{}, {span}, {} a row", visible(wan), length(resolution))?;
    for (line, label) in ["", "time", ""].into_iter().enumerate() {
        let mut text = format!("{label:width$}");
        for column in columns {
            let _ = write!(text, "  {:>1$}", column.head[line], column.width());
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

fn length(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Raw => "one cycle",
        Resolution::Tier(Tier::Second) => "1 s",
        Resolution::Tier(Tier::Minute) => "1 min",
        Resolution::Tier(Tier::FiveMinutes) => "5 min",
        Resolution::Tier(Tier::Hour) | Resolution::Auto => "1 h",
    }
}

/// Returns how times are written, and how wide that is: as finely as rows differ, and with their
/// offset where it changes.
fn clock(question: &HistoryQuery, zone: &TimeZone) -> (&'static str, usize) {
    let offset = |at: Timestamp| human::zoned(at, zone).offset();
    let changes = offset(question.from) != offset(question.to);
    match question.resolution {
        Resolution::Raw => ("%m-%d %H:%M:%S.%3f", 18),
        Resolution::Tier(Tier::Second) => ("%F %T", 19),
        _ if changes => ("%m-%d %H:%M %:z", 18),
        _ => ("%F %H:%M", 16),
    }
}
