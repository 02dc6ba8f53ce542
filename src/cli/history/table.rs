//! Tables of buckets: a line for each row of the history, or for each hour of the day or day.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use wanctl_core::{
    CongestionState, Direction,
    units::{Delay, Timestamp},
};

use super::{
    QueryContext, human,
    sums::{By, Group, over},
};
use crate::{
    history::{Bucket, Field, HistoryQuery, Resolution, Rows, Tier},
    router::visible,
};

/// More rows than that make a table too long to read.
const MAX_ROWS: i64 = 200;

/// A column of a table.
struct Column {
    /// Lines above the values.
    head: [String; 3],
    text: Box<dyn Fn(&Bucket) -> String>,
    width: usize,
}

impl Column {
    fn new(head: [&str; 3], text: impl Fn(&Bucket) -> String + 'static) -> Self {
        let width = head.map(str::len).into_iter().max().unwrap_or(0).max(7);
        Self { head: head.map(str::to_owned), text: Box::new(text), width }
    }

    fn of(field: &'static Field) -> Self {
        let (direction, topic) = field.topic();
        Self::named(field, direction.map_or("", Direction::name), &topic.replace('_', " "))
    }

    fn named(field: &'static Field, above: &str, head: &str) -> Self {
        let text = |bucket: &Bucket| human::value(field, bucket).unwrap_or_else(|| "-".to_owned());
        Self::new([above, head, field.unit().for_people().0], text)
    }
}

/// Returns the columns of the added delay's `statistics`.
fn delays(statistics: &[&str]) -> Vec<Column> {
    let fields = statistics
        .iter()
        .filter_map(|statistic| Some((statistic, Field::named(&format!("delta_{statistic}_us"))?)));
    fields.map(|(statistic, field)| Column::named(field, "added", statistic)).collect()
}

fn unmeasured() -> Column {
    Column::new(["not", "measured", "% of time"], |sum| human::percent(human::unmeasured(sum)))
}

/// Returns the columns of a direction's rates, and its `last` one.
fn rates(last: impl Fn(Direction) -> Column) -> Vec<Column> {
    let of = |direction: Direction| {
        let rate = |(what, head): (&str, &str)| {
            let field = Field::named(&format!("{}_{what}_mean_bps", direction.name()))?;
            Some(Column::named(field, direction.name(), head))
        };
        let rates = [("delivery", "traffic"), ("desired", "desired")].into_iter().filter_map(rate);
        rates.chain([last(direction)]).collect::<Vec<_>>()
    };
    Direction::ALL.into_iter().flat_map(of).collect()
}

fn worst_state(direction: Direction) -> Column {
    let head = [direction.name(), "worst state", "% of time"];
    Column { width: 14, ..Column::new(head, move |sum| human::worst(sum, direction)) }
}

fn not_green(direction: Direction) -> Column {
    Column::new([direction.name(), "not green", "% of time"], move |sum| {
        let measured = sum.measured_ms(direction);
        let green = sum.state_ms(direction, CongestionState::Green);
        match measured {
            0 => "-".to_owned(),
            _ => human::percent((measured - green) as f64 / measured as f64),
        }
    })
}

fn head(out: &mut dyn Write, first: &str, width: usize, columns: &[Column]) -> io::Result<()> {
    for (line, label) in ["", first, ""].into_iter().enumerate() {
        let heads =
            columns.iter().map(|column| format!("  {:>1$}", column.head[line], column.width));
        let text = format!("{label:width$}{}", heads.collect::<String>());
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

fn cells(columns: &[Column], bucket: &Bucket) -> String {
    let cell = |column: &Column| format!("  {:>1$}", (column.text)(bucket), column.width);
    columns.iter().map(cell).collect()
}

/// Writes sums by the hour of the day or the day, WAN by WAN.
pub(super) fn print_groups(
    out: &mut dyn Write,
    asking: &QueryContext,
    groups: &[Group],
    by: By,
    limit: Delay,
) -> io::Result<()> {
    let minutes = move |sum: &Bucket| {
        over(sum, limit).map_or("-".to_owned(), |(_, ms)| format!("{:.1}", ms / 60_000.0))
    };
    let mut columns = delays(&["p50", "p95", "p99", "max"]);
    columns.push(Column::new(["over", &format!("{} ms", limit.millis()), "min"], minutes));
    columns.push(unmeasured());
    columns.extend(rates(not_green));
    let span = human::span(asking.question.from, asking.question.to, &asking.zone);
    for (place, wan) in asking.wans.iter().enumerate() {
        let above = if place > 0 { "\n" } else { "" };
        writeln!(out, "{above}{}, {span}", visible(wan))?;
        head(out, by.key(), 10, &columns)?;
        for Group { key, sum, .. } in groups.iter().filter(|group| group.wan == *wan) {
            writeln!(out, "{key:10}{}", cells(&columns, sum))?;
        }
    }
    Ok(())
}

/// Writes rows.
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
        let mut columns = delays(&["p50", "p95", "max"]);
        columns.push(unmeasured());
        columns.extend(rates(worst_state));
        columns
    };
    let (clock, width) = clock(&question, zone);
    let span = human::span(question.from, question.to, zone);
    let mut wan = None;
    for row in Rows::new(reader, &question, usize::MAX, None)? {
        let row = row?;
        if wan.as_ref() != Some(&row.wan) {
            let above = if wan.is_some() { "\n" } else { "" };
            let length = length(question.resolution);
            writeln!(out, "{above}{}, {span}, {length} a row", visible(&row.wan))?;
            head(out, "time", width, &columns)?;
            wan = Some(row.wan);
        }
        let time = human::zoned(row.point.at, zone).strftime(clock).to_string();
        let tier = row.point.tier.map_or(Resolution::Raw, Resolution::Tier);
        // Rows that are older than the wanted resolution is kept are coarser.
        let note = if tier == question.resolution { "" } else { tier.name() };
        let note = if note.is_empty() { String::new() } else { format!("  in {note}") };
        writeln!(out, "{time:width$}{}{note}", cells(&columns, &row.point.bucket))?;
    }
    if wan.is_none() {
        let who = if wans.is_empty() { "the WANs".to_owned() } else { wans.join(", ") };
        writeln!(out, "nothing is recorded of {} from {span}", visible(&who))?;
    }
    Ok(())
}

/// Returns the resolution that gives a table of readable length.
fn readable(question: &HistoryQuery) -> Resolution {
    let seconds = (question.to.micros() - question.from.micros()) / 1_000_000;
    let fits = |tier: &Tier| seconds / tier.seconds() <= MAX_ROWS;
    match question.resolution {
        Resolution::Auto if seconds <= 10 => Resolution::Raw,
        Resolution::Auto => {
            Resolution::Tier(Tier::ALL.into_iter().find(fits).unwrap_or(Tier::Hour))
        }
        chosen => chosen,
    }
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
