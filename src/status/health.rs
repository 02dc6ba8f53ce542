//! Is it well, and if not, why: the reasons behind `/health`, `/livez` and `/readyz`.

use std::{sync::Arc, time::Duration};

use serde::Serialize;

use super::SteeringBoard;
use crate::{
    actuator::RouterReport,
    control::{Cycle, Direction, MeasurementState},
    units::MonoTime,
};

/// A loop that has not turned for this long is not alive; many times the longest interval (1 s).
const LOOP_DEAD: Duration = Duration::from_secs(10);
/// A rate that the router has not followed for this long is worth telling.
const PENDING_LONG: Duration = Duration::from_secs(5);

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but not as it should; the reasons say what.
    Degraded,
    /// It does not do its job.
    Failing,
}

/// The answer to "is it well".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Health {
    /// Version of this document's shape.
    pub schema_version: u32,
    /// Version of the program.
    pub version: &'static str,
    /// The worst of all parts.
    pub status: Level,
    /// The control loops turn.
    pub live: bool,
    /// The WANs are measured and the router answers.
    pub ready: bool,
    /// `active` or `observe`.
    pub mode: &'static str,
    /// Seconds since the start.
    pub uptime_seconds: f64,
    /// Each part and what is wrong with it.
    pub parts: Vec<Part>,
}

/// One part of the system.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// Its name: `loop`, `router`, `history`, `config`, `steering` or `wan NAME`.
    pub name: String,
    /// How well it is.
    pub status: Level,
    /// Why it is not `ok`, in plain words.
    pub reasons: Vec<String>,
    /// What is allowed but should be thought about.
    pub notes: Vec<String>,
}

/// What health is judged by.
#[derive(Debug)]
pub struct HealthInputs {
    /// The time now.
    pub now: MonoTime,
    /// `active` or `observe`.
    pub mode: &'static str,
    /// Each WAN's name and newest cycle.
    pub wans: Vec<(String, Option<Arc<Cycle>>)>,
    /// The state of the router.
    pub router: RouterReport,
    /// What was chosen in the configuration and should be remembered.
    pub reminders: Vec<String>,
    /// What should be known of how each WAN is probed.
    pub probing: Vec<Vec<String>>,
    /// What is wrong with the history, if anything.
    pub history: Vec<String>,
    /// Why the last reload of the configuration failed, if it did.
    pub reload_failure: Option<String>,
    /// What of the configuration waits for a restart.
    pub awaits_restart: Vec<String>,
    /// Where traffic is steered.
    pub steering: SteeringBoard,
    /// Why switches of the router cannot be used.
    pub switch_troubles: Vec<String>,
}

impl Health {
    /// Judges.
    #[must_use]
    pub fn judge(inputs: HealthInputs) -> Self {
        let HealthInputs { now, mode, wans, router, reminders, probing, history, .. } = inputs;
        let (refused, awaits_restart) = (inputs.reload_failure, inputs.awaits_restart);
        let turning = |cycle: &Option<Arc<Cycle>>| {
            cycle.as_ref().map_or(now.since_start() < LOOP_DEAD, |c| now.since(c.at) < LOOP_DEAD)
        };
        let live = wans.iter().all(|(_, cycle)| turning(cycle));
        let measured = |cycle: &Option<Arc<Cycle>>| {
            cycle.as_ref().is_some_and(|cycle| cycle.measurement.fresh > 0)
        };
        let troubles = router.troubles();
        let ready = live
            && router.up == Some(true)
            && troubles.is_empty()
            && wans.iter().all(|(_, cycle)| measured(cycle));
        let stuck: Vec<String> = wans
            .iter()
            .filter(|(_, cycle)| !turning(cycle))
            .map(|(name, _)| format!("the loop of {name} has not turned for 10 s"))
            .collect();
        let mut parts = vec![
            Part::judge("loop".to_owned(), Level::Failing, stuck),
            Part {
                notes: [reminders, router.warnings()].concat(),
                ..Part::judge("router".to_owned(), Level::Degraded, troubles)
            },
            Part::judge("history".to_owned(), Level::Degraded, history),
            Part {
                notes: awaits_restart,
                ..Part::judge("config".to_owned(), Level::Degraded, refused.into_iter().collect())
            },
        ];
        let notes = probing.into_iter().chain(std::iter::repeat(Vec::new()));
        parts.extend(wans.iter().zip(notes).map(|((name, cycle), notes)| {
            let reasons = cycle.as_deref().map_or_else(Vec::new, |cycle| complaints(cycle, now));
            Part { notes, ..Part::judge(format!("wan {name}"), Level::Degraded, reasons) }
        }));
        parts.extend(inputs.steering.part(inputs.switch_troubles, now));
        let status = parts.iter().map(|part| part.status).max().unwrap_or(Level::Ok);
        Self {
            schema_version: 1,
            version: env!("CARGO_PKG_VERSION"),
            status,
            live,
            ready,
            mode,
            uptime_seconds: now.since_start().as_secs_f64(),
            parts,
        }
    }
}

impl Part {
    fn judge(name: String, level: Level, reasons: Vec<String>) -> Self {
        let status = if reasons.is_empty() { Level::Ok } else { level };
        Self { name, status, reasons, notes: Vec::new() }
    }
}

fn complaints(cycle: &Cycle, now: MonoTime) -> Vec<String> {
    let mut reasons = Vec::new();
    let told = &cycle.measurement;
    let of = cycle.reflectors.len();
    match told.state {
        MeasurementState::Healthy => {}
        MeasurementState::Starting => reasons.push("no reflector has answered yet".to_owned()),
        MeasurementState::Reduced => reasons.push(format!(
            "only {} of {of} reflectors answer: check the others, or replace them",
            told.fresh
        )),
        MeasurementState::Collapsed => reasons
            .push("no reflector answers although traffic flows: congestion suspected".to_owned()),
        MeasurementState::Stalled => reasons.push(
            "no reflector answers and no traffic flows: is the link up, and do the probes leave \
             through it?"
                .to_owned(),
        ),
    }
    for direction in Direction::ALL {
        let actuation = &cycle.directions[direction].actuation;
        let pending = actuation.pending_since.map(|since| now.since(since));
        if let Some(pending) = pending.filter(|pending| *pending > PENDING_LONG) {
            reasons.push(format!(
                "the router has not followed the {} rate for {:.0} s",
                direction.name(),
                pending.as_secs_f64()
            ));
        }
    }
    reasons
}
