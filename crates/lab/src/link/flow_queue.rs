//! One flow's queue in the shaper, managed by COBALT: `CoDel` for flows that respond, BLUE for
//! those that do not.

use std::collections::VecDeque;

use fastrand::Rng;

use super::packet::{PACKET, Segments};

/// Sizes below this are rounding errors, in bytes.
pub(super) const NOTHING: f64 = 1e-6;
/// Sojourn that a standing queue may have, in seconds, as CAKE's default.
const TARGET: f64 = 0.005;
/// How long a queue may stand above the target, in seconds: the longest round trip that is usual.
const INTERVAL: f64 = 0.1;
/// By how much BLUE drops more often, for each target's time of overflow.
const BLUE_UP: f64 = 1.0 / 256.0;
/// By how much it drops less often each time that the queue runs empty.
const BLUE_DOWN: f64 = 1.0 / 4096.0;
/// `CoDel`'s count is of no more use beyond this: a drop every third of a millisecond.
const MOST_COUNT: f64 = 1e5;

/// The state of one queue's management.
#[derive(Debug, Clone, Default)]
struct Cobalt {
    count: f64,
    dropping: bool,
    next: f64,
    /// Share of packets that BLUE drops.
    share: f64,
    blue_changed_at: f64,
}

impl Cobalt {
    /// Returns how many packets are to be dropped now: `sojourn` is the time that the
    /// head has waited, `packet_time` that of a full packet at the shaper's rate, all in seconds.
    fn due(&mut self, now: f64, sojourn: f64, packet_time: f64, flows: f64) -> u32 {
        let target = TARGET.max(1.5 * packet_time);
        // A queue of a few packets per flow is no standing queue, however slow the link.
        let over = sojourn > target.max(packet_time * 4.0).max(packet_time * flows * 2.0);
        if over {
            if !self.dropping {
                self.dropping = true;
                self.count = self.count.max(1.0);
                self.next = now + INTERVAL / self.count.sqrt();
            }
        } else {
            self.dropping = false;
        }
        let mut due = 0;
        while self.count > 0.0 && now >= self.next {
            if self.dropping {
                due += 1;
                self.count = (self.count + 1.0).min(MOST_COUNT);
            } else {
                self.count -= 1.0;
                if self.count < 1.0 {
                    self.count = 0.0;
                    break;
                }
            }
            self.next += INTERVAL / self.count.sqrt();
        }
        due
    }

    /// Returns the share of packets that BLUE drops.
    fn share(&self) -> f64 {
        self.share
    }

    fn on_overflow(&mut self, now: f64) {
        if now - self.blue_changed_at > TARGET {
            self.share = (self.share + BLUE_UP).min(1.0);
            self.blue_changed_at = now;
        }
        self.dropping = true;
        self.next = self.next.min(now);
        self.count = self.count.max(1.0);
    }

    /// The queue ran empty.
    fn on_empty(&mut self, now: f64) {
        if self.share > 0.0 && now - self.blue_changed_at > TARGET {
            self.share = (self.share - BLUE_DOWN).max(0.0);
            self.blue_changed_at = now;
        }
    }
}

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

    /// Drops what the queue's management asks for before up to `most` bytes are taken;
    /// returns the bytes dropped.
    pub(super) fn manage(&mut self, most: f64, service: Service, rng: &mut Rng) -> f64 {
        let Service { now, packet_time, flows } = service;
        let Some((_, entered)) = self.waiting.front() else { return 0.0 };
        let due = self.cobalt.due(now, now - *entered, packet_time, flows);
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
                    ..piece
                },
            });
            head.bytes -= bytes;
            head.lost = 0.0;
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

/// The circumstances under which a flow queue is served.
#[derive(Debug, Clone, Copy)]
pub(super) struct Service {
    pub(super) now: f64,
    /// Seconds that a full packet takes at the shaper's rate.
    pub(super) packet_time: f64,
    /// Flows that have something waiting.
    pub(super) flows: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: f64 = 0.002;
    const PACKET_TIME: f64 = 0.0003;

    /// Drops within `seconds` of a queue that always has this sojourn.
    fn drops(cobalt: &mut Cobalt, from: f64, seconds: f64, sojourn: f64) -> u32 {
        let mut now = from;
        let mut drops = 0;
        while now < from + seconds {
            drops += cobalt.due(now, sojourn, PACKET_TIME, 1.0);
            now += STEP;
        }
        drops
    }

    #[test]
    fn a_short_burst_is_let_through_and_a_standing_queue_is_cut_ever_faster() {
        let mut cobalt = Cobalt::default();
        assert_eq!(drops(&mut cobalt, 0.0, 0.09, 0.050), 0);
        assert_eq!(drops(&mut cobalt, 0.09, 1.0, 0.004), 0, "back under the target");
        let mut cobalt = Cobalt::default();
        let first = drops(&mut cobalt, 0.0, 1.0, 0.050);
        let second = drops(&mut cobalt, 1.0, 1.0, 0.050);
        assert!((20..40).contains(&first), "{first} drops in the first second");
        assert!(second > 2 * first, "{second} after {first}");
    }

    #[test]
    fn on_a_slow_link_the_time_of_a_packet_is_no_standing_queue() {
        let mut cobalt = Cobalt::default();
        let slow: u32 = (0..2000).map(|n| cobalt.due(f64::from(n) * STEP, 0.040, 0.012, 1.0)).sum();
        assert_eq!(slow, 0);
    }

    #[test]
    fn blue_grows_with_overflow_and_wanes_when_the_queue_is_empty() {
        let mut cobalt = Cobalt::default();
        let mut now = 1.0;
        for _ in 0..100 {
            cobalt.on_overflow(now);
            now += 0.006;
        }
        let grown = cobalt.share();
        assert!((0.3..0.5).contains(&grown), "{grown}");
        for _ in 0..2000 {
            cobalt.on_empty(now);
            now += 0.006;
        }
        assert!(cobalt.share() < 1e-9, "{}", cobalt.share());
    }
}
