//! The bucket of one cycle, computed from its row alone: the tiers can be computed again.

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
        (Column::LatenessMax, cycle.get(field::LATENESS)),
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
    let [rtt, baseline, delta, jitter, noise] = cycle.delays();
    // Probes that bypass the queue have a delay, but it is not the queue's.
    let is_measured = cycle.measurement().is_some_and(MeasurementState::is_measured);
    let delta = delta.filter(|_| is_measured);
    for (kind, value) in [(DelayKind::Rtt, rtt), (DelayKind::Delta, delta)] {
        if let Some(micros) = value {
            bucket.put_delay(kind, micros);
        }
    }
    for (count, sum, value) in [
        (Column::BaselineCycles, Column::BaselineSum, baseline),
        (Column::JitterCycles, Column::JitterSum, jitter),
        (Column::NoiseCycles, Column::NoiseSum, noise),
    ] {
        if let Some(micros) = value {
            bucket.put(count, 1);
            bucket.put(sum, micros);
        }
    }
    if let Some(jitter) = jitter {
        bucket.put(Column::JitterMax, jitter);
    }
    for direction in Direction::ALL {
        put_direction(cycle, direction, span, &mut bucket);
    }
    bucket
}

fn put_direction(cycle: Unpacked<'_>, direction: Direction, span: i64, bucket: &mut Bucket) {
    if let Some(state) = cycle.state(direction) {
        bucket.put(DirectionColumn::state(direction, state), span);
    }
    let [desired, observed, delivery, capacity] = cycle.rates(direction);
    for (kind, rate, span) in [
        (RateKind::Desired, desired, span),
        (RateKind::Observed, observed, span),
        (RateKind::Delivery, delivery, span),
        (RateKind::Capacity, capacity, SECOND_MS),
    ] {
        if let Some(kbps) = rate {
            bucket.put_rate(direction, kind, kbps, span);
        }
    }
    let [bytes, packets] = cycle.traffic(direction).map(|count| count.unwrap_or(0));
    let reason = cycle.reason(direction);
    for (column, value) in [
        (DirectionColumn::AttributedMs, cycle.get(field::attributed(direction)) * span),
        (DirectionColumn::Bytes, bytes),
        (DirectionColumn::Packets, packets),
        (DirectionColumn::Cuts, reason.is_some_and(Reason::is_cut).into()),
        (DirectionColumn::Raises, reason.is_some_and(Reason::is_raise).into()),
        (DirectionColumn::Writes, cycle.get(field::writes(direction))),
    ] {
        bucket.put(column.of(direction), value);
    }
    if let Some((backlog, drops)) = cycle.queue(direction) {
        bucket.put(DirectionColumn::BacklogMax.of(direction), backlog);
        bucket.put(DirectionColumn::Drops.of(direction), drops);
    }
}
