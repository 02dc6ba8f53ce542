//! The last decisions of a WAN, told as a person would: one note for a run of like decisions.

use std::{collections::VecDeque, time::Duration};

use serde::Serialize;

use crate::{
    control::{Cycle, Direction, DirectionCycle, Reason},
    units::Timestamp,
};

/// How many notes are kept.
const KEPT: usize = 40;
/// Decisions with the same reason that follow within this time belong to one note.
const SAME_RUN: Duration = Duration::from_secs(2);

/// A run of like decisions, or a change of state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Note {
    /// Unix time of the first decision, in seconds.
    pub time: f64,
    /// The direction, or `None` for the measurement of the WAN as a whole.
    pub direction: Option<&'static str>,
    /// A stable code: a reason or `state` or `measurement`.
    pub code: &'static str,
    /// The note in plain words.
    pub text: String,
}

/// The last notes, and the run that is still going on for each direction.
#[derive(Debug, Default)]
pub(super) struct Notes {
    list: VecDeque<(u64, Note)>,
    runs: [Option<Run>; 2],
    next: u64,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    note: u64,
    reason: Reason,
    last: Timestamp,
    from: crate::units::BitRate,
    decisions: u32,
}

impl Notes {
    pub(super) fn list(&self) -> Vec<Note> {
        self.list.iter().rev().map(|(_, note)| note.clone()).collect()
    }

    pub(super) fn record(&mut self, before: Option<&Cycle>, cycle: &Cycle) {
        let measured = before.map(|before| before.measurement.state);
        if let Some(from) = measured.filter(|from| *from != cycle.measurement.state) {
            let text =
                format!("measurement {} after {}", cycle.measurement.state.name(), from.name());
            self.push(cycle.wall, None, "measurement", text);
        }
        for (index, direction) in Direction::ALL.into_iter().enumerate() {
            let told = &cycle.directions[direction];
            let state = before.map(|before| before.directions[direction].state);
            if let Some(from) = state.filter(|from| *from != told.state) {
                let delta = cycle.measurement.delta.unwrap_or_default();
                let text = format!(
                    "{} after {} at {delta} over the baseline",
                    told.state.name(),
                    from.name()
                );
                self.push(cycle.wall, Some(direction), "state", text);
            }
            self.record_change(index, direction, told, cycle.wall);
        }
    }

    /// Tells a change of the rate; holding is no news.
    fn record_change(
        &mut self,
        index: usize,
        direction: Direction,
        told: &DirectionCycle,
        wall: Timestamp,
    ) {
        if told.desired == told.previous {
            return;
        }
        let running = self
            .runs
            .get(index)
            .copied()
            .flatten()
            .filter(|run| run.reason == told.reason && wall < run.last.after(SAME_RUN));
        let mut run = running.unwrap_or_else(|| Run {
            note: self.push(wall, Some(direction), told.reason.code(), String::new()),
            reason: told.reason,
            last: wall,
            from: told.previous,
            decisions: 0,
        });
        run.last = wall;
        run.decisions += 1;
        let times =
            if run.decisions > 1 { format!(" in {} steps", run.decisions) } else { String::new() };
        let text = format!("{}: {} to {}{times}", told.reason.explain(), run.from, told.desired);
        if let Some((_, note)) = self.list.iter_mut().rev().find(|(number, _)| *number == run.note)
        {
            note.text = text;
        }
        if let Some(slot) = self.runs.get_mut(index) {
            *slot = Some(run);
        }
    }

    fn push(
        &mut self,
        wall: Timestamp,
        direction: Option<Direction>,
        code: &'static str,
        text: String,
    ) -> u64 {
        let number = self.next;
        self.next += 1;
        let direction = direction.map(Direction::name);
        self.list.push_back((number, Note { time: wall.seconds(), direction, code, text }));
        if self.list.len() > KEPT {
            self.list.pop_front();
        }
        number
    }
}
