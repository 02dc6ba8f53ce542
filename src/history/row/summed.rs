//! What a cycle adds to its buckets, told from its row alone: so the tiers can be computed again.

use wanctl_core::{Direction, MeasurementState, Reason};

use super::{CycleValues, Unpacked, field};
use crate::history::bucket::{Bucket, Column, DelayKind, DirectionColumn, RateKind};

/// A row with a capacity estimate stands for its second.
const SECOND_MS: i64 = 1000;

/// Returns the bucket of one cycle.
pub(in crate::history) fn summed(values: &CycleValues) -> Bucket {
    let cycle = Unpacked(values);
    let mut bucket = Bucket::default();
    let span = cycle.get(field::SPAN_MS);
    for (column, value) in [
        (Column::Cycles, 1),
        (Column::Gaps, cycle.get(field::GAP)),
        (Column::SpanMs, span),
        (Column::Skipped, cycle.get(field::SKIPPED)),
        (Column::Overruns, cycle.get(field::OVERRAN)),
        (Column::LatenessMax, cycle.get(field::LATENESS_100US) * 100),
        (Column::ProbesSent, cycle.get(field::SENT)),
        (Column::ProbesLost, cycle.get(field::LOST)),
    ] {
        bucket.put(column, value);
    }
    if let Some(state) = cycle.measurement() {
        bucket.put(Column::measurement(state), span);
    }
    if let Some(method) = cycle.method() {
        bucket.put(Column::method(method), span);
    }
    put_delays(cycle, &mut bucket);
    for direction in Direction::ALL {
        put_direction(cycle, direction, span, &mut bucket);
    }
    bucket
}

fn put_delays(cycle: Unpacked<'_>, bucket: &mut Bucket) {
    let [rtt, baseline, delta, jitter, noise] = cycle.delays();
    // Probes that bypass the queue have a delay, but it is not the queue's.
    let is_measured = cycle.measurement().is_some_and(MeasurementState::is_measured);
    let delta = delta.filter(|_| is_measured);
    for (kind, value) in [(DelayKind::Rtt, rtt), (DelayKind::Delta, delta)] {
        let Some(value) = value else { continue };
        let [count, sum, min, max] = Column::delay(kind);
        bucket.put(count, 1);
        for column in [sum, min, max] {
            bucket.put(column, value);
        }
        bucket.put_delay(kind, value);
    }
    if let Some(baseline) = baseline {
        bucket.put(Column::BaselineCycles, 1);
        bucket.put(Column::BaselineSum, baseline);
    }
    if let Some(jitter) = jitter {
        bucket.put(Column::JitterCycles, 1);
        bucket.put(Column::JitterSum, jitter);
        bucket.put(Column::JitterMax, jitter);
    }
    if let Some(noise) = noise {
        bucket.put(Column::NoiseCycles, 1);
        bucket.put(Column::NoiseSum, noise);
    }
}

fn put_direction(cycle: Unpacked<'_>, direction: Direction, span: i64, bucket: &mut Bucket) {
    let mut put = |column: DirectionColumn, value: i64| bucket.put(column.of(direction), value);
    if let Some(state) = cycle.state(direction) {
        put(DirectionColumn::state(state), span);
    }
    put(DirectionColumn::BlamedMs, cycle.get(field::attributed(direction)) * span);
    let [desired, observed, achieved, capacity] = cycle.rates(direction);
    for (kind, rate) in [
        (RateKind::Desired, desired),
        (RateKind::Observed, observed),
        (RateKind::Achieved, achieved),
        (RateKind::Capacity, capacity),
    ] {
        let Some(rate) = rate else { continue };
        let [time, sum, min, max] = DirectionColumn::rate(kind);
        let span = if matches!(kind, RateKind::Capacity) { SECOND_MS } else { span };
        put(time, span);
        put(sum, rate.saturating_mul(span));
        put(min, rate);
        put(max, rate);
    }
    let [bytes, packets] = cycle.traffic(direction);
    put(DirectionColumn::Bytes, bytes.unwrap_or(0));
    put(DirectionColumn::Packets, packets.unwrap_or(0));
    if let Some((backlog, drops)) = cycle.queue(direction) {
        put(DirectionColumn::BacklogMax, backlog);
        put(DirectionColumn::Drops, drops);
    }
    let reason = cycle.reason(direction);
    put(DirectionColumn::Cuts, reason.is_some_and(Reason::is_cut).into());
    put(DirectionColumn::Raises, reason.is_some_and(Reason::is_raise).into());
    put(DirectionColumn::Writes, cycle.get(field::writes(direction)));
}
