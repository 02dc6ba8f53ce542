//! The control loop's end of a recording.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed, mpsc::SyncSender},
    time::Duration,
};

use wanctl_core::{
    Actuation, Decision, PerDirection, RttSample, ShaperSample, WanMemory, WanParams,
    units::MonoTime,
};

use super::{
    line::{Begin, CycleLine, DecidedLine, Gap, Line, MemoryLine, ParamsChange},
    write::Shared,
};

/// How a controller starts.
#[derive(Debug, Clone, Copy)]
pub struct Beginning<'a> {
    /// The WAN's place in the configuration.
    pub wan: usize,
    /// The WAN's name.
    pub name: &'a str,
    /// When the controller was made.
    pub at: MonoTime,
    /// Its parameters.
    pub params: &'a WanParams,
    /// Whether nobody carries its decisions out.
    pub observe_mode: bool,
    /// What was restored and how old that was.
    pub memory: Option<(&'a WanMemory, Duration)>,
}

impl Beginning<'_> {
    pub(super) fn line(self) -> Line {
        let Self { wan, name, at, params, observe_mode, memory } = self;
        Line::Begin(Box::new(Begin {
            wan,
            name: name.to_owned(),
            at,
            observe_mode,
            params: *params,
            memory: memory.map(|(memory, age)| MemoryLine { age, memory: memory.clone() }),
        }))
    }
}

/// Takes down what one WAN's control loop sees and decides. It never waits.
#[derive(Debug)]
pub struct Tape {
    wan: usize,
    lines: SyncSender<Line>,
    shared: Arc<Shared>,
    /// What was recorded last, so that only news is.
    shaper: Option<u64>,
    actuation: Option<PerDirection<Actuation>>,
    /// A change that is not recorded yet.
    change: Option<ParamsChange>,
    /// Cycles that found no room since the last that did.
    lost: u64,
}

impl Tape {
    pub(super) fn new(wan: usize, lines: SyncSender<Line>, shared: Arc<Shared>) -> Self {
        Self { wan, lines, shared, shaper: None, actuation: None, change: None, lost: 0 }
    }

    /// Takes down that from `at` on, before the next cycle, the controller works by `params`.
    pub fn change(&mut self, at: MonoTime, params: &WanParams, observe_mode: bool) {
        self.change = Some(ParamsChange { wan: self.wan, at, observe_mode, params: *params });
    }

    /// Takes down a cycle: what came in, in this order, and what was decided at `at`.
    pub fn cycle(
        &mut self,
        at: MonoTime,
        samples: &[RttSample],
        shaper: Option<ShaperSample>,
        actuation: PerDirection<Actuation>,
        decision: &Decision,
    ) {
        if self.shared.ended.load(Relaxed) {
            return;
        }
        let shaper = shaper.filter(|sample| self.shaper != Some(sample.sequence));
        let actuation = Some(actuation).filter(|_| self.actuation != Some(actuation));
        let cycle = CycleLine {
            wan: self.wan,
            at,
            rtt: samples.to_vec(),
            shaper,
            actuation,
            decided: DecidedLine::of(decision),
        };
        if self.offer(Line::Cycle(Box::new(cycle))) {
            self.shaper = shaper.map(|sample| sample.sequence).or(self.shaper);
            self.actuation = actuation.or(self.actuation);
        } else {
            self.lost += 1;
            self.shared.lost.fetch_add(1, Relaxed);
        }
    }

    /// Queues `line` behind what must be written before it; `false` if there is no room for it all.
    fn offer(&mut self, line: Line) -> bool {
        if self.lost > 0 {
            let gap = Gap { wan: self.wan, cycles: self.lost };
            if self.lines.try_send(Line::Gap(gap)).is_err() {
                return false;
            }
            self.lost = 0;
        }
        if let Some(change) = &self.change {
            if self.lines.try_send(Line::Change(Box::new(change.clone()))).is_err() {
                return false;
            }
            self.change = None;
        }
        self.lines.try_send(line).is_ok()
    }
}
