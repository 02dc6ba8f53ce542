//! `wanctl simulate --set`: other values of the tunable numbers, one run for each combination.

use std::str::FromStr;

use wanctl_core::{ParamError, Params};
use wanctl_lab::law_benchmark::Scenario;

/// One number and the values to try.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sweep {
    key: String,
    values: Vec<f64>,
}

/// Values of some numbers, with what distinguishes them in a table: `key=value …`, or nothing if all
/// runs have the same.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Variant {
    label: String,
    values: Vec<(String, f64)>,
}

impl FromStr for Sweep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, values) = text.split_once('=').ok_or("expected KEY=VALUE")?;
        let number = |text: &str| {
            let number = text.trim().parse();
            let number = number.map_err(|_| format!("`{key}`: `{text}` is not a number"))?;
            Params::default().set(key, number).map_err(|error| error.to_string())?;
            Ok::<_, String>(number)
        };
        let values = values.split(',').map(number).collect::<Result<_, _>>()?;
        Ok(Self { key: key.to_owned(), values })
    }
}

/// Returns every combination of the values; without a number to set, one that sets none.
pub(super) fn variants(sweeps: &[Sweep]) -> Vec<Variant> {
    sweeps.iter().fold(vec![Variant::default()], |variants, Sweep { key, values }| {
        let with = |variant: &Variant, value: f64| {
            let mut variant = variant.clone();
            if values.len() > 1 {
                let part = format!("{key}={value}");
                variant.label = match variant.label.as_str() {
                    "" => part,
                    others => format!("{others} {part}"),
                };
            }
            variant.values.push((key.clone(), value));
            variant
        };
        variants.iter().flat_map(|v| values.iter().map(|value| with(v, *value))).collect()
    })
}

/// Returns the scenario with the numbers of each variant.
pub(super) fn apply<'a>(
    scenario: &Scenario,
    variants: &'a [Variant],
) -> Result<Vec<(&'a str, Scenario)>, ParamError> {
    let with = |variant: &'a Variant| {
        let mut scenario = scenario.clone();
        for (key, value) in &variant.values {
            scenario.params.tuning.set(key, *value)?;
        }
        Ok((variant.label.as_str(), scenario))
    };
    variants.iter().map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_run_and_named_by_what_differs() {
        let sweep = |text: &str| text.parse::<Sweep>();
        let sweeps = ["policy.adaptive.decay_tau_s=10,20", "policy.adaptive.lead=1.2"];
        let variants = variants(&sweeps.map(|text| sweep(text).unwrap()));
        let labels: Vec<_> = variants.iter().map(|variant| variant.label.as_str()).collect();
        assert_eq!(labels, ["policy.adaptive.decay_tau_s=10", "policy.adaptive.decay_tau_s=20"]);
        assert!(variants.iter().all(|variant| variant.values.len() == 2));
        for wrong in ["policy.adaptive.lead", "lead=1", "policy.adaptive.lead=0.1", "a.b=x"] {
            assert!(sweep(wrong).is_err(), "{wrong}");
        }
    }
}
