//! A series that comes and goes.

use prometheus_client::metrics::family::Family;

use crate::catalogue::{FloatGauge, Labels};

/// A gauge that is not exported while its value is unknown.
#[derive(Debug)]
pub(super) struct Absent {
    family: Family<Labels, FloatGauge>,
    labels: Labels,
    /// The series, while it is exported.
    series: Option<FloatGauge>,
}

impl Absent {
    pub(super) fn new(family: &Family<Labels, FloatGauge>, labels: Labels) -> Self {
        Self { family: family.clone(), labels, series: None }
    }

    pub(super) fn set(&mut self, value: Option<f64>) {
        let Self { family, labels, series } = self;
        match value {
            Some(value) => {
                let known = series.get_or_insert_with(|| family.get_or_create_owned(labels));
                known.set(value);
            }
            None => {
                if series.take().is_some() {
                    family.remove(labels);
                }
            }
        }
    }
}
