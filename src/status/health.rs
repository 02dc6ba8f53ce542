//! Is it well, and if not, why: the reasons behind `/health`, `/livez` and `/readyz`.

mod inputs;
mod parts;
mod values;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wanctl_core::{Cycle, units::MonoTime};

use super::Code;

pub use self::{
    inputs::{ConfigInputs, HealthInputs, HistoryInputs, ProbingInputs, RouterStanding},
    values::{
        ActuatorValues, ClockValues, ConfigValues, ControlValues, DirectionRates, HistoryValues,
        HttpValues, MeasurementValues, RouterValues, SteeringValues,
    },
};

/// Version of the shape of [`Health`] as JSON.
pub const SCHEMA: u32 = 2;

/// A loop that has not turned for this long is not alive: five times the longest interval.
const LOOP_DEAD: Duration = Duration::from_secs(5);

/// How well something is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Level {
    /// It is not in use.
    Off,
    /// As it should be.
    Ok,
    /// It works, but not as it should; the reasons say what.
    Degraded,
    /// It does not do its job.
    Failing,
}

impl Level {
    /// Returns the code used in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The answer to "is it well". Its shape as JSON is `docs/health.schema.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Version of this document's shape; it rises when a field changes or goes, not when one comes.
    pub schema_version: u32,
    /// Version of the program.
    pub version: Code,
    /// The worst of all parts.
    pub status: Level,
    /// The control loops turn.
    pub live: bool,
    /// The WANs are measured and the router answers.
    pub ready: bool,
    /// What being ready waits for, in plain words.
    pub not_ready_reasons: Vec<String>,
    /// `active` or `observe`.
    pub mode: Code,
    /// Seconds since the start.
    pub uptime_seconds: f64,
    /// What there is once.
    pub parts: Parts,
    /// What each router has of its own, in the order of the configuration.
    pub routers: Vec<RouterHealth>,
    /// What each WAN has of its own, in the order of the configuration.
    pub wans: Vec<WanHealth>,
}

/// What there is once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// The history, if one is kept.
    pub history: Part<Option<HistoryValues>>,
    /// Steering, if anything is steered.
    pub steering: Part<Option<SteeringValues>>,
    /// The configuration in force.
    pub config: Part<ConfigValues>,
    /// The wall clock, by which records are dated.
    pub clock: Part<ClockValues>,
    /// The HTTP server.
    pub http: Part<HttpValues>,
}

/// A router and the requests to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouterHealth {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Code,
    /// How it is.
    #[serde(flatten)]
    pub part: Part<RouterValues>,
}

/// What a WAN has of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WanHealth {
    /// Its name.
    pub name: String,
    /// The name of its router.
    pub router: String,
    /// The worst of its parts.
    pub status: Level,
    /// How its delay is measured.
    pub measurement: Part<Option<MeasurementValues>>,
    /// The loop that decides.
    pub control: Part<Option<ControlValues>>,
    /// How far the router follows what was decided.
    pub actuator: Part<Option<ActuatorValues>>,
}

/// One part of the system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part<V> {
    /// How well it is.
    pub status: Level,
    /// Why it is not `ok`, in plain words.
    pub reasons: Vec<String>,
    /// What is allowed but should be thought about.
    pub notes: Vec<String>,
    /// What it knows at this moment; null while it knows nothing.
    pub values: V,
}

impl Health {
    /// Assesses all parts.
    #[must_use]
    pub fn assess(inputs: &HealthInputs) -> Self {
        let now = inputs.now;
        let wans: Vec<WanHealth> = inputs
            .wans
            .iter()
            .enumerate()
            .map(|(place, wan)| WanHealth::assess(inputs, place, wan))
            .collect();
        let parts = Parts {
            history: parts::history(inputs),
            steering: parts::steering(inputs),
            config: parts::config(inputs),
            clock: parts::clock(inputs),
            http: parts::http(inputs),
        };
        let live = inputs.wans.iter().all(|(_, cycle)| is_turning(cycle.as_deref(), now));
        let not_ready_reasons = not_ready_reasons(inputs);
        let routers: Vec<RouterHealth> = (inputs.routers.iter())
            .map(|router| RouterHealth {
                name: router.name.clone(),
                kind: router.kind.into(),
                part: parts::router(inputs, router),
            })
            .collect();
        let of_routers = routers.iter().map(|router| router.part.status);
        let of_wans = wans.iter().map(|wan| wan.status);
        let status = of_wans.chain(of_routers).chain(parts.levels()).max();
        Self {
            schema_version: SCHEMA,
            version: env!("CARGO_PKG_VERSION").into(),
            status: status.unwrap_or(Level::Ok),
            live,
            ready: not_ready_reasons.is_empty(),
            not_ready_reasons,
            mode: inputs.config.mode.into(),
            uptime_seconds: now.since_start().as_secs_f64(),
            parts,
            routers,
            wans,
        }
    }
}

impl Parts {
    fn levels(&self) -> [Level; 5] {
        let Self { history, steering, config, clock, http } = self;
        [history.status, steering.status, config.status, clock.status, http.status]
    }
}

impl WanHealth {
    fn assess(inputs: &HealthInputs, place: usize, (name, cycle): &inputs::NewestCycle) -> Self {
        let (cycle, now) = (cycle.as_deref(), inputs.now);
        let measurement = parts::measurement(cycle, inputs.probing.get(place), now);
        let control = parts::control(cycle, inputs.loops.get(place), now);
        let router = inputs.router_of.get(place).and_then(|router| inputs.routers.get(*router));
        let actuator = parts::actuator(cycle, router.map(|router| &router.report), place, now);
        let status = measurement.status.max(control.status).max(actuator.status);
        let router = router.map(|router| router.name.clone()).unwrap_or_default();
        Self { name: name.clone(), router, status, measurement, control, actuator }
    }
}

impl<V> Part<V> {
    /// A part with `values`, which is at `level` if there are `reasons`.
    fn assess(level: Level, reasons: Vec<String>, values: V) -> Self {
        let status = if reasons.is_empty() { Level::Ok } else { level };
        Self { status, reasons, notes: Vec::new(), values }
    }

    fn with_notes(self, notes: Vec<String>) -> Self {
        Self { notes, ..self }
    }
}

impl<V> Part<Option<V>> {
    /// A part that is not in use.
    const fn off() -> Self {
        Self { status: Level::Off, reasons: Vec::new(), notes: Vec::new(), values: None }
    }
}

/// Returns whether a loop with this newest cycle turns; one that has just started may take its time.
fn is_turning(newest: Option<&Cycle>, now: MonoTime) -> bool {
    let last = newest.map_or(MonoTime::ZERO, |cycle| cycle.at);
    now.since(last) < LOOP_DEAD
}

/// What keeps the daemon from being ready.
fn not_ready_reasons(inputs: &HealthInputs) -> Vec<String> {
    let problems = |router: &RouterStanding| {
        let is_only = inputs.routers.len() == 1;
        let of = if is_only { String::new() } else { format!("{}: ", router.name) };
        router.report.problems().into_iter().map(move |listen_error| format!("{of}{listen_error}"))
    };
    let mut not_ready_reasons: Vec<String> = inputs.routers.iter().flat_map(problems).collect();
    for (name, cycle) in &inputs.wans {
        if !is_turning(cycle.as_deref(), inputs.now) {
            not_ready_reasons.push(format!("{name}: the control loop does not run"));
        } else if cycle.as_ref().is_none_or(|cycle| cycle.measurement.fresh == 0) {
            not_ready_reasons.push(format!("{name}: no reflector answers"));
        }
    }
    not_ready_reasons
}

#[cfg(test)]
mod tests;
