//! CAKE as a shaper: a queue for each flow, equal shares, each queue managed, sparse traffic first.

use std::collections::VecDeque;

use fastrand::Rng;
use wanctl_core::units::BitRate;

use super::{
    flow_queue::{FlowQueue, NOTHING, Service},
    packet::{ACK_SIZE, PACKET, PacketPayload, QueuedPacket, SPARSE_SIZE, Segments},
};
use crate::plant::PlantReading;

/// CAKE keeps at most this long a backlog at its rate, in seconds, but never less than
/// [`LEAST_MEMORY`].
const MEMORY_TIME: f64 = 0.4;
/// Bytes of memory that CAKE allows itself however slow it shapes.
const LEAST_MEMORY: f64 = 4_194_304.0;
/// Memory that a byte on the wire takes in the kernel.
const MEMORY_PER_BYTE: f64 = 1.5;
/// Acknowledgements that waited longer than this are dropped, in seconds: later ones carry their
/// news.
const ACK_TIMEOUT: f64 = 0.02;
/// A shaper.
#[derive(Debug, Clone)]
pub(super) struct Cake {
    /// Bytes per second; `None` is unlimited.
    rate: Option<f64>,
    queues: Vec<FlowQueue>,
    /// One bit for each flow queue in which something waits.
    backlogged: u64,
    /// Bytes in all flow queues.
    bulk: f64,
    /// Acknowledgements: sparse flows, that go first while they ask for no more than a fair share.
    acks: VecDeque<QueuedPacket>,
    ack_bytes: f64,
    /// Bytes that sparse packets took in advance.
    debt: f64,
    sent: f64,
    packets: f64,
    dropped: f64,
}

impl Cake {
    /// Creates an unlimited shaper with a queue for each of `flows` flows.
    pub(super) fn new(flows: usize) -> Self {
        Self {
            rate: None,
            queues: vec![FlowQueue::default(); flows],
            backlogged: 0,
            bulk: 0.0,
            acks: VecDeque::new(),
            ack_bytes: 0.0,
            debt: 0.0,
            sent: 0.0,
            packets: 0.0,
            dropped: 0.0,
        }
    }

    /// Sets the rate; zero means unlimited.
    pub(super) fn set_limit(&mut self, limit: BitRate) {
        self.rate = (limit > BitRate::ZERO).then(|| limit.bytes_per_second());
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    pub(super) fn reading(&self) -> PlantReading {
        PlantReading {
            bytes: self.sent as u64,
            packets: self.packets as u64,
            dropped: (self.dropped / PACKET) as u64,
            backlog_bytes: (self.bulk + self.ack_bytes) as u64,
            backlog_packets: (self.bulk / PACKET + self.ack_bytes / ACK_SIZE).ceil() as u64,
        }
    }

    #[cfg(test)]
    pub(super) fn acks(&self) -> impl Iterator<Item = &QueuedPacket> {
        self.acks.iter()
    }

    /// Returns the bytes that flows have waiting, and those that were dropped out of them.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> f64 {
        self.queues.iter().map(FlowQueue::waiting).sum()
    }

    pub(super) fn enqueue(&mut self, segments: Segments, now: f64) {
        self.bulk += segments.bytes;
        self.backlogged |= 1 << segments.flow;
        self.queues[usize::from(segments.flow)].push(segments, now);
        let Some(rate) = self.rate else { return };
        let most = (rate * MEMORY_TIME).max(LEAST_MEMORY) / MEMORY_PER_BYTE;
        while self.bulk > most {
            let Some(longest) =
                self.queues.iter_mut().max_by(|a, b| a.bytes().total_cmp(&b.bytes()))
            else {
                return;
            };
            let cut = longest.drop_head(PACKET);
            longest.on_overflow(now);
            self.bulk -= cut;
            self.dropped += cut;
        }
    }

    pub(super) fn enqueue_ack(&mut self, ack: QueuedPacket) {
        self.ack_bytes += ack.size;
        self.acks.push_back(ack);
    }

    /// Lets a sparse packet by; returns what it waits for the packet on the wire, in seconds.
    pub(super) fn pass_sparse(&mut self, rng: &mut Rng) -> f64 {
        self.sent += SPARSE_SIZE;
        self.packets += 1.0;
        match self.rate {
            Some(rate) => {
                self.debt += SPARSE_SIZE;
                if self.bulk > 0.0 { rng.f64() * PACKET / rate } else { 0.0 }
            }
            None => 0.0,
        }
    }

    /// Lets out what may leave within the next `dt` seconds. Only flows that have something
    /// waiting count; `ack_flows` is how many send acknowledgements through here.
    pub(super) fn serve(
        &mut self,
        now: f64,
        dt: f64,
        ack_flows: usize,
        rng: &mut Rng,
        mut out: impl FnMut(PacketPayload),
    ) {
        if self.acks.is_empty() && self.backlogged == 0 {
            self.debt = 0.0;
            return;
        }
        let Some(rate) = self.rate else {
            self.flush(out);
            return;
        };
        let mut budget = rate * dt - self.debt;
        let active = self.backlogged.count_ones();
        let share = ack_flows as f64 / (ack_flows as f64 + f64::from(active));
        budget -= self.serve_acks(now, if active == 0 { budget } else { budget * share }, &mut out);
        self.debt = (-budget).max(0.0);
        if active > 0 {
            let service = Service { now, packet_time: PACKET / rate, flows: f64::from(active) };
            self.serve_flows(service, budget.max(0.0), rng, &mut out);
        }
    }

    fn flush(&mut self, mut out: impl FnMut(PacketPayload)) {
        self.debt = 0.0;
        self.sent += self.ack_bytes + self.bulk;
        self.packets += self.ack_bytes / ACK_SIZE + self.bulk / PACKET;
        (self.ack_bytes, self.bulk, self.backlogged) = (0.0, 0.0, 0);
        self.acks.drain(..).for_each(|ack| out(ack.payload));
        for queue in &mut self.queues {
            queue.flush(|segments| out(PacketPayload::Data(segments)));
        }
    }

    /// Lets acknowledgements out; returns the bytes that they took.
    fn serve_acks(&mut self, now: f64, quota: f64, out: &mut impl FnMut(PacketPayload)) -> f64 {
        let mut left = quota.max(0.0);
        let allowed = left;
        while let Some(head) = self.acks.front_mut() {
            if now - head.entered > ACK_TIMEOUT {
                self.ack_bytes -= head.size;
                self.dropped += head.size;
                head.size = 0.0;
            }
            let part = head.size.min(left);
            head.size -= part;
            left -= part;
            self.ack_bytes -= part;
            if head.size > NOTHING {
                break;
            }
            out(head.payload);
            self.acks.pop_front();
        }
        if self.acks.is_empty() {
            self.ack_bytes = 0.0;
        }
        let used = allowed - left;
        self.sent += used;
        self.packets += used / ACK_SIZE;
        used
    }

    /// Shares `budget` among the flows that have something waiting: what one does not need, the
    /// others get (max-min fairness, as rounds of equal quanta give).
    fn serve_flows(
        &mut self,
        service: Service,
        mut budget: f64,
        rng: &mut Rng,
        out: &mut impl FnMut(PacketPayload),
    ) {
        let mut pending = self.backlogged;
        while pending != 0 {
            let share = budget / f64::from(pending.count_ones());
            let before = pending;
            // Those that need less than an equal share go first, and leave the others more.
            for place in ones(before) {
                if self.queues[place].bytes() <= share {
                    pending &= !(1 << place);
                    budget -= self.serve_flow(place, share, service, rng, out);
                }
            }
            if pending == before {
                for place in ones(pending) {
                    self.serve_flow(place, share, service, rng, out);
                }
                return;
            }
        }
    }

    /// Lets out up to `most` bytes of a flow; returns how many.
    fn serve_flow(
        &mut self,
        place: usize,
        most: f64,
        service: Service,
        rng: &mut Rng,
        out: &mut impl FnMut(PacketPayload),
    ) -> f64 {
        let queue = &mut self.queues[place];
        let before = queue.bytes();
        let cut = queue.manage(most, service, rng);
        let taken = queue.take(most);
        if queue.is_empty() {
            self.backlogged &= !(1 << place);
            queue.on_empty(service.now);
        }
        self.dropped += cut;
        self.bulk -= before - queue.bytes();
        if self.backlogged == 0 {
            self.bulk = 0.0;
        }
        let Some(segments) = taken else { return 0.0 };
        let bytes = segments.bytes;
        self.sent += bytes;
        self.packets += bytes / PACKET;
        out(PacketPayload::Data(Segments {
            flow: u8::try_from(place).unwrap_or(u8::MAX),
            ..segments
        }));
        bytes
    }
}

fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = (bits != 0).then(|| bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        place
    })
}
