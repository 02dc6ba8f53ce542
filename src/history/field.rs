//! What can be asked of a bucket: the columns of the documented views, under the same names.
//!
//! One vocabulary for SQL, CSV, JSON, tables and plots: integers whose unit ends the name.

mod choose;

use std::sync::LazyLock;

use wanctl_core::Direction;

use super::bucket::{Bucket, COLUMNS, DelayKind};

pub(super) use choose::choose;

/// A column of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    name: String,
    unit: Unit,
    read: Read,
}

/// What a field's number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds of delay.
    Micros,
    /// Milliseconds of time spent.
    Millis,
    /// Bits per second.
    BitsPerSecond,
    /// Bytes.
    Bytes,
    /// Things.
    Count,
}

/// How a field is read from a bucket. Columns are given by their place.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Read {
    Column(usize),
    /// kbit/s, told as bit/s.
    Kbps(usize),
    /// The mean over cycles: sum, count.
    Mean(usize, usize),
    /// The mean over time: bits (kbit/s times ms), ms.
    MeanRate(usize, usize),
    Quantile(DelayKind, f64),
}

/// All fields, in the order of the views.
static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let columns = COLUMNS.iter().enumerate();
    columns.flat_map(|(place, (column, _))| of_column(place, column)).collect()
});

/// What is told if nothing is asked for.
const DEFAULT_COLUMNS: [&str; 29] = [
    "cycles",
    "span_ms",
    "probes_sent",
    "probes_lost",
    "rtt_mean_us",
    "rtt_p95_us",
    "delta_mean_us",
    "delta_p50_us",
    "delta_p95_us",
    "delta_max_us",
    "baseline_mean_us",
    "download_unknown_ms",
    "download_green_ms",
    "download_yellow_ms",
    "download_soft_red_ms",
    "download_red_ms",
    "download_desired_mean_bps",
    "download_achieved_mean_bps",
    "download_bytes",
    "download_drops",
    "upload_unknown_ms",
    "upload_green_ms",
    "upload_yellow_ms",
    "upload_soft_red_ms",
    "upload_red_ms",
    "upload_desired_mean_bps",
    "upload_achieved_mean_bps",
    "upload_bytes",
    "upload_drops",
];

impl Field {
    /// Returns every field, in the order of the views.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &FIELDS
    }

    /// Returns what is told if nothing is asked for.
    #[must_use]
    pub fn default_columns() -> Vec<&'static Self> {
        FIELDS.iter().filter(|field| DEFAULT_COLUMNS.contains(&field.name.as_str())).collect()
    }

    /// Returns the field of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }

    /// Returns its name, which ends in its unit.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its unit.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// Returns its direction if it has one, and its name without direction and unit.
    #[must_use]
    pub fn topic(&self) -> (Option<Direction>, &str) {
        let of = |direction: Direction| {
            let rest = self.name.strip_prefix(direction.name())?.strip_prefix('_')?;
            Some((Some(direction), rest))
        };
        let (direction, rest) =
            Direction::ALL.into_iter().find_map(of).unwrap_or((None, &self.name));
        let bare = rest.strip_suffix(self.unit.suffix()).filter(|bare| !bare.is_empty());
        (direction, bare.map_or(rest, |bare| bare.trim_end_matches('_')))
    }

    /// Returns the value in a bucket, in the field's unit; `None` if it is not known, or is about a
    /// direction that is not shaped.
    #[must_use]
    pub fn value(&self, bucket: &Bucket) -> Option<i64> {
        if self.topic().0.is_some_and(|direction| !bucket.is_shaped(direction)) {
            return None;
        }
        let mean = |sum: usize, count: usize, factor: i64| {
            let count = bucket.at(count).filter(|&count| count > 0)?;
            Some(bucket.at(sum)?.saturating_mul(factor).div_euclid(count))
        };
        match self.read {
            Read::Column(place) => bucket.at(place),
            Read::Kbps(place) => bucket.at(place).map(|kbps| kbps.saturating_mul(1000)),
            Read::Mean(sum, count) => mean(sum, count, 1),
            Read::MeanRate(sum, time) => mean(sum, time, 1000),
            Read::Quantile(kind, quantile) => {
                bucket.quantile(kind, quantile).map(wanctl_core::units::Delay::micros)
            }
        }
    }
}

impl Unit {
    /// Returns what ends the names of fields in this unit.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Micros => "us",
            Self::Millis => "ms",
            Self::BitsPerSecond => "bps",
            Self::Bytes => "bytes",
            Self::Count => "",
        }
    }

    /// Returns the unit that people read, and how many of ours are one of it.
    #[must_use]
    pub const fn for_people(self) -> (&'static str, f64) {
        match self {
            Self::Micros => ("ms", 1e3),
            Self::Millis => ("s", 1e3),
            Self::BitsPerSecond => ("Mbit/s", 1e6),
            Self::Bytes => ("MB", 1e6),
            Self::Count => ("", 1.0),
        }
    }
}

/// The fields that a column of the tables stands for in the views.
fn of_column(place: usize, column: &str) -> Vec<Field> {
    let field = |name: String, unit, read| Field { name, unit, read };
    if let Some(stem) = column.strip_suffix("_sum_us") {
        let mean = field(format!("{stem}_mean_us"), Unit::Micros, Read::Mean(place, place - 1));
        let kind = match stem {
            "rtt" => DelayKind::Rtt,
            "delta" => DelayKind::Delta,
            _ => return vec![mean],
        };
        let quantile = |percent: u8| {
            let read = Read::Quantile(kind, f64::from(percent) / 100.0);
            field(format!("{stem}_p{percent}_us"), Unit::Micros, read)
        };
        return vec![mean, quantile(50), quantile(95), quantile(99)];
    }
    if let Some(stem) = column.strip_suffix("_sum_bits") {
        let read = Read::MeanRate(place, place - 1);
        return vec![field(format!("{stem}_mean_bps"), Unit::BitsPerSecond, read)];
    }
    if let Some(stem) = column.strip_suffix("_kbps") {
        return vec![field(format!("{stem}_bps"), Unit::BitsPerSecond, Read::Kbps(place))];
    }
    let unit = match column.rsplit('_').next() {
        Some("us") => Unit::Micros,
        Some("ms") => Unit::Millis,
        Some("bytes") => Unit::Bytes,
        _ => Unit::Count,
    };
    vec![field(column.to_owned(), unit, Read::Column(place))]
}

#[cfg(test)]
mod tests;
