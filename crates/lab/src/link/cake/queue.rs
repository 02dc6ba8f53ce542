//! One flow's queue in the shaper.

use std::collections::VecDeque;

use fastrand::Rng;

use super::{NOTHING, Service};
use crate::link::{
    cobalt::Cobalt,
    packet::{PACKET, Segments},
};

/// What one flow has waiting, and how its queue is managed.
#[derive(Debug, Clone, Default)]
pub(super) struct FlowQueue {
    /// With the time at which they came.
    waiting: VecDeque<(Segments, f64)>,
    bytes: f64,
    cobalt: Cobalt,
}

impl FlowQueue {
    pub(super) fn bytes(&self) -> f64 {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> f64 {
        self.waiting.iter().map(|(segments, _)| segments.bytes + segments.lost).sum()
    }

    pub(super) fn push(&mut self, segments: Segments, now: f64) {
        self.bytes += segments.bytes;
        self.waiting.push_back((segments, now));
    }

    pub(super) fn on_overflow(&mut self, now: f64) {
        self.cobalt.on_overflow(now);
    }

    pub(super) fn on_empty(&mut self, now: f64) {
        self.cobalt.on_empty(now);
    }

    pub(super) fn flush(&mut self, out: impl FnMut(Segments)) {
        self.bytes = 0.0;
        self.waiting.drain(..).map(|(segments, _)| segments).for_each(out);
    }

    /// Drops up to `bytes` from the head; returns how many. What is left of the dropped segments
    /// is the hole in the sequence, by which the receiver notices.
    pub(super) fn drop_head(&mut self, bytes: f64) -> f64 {
        let mut left = bytes;
        for (segments, _) in &mut self.waiting {
            let cut = segments.bytes.min(left);
            segments.bytes -= cut;
            segments.lost += cut;
            left -= cut;
            if left <= NOTHING {
                break;
            }
        }
        let cut = bytes - left;
        self.bytes -= cut;
        cut
    }

    /// Drops or marks what the queue's management asks for before up to `most` bytes are taken;
    /// returns the bytes dropped.
    pub(super) fn manage(&mut self, most: f64, service: Service, rng: &mut Rng) -> f64 {
        let Service { now, packet_time, flows, ecn } = service;
        let Some((head, entered)) = self.waiting.front_mut() else { return 0.0 };
        let mut due = self.cobalt.due(now, now - *entered, packet_time, flows);
        if ecn && due > 0 {
            head.marked = true;
            due = 0;
        }
        let mut bytes = f64::from(due) * PACKET;
        let share = self.cobalt.share();
        if share > 0.0 {
            bytes += (share * most.min(self.bytes) / PACKET + rng.f64()).floor() * PACKET;
        }
        if bytes > 0.0 { self.drop_head(bytes) } else { 0.0 }
    }

    /// Takes up to `most` bytes, as one piece that was sent when the last of it was.
    pub(super) fn take(&mut self, most: f64) -> Option<Segments> {
        let mut taken: Option<Segments> = None;
        let mut left = most;
        while let Some((head, _)) = self.waiting.front_mut() {
            let bytes = head.bytes.min(left);
            let piece = Segments { bytes, ..*head };
            left -= bytes;
            self.bytes -= bytes;
            taken = Some(match taken {
                None => piece,
                Some(before) => Segments {
                    bytes: before.bytes + bytes,
                    lost: before.lost + piece.lost,
                    marked: before.marked || piece.marked,
                    ..piece
                },
            });
            head.bytes -= bytes;
            (head.lost, head.marked) = (0.0, false);
            if head.bytes > NOTHING {
                break;
            }
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() {
            self.bytes = 0.0;
        }
        taken
    }
}
