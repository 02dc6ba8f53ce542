//! The provider's buffer: one deep drop-tail queue for all traffic.

use std::collections::VecDeque;

use fastrand::Rng;

use super::packet::{PACKET, PacketPayload, QueuedPacket};

/// Sizes below this are rounding errors, in bytes.
const NOTHING: f64 = 1e-6;

/// Below this rate in bytes per second, an outage, no packet counts as being on the wire.
const WIRE: f64 = 8_000.0;

/// A first-in, first-out buffer of so many bytes.
#[derive(Debug, Clone)]
pub(super) struct Fifo {
    /// Bytes that fit.
    room: f64,
    queue: VecDeque<QueuedPacket>,
    /// Bytes in the queue.
    backlog: f64,
    /// What arrived within this step and is not admitted yet.
    arriving: Vec<QueuedPacket>,
    arriving_bytes: f64,
    /// Bytes that may leave within this step, and how many have.
    budget: f64,
    used: f64,
    /// Bytes per second in this step.
    rate: f64,
    /// Bytes that ought to have been dropped but made up no packet yet; negative: in advance.
    owed: f64,
    /// Share of what arrived in the last step that found no room.
    overflow: f64,
    /// Share of the last step in which something left.
    busy: f64,
}

impl Fifo {
    pub(super) fn new(room: f64) -> Self {
        Self {
            room: room.max(PACKET),
            queue: VecDeque::new(),
            backlog: 0.0,
            arriving: Vec::new(),
            arriving_bytes: 0.0,
            budget: 0.0,
            used: 0.0,
            rate: 0.0,
            owed: 0.0,
            overflow: 0.0,
            busy: 0.0,
        }
    }

    pub(super) fn backlog(&self) -> f64 {
        self.backlog
    }

    /// Takes a sparse packet in before the bulk of this step, which is spread over the step in
    /// truth. A full buffer may refuse it: then it comes back.
    pub(super) fn arrive_sparse(
        &mut self,
        queued: QueuedPacket,
        rng: &mut Rng,
    ) -> Result<(), QueuedPacket> {
        if rng.f64() < self.overflow {
            return Err(queued);
        }
        self.backlog += queued.size;
        self.queue.push_back(queued);
        Ok(())
    }

    pub(super) fn arrive(&mut self, queued: QueuedPacket) {
        self.arriving_bytes += queued.size;
        self.arriving.push(queued);
    }

    /// Admits what arrived, as far as there is room, and lets `rate` bytes per second leave during
    /// the next `dt` seconds, by [`Fifo::take`].
    pub(super) fn admit(&mut self, rate: f64, dt: f64, rng: &mut Rng) {
        (self.rate, self.budget, self.used) = (rate, rate * dt, 0.0);
        let waiting = self.backlog + self.arriving_bytes;
        self.busy = if self.budget > 0.0 { (waiting / self.budget).min(1.0) } else { 1.0 };
        let over = (waiting - self.budget - self.room).max(0.0);
        self.overflow =
            if self.arriving_bytes > 0.0 { (over / self.arriving_bytes).min(1.0) } else { 0.0 };
        let share = self.overflow;
        for place in 0..self.arriving.len() {
            let mut queued = self.arriving[place];
            if share > 0.0 {
                self.refuse(&mut queued, share, rng);
            }
            self.backlog += queued.size;
            self.queue.push_back(queued);
        }
        self.arriving.clear();
        self.arriving_bytes = 0.0;
    }

    /// Drops whole packets of what arrives, `share` of it in the long run. Losses are random: with
    /// regular ones, flows would move in lockstep.
    fn refuse(&mut self, queued: &mut QueuedPacket, share: f64, rng: &mut Rng) {
        match &mut queued.payload {
            PacketPayload::Data(segments) => {
                self.owed += share * segments.bytes;
                let packets = (self.owed / PACKET + rng.f64()).floor().max(0.0);
                let bytes = (packets * PACKET).min(segments.bytes);
                self.owed -= bytes;
                segments.bytes -= bytes;
                segments.lost += bytes;
                queued.size = segments.bytes;
            }
            // The next acknowledgement carries a lost one's news.
            PacketPayload::Ack(_) if rng.f64() < share => {
                queued.size = 0.0;
            }
            PacketPayload::Ack(_) | PacketPayload::Sparse(_) => {}
        }
    }

    /// Takes the next queued that leaves within this step, with the moment in seconds after the
    /// step's beginning.
    pub(super) fn take(&mut self) -> Option<(QueuedPacket, f64)> {
        let head = self.queue.front_mut()?;
        let left = self.budget - self.used;
        if head.size > left + NOTHING {
            head.size -= left;
            self.backlog -= left;
            self.used = self.budget;
            return head.split_off().map(|piece| (piece, self.used / self.rate));
        }
        self.used += head.size;
        self.backlog -= head.size;
        let moment = if self.rate > 0.0 { self.used / self.rate } else { 0.0 };
        let queued = self.queue.pop_front()?;
        if self.queue.is_empty() {
            self.backlog = 0.0;
        }
        Some((queued, moment))
    }

    /// Returns what a sparse packet waits for the packet on the wire, in seconds: on average half
    /// of one, for the share of time in which there is one.
    pub(super) fn residual(&self, rng: &mut Rng) -> f64 {
        // Nothing has been sent yet if there is no rate.
        if self.rate > 0.0 && rng.f64() < self.busy {
            rng.f64() * PACKET / self.rate.max(WIRE)
        } else {
            0.0
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.arriving.is_empty()
    }

    #[cfg(test)]
    pub(super) fn queued(&self) -> impl Iterator<Item = &QueuedPacket> {
        self.queue.iter()
    }
}

#[cfg(test)]
mod tests;
