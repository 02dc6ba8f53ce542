//! Tunable numbers of estimate and policy, each named once: key, unit, range, default and reason.
//!
//! A key is the path of its group and the name of the number, with the unit at its end where it has
//! one: `policy.adaptive.decay_tau_s`. A recording holds all of them; `wanctl replay --set` and
//! `wanctl simulate --set` change them. Physical constants and conversions of units stay beside
//! their formulas.

mod estimate;
mod policy;

use std::{collections::BTreeMap, fmt, ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};

pub(crate) use estimate::*;
pub(crate) use policy::*;

use crate::units::{BitRate, Delay};

/// All tunable numbers of one WAN, within their ranges.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(into = "BTreeMap<String, f64>", try_from = "BTreeMap<String, f64>")]
pub struct Params {
    pub(crate) estimate: EstimateParams,
    pub(crate) pending: PendingParams,
    pub(crate) adaptive: AdaptiveParams,
    pub(crate) zone: ZoneTiming,
}

/// One tunable number.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// The name that `--set` takes.
    pub key: String,
    /// The value, in the unit of the key.
    pub value: f64,
    /// The value where nothing else is set.
    pub default: f64,
    /// The values that are allowed.
    pub range: RangeInclusive<f64>,
    /// The unit: `ms`, `s`, `/s`, …; empty for a ratio.
    pub unit: &'static str,
    /// What it is, and why it has this default.
    pub about: &'static str,
}

/// Why a number cannot be set.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamError {
    /// There is no number with this key.
    UnknownKey(String),
    /// The value is outside its range, or not whole although it counts something.
    OutOfRange {
        /// The key.
        key: String,
        /// The value.
        value: f64,
        /// The values that are allowed.
        range: RangeInclusive<f64>,
    },
}

impl std::error::Error for ParamError {}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey(key) => {
                write!(f, "no number is called `{key}`; `wanctl simulate --list` has them")
            }
            Self::OutOfRange { key, value, range } => {
                write!(f, "`{key}` is {value}, but must be {} to {}", range.start(), range.end())
            }
        }
    }
}

impl Params {
    /// Returns every number, in the order of the documentation.
    #[must_use]
    pub fn list(&self) -> Vec<Param> {
        let (mut copy, mut all) = (*self, Vec::new());
        copy.groups().iter().for_each(|group| group.list(&mut all));
        all
    }

    /// Sets the number called `key`, in the unit of the key.
    ///
    /// # Errors
    /// [`ParamError`]; then nothing has changed.
    pub fn set(&mut self, key: &str, value: f64) -> Result<(), ParamError> {
        let found = self.groups().into_iter().find_map(|group| group.set(key, value));
        found.unwrap_or_else(|| Err(ParamError::UnknownKey(key.to_owned())))
    }
}

impl From<Params> for BTreeMap<String, f64> {
    fn from(params: Params) -> Self {
        params.list().into_iter().map(|param| (param.key, param.value)).collect()
    }
}

impl TryFrom<BTreeMap<String, f64>> for Params {
    type Error = ParamError;

    /// What is missing has its default.
    fn try_from(numbers: BTreeMap<String, f64>) -> Result<Self, ParamError> {
        let mut params = Self::default();
        numbers.iter().try_for_each(|(key, value)| params.set(key, *value))?;
        Ok(params)
    }
}

/// Numbers that belong together.
trait Group {
    /// Appends each number.
    fn list(&self, to: &mut Vec<Param>);
    /// Sets the number called `key`; `None` if it is none of these.
    fn set(&mut self, key: &str, value: f64) -> Option<Result<(), ParamError>>;
}

/// A type that a number can have.
trait Tunable: Copy {
    /// Only whole numbers are values.
    const IS_WHOLE: bool = false;
    fn of(number: f64, unit: &str) -> Self;
    fn number(self, unit: &str) -> f64;
}

impl Tunable for f64 {
    fn of(number: f64, _: &str) -> Self {
        number
    }

    fn number(self, _: &str) -> f64 {
        self
    }
}

impl Tunable for Duration {
    fn of(number: f64, unit: &str) -> Self {
        Self::from_secs_f64(if unit == "ms" { number / 1e3 } else { number })
    }

    fn number(self, unit: &str) -> f64 {
        // From whole nanoseconds, so that 0.15 s are 150 ms.
        self.as_nanos() as f64 / if unit == "ms" { 1e6 } else { 1e9 }
    }
}

impl Tunable for Delay {
    fn of(number: f64, _: &str) -> Self {
        Self::from_millis_f64(number)
    }

    fn number(self, _: &str) -> f64 {
        self.millis()
    }
}

impl Tunable for BitRate {
    fn of(number: f64, _: &str) -> Self {
        Self::from_mbps(number / 1e3)
    }

    fn number(self, _: &str) -> f64 {
        self.bps() as f64 / 1e3
    }
}

macro_rules! whole {
    ($($type:ty),+) => {$(
        impl Tunable for $type {
            const IS_WHOLE: bool = true;

            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "`as` saturates, and the range has been checked"
            )]
            fn of(number: f64, _: &str) -> Self {
                number as Self
            }

            #[expect(clippy::allow_attributes, reason = "not each of the types needs it")]
            #[allow(clippy::cast_lossless, reason = "usize has no `From`")]
            fn number(self, _: &str) -> f64 {
                self as f64
            }
        }
    )+};
}
whole!(u32, usize);

/// Returns the key of `field` in the group at `path`.
fn key(path: &str, field: &str, unit: &str) -> String {
    let suffix = match unit {
        "ms" => "_ms",
        "s" => "_s",
        "/s" => "_per_s",
        "kbit/s" => "_kbps",
        "bytes" => "_bytes",
        _ => "",
    };
    format!("{path}.{field}{suffix}")
}

/// Checks and converts one value.
fn checked<T: Tunable>(param: &Param, value: f64, into: &mut T) -> Result<(), ParamError> {
    if !param.range.contains(&value) || (T::IS_WHOLE && value.fract() != 0.0) {
        let (key, range) = (param.key.clone(), param.range.clone());
        return Err(ParamError::OutOfRange { key, value, range });
    }
    *into = T::of(value, param.unit);
    Ok(())
}

/// Declares a group: `name: type = default, "unit", range;` with the reason as documentation.
macro_rules! params {
    ($(#[$outer:meta])* $name:ident at $path:literal {
        $( $(#[doc = $doc:literal])+
           $field:ident: $type:ty = $default:expr, $unit:literal, $range:expr; )+
    }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub(crate) struct $name {
            $( $(#[doc = $doc])+
               #[doc = concat!("\n\n`", stringify!($default), "` ", $unit, ", `", stringify!($range), "`.")]
               pub(crate) $field: $type, )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: Tunable::of($default, $unit), )+ }
            }
        }

        impl Group for $name {
            fn list(&self, to: &mut Vec<Param>) {
                $( to.push(Param {
                    key: key($path, stringify!($field), $unit),
                    value: self.$field.number($unit),
                    default: $default,
                    range: $range,
                    unit: $unit,
                    about: concat!($($doc),+).trim_ascii_start(),
                }); )+
            }

            fn set(&mut self, key: &str, value: f64) -> Option<Result<(), ParamError>> {
                let mut all = Vec::new();
                self.list(&mut all);
                let mut all = all.into_iter();
                $( if let Some(param) = all.next() && param.key == key {
                    return Some(checked(&param, value, &mut self.$field));
                } )+
                None
            }
        }
    };
}
use params;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_within_its_range_and_keys_are_unique() {
        let all = Params::default().list();
        for param in &all {
            assert!(param.range.contains(&param.default), "{param:?}");
            assert!((param.value - param.default).abs() < 1e-9, "{param:?}");
            assert!(param.about.ends_with('.') && param.about.len() > 10, "{param:?}");
        }
        let mut keys: Vec<_> = all.iter().map(|param| &param.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all.len());
    }

    #[test]
    fn a_number_outside_its_range_is_refused_and_changes_nothing() {
        let mut params = Params::default();
        for (key, value) in [
            ("policy.adaptive.drain_min_share", 1.5),
            ("policy.adaptive.drain_min_share", f64::NAN),
            ("estimate.path_offset.ineffective_cuts", 1.5),
        ] {
            let error = params.set(key, value).unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
        }
        assert!(params.set("policy.adaptive.no_such", 1.0).is_err());
        assert_eq!(params, Params::default());
        params.set("policy.adaptive.decay_tau_s", 30.0).unwrap();
        assert_eq!(params.adaptive.decay_tau, Duration::from_secs(30));
    }

    #[test]
    fn a_map_of_numbers_restores_them_all() {
        let mut params = Params::default();
        params.set("estimate.capacity.proven_for_s", 60.0).unwrap();
        let numbers = BTreeMap::from(params);
        assert_eq!(Params::try_from(numbers), Ok(params));
    }
}
