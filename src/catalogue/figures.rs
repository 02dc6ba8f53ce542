//! Metrics whose values lie elsewhere and are read at each scrape.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::{Kind, Spec};

/// One of several metrics that are read together.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    pub(super) kind: Kind,
    pub(super) spec: Spec,
}

impl Figure {
    /// A counter.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { kind: Kind::Counter, spec: Spec::new(name, help) }
    }

    /// A gauge.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { kind: Kind::Gauge, spec: Spec::new(name, help) }
    }

    /// Says when it is there, if it is not there always.
    #[must_use]
    pub const fn when(self, when: &'static str) -> Self {
        Self { spec: self.spec.when(when), ..self }
    }
}

/// Metrics that are read together, at each scrape once.
pub(super) struct Figures {
    pub(super) figures: Vec<Figure>,
    /// Returns as many values as there are figures.
    pub(super) read: Box<dyn Fn() -> Vec<Option<f64>> + Send + Sync>,
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        for (Figure { kind, spec }, value) in self.figures.iter().zip((self.read)()) {
            let Some(value) = value else { continue };
            let (stem, unit) = spec.stem(*kind);
            let help = format!("{}.", spec.help);
            let is_counter = *kind == Kind::Counter;
            let (counter, gauge) = (ConstCounter::new(value), ConstGauge::new(value));
            let kind = if is_counter { counter.metric_type() } else { gauge.metric_type() };
            let metric = encoder.encode_descriptor(stem, &help, unit.as_ref(), kind)?;
            if is_counter { counter.encode(metric)? } else { gauge.encode(metric)? }
        }
        Ok(())
    }
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Figures").field("figures", &self.figures).finish_non_exhaustive()
    }
}

/// An info that can change.
pub(super) struct Infos {
    pub(super) spec: Spec,
    /// Returns a value for each label of each series.
    pub(super) read: Box<dyn Fn() -> Vec<Vec<String>> + Send + Sync>,
}

impl Collector for Infos {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let series = (self.read)();
        if series.is_empty() {
            return Ok(());
        }
        let (stem, _) = self.spec.stem(Kind::Info);
        let help = format!("{}.", self.spec.help);
        let mut metric = encoder.encode_descriptor(stem, &help, None, MetricType::Info)?;
        for values in series {
            let labels: Vec<_> = self.spec.labels.iter().copied().zip(values).collect();
            metric.encode_info(&labels)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Infos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Infos").field("spec", &self.spec).finish_non_exhaustive()
    }
}
