//! Sums for each hour of the day or each day, on the clock of the wall.

use std::{collections::BTreeMap, io::Write};

use clap::ValueEnum;
use jiff::{ToSpan as _, Zoned};
use wanctl_core::{
    CongestionState, Direction,
    units::{Delay, Timestamp},
};

use super::{Format, QueryContext, groups::Group, human};
use crate::cli::history::groups;
use crate::{
    history::{Bucket, DelayKind, HistoryError, RateKind, Resolution, Tier},
    router::visible,
};

/// What cycles are put together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    /// 0 to 23, all days together: when is the link bad?
    HourOfDay,
    /// Each day of the calendar.
    Day,
}

impl By {
    const fn key(self) -> &'static str {
        match self {
            Self::HourOfDay => "hour",
            Self::Day => "day",
        }
    }

    fn of(self, at: &Zoned) -> String {
        at.strftime(if self == Self::Day { "%F" } else { "%H" }).to_string()
    }
}

pub(super) fn print(
    out: &mut dyn Write,
    asking: &QueryContext,
    format: Format,
    by: By,
    over: Delay,
) -> Result<(), anyhow::Error> {
    let mut groups = Vec::new();
    for wan in &asking.wans {
        let sums = if by == By::Day { days(asking, wan)? } else { hours(asking, wan)? };
        let group = |(key, sum): (String, Bucket)| Group { wan: wan.clone(), key, sum };
        groups.extend(sums.into_iter().filter(|(_, sum)| sum.cycles() > 0).map(group));
    }
    if format != Format::Table {
        return Ok(groups::write(out, &groups, by.key(), format, over)?);
    }
    for (place, wan) in asking.wans.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        let span = human::span(asking.question.from, asking.question.to, &asking.zone);
        writeln!(out, "{}, {span}", visible(wan))?;
        table(out, groups.iter().filter(|group| group.wan == *wan), by, over)?;
    }
    Ok(())
}

/// Sums up each day on its own: few spans, each of whole hours but for its ends.
fn days(asking: &QueryContext, wan: &str) -> Result<BTreeMap<String, Bucket>, HistoryError> {
    let end = asking.question.to;
    let mut from = asking.question.from;
    let mut sums = BTreeMap::new();
    while from < end {
        let here = human::zoned(from, &asking.zone);
        let next = here.date().checked_add(1.day()).ok();
        let next = next.and_then(|day| day.to_zoned(asking.zone.clone()).ok());
        let next = next.map_or(end, |at| Timestamp::from_micros(at.timestamp().as_microsecond()));
        let to = next.min(end);
        sums.insert(By::Day.of(&here), asking.reader.summary(wan, from, to)?.total);
        from = to;
    }
    Ok(sums)
}

/// Goes through the buckets between the first and the last whole hour once, and sums up what is
/// before and after.
fn hours(asking: &QueryContext, wan: &str) -> Result<BTreeMap<String, Bucket>, HistoryError> {
    let QueryContext { reader, question, zone, .. } = asking;
    // Some zones are off by half an hour, and then their hours are no buckets.
    let is_whole = |at: Timestamp| human::zoned(at, zone).offset().seconds() % 3600 == 0;
    let whole = is_whole(question.from) && is_whole(question.to);
    let tier = if whole { Tier::Hour } else { Tier::FiveMinutes };
    let length = tier.seconds() * 1_000_000;
    let [from, to] = [question.from, question.to].map(Timestamp::micros);
    let first = -(-from).div_euclid(length) * length;
    let last = to.div_euclid(length) * length;
    let mut sums: BTreeMap<String, Bucket> = BTreeMap::new();
    let mut add = |at: i64, bucket: &Bucket| {
        let key = By::HourOfDay.of(&human::zoned(Timestamp::from_micros(at), zone));
        sums.entry(key).or_default().merge(bucket);
    };
    let sum = |from, to| {
        let [from, to] = [from, to].map(Timestamp::from_micros);
        reader.summary(wan, from, to).map(|summary| summary.total)
    };
    if first >= last {
        // Not one whole bucket: at most one bound of an hour is in between.
        let bound = first.clamp(from, to);
        add(from, &sum(from, bound)?);
        add(bound, &sum(bound, to)?);
        return Ok(sums);
    }
    add(from, &sum(from, first)?);
    let [begin, end] = [first, last].map(Timestamp::from_micros);
    for point in reader.series(wan, begin, end, Resolution::Tier(tier))? {
        let point = point?;
        add(point.at.micros(), &point.bucket);
    }
    add(last, &sum(last, to)?);
    Ok(sums)
}

fn table<'a>(
    out: &mut dyn Write,
    groups: impl Iterator<Item = &'a Group>,
    by: By,
    over: Delay,
) -> std::io::Result<()> {
    let limit = format!("over {} ms", over.millis());
    let head = format!(
        "{:12}{:<38}{limit:>12}  {:>10}  {:<30}{}",
        "", "added delay", "not", "download", "upload"
    );
    writeln!(out, "{head}")?;
    writeln!(
        out,
        "{:10}  {:>7}  {:>7}  {:>7}  {:>9}  {:>12}  {:>10}{}",
        by.key(),
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
        "minutes",
        "measured",
        "   traffic   desired  not green".repeat(2)
    )?;
    for group in groups {
        let sum = &group.sum;
        let at = |quantile| reported(sum.quantile(DelayKind::Delta, quantile));
        let max = reported(sum.delay(DelayKind::Delta).map(|stats| stats.max));
        let minutes = group.over(over).map(|(_, millis)| millis / 60_000.0);
        let minutes = minutes.map_or_else(|| "-".to_owned(), |minutes| format!("{minutes:.1}"));
        write!(
            out,
            "{:10}  {:>7}  {:>7}  {:>7}  {max:>9}  {minutes:>12}  {:>10}",
            group.key,
            at(0.5),
            at(0.95),
            at(0.99),
            human::percent(human::unmeasured(sum))
        )?;
        for direction in Direction::ALL {
            let rate = |kind| {
                let mean = sum.rate(direction, kind).map(|rate| rate.mean.mbps());
                mean.map_or_else(|| "-".to_owned(), human::significant)
            };
            let (traffic, desired) = (rate(RateKind::Achieved), rate(RateKind::Desired));
            write!(out, "  {traffic:>8}  {desired:>8}  {:>9}", not_green(sum, direction))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn reported(delay: Option<Delay>) -> String {
    delay.map_or_else(|| "-".to_owned(), |delay| format!("{:.1}", delay.millis()))
}

/// Returns the share of the measured time in which a direction was not green.
fn not_green(sum: &Bucket, direction: Direction) -> String {
    let measured = sum.measured_ms(direction);
    if measured == 0 {
        return "-".to_owned();
    }
    let green = sum.state_ms(direction, CongestionState::Green);
    human::percent((measured - green) as f64 / measured as f64)
}
