//! The border to the plant: limits that are in force, and counters as a router shows them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use wanctl_core::units::{BitRate, MonoTime};

use super::{
    rows::QUEUE_TREE,
    schema::{Menu, Row},
    shaped::{Shaped, is_bypassed, shaped_by},
    store::Store,
};
use crate::plant::{Egress, Plant, PlantReading, Side};

/// How often a queue's rate is taken anew.
const RATE_PERIOD: Duration = Duration::from_secs(1);

/// Counters of one queue, since they were last set to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counters {
    pub(super) bytes: u64,
    pub(super) packets: u64,
    pub(super) dropped: u64,
    pub(super) queued_bytes: u64,
    pub(super) queued_packets: u64,
    /// Rate over the last second or, if nobody looked for longer, since the last look.
    pub(super) rate: BitRate,
    /// Packets per second over the same time.
    pub(super) packet_rate: u64,
}

/// All queues that shape something.
#[derive(Debug)]
pub(super) struct Shapers {
    plant: Arc<dyn Plant>,
    in_force: BTreeMap<String, BitRate>,
    meters: BTreeMap<MeterKey, Meter>,
    egress: Egress,
}

/// Path of the menu, identifier of the row, and which side of it.
type MeterKey = (&'static str, u32, Option<Side>);

/// Where one queue's counters started, and when its rate was last taken.
#[derive(Debug, Clone, Copy)]
struct Meter {
    zero: PlantReading,
    taken: MonoTime,
    at_taken: PlantReading,
    rate: BitRate,
    packet_rate: u64,
}

impl Meter {
    const fn starting(now: MonoTime, reading: PlantReading) -> Self {
        Self { zero: reading, taken: now, at_taken: reading, rate: BitRate::ZERO, packet_rate: 0 }
    }
}

impl Shapers {
    /// Builds the border to `plant`, with no limit in force yet.
    pub(super) const fn new(plant: Arc<dyn Plant>) -> Self {
        Self {
            plant,
            in_force: BTreeMap::new(),
            meters: BTreeMap::new(),
            egress: Egress { sensitive: None, rest: None },
        }
    }

    /// Puts exactly `limits` in force: tells the plant what differs, and frees queues that are gone.
    pub(super) fn enforce(&mut self, limits: BTreeMap<String, BitRate>) {
        for gone in self.in_force.keys().filter(|name| !limits.contains_key(*name)) {
            self.plant.set_limit(gone, BitRate::ZERO);
        }
        for (queue, limit) in &limits {
            if self.in_force.get(queue) != Some(limit) {
                self.plant.set_limit(queue, *limit);
            }
        }
        self.in_force = limits;
    }

    /// Sends traffic by these gateways, if they are others than before.
    pub(super) fn route(&mut self, egress: Egress) {
        if self.egress != egress {
            self.plant.route(&egress);
            self.egress = egress;
        }
    }

    /// Reads the counters of `row` of `menu`: one for a queue tree, two for a simple queue, in the
    /// order of its values. A queue that traffic is taken past counts nothing.
    pub(super) fn read_row(
        &mut self,
        store: &Store,
        menu: &Menu,
        row: &Row,
        now: MonoTime,
    ) -> Vec<Counters> {
        let is_bypassed = is_bypassed(store, menu, row);
        let read = |shaped: Shaped| {
            let counters = self.read((menu.path, row.id, shaped.side), &shaped.queue, now);
            if is_bypassed { Counters::default() } else { counters }
        };
        shaped_by(store, menu, row).into_iter().map(read).collect()
    }

    fn read(&mut self, key: MeterKey, queue: &str, now: MonoTime) -> Counters {
        let reading = self.plant.reading(queue);
        let meter = self.meters.entry(key).or_insert_with(|| Meter::starting(now, reading));
        let span = now.since(meter.taken);
        if span >= RATE_PERIOD {
            let bytes = reading.bytes.saturating_sub(meter.at_taken.bytes);
            let packets = reading.packets.saturating_sub(meter.at_taken.packets);
            meter.rate = BitRate::of_transfer(bytes, span).unwrap_or_default();
            meter.packet_rate = per_second(packets, span);
            (meter.taken, meter.at_taken) = (now, reading);
        }
        Counters {
            bytes: reading.bytes.saturating_sub(meter.zero.bytes),
            packets: reading.packets.saturating_sub(meter.zero.packets),
            dropped: reading.dropped.saturating_sub(meter.zero.dropped),
            queued_bytes: reading.backlog_bytes,
            queued_packets: reading.backlog_packets,
            rate: meter.rate,
            packet_rate: meter.packet_rate,
        }
    }

    /// Sets the counters of `row` of `menu` to zero.
    pub(super) fn restart_row(&mut self, store: &Store, menu: &Menu, row: &Row, now: MonoTime) {
        for shaped in shaped_by(store, menu, row) {
            let meter = Meter::starting(now, self.plant.reading(&shaped.queue));
            self.meters.insert((menu.path, row.id, shaped.side), meter);
        }
    }

    /// Forgets the row `id` of `menu`, which is gone.
    pub(super) fn forget(&mut self, menu: &Menu, id: u32) {
        self.meters.retain(|(path, row, _), _| (*path, *row) != (menu.path, id));
    }

    /// Returns what the queues directly under `parent` ever sent and dropped.
    pub(super) fn carried_under(&self, store: &Store, parent: &str) -> PlantReading {
        let queues = store.rows(&QUEUE_TREE).iter().filter(|row| row.get("parent") == parent);
        let mut sum = PlantReading::default();
        for reading in queues.map(|row| self.plant.reading(row.get("name"))) {
            sum.bytes += reading.bytes;
            sum.packets += reading.packets;
            sum.dropped += reading.dropped;
        }
        sum
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn per_second(count: u64, span: Duration) -> u64 {
    (count as f64 / span.as_secs_f64()).round() as u64
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Every queue sent as much as this says.
    #[derive(Debug, Default)]
    struct Uniform(Mutex<(u64, Vec<(String, BitRate)>)>);

    impl Uniform {
        fn with<T>(&self, act: impl FnOnce(&mut (u64, Vec<(String, BitRate)>)) -> T) -> T {
            act(&mut self.0.lock().expect("no test panics while it holds this"))
        }
    }

    impl Plant for Uniform {
        fn set_limit(&self, queue: &str, limit: BitRate) {
            self.with(|state| state.1.push((queue.to_owned(), limit)));
        }

        fn reading(&self, _: &str) -> PlantReading {
            let bytes = self.with(|state| state.0);
            PlantReading { bytes, packets: bytes / 1000, ..PlantReading::default() }
        }
    }

    #[test]
    fn the_rate_is_that_of_the_last_second() {
        let plant = Arc::new(Uniform::default());
        let mut shapers = Shapers::new(plant.clone());
        let mut rates = Vec::new();
        // 1 MB/s, looked at ten times a second; then silence.
        for tenth in 0..=35 {
            plant.with(|state| state.0 = 100_000 * tenth.min(20));
            let counters =
                shapers.read(("queue/tree", 1, None), "dl", MonoTime::from_millis(100 * tenth));
            if tenth % 5 == 0 {
                rates.push((counters.rate.mbps(), counters.packet_rate));
            }
        }
        let (none, full) = ((0.0, 0), (8.0, 1000));
        assert_eq!(rates, [none, none, full, full, full, full, none, none]);
    }

    #[test]
    fn the_plant_hears_of_changes_only_and_of_queues_that_go() {
        let plant = Arc::new(Uniform::default());
        let mut shapers = Shapers::new(plant.clone());
        let limits = |list: &[(&str, u64)]| {
            list.iter().map(|(name, bps)| ((*name).to_owned(), BitRate::from_bps(*bps))).collect()
        };
        shapers.enforce(limits(&[("a", 1), ("b", 2)]));
        shapers.enforce(limits(&[("a", 1), ("b", 3)]));
        shapers.enforce(limits(&[("b", 3)]));
        let heard = plant.with(|state| state.1.clone());
        let heard: Vec<_> = heard.iter().map(|(name, limit)| (&**name, limit.bps())).collect();
        assert_eq!(heard, [("a", 1), ("b", 2), ("b", 3), ("a", 0)]);
    }
}
