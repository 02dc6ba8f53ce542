//! The metrics of a WAN's cycles, declared once and fed by nothing but `Cycle`.
//!
//! A 50 ms loop under a 15 s scrape loses nothing that is a counter, a histogram or a time
//! integral; the gauges are for the eye. Handles are resolved when the WAN is declared, so that
//! recording a cycle costs no look-up by label.

mod direction;
mod families;

use std::time::Duration;

use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram::Histogram};

pub use families::WanLabels;

use crate::{
    control::{
        CongestionState, Cycle, Direction, MeasurementState, PerDirection, ProbeOutcome,
        QueueReading,
    },
    units::{Delay, MonoTime},
};
use direction::{Absent, DirectionMetrics};
use families::{FloatCounter, FloatGauge};

/// The handles of one WAN.
#[derive(Debug)]
pub struct CycleMetrics {
    rtt: Histogram,
    inflation: Histogram,
    baseline: Absent,
    delta: Absent,
    jitter: Absent,
    measurement: Vec<(MeasurementState, Gauge, FloatCounter)>,
    reflectors: Vec<ReflectorMetrics>,
    directions: PerDirection<DirectionMetrics>,
    busy: Histogram,
    lateness: Histogram,
    overruns: Counter,
    skipped: Counter,
    last_completed: FloatGauge,
    before: Option<(MonoTime, PerDirection<Before>)>,
}

/// What of the cycle before is needed to count what happened since.
#[derive(Debug, Clone, Copy)]
struct Before {
    state: CongestionState,
    queue: Option<QueueReading>,
    writes: u64,
}

#[derive(Debug)]
struct ReflectorMetrics {
    rtt: Histogram,
    probes: Counter,
    lost: Counter,
    unsent: Counter,
}

impl CycleMetrics {
    /// Resolves the handles of the WAN `wan`, every series at zero from the start.
    #[must_use]
    pub fn new(all: &WanLabels, wan: &str, reflectors: &[String]) -> Self {
        let one = || vec![("wan", wan.to_owned())];
        let with = |name: &'static str, value: &str| {
            vec![("wan", wan.to_owned()), (name, value.to_owned())]
        };
        let measurement = MeasurementState::ALL.map(|state| {
            let labels = with("state", state.name());
            let gauge = all.measurement_state.get_or_create_owned(&labels);
            (state, gauge, all.measurement_time.get_or_create_owned(&labels))
        });
        let reflectors = reflectors.iter().map(|address| {
            let labels = with("reflector", address);
            let failure = |reason: &str| {
                let mut labels = labels.clone();
                labels.push(("reason", reason.to_owned()));
                all.probe_failures.get_or_create_owned(&labels)
            };
            ReflectorMetrics {
                rtt: all.reflector_rtt.get_or_create_owned(&labels),
                probes: all.probes.get_or_create_owned(&labels),
                lost: failure("timeout"),
                unsent: failure("send_error"),
            }
        });
        Self {
            rtt: all.rtt.get_or_create_owned(&one()),
            inflation: all.inflation.get_or_create_owned(&one()),
            baseline: Absent::new(&all.baseline, one()),
            delta: Absent::new(&all.delta, one()),
            jitter: Absent::new(&all.jitter, one()),
            measurement: measurement.to_vec(),
            reflectors: reflectors.collect(),
            directions: PerDirection::build(|direction| DirectionMetrics::new(all, wan, direction)),
            busy: all.busy.get_or_create_owned(&one()),
            lateness: all.lateness.get_or_create_owned(&one()),
            overruns: all.overruns.get_or_create_owned(&one()),
            skipped: all.skipped.get_or_create_owned(&one()),
            last_completed: all.last_completed.get_or_create_owned(&one()),
            before: None,
        }
    }

    /// Counts one cycle.
    pub fn record(&mut self, cycle: &Cycle) {
        let before = self.before;
        let passed = before.map_or(Duration::ZERO, |(at, _)| cycle.at.since(at)).as_secs_f64();
        self.record_measurement(cycle, passed);
        self.record_timing(cycle);
        for direction in Direction::ALL {
            let told = &cycle.directions[direction];
            let before = before.map(|(_, before)| before[direction]);
            self.directions[direction].record(told, cycle.at, before, passed);
        }
        let now = PerDirection::build(|direction| {
            let told = &cycle.directions[direction];
            Before { state: told.state, queue: told.queue, writes: told.actuation.writes }
        });
        self.before = Some((cycle.at, now));
    }

    fn record_measurement(&mut self, cycle: &Cycle, passed: f64) {
        let told = &cycle.measurement;
        if let Some(rtt) = told.rtt {
            self.rtt.observe(rtt.seconds());
        }
        if let Some(delta) = told.delta {
            self.inflation.observe(delta.seconds().max(0.0));
        }
        self.delta.set(told.delta.map(Delay::seconds));
        self.baseline.set(told.baseline.map(Delay::seconds));
        self.jitter.set(told.jitter.map(Delay::seconds));
        for (state, gauge, time) in &self.measurement {
            let current = *state == told.state;
            gauge.set(i64::from(current));
            if current {
                time.inc_by(passed);
            }
        }
        for sample in &cycle.samples {
            let Some(metrics) = self.reflectors.get(usize::from(sample.reflector.0)) else {
                continue;
            };
            match sample.outcome {
                ProbeOutcome::Reply(rtt) => {
                    metrics.probes.inc();
                    metrics.rtt.observe(rtt.seconds());
                }
                ProbeOutcome::Lost => {
                    metrics.probes.inc();
                    metrics.lost.inc();
                }
                ProbeOutcome::Unsent => {
                    metrics.unsent.inc();
                }
            }
        }
    }

    fn record_timing(&self, cycle: &Cycle) {
        self.lateness.observe(cycle.timing.lateness.as_secs_f64());
        self.skipped.inc_by(cycle.timing.skipped);
        self.last_completed.set(cycle.wall.seconds());
        // The first cycle has none before it whose busy time could be told.
        if cycle.number > 1 {
            self.busy.observe(cycle.timing.busy.as_secs_f64());
            self.overruns.inc_by(u64::from(cycle.timing.overran()));
        }
    }
}

#[cfg(test)]
mod tests;
