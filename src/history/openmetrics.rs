//! The history as an OpenMetrics text, for `promtool tsdb create-blocks-from openmetrics`.
//!
//! A name that `/metrics` has means the same here: counters and histograms are cumulative from the
//! start of the export, gauges are the means of their buckets. Each sample has the time at which
//! its bucket ended, because that is when a scrape would have seen it.
//!
//! OpenMetrics wants each series in one piece, and the history has all of them in each row. So the
//! samples of each series go through a nameless file: one pass over the history, little memory.

mod family;

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Seek as _, Write},
    sync::Arc,
};

use wanctl_core::units::Timestamp;

use super::{AnswerError, HistoryQuery, Row, Rows};
use family::{FAMILIES, Series, Sums};

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
    let series: Vec<Series> = FAMILIES.iter().flat_map(family::Family::series).collect();
    let spool = |_| tempfile::tempfile().map(BufWriter::new);
    let mut spools = series.iter().map(spool).collect::<io::Result<Vec<BufWriter<File>>>>()?;
    let mut sums: Vec<Sums> = vec![Sums::default(); series.len()];
    let mut wan: Option<(Arc<str>, String)> = None;
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
        for ((series, spool), sums) in series.iter().zip(&mut spools).zip(&mut sums) {
            series.write(label, &row.point.bucket, &at, sums, spool)?;
        }
        see(&row);
    }
    let mut begun = "";
    for (series, spool) in series.iter().zip(spools) {
        let mut spool = spool.into_inner().map_err(io::IntoInnerError::into_error)?;
        if spool.stream_position()? == 0 {
            continue;
        }
        let family = FAMILIES.iter().find(|family| family.name == series.family);
        if let Some(family) = family.filter(|family| family.name != begun) {
            begun = family.name;
            writeln!(out, "# TYPE {begun} {}", family.kind())?;
            if let Some(unit) = family.unit() {
                writeln!(out, "# UNIT {begun} {unit}")?;
            }
            writeln!(out, "# HELP {begun} {}", family.help)?;
        }
        spool.rewind()?;
        io::copy(&mut BufReader::new(spool), out)?;
    }
    Ok(out.write_all(b"# EOF\n")?)
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
