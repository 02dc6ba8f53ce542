//! The last outcomes of a reflector, and its losses as distinct from those of the link.
//!
//! A lost probe is held against its reflector only when probes sent shortly before *and* shortly
//! after it were answered: the link was there. In a blackout nothing else was answered either, so
//! nothing is counted, however long it lasts.

use std::collections::VecDeque;

use wanctl_core::{ReflectorId, units::Delay};

/// Probes in either direction that are asked at least, when few reflectors take turns.
const NEIGHBOURS: u64 = 3;
/// Answers that are remembered: longer than the longest timeout takes at full pace.
const ANSWERS: usize = 128;

#[derive(Debug, Clone)]
pub(super) struct Losses {
    /// How far, in probes, a neighbour may be.
    reach: u64,
    /// Sequence numbers of the last probes that were answered.
    answered: VecDeque<u64>,
    /// Losses that may still be counted.
    pending: Vec<(u64, ReflectorId)>,
    newest: u64,
}

impl Losses {
    /// `active` is how many reflectors take turns: one round is the neighbourhood.
    pub(super) fn new(active: usize) -> Self {
        let reach = u64::try_from(active).unwrap_or(NEIGHBOURS).max(NEIGHBOURS);
        Self { reach, answered: VecDeque::new(), pending: Vec::new(), newest: 0 }
    }

    /// Returns the losses, by sequence number and reflector, that now count because this answer
    /// came.
    pub(super) fn answered(&mut self, sequence: u64) -> Vec<(u64, ReflectorId)> {
        // A late reply is no loss.
        self.pending.retain(|(lost, _)| *lost != sequence);
        if self.answered.len() == ANSWERS {
            self.answered.pop_front();
        }
        self.answered.push_back(sequence);
        self.settle(sequence)
    }

    /// Returns the same for a loss, which may be the last that was waited for.
    pub(super) fn lost(
        &mut self,
        sequence: u64,
        reflector: ReflectorId,
    ) -> Vec<(u64, ReflectorId)> {
        self.pending.push((sequence, reflector));
        self.settle(sequence)
    }

    fn settle(&mut self, sequence: u64) -> Vec<(u64, ReflectorId)> {
        self.newest = self.newest.max(sequence);
        let mut counted = Vec::new();
        let (answered, reach, newest) = (&self.answered, self.reach, self.newest);
        let answered_in = |from: u64, to: u64| answered.iter().any(|n| (from..=to).contains(n));
        self.pending.retain(|(lost, reflector)| {
            let before = answered_in(lost.saturating_sub(reach), lost.saturating_sub(1));
            let after = answered_in(lost + 1, lost + reach);
            if before && after {
                counted.push((*lost, *reflector));
                return false;
            }
            // Twice the reach: the fates of neighbours become known in any order.
            before && newest <= lost + 2 * reach
        });
        counted
    }
}

/// Outcomes that are remembered: of an active reflector those of the last 15 s.
const LENGTH: usize = 50;

/// The last outcomes of one reflector: a delay, or nothing for a loss.
#[derive(Debug, Clone, Default)]
pub(super) struct Window(VecDeque<(u64, Option<Delay>)>);

impl Window {
    /// Adds the outcome of a probe, or replaces the one that was known of it.
    pub(super) fn push(&mut self, sequence: u64, outcome: Option<Delay>) {
        if let Some(known) = self.0.iter_mut().rev().find(|(of, _)| *of == sequence) {
            known.1 = outcome;
            return;
        }
        if self.0.len() == LENGTH {
            self.0.pop_front();
        }
        self.0.push_back((sequence, outcome));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The share that was lost, 0 to 1; of nothing nothing was lost.
    pub(super) fn loss(&self) -> f64 {
        let lost = self.0.iter().filter(|(_, outcome)| outcome.is_none()).count();
        lost as f64 / self.0.len().max(1) as f64
    }

    /// The least delay.
    pub(super) fn least(&self) -> Option<Delay> {
        self.0.iter().filter_map(|(_, outcome)| *outcome).min()
    }
}
