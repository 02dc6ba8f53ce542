//! What a person wants to know right now: the newest cycle of each WAN, the last decisions and
//! why, the last two minutes, and a tally since the start. Fed by nothing but `Cycle`,
//! and by the decisions of steering.

mod clock;
mod health;
mod notes;
mod override_effect;
mod steering;
mod tally;
mod view;

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub use clock::ClockWatch;
pub use health::{
    ActuatorValues, ClockValues, ConfigInputs, ConfigValues, ControlValues, DirectionRates, Health,
    HealthInputs, HistoryInputs, HistoryValues, HttpValues, Level, MeasurementValues, Part, Parts,
    ProbingInputs, RouterHealth, RouterStanding, RouterValues, SCHEMA, SteeringValues, WanHealth,
};
pub use notes::Note;
pub use override_effect::{OverrideEffect, time_of};
pub use steering::{DecisionStatus, OverrideStatus, SteeringBoard, SteeringStatus};
pub use tally::{LoopCounts, Tally};
pub use view::{DirectionView, WanView};

use wanctl_core::{
    CongestionState, Cycle, Direction, DirectionCycle,
    units::{BitRate, Delay, MonoTime},
};

/// A code or a text of the daemon; owned where it was read from JSON.
pub type Code = Cow<'static, str>;

/// How much of the past is kept for the live page.
const RECENT: Duration = Duration::from_mins(2);
/// Time between two points of the recent past.
const POINT: Duration = Duration::from_millis(250);
const MOST_POINTS: usize = (RECENT.as_millis() / POINT.as_millis()) as usize;

/// The board on which control loops pin their cycles and from which everybody else reads.
#[derive(Debug, Clone)]
pub struct StatusBoard {
    wans: Arc<Vec<Mutex<WanBoard>>>,
    clock: Arc<Mutex<ClockWatch>>,
}

/// A point of the recent past: what happened within a quarter of a second.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Point {
    /// Unix time in seconds.
    pub time: f64,
    /// Highest delay over the baseline in ms, if any was measured.
    pub delta_ms: Option<f64>,
    /// Worst congestion states, download and upload; `unknown` where nothing was measured, `None`
    /// where nothing is shaped.
    pub states: [Option<Code>; 2],
    /// Desired rates in Mbit/s, download and upload, where shaped.
    pub desired_mbps: [Option<f64>; 2],
    /// Capacity estimates of the provider's link in Mbit/s, download and upload, where known.
    pub capacity_mbps: [Option<f64>; 2],
    /// Delivery rates in Mbit/s, download and upload, where known.
    pub delivery_mbps: [Option<f64>; 2],
}

#[derive(Debug)]
struct WanBoard {
    name: String,
    reflectors: Vec<String>,
    latest: Option<Arc<Cycle>>,
    notes: notes::Notes,
    tally: Tally,
    recent: VecDeque<Point>,
    point_ends: MonoTime,
    worst: Option<Delay>,
    worst_states: [Option<CongestionState>; 2],
}

impl StatusBoard {
    /// Creates an empty board for WANs with these names and reflectors.
    #[must_use]
    pub fn new(wans: Vec<(String, Vec<String>)>) -> Self {
        let wans = wans.into_iter().map(|(name, reflectors)| {
            Mutex::new(WanBoard {
                name,
                reflectors,
                latest: None,
                notes: notes::Notes::default(),
                tally: Tally::default(),
                recent: VecDeque::new(),
                point_ends: MonoTime::ZERO,
                worst: None,
                worst_states: [None; 2],
            })
        });
        Self { wans: Arc::new(wans.collect()), clock: Arc::default() }
    }

    /// Pins a cycle.
    pub fn record(&self, cycle: &Arc<Cycle>) {
        let Some(mut wan) = self.wans.get(cycle.wan).map(open) else { return };
        open(&self.clock).see(cycle.at, cycle.wall);
        let before = wan.latest.replace(Arc::clone(cycle));
        wan.tally.record(before.as_deref(), cycle);
        wan.notes.record(before.as_deref(), cycle);
        wan.record_point(cycle);
    }

    /// Shows the present state of every WAN.
    #[must_use]
    pub fn views(&self) -> Vec<WanView> {
        self.read(|wan| {
            let (latest, newest) = (wan.latest.as_deref(), wan.recent.back().cloned());
            WanView::of(&wan.name, &wan.reflectors, latest, wan.notes.list(), newest)
        })
    }

    /// Returns the last two minutes of every WAN.
    #[must_use]
    pub fn recent(&self) -> Vec<(String, Vec<Point>)> {
        self.read(|wan| (wan.name.clone(), wan.recent.iter().cloned().collect()))
    }

    /// Returns every WAN's name and tally since the start.
    #[must_use]
    pub fn tallies(&self) -> Vec<(String, Tally)> {
        self.read(|wan| (wan.name.clone(), wan.tally.clone()))
    }

    /// Returns every WAN's newest cycle.
    #[must_use]
    pub fn latest(&self) -> Vec<(String, Option<Arc<Cycle>>)> {
        self.read(|wan| (wan.name.clone(), wan.latest.clone()))
    }

    /// Returns every WAN's reflectors.
    #[must_use]
    pub fn reflectors(&self) -> Vec<Vec<String>> {
        self.read(|wan| wan.reflectors.clone())
    }

    /// Returns every WAN's counts of its loop.
    #[must_use]
    pub fn loop_counts(&self) -> Vec<LoopCounts> {
        self.read(|wan| wan.tally.loop_counts())
    }

    /// Returns what the wall clock has done.
    #[must_use]
    pub fn clock(&self) -> ClockWatch {
        *open(&self.clock)
    }

    fn read<T>(&self, show: impl Fn(&WanBoard) -> T) -> Vec<T> {
        self.wans.iter().map(|wan| show(&open(wan))).collect()
    }
}

impl WanBoard {
    fn record_point(&mut self, cycle: &Cycle) {
        self.worst = self.worst.max(cycle.measurement.delta);
        for (worst, direction) in self.worst_states.iter_mut().zip(Direction::ALL) {
            if let Some(DirectionCycle { state, .. }) = cycle.directions[direction] {
                *worst = Some(worst.map_or(state, |worst| worst.worse(state)));
            }
        }
        if cycle.at < self.point_ends {
            return;
        }
        self.point_ends = cycle.at + POINT;
        let both = Direction::ALL.map(|direction| cycle.directions[direction].as_ref());
        self.recent.push_back(Point {
            time: cycle.wall.seconds(),
            delta_ms: self.worst.take().map(Delay::millis),
            states: std::mem::take(&mut self.worst_states).map(|worst| Some(worst?.name().into())),
            desired_mbps: both.map(|reported| Some(reported?.desired.mbps())),
            capacity_mbps: both.map(|reported| reported?.capacity.map(BitRate::mbps)),
            delivery_mbps: both.map(|reported| reported?.load.delivery_rate.map(BitRate::mbps)),
        });
        // By number, not by time of day, which may step.
        while self.recent.len() > MOST_POINTS {
            self.recent.pop_front();
        }
    }
}

/// A reader that panicked leaves nothing half-written here, so a poisoned lock is as good as new.
fn open<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
