//! The inputs of health, gathered by the daemon.

use std::{collections::BTreeMap, sync::Arc};

use wanctl_core::{
    Cycle,
    units::{MonoTime, Timestamp},
};

use super::values::HistoryValues;
use crate::{
    actuator::RouterReport,
    status::{ClockWatch, LoopCounts, SteeringBoard},
};

/// A WAN's name and newest cycle.
pub(super) type NewestCycle = (String, Option<Arc<Cycle>>);

/// The inputs of health.
#[derive(Debug)]
pub struct HealthInputs {
    /// The time now.
    pub now: MonoTime,
    /// The same on the wall clock.
    pub wall: Timestamp,
    /// Each WAN's name and newest cycle.
    pub wans: Vec<(String, Option<Arc<Cycle>>)>,
    /// What each WAN's loop missed since the start.
    pub loops: Vec<LoopCounts>,
    /// How each WAN is probed.
    pub probing: Vec<ProbingInputs>,
    /// The state of each router.
    pub routers: Vec<RouterStanding>,
    /// The place of each WAN's router among them.
    pub router_of: Vec<usize>,
    /// State of the history, if one is kept.
    pub history: Option<HistoryInputs>,
    /// State of the configuration.
    pub config: ConfigInputs,
    /// What the wall clock has done.
    pub clock: ClockWatch,
    /// Where traffic is steered.
    pub steering: SteeringBoard,
    /// Why nothing is served over HTTP, if that is so.
    pub listen_error: Option<String>,
    /// Why switches of the router cannot be used.
    pub switch_problems: Vec<String>,
}

/// State of a router.
#[derive(Debug, Clone, Default)]
pub struct RouterStanding {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its state.
    pub report: RouterReport,
}

/// How a WAN is probed.
#[derive(Debug, Clone, Default)]
pub struct ProbingInputs {
    /// The probe method in use; `None` if the prober does not report it.
    pub method: Option<&'static str>,
    /// What should be known of it.
    pub notes: Vec<String>,
    /// The reflectors, in the order of the configuration.
    pub reflectors: Vec<String>,
}

/// State of the history.
#[derive(Debug, Clone, Default)]
pub struct HistoryInputs {
    /// Why nothing is being written, if that is so.
    pub failure: Option<String>,
    /// When rows were last committed.
    pub last_commit: Option<Timestamp>,
    /// Its figures; the age of the last commit is worked out from the moment above.
    pub values: HistoryValues,
}

/// State of the configuration.
#[derive(Debug, Clone)]
pub struct ConfigInputs {
    /// `active` or `observe`.
    pub mode: &'static str,
    /// SHA-256 of the file in force, in hexadecimal digits.
    pub sha256: String,
    /// When it was taken.
    pub taken: Timestamp,
    /// What was chosen with a risk, by router.
    pub reminders: BTreeMap<String, Vec<String>>,
    /// Why the last reload failed, if it did.
    pub reload_failure: Option<String>,
    /// What waits for a restart.
    pub awaits_restart: Vec<String>,
}
