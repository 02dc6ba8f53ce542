//! The last decisions of a WAN in plain words: one note for consecutive decisions of one reason.
//!
//! Kept as facts and put into words when somebody reads them, because the loop notes twenty times
//! a second and a reader looks now and then.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

use super::Code;
use wanctl_core::{
    CongestionState, Cycle, Direction, DirectionCycle, MeasurementState, Reason,
    units::{BitRate, Delay, Timestamp},
};

/// How many notes are kept.
const MAX_NOTES: usize = 40;
/// Decisions with the same reason that follow within this time belong to one note.
const SAME_RUN: Duration = Duration::from_secs(2);

/// A run of like decisions, or a change of state, in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Unix time of the first decision, in seconds.
    pub time: f64,
    /// The direction, or `None` for the measurement of the WAN as a whole.
    pub direction: Option<Code>,
    /// A stable code: a reason or `state` or `measurement`.
    pub code: Code,
    /// The note in plain words.
    pub text: String,
}

/// The last notes, oldest first.
#[derive(Debug, Default)]
pub(super) struct Notes {
    list: VecDeque<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    at: Timestamp,
    direction: Option<Direction>,
    story: NoteKind,
}

#[derive(Debug, Clone, Copy)]
enum NoteKind {
    Measurement { from: MeasurementState, to: MeasurementState },
    State { from: CongestionState, to: CongestionState, delta: Option<Delay> },
    Rate { reason: Reason, from: BitRate, to: BitRate, steps: u32, last: Timestamp },
}

impl Notes {
    /// Puts the notes into words, newest first.
    pub(super) fn list(&self) -> Vec<Note> {
        self.list.iter().rev().map(Entry::note).collect()
    }

    pub(super) fn record(&mut self, before: Option<&Cycle>, cycle: &Cycle) {
        let measured = before.map(|before| before.measurement.state);
        let to = cycle.measurement.state;
        if let Some(from) = measured.filter(|from| *from != to) {
            self.push(cycle.wall, None, NoteKind::Measurement { from, to });
        }
        for (direction, reported) in cycle.directions.present() {
            let state =
                before.and_then(|before| Some(before.directions[direction].as_ref()?.state));
            if let Some(from) = state.filter(|from| *from != reported.state) {
                let delta = cycle.measurement.delta;
                let story = NoteKind::State { from, to: reported.state, delta };
                self.push(cycle.wall, Some(direction), story);
            }
            if reported.desired != reported.previous {
                self.record_change(direction, reported, cycle.wall);
            }
        }
    }

    /// Notes a change of the rate, as one more step of a run if one is going on.
    fn record_change(&mut self, direction: Direction, reported: &DirectionCycle, wall: Timestamp) {
        let rates = self.list.iter_mut().rev().filter(|entry| entry.direction == Some(direction));
        let running = rates.map(|entry| &mut entry.story).find_map(|story| match story {
            NoteKind::Rate { reason, to, steps, last, .. } => Some((*reason, to, steps, last)),
            NoteKind::Measurement { .. } | NoteKind::State { .. } => None,
        });
        if let Some((reason, to, steps, last)) = running
            && reason == reported.reason
            && wall < last.after(SAME_RUN)
        {
            (*to, *last) = (reported.desired, wall);
            *steps += 1;
            return;
        }
        let DirectionCycle { reason, previous: from, desired: to, .. } = *reported;
        let story = NoteKind::Rate { reason, from, to, steps: 1, last: wall };
        self.push(wall, Some(direction), story);
    }

    fn push(&mut self, at: Timestamp, direction: Option<Direction>, story: NoteKind) {
        if self.list.len() == MAX_NOTES {
            self.list.pop_front();
        }
        self.list.push_back(Entry { at, direction, story });
    }
}

impl Entry {
    fn note(&self) -> Note {
        let (code, text) = match self.story {
            NoteKind::Measurement { from, to } => {
                ("measurement", format!("measurement {} after {}", to.name(), from.name()))
            }
            NoteKind::State { from, to, delta } => {
                let delta = delta.unwrap_or_default();
                let text =
                    format!("{} after {} at {delta} over the baseline", to.name(), from.name());
                ("state", text)
            }
            NoteKind::Rate { reason, from, to, steps, .. } => {
                let steps = if steps > 1 { format!(" in {steps} steps") } else { String::new() };
                (reason.code(), format!("{}: {from} to {to}{steps}", reason.explain()))
            }
        };
        let direction = self.direction.map(|direction| direction.name().into());
        Note { time: self.at.seconds(), direction, code: code.into(), text }
    }
}
