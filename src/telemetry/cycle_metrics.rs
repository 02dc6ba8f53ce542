//! The metrics of a WAN's cycles, fed by nothing but `Cycle`.
//!
//! A 50 ms loop under a 15 s scrape loses nothing that is a counter, a histogram or a time
//! integral; the gauges are for the eye. Handles are resolved when the WAN is declared, so that
//! recording a cycle costs no look-up by label.

mod absent;
mod direction;
mod measurement;
mod queue;
mod reflector;
mod timing;

use std::time::Duration;

use wanctl_core::{Cycle, Direction, PerDirection, WanParams, units::MonoTime};

use self::{
    direction::{DirectionFamilies, DirectionMetrics},
    measurement::{MeasurementFamilies, MeasurementMetrics},
    queue::{QueueFamilies, QueueMetrics},
    reflector::{ReflectorFamilies, ReflectorMetrics},
    timing::{TimingFamilies, TimingMetrics},
};
use crate::catalogue::{Catalogue, Labels};

/// Round-trip times: from a metropolitan fibre to a drowned mobile link.
const RTT_BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0];

const WAN: &[&str] = &["wan"];
const DIRECTION: &[&str] = &["wan", "direction"];

/// All families that are labelled by WAN and fed by cycles.
#[derive(Debug)]
pub struct WanLabels {
    measurement: MeasurementFamilies,
    reflectors: ReflectorFamilies,
    directions: DirectionFamilies,
    queues: QueueFamilies,
    timing: TimingFamilies,
}

impl WanLabels {
    /// Declares the families.
    pub fn register(catalogue: &mut Catalogue) -> Self {
        Self {
            measurement: MeasurementFamilies::register(catalogue),
            reflectors: ReflectorFamilies::register(catalogue),
            directions: DirectionFamilies::register(catalogue),
            queues: QueueFamilies::register(catalogue),
            timing: TimingFamilies::register(catalogue),
        }
    }
}

/// The handles of one WAN.
#[derive(Debug)]
pub struct CycleMetrics {
    measurement: MeasurementMetrics,
    reflectors: Vec<ReflectorMetrics>,
    directions: PerDirection<Option<DirectionMetrics>>,
    queues: PerDirection<Option<QueueMetrics>>,
    timing: TimingMetrics,
    before: Option<MonoTime>,
}

impl CycleMetrics {
    /// Resolves the handles of the WAN `wan`, every series at zero from the start; only the directions
    /// `shaped` have any.
    #[must_use]
    pub fn new(all: &WanLabels, wan: &str, reflectors: &[String], shaped: &[Direction]) -> Self {
        let reflectors =
            reflectors.iter().map(|address| ReflectorMetrics::new(&all.reflectors, wan, address));
        Self {
            measurement: MeasurementMetrics::new(&all.measurement, wan),
            reflectors: reflectors.collect(),
            directions: PerDirection::build(|direction| {
                shaped
                    .contains(&direction)
                    .then(|| DirectionMetrics::new(&all.directions, wan, direction))
            }),
            queues: PerDirection::build(|direction| {
                shaped.contains(&direction).then(|| QueueMetrics::new(&all.queues, wan, direction))
            }),
            timing: TimingMetrics::new(&all.timing, wan),
            before: None,
        }
    }

    /// Shows what the WAN is controlled by from now on.
    pub fn configure(&self, params: &WanParams, interval: Duration) {
        self.measurement.configure(params.thresholds);
        for (direction, metrics) in self.directions.present() {
            if let Some(params) = &params.directions[direction] {
                metrics.configure(params.limits);
            }
        }
        self.timing.configure(interval);
    }

    /// Counts one cycle.
    pub fn record(&mut self, cycle: &Cycle) {
        let before = self.before.replace(cycle.at);
        let passed = before.map_or(Duration::ZERO, |at| cycle.at.since(at)).as_secs_f64();
        self.measurement.record(&cycle.measurement, passed);
        for (metrics, view) in self.reflectors.iter_mut().zip(&cycle.reflectors) {
            metrics.learned(view);
        }
        for sample in &cycle.samples {
            if let Some(metrics) = self.reflectors.get_mut(usize::from(sample.reflector.0)) {
                metrics.record(sample, cycle);
            }
        }
        for (direction, metrics) in self.directions.present_mut() {
            if let Some(reported) = &cycle.directions[direction] {
                metrics.record(reported, cycle.at, passed);
            }
        }
        for (direction, metrics) in self.queues.present_mut() {
            if let Some(reported) = &cycle.directions[direction] {
                metrics.record(reported);
            }
        }
        self.timing.record(cycle);
    }
}

/// The labels of a WAN's series, and these.
fn of_wan(wan: &str, extra: &[(&'static str, &str)]) -> Labels {
    let extra = extra.iter().map(|(name, value)| (*name, (*value).to_owned()));
    std::iter::once(("wan", wan.to_owned())).chain(extra).collect()
}

/// The labels of a direction's series, and these.
fn of_direction(wan: &str, direction: Direction, extra: &[(&'static str, &str)]) -> Labels {
    let mut labels = of_wan(wan, &[("direction", direction.name())]);
    labels.extend(extra.iter().map(|(name, value)| (*name, (*value).to_owned())));
    labels
}

#[cfg(test)]
mod tests;
