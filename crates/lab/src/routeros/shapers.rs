//! The interface to the plant: limits in force, counters as a router shows them, and the gateways
//! that traffic takes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use wanctl_core::units::{BitRate, MonoTime};

use super::{
    menus::{FASTTRACK, FILTER, MANGLE, QUEUE_SIMPLE, QUEUE_TREE, ROUTE, ROUTING_RULE},
    store::{Row, Store},
};
use crate::plant::{Egress, Plant, PlantReading, QueueHalf};

/// Time between two measurements of a queue's rate.
const RATE_PERIOD: Duration = Duration::from_secs(1);
/// Deepest nesting of queues that is followed; a circle of parents ends there.
const DEEPEST: usize = 16;

/// Counters of one queue, since they were last set to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counters {
    pub(super) bytes: u64,
    pub(super) packets: u64,
    pub(super) dropped: u64,
    pub(super) queued_bytes: u64,
    pub(super) queued_packets: u64,
    /// Rate over the last second or, if no client read it for longer, since the last reading.
    pub(super) rate: BitRate,
    /// Packets per second over the same time.
    pub(super) packet_rate: u64,
}

/// A queue of the plant, as a row sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shaped {
    /// Which half of a simple queue it is.
    half: Option<QueueHalf>,
    /// Its name in the plant.
    pub(super) queue: String,
    /// The limit that the row shows.
    pub(super) limit: BitRate,
}

/// Returns the queues that `row` of `menu` stands for, in the order of the values it shows.
pub(super) fn shaped_by(store: &Store, menu: &str, row: &Row) -> Vec<Shaped> {
    let limit = |text: &str| BitRate::from_bps(text.parse().unwrap_or(0));
    let (name, limits) = (row.get("name"), row.get("max-limit"));
    match menu {
        QUEUE_TREE => vec![Shaped { half: None, queue: name.to_owned(), limit: limit(limits) }],
        QUEUE_SIMPLE => {
            // What comes from an interface towards the internet is a download.
            let is_wan = row.get("target").split(',').any(|target| store.is_wan(target));
            let first = if is_wan { QueueHalf::Download } else { QueueHalf::Upload };
            let shaped = |(half, text): (QueueHalf, &str)| Shaped {
                half: Some(half),
                queue: half.of(name),
                limit: limit(text),
            };
            let halves = [first, first.opposite()].into_iter();
            halves.zip(limits.split('/').chain(["", ""])).map(shaped).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the limits that all queues have in force: zero for those that are disabled, and for
/// those that traffic bypasses.
pub(super) fn limits(store: &Store) -> BTreeMap<String, BitRate> {
    let mut limits = BTreeMap::new();
    for menu in [QUEUE_TREE, QUEUE_SIMPLE] {
        for row in store.rows(menu) {
            let is_idle = row.is_disabled() || is_bypassed(store, menu, row);
            let in_force =
                |shaped: Shaped| (shaped.queue, if is_idle { BitRate::ZERO } else { shaped.limit });
            limits.extend(shaped_by(store, menu, row).into_iter().map(in_force));
        }
    }
    limits
}

/// Returns whether a `FastTrack` rule is in force.
pub(super) fn is_fasttracking(store: &Store) -> bool {
    store.rows(FILTER).iter().any(|row| row.get("action") == FASTTRACK && !row.is_disabled())
}

/// Returns whether `FastTrack` takes traffic past `row` of `menu`: past every simple queue, and
/// past the trees under `global`.
fn is_bypassed(store: &Store, menu: &str, row: &Row) -> bool {
    is_fasttracking(store)
        && (menu == QUEUE_SIMPLE || (menu == QUEUE_TREE && top_of(store, row) == "global"))
}

/// Returns what the tree that `row` belongs to hangs under.
fn top_of<'a>(store: &'a Store, row: &'a Row) -> &'a str {
    let mut parent = row.get("parent");
    for _ in 0..DEEPEST {
        match store.named(QUEUE_TREE, parent) {
            Some(above) => parent = above.get("parent"),
            None => break,
        }
    }
    parent
}

/// All queues that shape something.
#[derive(Debug)]
pub(super) struct Shapers {
    plant: Arc<dyn Plant>,
    in_force: BTreeMap<String, BitRate>,
    meters: BTreeMap<MeterKey, Meter>,
    egress: Egress,
}

/// Path of the menu, identifier of the row, and which half of it.
type MeterKey = (&'static str, u32, Option<QueueHalf>);

/// Where one queue's counters started, and when its rate was last measured.
#[derive(Debug, Clone, Copy)]
struct Meter {
    zero: PlantReading,
    measured: MonoTime,
    at_measured: PlantReading,
    rate: BitRate,
    packet_rate: u64,
}

impl Meter {
    const fn starting(measured: MonoTime, zero: PlantReading) -> Self {
        Self { zero, measured, at_measured: zero, rate: BitRate::ZERO, packet_rate: 0 }
    }
}

impl Shapers {
    pub(super) fn new(plant: Arc<dyn Plant>) -> Self {
        let egress = Egress::default();
        Self { plant, in_force: BTreeMap::new(), meters: BTreeMap::new(), egress }
    }

    /// Puts exactly `limits` in force: the plant gets what differs, and queues that are gone lose
    /// their limit.
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

    /// Sends traffic by these gateways, if they have changed.
    pub(super) fn route(&mut self, egress: Egress) {
        if self.egress != egress {
            self.plant.route(&egress);
            self.egress = egress;
        }
    }

    /// Reads the counters of `row` of `menu`: one set for a queue tree, two for a simple queue, in
    /// the order of its values. A queue that traffic bypasses counts nothing.
    pub(super) fn read_row(
        &mut self,
        store: &Store,
        menu: &'static str,
        row: &Row,
        now: MonoTime,
    ) -> Vec<Counters> {
        let is_bypassed = is_bypassed(store, menu, row);
        let read = |shaped: Shaped| {
            let counters = self.read((menu, row.id, shaped.half), &shaped.queue, now);
            if is_bypassed { Counters::default() } else { counters }
        };
        shaped_by(store, menu, row).into_iter().map(read).collect()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    fn read(&mut self, key: MeterKey, queue: &str, now: MonoTime) -> Counters {
        let reading = self.plant.reading(queue);
        let meter = self.meters.entry(key).or_insert_with(|| Meter::starting(now, reading));
        let span = now.since(meter.measured);
        if span >= RATE_PERIOD {
            let bytes = reading.bytes.saturating_sub(meter.at_measured.bytes);
            let packets = reading.packets.saturating_sub(meter.at_measured.packets);
            meter.rate = BitRate::of_transfer(bytes, span).unwrap_or_default();
            meter.packet_rate = (packets as f64 / span.as_secs_f64()).round() as u64;
            (meter.measured, meter.at_measured) = (now, reading);
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
    pub(super) fn restart_row(
        &mut self,
        store: &Store,
        menu: &'static str,
        row: &Row,
        now: MonoTime,
    ) {
        for shaped in shaped_by(store, menu, row) {
            let meter = Meter::starting(now, self.plant.reading(&shaped.queue));
            self.meters.insert((menu, row.id, shaped.half), meter);
        }
    }

    /// Forgets the row `id` of `menu`, which is gone.
    pub(super) fn forget(&mut self, menu: &str, id: u32) {
        self.meters.retain(|(path, row, _), _| (*path, *row) != (menu, id));
    }

    /// Returns what the queues directly under `parent` ever sent and dropped.
    pub(super) fn carried_under(&self, store: &Store, parent: &str) -> PlantReading {
        let queues = store.rows(QUEUE_TREE).iter().filter(|row| row.get("parent") == parent);
        let mut sum = PlantReading::default();
        for reading in queues.map(|row| self.plant.reading(row.get("name"))) {
            sum.bytes += reading.bytes;
            sum.packets += reading.packets;
            sum.dropped += reading.dropped;
        }
        sum
    }
}

/// Conditions by which a mangle rule picks some connections out of all.
const PICKING: [&str; 6] =
    ["dscp", "dst-port", "src-port", "protocol", "packet-mark", "src-address-list"];
/// Conditions of a routing rule; one without any is about everything.
const CONDITIONS: [&str; 4] = ["src-address", "dst-address", "interface", "routing-mark"];

/// Follows what steering consists of to a gateway for each kind of traffic: mangle rules that mark
/// by DSCP, routing rules without conditions, and the default routes of tables. Every other rule
/// is about other traffic.
pub(super) fn egress(store: &Store) -> Egress {
    let has_none = |rule: &Row, names: &[&str]| names.iter().all(|name| rule.get(name).is_empty());
    let is_plain = |rule: &Row| {
        has_none(rule, &PICKING)
            && rule.get("connection-mark").is_empty()
            && rule.get("action") == "mark-routing"
            && !rule.get("new-routing-mark").is_empty()
    };
    let by_rules = || {
        let rules = store.rows(ROUTING_RULE).iter();
        // With `lookup`, a table without a route is passed over.
        rules
            .filter(|rule| !rule.is_disabled() && has_none(rule, &CONDITIONS))
            .filter(|rule| rule.get("action").starts_with("lookup"))
            .find_map(|rule| gateway(store, rule.get("table")))
    };
    let marked = of_marked(store, is_plain);
    let default_route = marked.or_else(by_rules).or_else(|| gateway(store, "main"));
    let sensitive = of_marked(store, |rule| !has_none(rule, &PICKING));
    Egress { sensitive: sensitive.or_else(|| default_route.clone()), default_route }
}

/// Returns where the first rule that `picks` leads to: by a routing mark of its own, or by the one
/// that another rule gives to the connections it marks.
fn of_marked(store: &Store, picks: impl Fn(&Row) -> bool) -> Option<String> {
    let rules = || store.rows(MANGLE).iter().filter(|rule| !rule.is_disabled());
    rules().filter(|rule| picks(rule)).find_map(|rule| {
        let table = match rule.get("action") {
            "mark-routing" => rule.get("new-routing-mark"),
            "mark-connection" => {
                let mark = rule.get("new-connection-mark");
                let routing = |rule: &&Row| {
                    rule.get("action") == "mark-routing" && rule.get("connection-mark") == mark
                };
                rules().find(routing)?.get("new-routing-mark")
            }
            _ => return None,
        };
        gateway(store, table)
    })
}

/// Returns the gateway of the nearest default route of `table` that is in force.
fn gateway(store: &Store, table: &str) -> Option<String> {
    let is_default = |row: &&Row| {
        !row.is_disabled()
            && row.get("dst-address") == "0.0.0.0/0"
            && row.get("routing-table") == table
    };
    let distance = |row: &&Row| row.get("distance").parse().unwrap_or(u8::MAX);
    let nearest = store.rows(ROUTE).iter().filter(is_default).min_by_key(distance)?;
    Some(nearest.get("gateway").to_owned())
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
        // 1 MB/s, read ten times a second; then silence.
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
