//! What is remembered over a restart, and how a controller starts from it.

use std::time::Duration;

use super::Wan;
use crate::{DirectionMemory, Limits, WanMemory, memory};

impl Wan {
    /// Returns what is worth remembering over a restart.
    #[must_use]
    pub fn memory(&self) -> WanMemory {
        WanMemory {
            baselines: self.evidence.baselines(),
            directions: self.directions.map_present(|_, shaped| DirectionMemory {
                desired: shaped.desired,
                proven: shaped.estimator.capacity().proven(self.decided),
            }),
        }
    }

    /// Starts from what was remembered `age` ago. Rates are clamped to the limits, and what is too
    /// old to be worth anything is left out.
    pub fn restore(&mut self, memory: &WanMemory, age: Duration) {
        if age > memory::BASELINES_KEEP {
            return;
        }
        self.evidence.restore(&memory.baselines);
        if age > memory::RATES_KEEP {
            return;
        }
        for (direction, shaped) in self.directions.present_mut() {
            let Limits { floor, base, ceiling } = shaped.limits;
            let Some(DirectionMemory { desired, proven }) = memory.directions[direction] else {
                continue;
            };
            // What was in force above the base was earned by a load that may be gone.
            shaped.desired = desired.min(base).max(floor);
            if let Some(proven) = proven {
                shaped.estimator.restore(proven.min(ceiling), age);
            }
        }
    }
}
