//! What a reflector did lately.

use std::collections::VecDeque;

use crate::units::Delay;

/// Outcomes that are remembered: of an active reflector those of the last 15 s.
const LENGTH: usize = 50;

/// The last outcomes of one reflector: a delay, or nothing for a loss.
#[derive(Debug, Clone, Default)]
pub(super) struct Window(VecDeque<Option<Delay>>);

impl Window {
    pub(super) fn push(&mut self, outcome: Option<Delay>) {
        if self.0.len() == LENGTH {
            self.0.pop_front();
        }
        self.0.push_back(outcome);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The share that was lost, 0 to 1; of nothing nothing was lost.
    pub(super) fn loss(&self) -> f64 {
        let lost = self.0.iter().filter(|outcome| outcome.is_none()).count();
        lost as f64 / self.0.len().max(1) as f64
    }

    /// The least delay.
    pub(super) fn least(&self) -> Option<Delay> {
        self.0.iter().flatten().min().copied()
    }
}
