//! Ways on which nothing waits, but everything takes its time.

use std::collections::VecDeque;

use super::packet::{QueuedPacket, SparsePacket};

/// A way on which nothing overtakes.
#[derive(Debug, Clone, Default)]
pub(super) struct DelayLine {
    /// With the time at which it arrives.
    in_flight: VecDeque<(f64, QueuedPacket)>,
}

impl DelayLine {
    pub(super) fn put(&mut self, due: f64, packet: QueuedPacket) {
        let last = self.in_flight.back().map_or(due, |(last, _)| *last);
        self.in_flight.push_back((due.max(last), packet));
    }

    /// Takes the next one that has arrived by `now`.
    pub(super) fn take(&mut self, now: f64) -> Option<QueuedPacket> {
        let (_, packet) = self.in_flight.pop_front_if(|(due, _)| *due <= now + ROUNDING)?;
        Some(packet)
    }

    #[cfg(test)]
    pub(super) fn packets(&self) -> impl Iterator<Item = &QueuedPacket> {
        self.in_flight.iter().map(|(_, packet)| packet)
    }
}

/// Ways of different lengths, each for one sparse packet at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct InTransit {
    in_flight: Vec<(f64, SparsePacket)>,
}

impl InTransit {
    pub(super) fn put(&mut self, due: f64, ride: SparsePacket) {
        self.in_flight.push((due, ride));
    }

    /// Takes one that has arrived by `now`.
    pub(super) fn take(&mut self, now: f64) -> Option<SparsePacket> {
        let place = self.in_flight.iter().position(|(due, _)| *due <= now + ROUNDING)?;
        Some(self.in_flight.remove(place).1)
    }
}

/// Times are sums of steps: so much, in seconds, may be the rounding's fault.
const ROUNDING: f64 = 1e-7;
