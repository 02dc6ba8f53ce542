//! A shaper queue's cumulative counters, without the jumps that are no traffic.
//!
//! Counters start again when a queue is made anew or the router reboots, and a faulty reading can
//! show anything. Neither may look like demand: a rate would climb to its ceiling on it.

use crate::units::{BitRate, MonoTime};
use crate::{QueueReading, params::CounterParams, sample::SMALLEST};

/// The most that flows through a queue without a limit.
const FASTEST: BitRate = BitRate::from_bps(100_000_000_000);

/// Makes counters that never fall and never grow by more than could have passed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    params: CounterParams,
    last: Option<(MonoTime, QueueReading)>,
    shown: QueueReading,
    /// What may pass at present, bytes.
    allowance: u64,
}

impl Counters {
    pub(crate) fn new(params: CounterParams) -> Self {
        Self { params, ..Self::default() }
    }

    /// Returns the reading made at `at` with counters that are free of jumps: what is more than the
    /// limits could have let through, or less than nothing, is a reset, and counts as no traffic.
    pub(crate) fn take(&mut self, at: MonoTime, raw: &QueueReading) -> QueueReading {
        let Some((before, old)) = self.last.replace((at, *raw)) else {
            self.shown = *raw;
            return *raw;
        };
        let passable = most(&old).max(most(raw)).scaled(self.params.margin);
        let since = passable.bytes_in(at.since(before));
        let kept = self.allowance.saturating_add(since).min(passable.bytes_in(self.params.late));
        self.allowance = kept.max(since);
        let moved = (
            raw.bytes.checked_sub(old.bytes),
            raw.packets.checked_sub(old.packets),
            raw.dropped.checked_sub(old.dropped),
        );
        if let (Some(bytes), Some(packets), Some(dropped)) = moved
            && bytes <= self.allowance
            && packets <= self.allowance / SMALLEST
            && dropped <= FASTEST.bytes_in(at.since(before) + self.params.late) / SMALLEST
        {
            self.allowance -= bytes;
            self.shown.bytes = self.shown.bytes.saturating_add(bytes);
            self.shown.packets = self.shown.packets.saturating_add(packets);
            self.shown.dropped = self.shown.dropped.saturating_add(dropped);
        }
        let QueueReading { bytes, packets, dropped, .. } = self.shown;
        QueueReading { bytes, packets, dropped, ..*raw }
    }

    /// Returns whether the last reading was made just before `now`.
    pub(crate) fn are_fresh(&self, now: MonoTime) -> bool {
        self.last.is_some_and(|(read, _)| now.since(read) < self.params.fresh)
    }
}

fn most(reading: &QueueReading) -> BitRate {
    if reading.limit > BitRate::ZERO { reading.limit } else { FASTEST }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const STEP: u64 = 100;

    fn at(step: u64) -> MonoTime {
        MonoTime::from_millis(1000 + step * STEP)
    }

    fn reading(bytes: u64, limit: f64) -> QueueReading {
        let limit = BitRate::from_mbps(limit);
        QueueReading { bytes, packets: bytes / 1000, limit, ..QueueReading::default() }
    }

    #[test]
    fn traffic_up_to_the_limit_is_shown_as_it_is() {
        let mut counters = Counters::default();
        let per_step = BitRate::from_mbps(50.0).bytes_in(Duration::from_millis(STEP));
        for step in 0..100 {
            let raw = reading(7 + per_step * step, 50.0);
            assert_eq!(counters.take(at(step), &raw).bytes, raw.bytes);
        }
    }

    #[test]
    fn a_late_answer_carries_what_flowed_meanwhile() {
        let mut counters = Counters::default();
        let second = BitRate::from_mbps(50.0).bytes_in(Duration::from_secs(1));
        let first = reading(0, 50.0);
        counters.take(at(0), &first);
        // Sampled 3 s later, answered with the next.
        assert_eq!(counters.take(at(30), &first).bytes, 0);
        assert_eq!(counters.take(at(30), &reading(3 * second, 50.0)).bytes, 3 * second);
    }

    proptest! {
        /// Whatever a router shows, no more is taken for traffic than its limits could let pass.
        #[test]
        fn jumps_are_no_traffic(
            raw in prop::collection::vec(
                (any::<u64>(), any::<u64>(), any::<u64>(), 1.0_f64..1000.0, 1_u64..100),
                2..60,
            ),
        ) {
            let mut counters = Counters::default();
            let (mut now, mut before) = (0, None::<QueueReading>);
            let (mut passed, mut fastest, began) = (0_u64, 0.0_f64, at(0));
            for (bytes, packets, dropped, limit, steps) in raw {
                now += steps;
                let raw = QueueReading { packets, dropped, ..reading(bytes, limit) };
                let shown = counters.take(at(now), &raw);
                fastest = fastest.max(limit);
                if let Some(before) = before {
                    prop_assert!(shown.bytes >= before.bytes && shown.packets >= before.packets);
                    passed += shown.bytes - before.bytes;
                }
                before = Some(shown);
            }
            let most = BitRate::from_mbps(fastest * CounterParams::default().margin * 1.01);
            prop_assert!(passed <= most.bytes_in(at(now).since(began) + CounterParams::default().late), "{passed}");
        }

        #[test]
        fn after_a_jump_traffic_is_counted_on(
            jump in any::<u64>(),
            start in 0_u64..1 << 60,
        ) {
            let mut counters = Counters::default();
            counters.take(at(0), &reading(start, 50.0));
            let far = counters.take(at(1), &reading(jump, 50.0));
            let per_step = BitRate::from_mbps(20.0).bytes_in(Duration::from_millis(STEP));
            let after = counters.take(at(2), &reading(jump.saturating_add(per_step), 50.0));
            let moved = jump.saturating_add(per_step) - jump;
            prop_assert_eq!(after.bytes - far.bytes, moved);
        }
    }
}
