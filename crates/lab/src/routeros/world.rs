//! The router as a whole: its rows, its queues and its own facts, and every change to them.

use std::sync::Arc;

use wanctl_core::units::{BitRate, MonoTime};

use super::{
    EmulatorConfig, Quirks,
    egress::egress,
    errors::Refusal,
    furnish::furnished,
    log::Effect,
    quirks::{CounterReset, RefusedChange},
    rows::{INTERFACE, MANGLE, QUEUE_SIMPLE, QUEUE_TREE, QUEUE_TYPE},
    schema::{Live, Menu, Row, Values},
    shaped::{is_fasttracking, limits, shaped_by},
    shapers::Shapers,
    store::{Changes, Store},
    system::System,
    values,
};
use crate::plant::Plant;

/// Chains in which RouterOS shows what `FastTrack` carried past the mangle rules.
const FASTTRACK_CHAINS: [&str; 3] = ["postrouting", "forward", "prerouting"];
/// Properties of a queue that cannot change without building its leaf anew.
const OF_THE_LEAF: [&str; 4] = ["disabled", "parent", "queue", "target"];

/// Everything behind the web server.
#[derive(Debug)]
pub(super) struct World {
    store: Store,
    shapers: Shapers,
    quirks: Quirks,
    is_fasttracking: bool,
    /// The router's own facts.
    pub(super) system: System,
}

/// A request's arguments as texts.
pub(super) type Pairs = [(String, String)];

impl World {
    /// Builds the router described by `config`, its queues shaping in `plant`.
    pub(super) fn new(config: &EmulatorConfig, plant: Arc<dyn Plant>) -> Self {
        let mut world = Self {
            store: furnished(config),
            shapers: Shapers::new(plant),
            quirks: config.quirks,
            is_fasttracking: false,
            system: System::new(config),
        };
        world.restart_counters(MonoTime::ZERO);
        world.settle(MonoTime::ZERO);
        world
    }

    /// Returns what is not certain about this router.
    pub(super) const fn quirks(&self) -> &Quirks {
        &self.quirks
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
        let uptime = self.system.uptime(now);
        let Self { store, shapers, quirks, .. } = self;
        let row = store.row(menu, id)?;
        let mut shown = row.values.clone();
        shown.insert(".id", values::shown_id(id));
        (menu.show)(&mut shown, &mut Live { row, store, shapers, quirks, uptime, now });
        Some(shown)
    }

    /// Returns the rate that the queues under the interface named `name` carry, or `None` if there
    /// is no such interface.
    pub(super) fn rate_under(&mut self, name: &str, now: MonoTime) -> Option<BitRate> {
        self.store.named(&INTERFACE, name)?;
        let queues = self.store.rows(&QUEUE_TREE).iter().filter(|row| row.get("parent") == name);
        let bps = queues
            .flat_map(|row| self.shapers.read_row(&self.store, &QUEUE_TREE, row, now))
            .map(|counters| counters.rate.bps());
        Some(BitRate::from_bps(bps.sum()))
    }

    /// Writes `arguments` to the rows `ids` of `menu`.
    ///
    /// # Errors
    /// Refuses the router's own rows and what [`Store::read_changes`] refuses. Nothing has been
    /// changed then, unless the quirks say so.
    pub(super) fn set(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
        arguments: &Pairs,
        now: MonoTime,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require_static(menu, ids)?;
        let check = |id: &u32| self.store.read_changes(menu, Some(*id), arguments).map(drop);
        let outcome = ids.iter().try_for_each(check);
        if outcome.is_ok() {
            for id in ids {
                // Read again: with several rows, a name is free for the first only.
                let changes = self.store.read_changes(menu, Some(*id), arguments)?;
                self.write(menu, *id, &changes, now, effects);
            }
        } else if self.quirks.refused_change == RefusedChange::LeavesWhatWasGood {
            for (id, pair) in ids.iter().flat_map(|id| arguments.iter().map(move |p| (id, p))) {
                let pair = std::slice::from_ref(pair);
                if let Ok(changes) = self.store.read_changes(menu, Some(*id), pair) {
                    self.write(menu, *id, &changes, now, effects);
                }
            }
        }
        self.settle(now);
        outcome
    }

    fn require_static(&self, menu: &Menu, ids: &[u32]) -> Result<(), Refusal> {
        let is_dynamic = |id: &u32| self.store.row(menu, *id).is_some_and(|row| row.is_dynamic);
        if ids.iter().any(is_dynamic) { Err(Refusal::dynamic()) } else { Ok(()) }
    }

    fn write(
        &mut self,
        menu: &'static Menu,
        id: u32,
        changes: &Changes,
        now: MonoTime,
        effects: &mut Vec<Effect>,
    ) {
        let Some(before) = self.store.row(menu, id).cloned() else { return };
        self.store.write(menu, id, changes);
        self.system.write_flash(now);
        let Some(after) = self.store.row(menu, id) else { return };
        for (property, value) in changes {
            match (menu.path, property.name) {
                ("queue/tree" | "queue/simple", "max-limit") => {
                    let queues = |row| shaped_by(&self.store, menu, row);
                    let pairs = queues(&before).into_iter().zip(queues(after));
                    effects.extend(pairs.map(|(before, after)| Effect::Limit {
                        queue: before.queue,
                        from: before.limit,
                        to: after.limit,
                    }));
                }
                ("ip/firewall/mangle" | "ipv6/firewall/mangle", "disabled") => {
                    effects.push(Effect::Rule {
                        comment: before.get("comment").to_owned(),
                        enabled: value == "false",
                    });
                }
                (path, name) => effects.push(Effect::Property {
                    menu: path,
                    id: values::shown_id(id),
                    property: name,
                    to: value.clone(),
                }),
            }
        }
        self.restart_after(menu, &before, now);
    }

    /// Starts the counters again that do not survive a change to the row that was `before`.
    fn restart_after(&mut self, menu: &Menu, before: &Row, now: MonoTime) {
        let reset = self.quirks.counter_reset;
        let Some(after) = self.store.row(menu, before.id) else { return };
        let is_rebuilt = OF_THE_LEAF.iter().any(|name| before.get(name) != after.get(name));
        let restarts = match reset {
            CounterReset::Never => false,
            CounterReset::OnQueueChange => is_rebuilt,
            CounterReset::OnEverySet => true,
        };
        if restarts {
            self.shapers.restart_row(&self.store, menu, after, now);
        }
        if menu.path == QUEUE_TYPE.path && reset != CounterReset::Never {
            let has_type =
                |row: &&Row| row.get("queue").split('/').any(|kind| kind == before.get("name"));
            for menu in [&QUEUE_TREE, &QUEUE_SIMPLE] {
                for row in self.store.rows(menu).iter().filter(has_type) {
                    self.shapers.restart_row(&self.store, menu, row, now);
                }
            }
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
        self.system.write_flash(now);
        self.settle(now);
        self.restart(menu, id, now);
        Ok(id)
    }

    /// Removes the rows `ids` from `menu`.
    ///
    /// # Errors
    /// Refuses the router's own rows; nothing has been removed then.
    pub(super) fn remove(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
        now: MonoTime,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require_static(menu, ids)?;
        for id in ids {
            if self.store.remove(menu, *id).is_some() {
                effects.push(Effect::Removed { menu: menu.path, id: values::shown_id(*id) });
                self.system.write_flash(now);
            }
            self.shapers.forget(menu, *id);
        }
        self.settle(now);
        Ok(())
    }

    /// Moves the rows `ids` of `menu` in front of the row `before`, or to the end.
    pub(super) fn move_rows(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
        before: Option<u32>,
        now: MonoTime,
        effects: &mut Vec<Effect>,
    ) {
        for id in ids {
            self.store.move_row(menu, *id, before);
            effects.push(Effect::Moved { menu: menu.path, id: values::shown_id(*id) });
        }
        self.system.write_flash(now);
        self.settle(now);
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
        if let Some(row) = self.store.row(menu, id) {
            self.shapers.restart_row(&self.store, menu, row, now);
        }
    }

    fn restart_counters(&mut self, now: MonoTime) {
        for menu in [&QUEUE_TREE, &QUEUE_SIMPLE] {
            for row in self.store.rows(menu) {
                self.shapers.restart_row(&self.store, menu, row, now);
            }
        }
    }

    /// Lets everything follow from the rows that does: limits, and what `FastTrack` does to them.
    fn settle(&mut self, now: MonoTime) {
        let is_fasttracking = is_fasttracking(&self.store);
        if is_fasttracking != self.is_fasttracking {
            self.is_fasttracking = is_fasttracking;
            self.show_fasttrack();
            self.restart_counters(now);
        }
        self.shapers.enforce(limits(&self.store));
        self.shapers.route(egress(&self.store));
    }

    /// Makes the router's own mangle rules anew; they get other identifiers each time.
    fn show_fasttrack(&mut self) {
        self.store.remove_dynamic(&MANGLE);
        for chain in FASTTRACK_CHAINS.into_iter().filter(|_| self.is_fasttracking) {
            let rule = [
                ("action", "passthrough"),
                ("chain", chain),
                ("comment", "special dummy rule to show fasttrack counters"),
            ];
            let rule = rule.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
            self.store.add_dynamic(&MANGLE, rule);
        }
    }

    /// Starts the router at `now`: limits and rules have survived, counters have not.
    pub(super) fn boot(&mut self, now: MonoTime) {
        self.system.boot(now);
        self.show_fasttrack();
        self.restart_counters(now);
    }

    /// Tells whether there is a queue, tree or simple, with this name.
    pub(super) fn has_queue(&self, name: &str) -> bool {
        [&QUEUE_TREE, &QUEUE_SIMPLE].into_iter().any(|menu| self.locate(menu, name).is_some())
    }

    /// Sets the limit of the queue named `queue`, both ways if it is a simple one, as somebody
    /// else would.
    pub(super) fn drift(&mut self, queue: &str, limit: BitRate, now: MonoTime) {
        let limit = limit.bps();
        for (menu, limit) in
            [(&QUEUE_TREE, limit.to_string()), (&QUEUE_SIMPLE, format!("{limit}/{limit}"))]
        {
            if let Some(id) = self.locate(menu, queue) {
                let arguments = [("max-limit".to_owned(), limit)];
                let outcome = self.set(menu, &[id], &arguments, now, &mut vec![]);
                debug_assert!(outcome.is_ok(), "a whole number is a rate: {outcome:?}");
            }
        }
    }

    /// Gives the queue tree named `queue` a new identifier and fresh counters.
    pub(super) fn recreate(&mut self, queue: &str, now: MonoTime) {
        if let Some((old, new)) = self.store.recreate_queue(queue) {
            self.shapers.forget(&QUEUE_TREE, old);
            self.restart(&QUEUE_TREE, new, now);
        }
    }
}
