//! Sums of cycles: of a whole span, of each hour of the day, of each day.

use std::{collections::BTreeMap, io::Write};

use clap::ValueEnum;
use jiff::ToSpan as _;
use serde_json::{Map, Value, json};
use wanctl_core::units::{Delay, Timestamp};

use super::{Format, QueryContext, human};
use crate::history::{Bucket, DelayKind, Field, HistoryError, Resolution, Tier, csv_values};

/// What cycles are put together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    /// 0 to 23, all days together: when is the link bad?
    HourOfDay,
    /// Each day of the calendar.
    Day,
}

impl By {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::HourOfDay => "hour",
            Self::Day => "day",
        }
    }
}

/// The cycles of one WAN that have something in common.
pub(super) struct Group {
    pub(super) wan: String,
    /// What they have in common: a day, an hour of the day, the whole span.
    pub(super) key: String,
    pub(super) sum: Bucket,
}

/// Returns the share of the measured cycles whose added delay was over `limit`, and the time in ms
/// that they stand for.
pub(super) fn over(sum: &Bucket, limit: Delay) -> Option<(f64, f64)> {
    let measured = sum.delay(DelayKind::Delta)?.cycles as f64;
    let above = sum.above(DelayKind::Delta, limit) as f64;
    let cycle_ms = sum.span_ms() as f64 / sum.cycles().max(1) as f64;
    Some((above / measured, above * cycle_ms))
}

/// Returns the sum of each WAN.
pub(super) fn whole(asking: &QueryContext) -> Result<Vec<Group>, HistoryError> {
    let (from, to) = (asking.question.from, asking.question.to);
    let key = human::span(from, to, &asking.zone);
    let group = |wan: &String| {
        let sum = asking.reader.summary(wan, from, to)?;
        Ok(Group { wan: wan.clone(), key: key.clone(), sum })
    };
    asking.wans.iter().map(group).collect()
}

/// Returns the sums of each WAN by the hour or the day on the clock of the zone.
pub(super) fn grouped(asking: &QueryContext, by: By) -> Result<Vec<Group>, HistoryError> {
    let mut groups = Vec::new();
    for wan in &asking.wans {
        let sums = match by {
            By::Day => days(asking, wan)?,
            By::HourOfDay => hours(asking, wan)?,
        };
        let group = |(key, sum)| Group { wan: wan.clone(), key, sum };
        groups.extend(sums.into_iter().filter(|(_, sum)| sum.cycles() > 0).map(group));
    }
    Ok(groups)
}

/// Sums up each day on its own: few spans, each of whole hours but for its ends.
fn days(asking: &QueryContext, wan: &str) -> Result<BTreeMap<String, Bucket>, HistoryError> {
    let QueryContext { reader, question, zone, .. } = asking;
    let mut from = question.from;
    let mut sums = BTreeMap::new();
    while from < question.to {
        let here = human::zoned(from, zone);
        let next = here.date().checked_add(1.day()).ok();
        let next = next.and_then(|day| day.to_zoned(zone.clone()).ok());
        let next = next.map(|at| Timestamp::from_micros(at.timestamp().as_microsecond()));
        let to = next.map_or(question.to, |next| next.min(question.to));
        sums.insert(here.strftime("%F").to_string(), reader.summary(wan, from, to)?);
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
    // Without a whole bucket both are the same: at most one bound of an hour is in between.
    let first = (-(-from).div_euclid(length) * length).clamp(from, to);
    let last = (to.div_euclid(length) * length).max(first);
    let mut sums: BTreeMap<String, Bucket> = BTreeMap::new();
    let mut add = |at: Timestamp, bucket: &Bucket| {
        let hour = human::zoned(at, zone).strftime("%H").to_string();
        sums.entry(hour).or_default().merge(bucket);
    };
    let [from, first, last, to] = [from, first, last, to].map(Timestamp::from_micros);
    add(from, &reader.summary(wan, from, first)?);
    for point in reader.series(wan, first, last, Resolution::Tier(tier))? {
        let point = point?;
        add(point.at, &point.bucket);
    }
    add(last, &reader.summary(wan, last, to)?);
    Ok(sums)
}

/// Writes groups for programs: every field, and the time over `limit`.
pub(super) fn write(
    out: &mut dyn Write,
    groups: &[Group],
    key: &str,
    format: Format,
    limit: Delay,
) -> Result<(), anyhow::Error> {
    let over = |group: &Group| over(&group.sum, limit).map(|(_, millis)| millis.round());
    if format == Format::Csv {
        let fields: Vec<&Field> = Field::all().iter().collect();
        let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
        writeln!(out, "wan,{key},over_us,over_ms,{}", names.join(","))?;
        for group in groups {
            let millis = over(group).map_or_else(String::new, |millis| millis.to_string());
            let values = csv_values(&fields, &group.sum);
            writeln!(out, "{},{},{},{millis}{values}", group.wan, group.key, limit.micros())?;
        }
        return Ok(());
    }
    let object = |group: &Group| -> Map<String, Value> {
        let known = [
            ("wan", json!(group.wan)),
            (key, json!(group.key)),
            ("over_us", json!(limit.micros())),
            ("over_ms", json!(over(group))),
        ];
        let values =
            Field::all().iter().map(|field| (field.name(), json!(field.value(&group.sum))));
        known.into_iter().chain(values).map(|(name, value)| (name.to_owned(), value)).collect()
    };
    let all: Vec<_> = groups.iter().map(object).collect();
    serde_json::to_writer_pretty(&mut *out, &all)?;
    Ok(writeln!(out)?)
}
