//! The catalogue: where a metric is declared, once, beside what feeds it.
//!
//! A declaration is the metric's whole truth: its name as on the page, its labels, its help and
//! when it is there; its type is that of what feeds it, and its unit is the end of its name.
//! From the declarations come the registry that is scraped and the tables of `docs/metrics.md`.
//!
//! What holds for all of them, and is tested:
//! - base units; a counter ends in `_total`, an info in `_info`;
//! - what is unknown is absent, and everything else is there from the first scrape;
//! - the values of a label are bounded by the configuration.

mod figures;
mod table;

use std::{fmt, sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::EncodeMetric,
    metrics::{
        MetricType, TypedMetric,
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::{Histogram, NativeHistogramConfig},
    },
    registry::{Metric, Registry, Unit},
};

pub use figures::Figure;
use figures::{Figures, Infos};

/// The labels of a series: names as declared, in that order.
pub type Labels = Vec<(&'static str, String)>;
/// A gauge of fractions.
pub type FloatGauge = Gauge<f64, AtomicU64>;
/// A counter of fractions, such as a time integral.
pub type FloatCounter = Counter<f64, AtomicU64>;
/// Histograms that differ in their labels.
pub type Histograms = Family<Labels, Histogram, Buckets>;

/// Two neighbouring bounds of a native histogram differ by this factor at most.
const NATIVE_FACTOR: f64 = 1.1;
/// Most bounds of a native histogram: with that factor, six orders of magnitude.
const NATIVE_BUCKETS: usize = 160;
/// A native histogram that has too many bounds begins anew, but not more often than this.
const NATIVE_RESET: Duration = Duration::from_hours(1);

/// The units that a name may end in, the longest first.
const UNITS: [&str; 4] = ["bytes_per_second", "seconds", "bytes", "ratio"];

/// What kind of metric it is, as Prometheus sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number that only grows while the process lives.
    Counter,
    /// A number that moves.
    Gauge,
    /// Observations by size: classic and native at once.
    Histogram,
    /// A gauge that is always 1, with information in its labels.
    Info,
}

impl Kind {
    /// Returns the name that the exposition formats use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }

    /// Returns what the name of such a metric ends in.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Counter => "_total",
            Self::Info => "_info",
            Self::Gauge | Self::Histogram => "",
        }
    }

    fn of(kind: MetricType) -> Self {
        match kind {
            MetricType::Counter => Self::Counter,
            MetricType::Histogram => Self::Histogram,
            MetricType::Info => Self::Info,
            MetricType::Gauge | MetricType::Unknown => Self::Gauge,
        }
    }
}

/// What is said about a metric when it is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
    when: &'static str,
}

impl Spec {
    /// Describes a metric that is always there: its name as on the page, and one sentence without
    /// its full stop.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, labels: &[], help, when: "" }
    }

    /// Adds the names of its labels.
    #[must_use]
    pub const fn by(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }

    /// Says when a series of it is there, if it is not there always.
    #[must_use]
    pub const fn when(self, when: &'static str) -> Self {
        Self { when, ..self }
    }

    /// Returns the name as the library wants it: without suffix and without unit.
    fn stem(&self, kind: Kind) -> (&'static str, Option<Unit>) {
        let name = self.name.strip_suffix(kind.suffix()).unwrap_or(self.name);
        UNITS
            .iter()
            .find_map(|unit| {
                let stem = name.strip_suffix(unit)?.strip_suffix('_')?;
                Some((stem, Some(Unit::Other((*unit).to_owned()))))
            })
            .unwrap_or((name, None))
    }
}

/// A metric that was declared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Declared {
    /// Its subject, such as "Cycles"; a heading of the documentation.
    pub chapter: &'static str,
    /// Its name on the page.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// One sentence without its full stop.
    pub help: &'static str,
    /// When a series of it is there; empty for always.
    pub when: &'static str,
    /// The bounds of its classic buckets, if it is a histogram.
    pub buckets: &'static [f64],
}

impl Declared {
    /// Returns its unit; empty for plain counts, states and infos.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        let name = self.name.strip_suffix(self.kind.suffix()).unwrap_or(self.name);
        let ends = |unit: &&&str| name.strip_suffix(**unit).is_some_and(|stem| stem.ends_with('_'));
        UNITS.iter().find(ends).copied().unwrap_or("")
    }
}

/// Makes histograms with these bounds, classic and native at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Buckets(pub &'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        let native = NativeHistogramConfig::new(NATIVE_FACTOR)
            .max_buckets(NATIVE_BUCKETS)
            .min_reset_duration(NATIVE_RESET);
        Histogram::new_classic_and_native(self.0.iter().copied(), native)
    }
}

/// All metrics: declared, and ready to be scraped.
#[derive(Debug, Default)]
pub struct Catalogue {
    registry: Registry,
    declared: Vec<Declared>,
    chapter: &'static str,
}

impl Catalogue {
    /// Begins the chapter `title`: what is declared from now on belongs to it.
    pub fn chapter(&mut self, title: &'static str) {
        self.chapter = title;
    }

    /// Declares a metric without labels.
    pub fn one<M: Metric + Clone + Default>(&mut self, spec: Spec) -> M {
        let metric = M::default();
        self.register(spec, metric.clone(), &[]);
        metric
    }

    /// Declares a metric with labels; its series are made where it is fed.
    pub fn family<M>(&mut self, spec: Spec) -> Family<Labels, M>
    where
        M: EncodeMetric + TypedMetric + Default + fmt::Debug + Send + Sync + 'static,
    {
        let family = Family::<Labels, M>::default();
        self.register(spec, family.clone(), &[]);
        family
    }

    /// Declares histograms with these bounds, in the unit of the name.
    pub fn histograms(&mut self, spec: Spec, buckets: &'static [f64]) -> Histograms {
        let family = Histograms::new_with_constructor(Buckets(buckets));
        self.register(spec, family.clone(), buckets);
        family
    }

    /// Declares a metric that was there before the catalogue.
    pub fn adopt(&mut self, spec: Spec, metric: impl Metric) {
        self.register(spec, metric, &[]);
    }

    /// Declares metrics without labels that are read together at each scrape; an unknown one is
    /// left out. `read` must not wait.
    pub fn figures<const N: usize>(
        &mut self,
        figures: [Figure; N],
        read: impl Fn() -> [Option<f64>; N] + Send + Sync + 'static,
    ) {
        for Figure { kind, spec } in figures {
            self.declare(spec, kind, &[]);
        }
        let figures =
            Figures { figures: figures.to_vec(), read: Box::new(move || read().to_vec()) };
        self.registry.register_collector(Box::new(figures));
    }

    /// Declares an info whose series are read at each scrape: for each its labels' values, in the
    /// order of their names; none while they are unknown. `read` must not wait.
    pub fn info<S: IntoIterator<Item = Vec<String>>>(
        &mut self,
        spec: Spec,
        read: impl Fn() -> S + Send + Sync + 'static,
    ) {
        self.declare(spec, Kind::Info, &[]);
        let read = Box::new(move || read().into_iter().collect());
        self.registry.register_collector(Box::new(Infos { spec, read }));
    }

    /// Returns everything that was declared, in order.
    #[must_use]
    pub fn declared(&self) -> &[Declared] {
        &self.declared
    }

    /// Returns what is scraped.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    fn register(&mut self, spec: Spec, metric: impl Metric, buckets: &'static [f64]) {
        let kind = Kind::of(metric.metric_type());
        self.declare(spec, kind, buckets);
        match spec.stem(kind) {
            (stem, Some(unit)) => self.registry.register_with_unit(stem, spec.help, unit, metric),
            (name, None) => self.registry.register(name, spec.help, metric),
        }
    }

    fn declare(&mut self, spec: Spec, kind: Kind, buckets: &'static [f64]) {
        let Spec { name, labels, help, when } = spec;
        let chapter = self.chapter;
        self.declared.push(Declared { chapter, name, kind, labels, help, when, buckets });
    }
}
