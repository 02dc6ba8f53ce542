//! The columns of an answer: those of the documented views, under the same names.
//!
//! One vocabulary for SQL, CSV, JSON, tables and plots: integers whose unit ends the name.

mod choose;

use std::sync::LazyLock;

use wanctl_core::{Direction, units::Delay};

use super::bucket::{Bucket, COLUMNS, DERIVED, DelayKind};

pub(super) use choose::choose;

/// A column of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    name: String,
    unit: Unit,
    read: Read,
}

/// The unit of a field's number.
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
    /// No unit.
    Count,
}

/// How a field is read from a bucket. Columns are given by their place.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Read {
    /// The column times a factor.
    Column(usize, i64),
    /// The mean: a sum and what it is divided by, times a factor.
    Mean(usize, usize, i64),
    Quantile(DelayKind, f64),
}

/// All fields, in the order of the views.
static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let columns = COLUMNS.iter().enumerate();
    columns.flat_map(|(place, (column, _))| of_column(place, column)).collect()
});

/// The fields of an answer if none are asked for.
const DEFAULT_COLUMNS: &str = "cycles,span_ms,probes_sent,probes_lost,rtt_mean,rtt_p95,delta_mean,\
     delta_p50,delta_p95,delta_max,baseline_mean,state,desired_mean,delivery_mean,bytes,drops";

impl Field {
    /// Returns every field, in the order of the views.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &FIELDS
    }

    /// Returns the fields of an answer if none are asked for.
    #[must_use]
    pub fn default_columns() -> Vec<&'static Self> {
        let mut fields = choose(DEFAULT_COLUMNS).unwrap_or_default();
        fields.sort_by_key(|field| FIELDS.iter().position(|known| known == *field));
        fields
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
        let (direction, rest) = self.split();
        let bare = rest.strip_suffix(self.unit.suffix()).filter(|bare| !bare.is_empty());
        (direction, bare.map_or(rest, |bare| bare.trim_end_matches('_')))
    }

    /// Returns its direction if it has one, and its name without it.
    fn split(&self) -> (Option<Direction>, &str) {
        let of = |direction: Direction| {
            let rest = self.name.strip_prefix(direction.name())?.strip_prefix('_')?;
            Some((Some(direction), rest))
        };
        Direction::ALL.into_iter().find_map(of).unwrap_or((None, &self.name))
    }

    /// Returns the value in a bucket, in the field's unit; `None` if it is not known, or is about a
    /// direction that is not shaped.
    #[must_use]
    pub fn value(&self, bucket: &Bucket) -> Option<i64> {
        if self.split().0.is_some_and(|direction| !bucket.is_shaped(direction)) {
            return None;
        }
        match self.read {
            Read::Column(place, factor) => bucket.at(place).map(|v| v.saturating_mul(factor)),
            Read::Mean(sum, count, factor) => {
                let count = bucket.at(count).filter(|&count| count > 0)?;
                Some(bucket.at(sum)?.saturating_mul(factor).div_euclid(count))
            }
            Read::Quantile(kind, quantile) => bucket.quantile(kind, quantile).map(Delay::micros),
        }
    }

    /// Returns the expression of SQL that reads the field from a tier's table; `None` if only the
    /// histogram has it.
    pub(super) fn sql(&self) -> Option<String> {
        let name = |place: usize| COLUMNS[place].0.as_str();
        let times = |factor| if factor == 1 { String::new() } else { format!(" * {factor}") };
        match self.read {
            Read::Column(place, factor) => Some(format!("{}{}", name(place), times(factor))),
            Read::Mean(sum, count, factor) => {
                Some(format!("{}{} / nullif({}, 0)", name(sum), times(factor), name(count)))
            }
            Read::Quantile(..) => {
                DERIVED.iter().any(|(name, ..)| *name == self.name).then(|| self.name.clone())
            }
        }
    }
}

impl Unit {
    /// Returns the suffix of the names of fields in this unit.
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

/// Returns the fields that a column of the tables stands for in the views: a sum is shown as a mean,
/// whose divisor is the column before it.
fn of_column(place: usize, column: &str) -> Vec<Field> {
    let field = |name: String, unit, read| Field { name, unit, read };
    if let Some(stem) = column.strip_suffix("_sum_us") {
        let read = Read::Mean(place, place - 1, 1);
        let mut fields = vec![field(format!("{stem}_mean_us"), Unit::Micros, read)];
        let kinds = [("rtt", DelayKind::Rtt), ("delta", DelayKind::Delta)];
        if let Some((_, kind)) = kinds.into_iter().find(|(name, _)| *name == stem) {
            fields.extend([50_u8, 95, 99].map(|percent| {
                let read = Read::Quantile(kind, f64::from(percent) / 100.0);
                field(format!("{stem}_p{percent}_us"), Unit::Micros, read)
            }));
        }
        return fields;
    }
    let (name, unit, read) = if let Some(stem) = column.strip_suffix("_sum_bits") {
        let read = Read::Mean(place, place - 1, 1000);
        (format!("{stem}_mean_bps"), Unit::BitsPerSecond, read)
    } else if let Some(stem) = column.strip_suffix("_kbps") {
        (format!("{stem}_bps"), Unit::BitsPerSecond, Read::Column(place, 1000))
    } else {
        let units = [Unit::Micros, Unit::Millis, Unit::Bytes];
        let last = column.rsplit('_').next().unwrap_or_default();
        let unit = units.into_iter().find(|unit| unit.suffix() == last).unwrap_or(Unit::Count);
        (column.to_owned(), unit, Read::Column(place, 1))
    };
    vec![field(name, unit, read)]
}

#[cfg(test)]
mod tests;
