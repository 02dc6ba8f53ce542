//! The router as a whole: its rows, its queues and its own facts, and every change to them.

use std::{sync::Arc, time::Duration};

use super::{
    EmulatorConfig,
    errors::Refusal,
    log::Effect,
    rows::{BUILT_IN, INTERFACE, MANGLE, QUEUE_TREE, QUEUE_TYPE},
    schema::{Live, Menu, Values},
    shapers::Shapers,
    store::{Changes, Store, limit_of},
    values,
};
use crate::{
    sim::plant::Plant,
    units::{BitRate, MonoTime},
};

/// Flash sectors written before the router was started for the first time here.
const SECTORS_BEFORE: u64 = 222_100;

/// Everything behind the web server.
#[derive(Debug)]
pub(super) struct World {
    store: Store,
    shapers: Shapers,
    identity: String,
    version: String,
    board: String,
    booted: MonoTime,
    writes: u64,
    writes_before_boot: u64,
}

/// A request's arguments as texts.
pub(super) type Pairs = [(String, String)];

impl World {
    /// Builds the router described by `config`, its queues shaping in `plant`.
    pub(super) fn new(config: &EmulatorConfig, plant: Arc<dyn Plant>) -> Self {
        let mut world = Self {
            store: Store::new(),
            shapers: Shapers::new(plant),
            identity: config.identity.clone(),
            version: config.version.clone(),
            board: config.board.clone(),
            booted: MonoTime::ZERO,
            writes: 0,
            writes_before_boot: 0,
        };
        world.furnish(config);
        world.restart_counters(MonoTime::ZERO);
        world.enforce();
        world
    }

    /// Adds the rows of `config`, and what they refer to: interfaces and CAKE types are made for
    /// every name that nothing else explains.
    fn furnish(&mut self, config: &EmulatorConfig) {
        let is_queue = |name: &str| config.queues.iter().any(|queue| queue.name == name);
        let mut interfaces = vec!["ether1", "ether2", "bridge"];
        let mut types: Vec<&str> = vec![];
        for queue in &config.queues {
            let parent = queue.parent.as_str();
            if parent != "global" && !is_queue(parent) && !interfaces.contains(&parent) {
                interfaces.push(parent);
            }
            let kind = queue.queue_type.as_str();
            if !types.contains(&kind) && !BUILT_IN.iter().any(|(name, _)| *name == kind) {
                types.push(kind);
            }
        }
        for name in interfaces {
            self.place(&INTERFACE, &[("name", name)]);
        }
        for name in types {
            self.place(&QUEUE_TYPE, &[("kind", "cake"), ("name", name)]);
        }
        for queue in &config.queues {
            let limit = queue.max_limit.bps().to_string();
            self.place(
                &QUEUE_TREE,
                &[
                    ("name", &queue.name),
                    ("parent", &queue.parent),
                    ("queue", &queue.queue_type),
                    ("max-limit", &limit),
                ],
            );
        }
        for rule in &config.mangle {
            let mut values = vec![
                ("chain", &*rule.chain),
                ("action", &*rule.action),
                ("comment", &*rule.comment),
            ];
            // A rule that was never switched off does not have the key at all.
            values.extend(rule.disabled.then_some(("disabled", "true")));
            self.place(&MANGLE, &values);
        }
    }

    /// Adds a row without checks: what the configuration says exists, mistakes included.
    fn place(&mut self, menu: &Menu, values: &[(&str, &str)]) {
        let found = |(name, value): &(&str, &str)| {
            menu.property(name).ok().map(|property| (property, (*value).to_owned()))
        };
        let changes: Changes = values.iter().filter_map(found).collect();
        let added = self.store.add(menu, None, &changes);
        debug_assert!(added.is_ok(), "the emulator's own rows are complete: {added:?}");
    }

    /// Returns the row of `menu` that `key`, an identifier or a name, stands for.
    pub(super) fn locate(&self, menu: &Menu, key: &str) -> Option<u32> {
        let row = match values::id(key) {
            Some(id) => self.store.row(menu, id),
            None if menu.is_named => self.store.named(menu, key),
            None => None,
        };
        row.map(|row| row.id)
    }

    /// Returns the identifiers of all rows of `menu`, in their order.
    pub(super) fn ids(&self, menu: &Menu) -> Vec<u32> {
        self.store.rows(menu).iter().map(|row| row.id).collect()
    }

    /// Returns the row `id` of `menu` with everything that RouterOS shows of it.
    pub(super) fn show(&mut self, menu: &Menu, id: u32, now: MonoTime) -> Option<Values> {
        let Self { store, shapers, .. } = self;
        let row = store.row(menu, id)?;
        let mut shown = row.values.clone();
        shown.insert(".id", values::shown_id(id));
        (menu.show)(&mut shown, &mut Live { row, store, shapers, now });
        Some(shown)
    }

    /// Writes `arguments` to the rows `ids` of `menu`.
    ///
    /// # Errors
    /// Refuses what [`Store::read_changes`] refuses; nothing has been changed then.
    pub(super) fn set(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
        arguments: &Pairs,
        now: MonoTime,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        for id in ids {
            self.store.read_changes(menu, Some(*id), arguments)?;
        }
        for id in ids {
            // Read again: with several rows, a name is free for the first only.
            let changes = self.store.read_changes(menu, Some(*id), arguments)?;
            self.write(menu, *id, &changes, now, effects);
        }
        self.enforce();
        Ok(())
    }

    fn write(
        &mut self,
        menu: &'static Menu,
        id: u32,
        changes: &Changes,
        now: MonoTime,
        effects: &mut Vec<Effect>,
    ) {
        let Some(row) = self.store.row(menu, id) else { return };
        let before = row.clone();
        for (property, value) in changes {
            effects.push(match (menu.path, property.name) {
                ("queue/tree", "max-limit") => Effect::Limit {
                    queue: before.get("name").to_owned(),
                    from: limit_of(&before),
                    to: BitRate::from_bps(value.parse().unwrap_or(0)),
                },
                ("ip/firewall/mangle", "disabled") => Effect::Rule {
                    comment: before.get("comment").to_owned(),
                    enabled: value == "false",
                },
                (path, name) => Effect::Property {
                    menu: path,
                    id: values::shown_id(id),
                    property: name,
                    to: value.clone(),
                },
            });
        }
        self.store.write(menu, id, changes);
        self.writes += 1;
        let after = self.store.row(menu, id).map_or("", |row| row.get("queue"));
        if menu.path == QUEUE_TREE.path && before.get("queue") != after {
            // Another type means another leaf, which starts to count at zero.
            self.shapers.restart(id, before.get("name"), now);
        }
    }

    /// Adds a row to `menu` and returns its identifier.
    ///
    /// # Errors
    /// Refuses bad values, and rows that lack something.
    pub(super) fn add(
        &mut self,
        menu: &'static Menu,
        before: Option<u32>,
        arguments: &Pairs,
        now: MonoTime,
        effects: &mut Vec<Effect>,
    ) -> Result<u32, Refusal> {
        let changes = self.store.read_changes(menu, None, arguments)?;
        let id = self.store.add(menu, before, &changes)?;
        effects.push(Effect::Added { menu: menu.path, id: values::shown_id(id) });
        self.writes += 1;
        self.enforce();
        self.restart(menu, id, now);
        Ok(id)
    }

    /// Removes the rows `ids` from `menu`.
    pub(super) fn remove(&mut self, menu: &'static Menu, ids: &[u32], effects: &mut Vec<Effect>) {
        for id in ids {
            if self.store.remove(menu, *id).is_some() {
                effects.push(Effect::Removed { menu: menu.path, id: values::shown_id(*id) });
                self.writes += 1;
            }
            if menu.path == QUEUE_TREE.path {
                self.shapers.forget(*id);
            }
        }
        self.enforce();
    }

    /// Sets the counters of the rows `ids` of `menu` to zero.
    pub(super) fn reset_counters(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
        now: MonoTime,
        effects: &mut Vec<Effect>,
    ) {
        for id in ids {
            self.restart(menu, *id, now);
            effects.push(Effect::CountersReset { menu: menu.path, id: values::shown_id(*id) });
        }
    }

    fn restart(&mut self, menu: &Menu, id: u32, now: MonoTime) {
        let row = self.store.row(menu, id).filter(|_| menu.path == QUEUE_TREE.path);
        if let Some(row) = row {
            self.shapers.restart(id, row.get("name"), now);
        }
    }

    fn restart_counters(&mut self, now: MonoTime) {
        for id in self.ids(&QUEUE_TREE) {
            self.restart(&QUEUE_TREE, id, now);
        }
    }

    fn enforce(&mut self) {
        self.shapers.enforce(self.store.limits());
    }

    /// Starts the router at `now`: limits and rules have survived, counters have not.
    pub(super) fn boot(&mut self, now: MonoTime) {
        self.booted = now;
        self.writes_before_boot = self.writes;
        self.restart_counters(now);
    }

    /// Sets the limit of the queue named `queue`, as somebody else would.
    pub(super) fn drift(&mut self, queue: &str, limit: BitRate, now: MonoTime) {
        let arguments = [("max-limit".to_owned(), limit.bps().to_string())];
        if let Some(id) = self.locate(&QUEUE_TREE, queue) {
            let outcome = self.set(&QUEUE_TREE, &[id], &arguments, now, &mut vec![]);
            debug_assert!(outcome.is_ok(), "a whole number is a rate: {outcome:?}");
        }
    }

    /// Gives the queue named `queue` a new identifier and fresh counters.
    pub(super) fn recreate(&mut self, queue: &str, now: MonoTime) {
        if let Some((old, new)) = self.store.recreate_queue(queue) {
            self.shapers.forget(old);
            self.shapers.restart(new, queue, now);
        }
    }

    /// Returns `/system/identity`.
    pub(super) fn identity(&self) -> Values {
        Values::from([("name", self.identity.clone())])
    }

    /// Renames the router.
    pub(super) fn set_identity(&mut self, name: String) {
        self.identity = name;
        self.writes += 1;
    }

    /// Returns `/system/resource`.
    pub(super) fn resource(&self, now: MonoTime) -> Values {
        // RouterOS counts its uptime in whole seconds.
        let uptime = Duration::from_secs(now.since(self.booted).as_secs());
        let since_boot = self.writes - self.writes_before_boot;
        let mut shown: Values = [
            ("architecture-name", "arm64"),
            ("bad-blocks", "0"),
            ("board-name", &*self.board),
            ("build-time", "2026-01-28 09:26:35"),
            ("cpu", "ARM64"),
            ("cpu-count", "4"),
            ("cpu-frequency", "1400"),
            ("cpu-load", "3"),
            ("free-hdd-space", "985571328"),
            ("free-memory", "796278784"),
            ("platform", "MikroTik"),
            ("total-hdd-space", "1073741824"),
            ("total-memory", "1073741824"),
            ("version", &*self.version),
        ]
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
        shown.insert("uptime", values::shown_time(uptime));
        shown.insert("write-sect-since-reboot", since_boot.to_string());
        shown.insert("write-sect-total", (SECTORS_BEFORE + self.writes).to_string());
        shown
    }
}
