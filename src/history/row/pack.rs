//! The layout of a cycle's row: 19 integers, some of which hold several small fields.
//!
//! A row of SQLite spends a byte on each column before any value, so 40 columns of mostly tiny
//! values would be 40 bytes of nothing. Fields share a column where they are small or usually
//! zero; the rarer one stands in the higher bits, so that the integer is short when it is zero.

use wanctl_core::{
    CongestionState, Cycle, Direction, DirectionCycle, LoadClass, Measurement, MeasurementState,
    PerDirection, Phase, ProbeMethod, ProbeOutcome, QueueReading, Reason,
    units::{BitRate, Delay},
};

use super::{super::code::Coded, LONGEST_SPAN_MS, millis_between};

/// The columns of a table of cycles after its key.
pub(in crate::history) const RAW_COLUMNS: [&str; 19] = [
    "codes",
    "timing",
    "rtt_over_10us",
    "baseline_10us",
    "delta_10us",
    "jitter_10us",
    "estimates",
    "download_desired_kbps",
    "download_load_pct",
    "download_lag_kbps",
    "download_bytes",
    "download_packets",
    "download_queue",
    "upload_desired_kbps",
    "upload_load_pct",
    "upload_lag_kbps",
    "upload_bytes",
    "upload_packets",
    "upload_queue",
];

/// The values of [`RAW_COLUMNS`].
pub(in crate::history) type CycleValues = [Option<i64>; RAW_COLUMNS.len()];

/// Some bits of a column.
#[derive(Debug, Clone, Copy)]
pub(in crate::history) struct PackedField {
    /// Its name in the view, of a direction without the direction.
    pub(in crate::history) name: &'static str,
    /// The column, as its place in [`RAW_COLUMNS`].
    pub(in crate::history) column: usize,
    pub(in crate::history) shift: u32,
    pub(in crate::history) bits: u32,
    /// How many of the value's unit are one in the column.
    pub(in crate::history) factor: i64,
}

impl PackedField {
    const fn new(name: &'static str, column: usize, shift: u32, bits: u32, factor: i64) -> Self {
        Self { name, column, shift, bits, factor }
    }

    /// Returns the highest number that fits.
    pub(in crate::history) const fn max(self) -> i64 {
        (1 << self.bits) - 1
    }

    /// Returns a number of units, put into its place; too high ones become the highest.
    pub(in crate::history) fn put(self, number: i64) -> i64 {
        number.clamp(0, self.max()) << self.shift
    }

    /// Returns the value, in its unit.
    fn get(self, values: &CycleValues) -> Option<i64> {
        values[self.column].map(|all| ((all >> self.shift) & self.max()) * self.factor)
    }
}

/// Where each field stands. What is zero in most cycles stands on top: SQLite stores small integers
/// in fewer bytes.
pub(in crate::history) mod field {
    use super::{Direction, PackedField, first_column};

    macro_rules! fields {
        ($list:ident: $($field:ident $name:literal $column:literal $shift:literal $bits:literal
         $factor:literal),+ $(,)?) => {
            $(pub(in crate::history) const $field: PackedField =
                PackedField::new($name, $column, $shift, $bits, $factor);)+
            /// Those of a WAN that are integers in the view.
            pub(in crate::history) const $list: [PackedField; [$($name),+].len()] = [$($field),+];
        };
    }

    fields!(INTEGERS:
        FRESH "fresh" 0 28 6 1,
        DELAYED "delayed" 0 45 6 1,
        QUORUM "quorum" 0 3 1 1,
        SENT "probes_sent" 0 40 5 1,
        LOST "probes_lost" 0 51 5 1,
        GAP "gap" 0 5 1 1,
        SPAN_MS "span_ms" 1 0 11 1,
        SKIPPED "skipped" 1 27 20 1,
        OVERRAN "overran" 0 4 1 1,
        LATENESS "lateness_us" 1 11 12 100,
    );

    pub(in crate::history) const MEASUREMENT: PackedField =
        PackedField::new("measurement", 0, 0, 3, 1);
    /// Its highest value stands for none: before the first reply.
    pub(in crate::history) const METHOD: PackedField = PackedField::new("method", 0, 56, 3, 1);
    /// In µs; zero stands for none, as in the capacity.
    pub(in crate::history) const NOISE: PackedField = PackedField::new("noise_us", 6, 0, 18, 10);

    macro_rules! of_direction {
        ($($field:ident $name:literal $column:literal $shift:literal $bits:literal $factor:literal
         upload $step:literal),+ $(,)?) => {
            $(pub(in crate::history) const fn $field(direction: Direction) -> PackedField {
                let shift = $shift + $step * direction as u32;
                PackedField::new($name, $column, shift, $bits, $factor)
            })+
        };
    }

    of_direction!(
        state "state" 0 6 3 1 upload 11,
        reason "reason" 0 9 5 1 upload 11,
        phase "phase" 0 34 3 1 upload 3,
        load "load" 0 14 2 1 upload 11,
        attributed "attributed" 0 16 1 1 upload 11,
        writes "writes" 1 23 2 1 upload 2,
        capacity "capacity_bps" 6 18 22 10_000 upload 22,
    );

    pub(in crate::history) const fn backlog(direction: Direction) -> PackedField {
        PackedField::new("backlog_bytes", first_column(direction) + 5, 0, 24, 64)
    }

    pub(in crate::history) const fn drops(direction: Direction) -> PackedField {
        PackedField::new("drops", first_column(direction) + 5, 24, 38, 1)
    }
}

/// Returns the place of a direction's first column.
pub(in crate::history) const fn first_column(direction: Direction) -> usize {
    7 + 6 * direction as usize
}

/// Counts that had no room in a row: they go into the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::history) struct Carry {
    sent: i64,
    lost: i64,
    writes: PerDirection<i64>,
}

/// Returns what of `held` fits into `field`, and takes it out.
fn draw(held: &mut i64, field: PackedField) -> i64 {
    let now = (*held).clamp(0, field.max());
    *held -= now;
    field.put(now)
}

/// Packs `cycle`, whose WAN's cycle before it was `before`.
pub(in crate::history) fn pack(
    cycle: &Cycle,
    before: Option<&Cycle>,
    carry: &mut Carry,
) -> CycleValues {
    for sample in &cycle.samples {
        carry.sent += i64::from(sample.outcome != ProbeOutcome::Unsent);
        carry.lost += i64::from(sample.outcome == ProbeOutcome::Lost);
    }
    let measurement = &cycle.measurement;
    let (span, gap) = span(cycle, before);
    let mut codes = field::MEASUREMENT.put(measurement.state.to_code())
        | field::QUORUM.put(measurement.quorum.into())
        | field::OVERRAN.put(cycle.timing.overran().into())
        | field::GAP.put(gap.into())
        | field::FRESH.put(measurement.fresh.into())
        | field::DELAYED.put(measurement.delayed.into())
        | field::METHOD.put(cycle.method.map_or(field::METHOD.max(), Coded::to_code))
        | draw(&mut carry.sent, field::SENT)
        | draw(&mut carry.lost, field::LOST);
    let mut timing = field::SPAN_MS.put(span)
        | field::LATENESS.put(Delay::from(cycle.timing.lateness).micros() / field::LATENESS.factor)
        | field::SKIPPED.put(int(cycle.timing.skipped));
    let mut values = [None; RAW_COLUMNS.len()];
    for (direction, now) in cycle.directions.present() {
        let then = before.and_then(|before| before.directions[direction].as_ref());
        codes |= field::state(direction).put(now.state.to_code())
            | field::reason(direction).put(now.reason.to_code())
            | field::phase(direction).put(now.phase.to_code())
            | field::load(direction).put(now.load.class.to_code())
            | field::attributed(direction).put(now.attributed.into());
        let written =
            then.map_or(0, |then| now.actuation.writes.saturating_sub(then.actuation.writes));
        carry.writes[direction] += int(written);
        timing |= draw(&mut carry.writes[direction], field::writes(direction));
        let first = first_column(direction);
        for (slot, value) in values[first..].iter_mut().zip(traffic(direction, now, then)) {
            *slot = value;
        }
    }
    let ten_micros = |delay: Option<Delay>| delay.map(|delay| rounded(delay.micros(), 10));
    let Measurement { rtt, baseline, delta, jitter, .. } = *measurement;
    let [rtt, baseline, delta, jitter] = [rtt, baseline, delta, jitter].map(ten_micros);
    // Little is left of it then, and a small integer is short.
    let rtt_over = rtt.map(|rtt| rtt - baseline.unwrap_or(0) - delta.unwrap_or(0));
    values[0] = Some(codes);
    values[1] = Some(timing);
    values[2..7].copy_from_slice(&[rtt_over, baseline, delta, jitter, estimates(cycle, before)]);
    values
}

/// Returns for how many ms the cycle stands, the time since the one before, and whether it begins
/// after a hole.
fn span(cycle: &Cycle, before: Option<&Cycle>) -> (i64, bool) {
    let interval = Delay::from(cycle.timing.interval).micros() / 1000;
    let Some(before) = before else { return (interval, true) };
    let elapsed = millis_between(before, cycle);
    if (0..=LONGEST_SPAN_MS).contains(&elapsed) {
        (elapsed, cycle.number != before.number + 1)
    } else {
        (interval, true)
    }
}

/// Returns what changes slowly, in the first row of each second: it stands for the second.
fn estimates(cycle: &Cycle, before: Option<&Cycle>) -> Option<i64> {
    let second = |cycle: &Cycle| cycle.wall.micros().div_euclid(1_000_000);
    if before.is_some_and(|before| second(before) == second(cycle)) {
        return None;
    }
    let noise = cycle.measurement.noise.map_or(0, |noise| rounded(noise.micros(), 10));
    let capacities = cycle.directions.present().map(|(direction, reported)| {
        let capacity = reported.capacity.map_or(0, |capacity| rounded(int(capacity.bps()), 10_000));
        field::capacity(direction).put(capacity)
    });
    Some(field::NOISE.put(noise) | capacities.fold(0, |all, one| all | one))
        .filter(|estimates| *estimates != 0)
}

fn traffic(
    direction: Direction,
    now: &DirectionCycle,
    before: Option<&DirectionCycle>,
) -> [Option<i64>; 6] {
    let old = before.and_then(|before| before.queue);
    let moved = |counter: fn(&QueueReading) -> u64| {
        let (now, old) = (counter(&now.queue?), counter(&old?));
        // A counter that fell was reset: what it shows now has been counted since.
        Some(int(now.checked_sub(old).unwrap_or(now)))
    };
    let desired = kbps(now.desired);
    let share = now.load.delivery_rate.and_then(|delivery| delivery.fraction_of(now.desired));
    // The backlog is stored with the reading that brought it, and not again until the next.
    let reported = now.queue.filter(|_| now.queue != old).and_then(|queue| queue.backlog());
    let backlog = reported.map(|backlog| int(backlog.bytes));
    let drops = moved(|queue| queue.dropped);
    let queue = backlog.map(|bytes| {
        field::backlog(direction).put(bytes.saturating_add(63) / 64)
            | field::drops(direction).put(drops.unwrap_or(0))
    });
    [
        Some(desired),
        share.map(percent),
        now.actuation.observed.map(|observed| desired - kbps(observed)),
        moved(|queue| queue.bytes),
        moved(|queue| queue.packets),
        queue,
    ]
}

/// A cycle's row, read.
#[derive(Debug, Clone, Copy)]
pub(in crate::history) struct Unpacked<'a>(pub(in crate::history) &'a CycleValues);

impl Unpacked<'_> {
    pub(in crate::history) fn get(self, field: PackedField) -> i64 {
        field.get(self.0).unwrap_or(0)
    }

    pub(in crate::history) fn measurement(self) -> Option<MeasurementState> {
        field::MEASUREMENT.get(self.0).and_then(MeasurementState::from_code)
    }

    /// Returns whether the direction was shaped; if not, its columns are empty and its bits zero.
    fn is_shaped(self, direction: Direction) -> bool {
        self.0[first_column(direction)].is_some()
    }

    pub(in crate::history) fn state(self, direction: Direction) -> Option<CongestionState> {
        let code = field::state(direction).get(self.0).filter(|_| self.is_shaped(direction))?;
        CongestionState::from_code(code)
    }

    pub(in crate::history) fn reason(self, direction: Direction) -> Option<Reason> {
        let code = field::reason(direction).get(self.0).filter(|_| self.is_shaped(direction))?;
        Reason::from_code(code)
    }

    pub(in crate::history) fn method(self) -> Option<ProbeMethod> {
        field::METHOD.get(self.0).and_then(ProbeMethod::from_code)
    }

    /// Returns RTT, baseline, delta, jitter and noise in µs.
    pub(in crate::history) fn delays(self) -> [Option<i64>; 5] {
        let [rtt_over, baseline, delta, jitter] = [2, 3, 4, 5].map(|column| self.0[column]);
        let rtt = rtt_over.map(|over| over + baseline.unwrap_or(0) + delta.unwrap_or(0));
        let [rtt, baseline, delta, jitter] =
            [rtt, baseline, delta, jitter].map(|delay| delay.map(|delay| delay * 10));
        let noise = Some(self.get(field::NOISE)).filter(|noise| *noise > 0);
        [rtt, baseline, delta, jitter, noise]
    }

    /// Returns desired, observed and delivery rate and the capacity estimate in kbit/s.
    pub(in crate::history) fn rates(self, direction: Direction) -> [Option<i64>; 4] {
        let first = first_column(direction);
        let desired = self.0[first];
        let delivery = desired.zip(self.0[first + 1]).map(|(desired, pct)| desired * pct / 100);
        let capacity = Some(self.get(field::capacity(direction))).filter(|known| *known > 0);
        let observed = desired.zip(self.0[first + 2]).map(|(desired, lag)| desired - lag);
        [desired, observed, delivery, capacity.map(|bps| bps / 1000)]
    }

    /// Returns bytes and packets.
    pub(in crate::history) fn traffic(self, direction: Direction) -> [Option<i64>; 2] {
        let first = first_column(direction);
        [self.0[first + 3], self.0[first + 4]]
    }

    /// Returns the backlog in bytes and the drops, if the cycle brought a reading.
    pub(in crate::history) fn queue(self, direction: Direction) -> Option<(i64, i64)> {
        field::backlog(direction).get(self.0).zip(field::drops(direction).get(self.0))
    }
}

/// SQLite has no unsigned integers; what does not fit has overflowed long before.
fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn kbps(rate: BitRate) -> i64 {
    rounded(int(rate.bps()), 1000)
}

fn rounded(value: i64, unit: i64) -> i64 {
    value.saturating_add(unit / 2).div_euclid(unit)
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
fn percent(share: f64) -> i64 {
    (share * 100.0).round() as i64
}

const _: () = assert!(LoadClass::VARIANTS.len() <= 4, "the field of the load has two bits");
const _: () = assert!(Reason::VARIANTS.len() <= 32, "the field of the reason has five bits");
const _: () = assert!(Phase::VARIANTS.len() <= 8, "the field of the phase has three bits");
const _: () =
    assert!(CongestionState::VARIANTS.len() <= 8, "the field of the state has three bits");
const _: () = assert!(ProbeMethod::VARIANTS.len() < 8, "and one value for none");
const _: () = assert!(MeasurementState::VARIANTS.len() <= 8, "its field has three bits");

#[cfg(test)]
mod tests;
