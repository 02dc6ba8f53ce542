//! Sums of cycles, one for each group, as CSV and JSON: what summaries and `--by` have in common.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use wanctl_core::units::Delay;

use super::Format;
use crate::history::{Bucket, DelayKind, Field};

/// The cycles of one WAN that have something in common.
pub(super) struct Group {
    pub(super) wan: String,
    /// What they have in common: a day, an hour of the day.
    pub(super) key: String,
    pub(super) sum: Bucket,
}

impl Group {
    /// Returns the share of the measured cycles whose delay was over `limit`, and the time in ms
    /// that they stand for.
    pub(super) fn over(&self, limit: Delay) -> Option<(f64, f64)> {
        let share = self.sum.share_above(DelayKind::Delta, limit)?;
        let above = self.sum.above(DelayKind::Delta, limit) as f64;
        let cycle_ms = self.sum.span_ms() as f64 / self.sum.cycles().max(1) as f64;
        Some((share, above * cycle_ms))
    }
}

/// Writes groups for programs: every field, and the time over `limit`.
pub(super) fn write(
    out: &mut dyn Write,
    groups: &[Group],
    key: &str,
    format: Format,
    limit: Delay,
) -> io::Result<()> {
    let over = |group: &Group| group.over(limit).map(|(_, millis)| millis.round());
    if format == Format::Csv {
        let names: Vec<&str> = Field::all().iter().map(Field::name).collect();
        writeln!(out, "wan,{key},over_us,over_ms,{}", names.join(","))?;
        for group in groups {
            let millis = over(group).map_or_else(String::new, |millis| millis.to_string());
            write!(out, "{},{},{},{millis}", group.wan, group.key, limit.micros())?;
            for field in Field::all() {
                match field.value(&group.sum) {
                    Some(value) => write!(out, ",{value}")?,
                    None => out.write_all(b",")?,
                }
            }
            writeln!(out)?;
        }
        return Ok(());
    }
    let object = |group: &Group| {
        let mut members = Map::new();
        members.insert("wan".to_owned(), json!(group.wan));
        members.insert(key.to_owned(), json!(group.key));
        members.insert("over_us".to_owned(), json!(limit.micros()));
        members.insert("over_ms".to_owned(), json!(over(group)));
        for field in Field::all() {
            members.insert(field.name().to_owned(), json!(field.value(&group.sum)));
        }
        Value::Object(members)
    };
    let all: Vec<Value> = groups.iter().map(object).collect();
    serde_json::to_writer_pretty(&mut *out, &all)?;
    writeln!(out)
}
