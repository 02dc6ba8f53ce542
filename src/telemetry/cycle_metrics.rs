//! The metrics of a WAN's cycles, fed by nothing but `Cycle`.
//!
//! A 50 ms loop under a 15 s scrape loses nothing that is a counter, a histogram or a time
//! integral; the gauges show the newest cycle. Handles are resolved when the WAN is declared, so
//! that recording a cycle costs no look-up by label.

mod direction;
mod measurement;

use std::time::Duration;

use prometheus_client::metrics::{counter::Counter, histogram::Histogram};
use wanctl_core::{
    Cycle, Direction, PerDirection, WanParams,
    units::{MonoTime, Timestamp},
};

use self::{
    direction::{DirectionFamilies, DirectionMetrics},
    measurement::{
        MeasurementFamilies, MeasurementMetrics, ReflectorFamilies, ReflectorMetrics, count_sample,
    },
};
use super::series::{Observation, Series, metrics, show};
use crate::catalogue::{Catalogue, FloatGauge, Labels};

/// Round-trip times: from a metropolitan fibre to a drowned mobile link.
const RTT_BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0];
/// Durations within a cycle; the last bounds are the usual intervals, 50 ms among them.
const CYCLE_BUCKETS: [f64; 13] = [
    0.000_025, 0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
    1.0,
];
/// A wall clock that moves this much more or less than the monotonic one was set. Slewing, at half
/// a millisecond a second, never comes near.
const CLOCK_STEP: Duration = Duration::from_secs(1);

const WAN: &[&str] = &["wan"];

metrics! {
    TimingMetrics of TimingFamilies from Cycle, "Cycles", by WAN, when "";
    // The first cycle follows none whose busy time could be known.
    busy: Histogram, "wanctl_cycle_duration_seconds",
        "Busy time of a cycle, fan-out included; its count is the number of cycles",
        buckets &CYCLE_BUCKETS
        => |seen| (seen.new.number > 1).then_some(seen.new.timing.busy.as_secs_f64());
    lateness: Histogram, "wanctl_cycle_start_lag_seconds",
        "Delay of a cycle's start after its tick", buckets &CYCLE_BUCKETS
        => |seen| seen.new.timing.lateness.as_secs_f64();
    overruns: Counter, "wanctl_cycle_overruns_total", "Cycles busy for longer than the interval"
        => |seen| seen.new.number > 1 && seen.new.timing.overran();
    skipped: Counter, "wanctl_cycle_ticks_skipped_total", "Ticks dropped because of a late cycle"
        => |seen| seen.new.timing.skipped;
    interval: FloatGauge, "wanctl_cycle_interval_seconds", "Configured time between two cycles";
    last_completed: FloatGauge, "wanctl_cycle_last_completed_timestamp_seconds",
        "Unix time at which the last cycle was decided, 0 before the first"
        => |seen| seen.new.wall.seconds();
    clock_steps: Counter, "wanctl_clock_steps_total",
        "Steps of the wall clock by more than a second, as seen by the WAN's control loop";
}

/// All families that are labelled by WAN and fed by cycles.
#[derive(Debug)]
pub struct WanLabels {
    measurement: MeasurementFamilies,
    reflectors: ReflectorFamilies,
    directions: DirectionFamilies,
    timing: TimingFamilies,
}

impl WanLabels {
    /// Declares the families.
    pub fn register(catalogue: &mut Catalogue) -> Self {
        Self {
            measurement: MeasurementFamilies::register(catalogue),
            reflectors: ReflectorFamilies::register(catalogue),
            directions: DirectionFamilies::register(catalogue),
            timing: TimingFamilies::register(catalogue),
        }
    }
}

/// The series of one WAN.
#[derive(Debug)]
pub struct CycleMetrics {
    measurement: MeasurementMetrics,
    reflectors: Vec<ReflectorMetrics>,
    directions: PerDirection<Option<DirectionMetrics>>,
    timing: TimingMetrics,
    before: Option<(MonoTime, Timestamp)>,
}

impl CycleMetrics {
    /// Resolves the series of the WAN `wan`, each at zero from the start; only the directions
    /// `shaped` have any.
    #[must_use]
    pub fn new(all: &WanLabels, wan: &str, reflectors: &[String], shaped: &[Direction]) -> Self {
        let reflectors = reflectors.iter().map(|address| {
            ReflectorMetrics::new(&all.reflectors, &of_wan(wan, &[("reflector", address)]))
        });
        Self {
            measurement: MeasurementMetrics::new(&all.measurement, &of_wan(wan, &[])),
            reflectors: reflectors.collect(),
            directions: PerDirection::build(|direction| {
                let labels = of_wan(wan, &[("direction", direction.name())]);
                let is_shaped = shaped.contains(&direction);
                is_shaped.then(|| DirectionMetrics::new(&all.directions, &labels))
            }),
            timing: TimingMetrics::new(&all.timing, &of_wan(wan, &[])),
            before: None,
        }
    }

    /// Shows the configured thresholds, rates and interval.
    pub fn configure(&self, params: &WanParams, interval: Duration) {
        self.measurement.configure(params.thresholds);
        for (direction, metrics) in self.directions.present() {
            if let Some(params) = &params.directions[direction] {
                metrics.configure(params.limits);
            }
        }
        self.timing.interval.set(interval.as_secs_f64());
    }

    /// Counts one cycle.
    pub fn record(&mut self, cycle: &Cycle) {
        let before = self.before.replace((cycle.at, cycle.wall));
        let passed = before.map_or(Duration::ZERO, |(at, _)| cycle.at.since(at)).as_secs_f64();
        let at = cycle.at;
        self.measurement.record(&Observation { new: &cycle.measurement, old: None, at, passed });
        for (metrics, new) in self.reflectors.iter_mut().zip(&cycle.reflectors) {
            metrics.record(&Observation { new, old: None, at, passed });
        }
        for sample in &cycle.samples {
            if let Some(metrics) = self.reflectors.get_mut(usize::from(sample.reflector.0)) {
                count_sample(metrics, sample, cycle);
            }
        }
        for (direction, metrics) in self.directions.present_mut() {
            if let Some(reported) = &cycle.directions[direction] {
                metrics.record(reported, at, passed);
            }
        }
        self.timing.record(&Observation { new: cycle, old: None, at, passed });
        if let Some((_, wall)) = before {
            let set_by = cycle.wall.seconds() - wall.seconds() - passed;
            show(&mut self.timing.clock_steps, set_by.abs() > CLOCK_STEP.as_secs_f64());
        }
    }
}

/// The labels of a WAN's series, and these.
fn of_wan(wan: &str, extra: &[(&'static str, &str)]) -> Labels {
    let extra = extra.iter().map(|(name, value)| (*name, (*value).to_owned()));
    std::iter::once(("wan", wan.to_owned())).chain(extra).collect()
}

#[cfg(test)]
mod tests;
