//! What a reflector did lately.

use std::collections::VecDeque;

use wanctl_core::units::Delay;

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
