//! The history as an OpenMetrics text, for `promtool tsdb create-blocks-from openmetrics`.
//!
//! A name that `/metrics` has means the same here: counters and histograms are cumulative from the
//! start of the export, gauges are the means of their buckets. Each sample has the time at which
//! its bucket ended, because that is when a scrape would have seen it.
//!
//! OpenMetrics wants each series in one piece, and the history has all of them in each row. So the
//! samples go through a [`Spool`] on disk: one pass over the history, little memory.

mod family;
mod spool;

use std::{
    io::{self, Write},
    sync::Arc,
};

use wanctl_core::units::Timestamp;

use super::{AnswerError, HistoryQuery, Row, Rows};
use family::{Family, Series, Sums};
use spool::Spool;

/// Writes all rows as OpenMetrics; `see` is shown each. No sample is later than `now`.
///
/// # Errors
/// [`AnswerError`].
pub fn export(
    out: &mut dyn Write,
    rows: &mut Rows<'_>,
    question: &HistoryQuery,
    now: Timestamp,
    mut see: impl FnMut(&Row),
) -> Result<(), AnswerError> {
    let families = family::all();
    let series: Vec<(&str, &Series)> = families
        .iter()
        .flat_map(|family| family.series.iter().map(|series| (family.name, series)))
        .collect();
    let mut spool = Spool::new(series.len())?;
    let mut sums: Vec<Sums> = vec![Sums::default(); series.len()];
    let mut wan: Option<(Arc<str>, String)> = None;
    let mut lines = Vec::new();
    for row in rows {
        let row = row?;
        let label = match &wan {
            Some((name, label)) if *name == row.wan => label,
            _ => {
                sums.fill(Sums::default());
                &wan.insert((Arc::clone(&row.wan), label(&row.wan))).1
            }
        };
        let at = ended(&row, question, now);
        for (place, (name, series)) in series.iter().enumerate() {
            series.write(name, label, &row.point.bucket, &at, &mut sums[place], &mut lines)?;
            spool.add(place, &lines)?;
            lines.clear();
        }
        see(&row);
    }
    write_family(out, &families, &mut spool)?;
    Ok(())
}

/// Writes what was spooled, family after family, and the end.
fn write_family(out: &mut dyn Write, families: &[Family], spool: &mut Spool) -> io::Result<()> {
    let mut place = 0;
    for family in families {
        let places = place..place + family.series.len();
        place = places.end;
        if places.clone().all(|place| spool.is_empty(place)) {
            continue;
        }
        let Family { name, unit, help, .. } = family;
        writeln!(out, "# TYPE {name} {}", family.kind())?;
        if let Some(unit) = unit {
            writeln!(out, "# UNIT {name} {unit}")?;
        }
        writeln!(out, "# HELP {name} {help}")?;
        for place in places {
            spool.copy(place, out)?;
        }
    }
    out.write_all(b"# EOF\n")
}

/// Returns the label of a WAN.
fn label(wan: &str) -> String {
    let escaped = wan.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("wan=\"{escaped}\"")
}

/// Returns when a row ended, as the format has it: in seconds.
fn ended(row: &Row, question: &HistoryQuery, now: Timestamp) -> String {
    let length = row.point.tier.map_or(0, |tier| tier.seconds() * 1_000_000);
    let end = Timestamp::from_micros(row.point.at.micros().saturating_add(length));
    // The bucket that is not complete yet ends here.
    let end = end.min(now.max(question.from));
    let millis = end.micros().div_euclid(1000);
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}

#[cfg(test)]
mod tests;
