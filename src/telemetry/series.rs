//! Declares a metric once: its name, its help, its labels and the value that it shows.

use std::fmt::Debug;

use prometheus_client::metrics::{
    counter::Counter, family::Family, gauge::Gauge, histogram::Histogram,
};
use wanctl_core::units::MonoTime;

use crate::catalogue::{Catalogue, FloatCounter, FloatGauge, Histograms, Labels, Spec};

/// A new value that metrics are read from.
#[derive(Debug)]
pub(super) struct Observation<'a, T> {
    pub(super) new: &'a T,
    /// The value before, if there was one.
    pub(super) old: Option<&'a T>,
    pub(super) at: MonoTime,
    /// Time since the value before in seconds, 0 if there was none.
    pub(super) passed: f64,
}

/// The series of one metric with the same first labels.
pub(super) trait Series {
    type Family: Debug;
    type Value;

    fn declare(c: &mut Catalogue, spec: Spec, buckets: &'static [f64]) -> Self::Family;
    /// Resolves the series, each at zero unless it is absent while unknown.
    fn new(family: &Self::Family, labels: &Labels) -> Self;
    fn show(&mut self, value: Self::Value);
}

/// Shows a value that is convertible to that of the series: a flag as 0 or 1.
pub(super) fn show<S: Series>(series: &mut S, value: impl Into<S::Value>) {
    series.show(value.into());
}

macro_rules! plain_series {
    ($($metric:ty, $value:ty, $show:ident;)+) => {$(
        impl Series for $metric {
            type Family = Family<Labels, Self>;
            type Value = $value;

            fn declare(c: &mut Catalogue, spec: Spec, _: &'static [f64]) -> Self::Family {
                c.family(spec)
            }

            fn new(family: &Self::Family, labels: &Labels) -> Self {
                family.get_or_create_owned(labels)
            }

            fn show(&mut self, value: $value) {
                self.$show(value);
            }
        }
    )+};
}

plain_series! {
    Gauge, i64, set;
    FloatGauge, f64, set;
    Counter, u64, inc_by;
    FloatCounter, f64, inc_by;
}

impl Series for Histogram {
    type Family = Histograms;
    type Value = Option<f64>;

    fn declare(c: &mut Catalogue, spec: Spec, buckets: &'static [f64]) -> Histograms {
        c.histograms(spec, buckets)
    }

    fn new(family: &Histograms, labels: &Labels) -> Self {
        family.get_or_create_owned(labels)
    }

    fn show(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.observe(value);
        }
    }
}

/// A gauge that is not exported while its value is unknown, or a counter until it has counted.
#[derive(Debug, Clone)]
pub(super) struct Absent<M> {
    family: Family<Labels, M>,
    labels: Labels,
    /// The series, while it is exported.
    series: Option<M>,
}

impl Series for Absent<FloatGauge> {
    type Family = Family<Labels, FloatGauge>;
    type Value = Option<f64>;

    fn declare(c: &mut Catalogue, spec: Spec, _: &'static [f64]) -> Self::Family {
        c.family(spec)
    }

    fn new(family: &Self::Family, labels: &Labels) -> Self {
        Self { family: family.clone(), labels: labels.clone(), series: None }
    }

    fn show(&mut self, value: Option<f64>) {
        let Self { family, labels, series } = self;
        if let Some(value) = value {
            series.get_or_insert_with(|| family.get_or_create_owned(labels)).set(value);
        } else if series.take().is_some() {
            family.remove(labels);
        }
    }
}

impl Series for Absent<Counter> {
    type Family = Family<Labels, Counter>;
    type Value = u64;

    fn declare(c: &mut Catalogue, spec: Spec, _: &'static [f64]) -> Self::Family {
        c.family(spec)
    }

    fn new(family: &Self::Family, labels: &Labels) -> Self {
        Self { family: family.clone(), labels: labels.clone(), series: None }
    }

    fn show(&mut self, value: u64) {
        let Self { family, labels, series } = self;
        if value > 0 {
            series.get_or_insert_with(|| family.get_or_create_owned(labels)).inc_by(value);
        }
    }
}

/// What distinguishes the series of a metric beyond their first labels.
pub(super) trait LabelValue: Copy + PartialEq + Debug {
    fn all() -> Vec<Self>;
    fn labels(self) -> Vec<(&'static str, &'static str)>;
}

/// Implements [`LabelValue`] for an enum with codes, and for its transitions if it has any.
macro_rules! label_value {
    ($name:ty: $label:literal, $code:ident) => {
        impl $crate::telemetry::series::LabelValue for $name {
            fn all() -> Vec<Self> {
                Self::ALL.to_vec()
            }

            fn labels(self) -> Vec<(&'static str, &'static str)> {
                vec![($label, self.$code())]
            }
        }
    };
    ($name:ty: $label:literal, $code:ident, transitions) => {
        label_value!($name: $label, $code);

        impl $crate::telemetry::series::LabelValue for ($name, $name) {
            fn all() -> Vec<Self> {
                let pairs = <$name>::ALL.iter().flat_map(|from| {
                    <$name>::ALL.iter().filter(move |to| *to != from).map(move |to| (*from, *to))
                });
                pairs.collect()
            }

            fn labels(self) -> Vec<(&'static str, &'static str)> {
                vec![("from", self.0.$code()), ("to", self.1.$code())]
            }
        }
    };
}
pub(super) use label_value;

/// One series for each value of `E`.
#[derive(Debug, Clone)]
pub(super) struct By<E, M>(Vec<(E, M)>);

impl<E: LabelValue, M> By<E, M> {
    /// Shows what `value` gives for each value of `E`.
    pub(super) fn show_each<V: Into<M::Value>>(&mut self, value: impl Fn(E) -> V)
    where
        M: Series,
    {
        for (each, series) in &mut self.0 {
            series.show(value(*each).into());
        }
    }
}

impl<E: LabelValue> By<E, FloatGauge> {
    /// Sets the series of one value.
    pub(super) fn set(&self, which: E, value: f64) {
        if let Some((_, gauge)) = self.0.iter().find(|(each, _)| *each == which) {
            gauge.set(value);
        }
    }
}

macro_rules! series_by {
    ($($metric:ty, $value:ty, |$by:ident, $new:ident| $show:expr;)+) => {$(
        impl<E: LabelValue> Series for By<E, $metric> {
            type Family = Family<Labels, $metric>;
            type Value = $value;

            fn declare(c: &mut Catalogue, spec: Spec, _: &'static [f64]) -> Self::Family {
                c.family(spec)
            }

            fn new(family: &Self::Family, labels: &Labels) -> Self {
                let series = |each: E| {
                    let more = each.labels().into_iter();
                    let more = more.map(|(name, code)| (name, code.to_owned()));
                    let labels: Labels = labels.iter().cloned().chain(more).collect();
                    (each, family.get_or_create_owned(&labels))
                };
                Self(E::all().into_iter().map(series).collect())
            }

            fn show(&mut self, $new: $value) {
                let $by = self;
                $show
            }
        }
    )+};
}

series_by! {
    Gauge, E, |by, new| by.show_each(|each| each == new);
    Counter, Option<E>, |by, new| by.show_each(|each| new == Some(each));
    FloatCounter, Option<(E, f64)>, |by, new| by.show_each(|each| match new {
        Some((now, value)) if each == now => value,
        _ => 0.0,
    });
    FloatGauge, (E, f64), |by, new| by.set(new.0, new.1);
}

/// Declares a chapter's metrics that have their first labels in common: the families
/// `$families`, registered once, and the series `$metrics` of each value of the labels. A metric
/// with `=> |observation|` shows that value of each observation.
macro_rules! metrics {
    (
        $metrics:ident of $families:ident from $source:ty,
        $chapter:literal, by $labels:expr, when $when:expr;
        $(
            $field:ident: $kind:ty, $name:literal, $help:expr
            $(, by $by:expr)? $(, when $only:expr)? $(, buckets $buckets:expr)? $(=> $read:expr)?;
        )+
    ) => {
        #[derive(Debug)]
        pub(super) struct $families {
            $($field: <$kind as Series>::Family,)+
        }

        impl $families {
            pub(super) fn register(c: &mut $crate::catalogue::Catalogue) -> Self {
                c.chapter($chapter);
                Self {$(
                    $field: {
                        let spec = $crate::catalogue::Spec::new($name, $help);
                        let spec = spec.by($labels).when($when);
                        $(let spec = spec.by($by);)?
                        $(let spec = spec.when($only);)?
                        let buckets: &[&'static [f64]] = &[$($buckets)?];
                        <$kind as Series>::declare(c, spec, buckets.first().copied().unwrap_or(&[]))
                    },
                )+}
            }
        }

        #[derive(Debug, Clone)]
        pub(super) struct $metrics {
            $(pub(super) $field: $kind,)+
        }

        impl $metrics {
            pub(super) fn new(all: &$families, labels: &$crate::catalogue::Labels) -> Self {
                Self { $($field: Series::new(&all.$field, labels),)+ }
            }

            pub(super) fn record(&mut self, observation: &Observation<'_, $source>) {
                $($(
                    let read: fn(&Observation<'_, $source>) -> _ = $read;
                    show(&mut self.$field, read(observation));
                )?)+
            }
        }
    };
}
pub(super) use metrics;
