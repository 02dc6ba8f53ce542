//! What a user can do with the rows of the router, over REST or on the console. Policies are
//! checked here; each operation reports its effects for the log.

use wanctl_core::units::{BitRate, MonoTime};

use super::{
    CounterReset, Policy, RefusedChange, User,
    log::RequestEffect,
    menus::{
        Access, MANGLE, MANGLE6, Menu, QUEUE_SIMPLE, QUEUE_TREE, QUEUE_TYPE, Single, Values, menu,
    },
    query::Query,
    request::ApiError,
    shapers::shaped_by,
    store::{Changes, Pairs, Row},
    values,
    world::World,
};

/// Properties of a queue that cannot change without building its leaf anew.
const OF_THE_LEAF: [&str; 4] = ["disabled", "parent", "queue", "target"];

/// What an operation works on and with.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) world: &'a mut World,
    pub(super) user: &'a User,
    pub(super) now: MonoTime,
    pub(super) effects: &'a mut Vec<RequestEffect>,
}

impl Session<'_> {
    /// Returns the rows of `menu` that satisfy `query`.
    pub(super) fn print(
        &mut self,
        menu: &'static Menu,
        query: &Query,
    ) -> Result<Vec<Values>, ApiError> {
        self.user.require(Policy::Read)?;
        let mut rows = Vec::new();
        for id in self.world.ids(menu) {
            let Some(row) = self.world.show(menu, id, self.now) else { continue };
            if query.is_satisfied(&row)? {
                rows.push(query.project(row));
            }
        }
        Ok(rows)
    }

    /// Returns the row `id` of `menu`, whole.
    pub(super) fn print_one(&mut self, menu: &'static Menu, id: u32) -> Result<Values, ApiError> {
        self.user.require(Policy::Read)?;
        self.show(menu, id)
    }

    /// Returns an object without an identifier.
    pub(super) fn print_single(&self, single: Single) -> Result<Values, ApiError> {
        self.user.require(Policy::Read)?;
        Ok(match single {
            Single::Identity => self.world.system.identity(),
            Single::Resource => self.world.system.resource(self.now),
        })
    }

    /// Returns the row `id` of `menu` to a user who has just written it.
    pub(super) fn show(&mut self, menu: &'static Menu, id: u32) -> Result<Values, ApiError> {
        self.world.show(menu, id, self.now).ok_or_else(ApiError::not_found)
    }

    /// Returns the row of `menu` that `key`, an identifier or a name, stands for.
    pub(super) fn target(&self, menu: &Menu, key: &str) -> Result<u32, ApiError> {
        self.world.locate(menu, key).ok_or_else(ApiError::no_such_item)
    }

    /// Writes `arguments` to the rows `ids` of `menu`. If anything is refused, nothing has been
    /// changed, unless the quirks say so.
    pub(super) fn set(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
        arguments: &Pairs,
    ) -> Result<(), ApiError> {
        self.require_to(menu, Access::Set, "set")?;
        self.require_static(menu, ids)?;
        let read = |session: &Self, id: u32, pairs| {
            session.world.store.read_changes(menu, Some(id), pairs)
        };
        let outcome = ids.iter().try_for_each(|id| read(self, *id, arguments).map(drop));
        if outcome.is_ok() {
            for id in ids {
                // Read again: with several rows, a name is free for the first only.
                let changes = read(self, *id, arguments)?;
                self.write(menu, *id, &changes);
            }
        } else if self.world.quirks.refused_change == RefusedChange::LeavesWhatWasGood {
            for (id, pair) in ids.iter().flat_map(|id| arguments.iter().map(move |p| (id, p))) {
                if let Ok(changes) = read(self, *id, std::slice::from_ref(pair)) {
                    self.write(menu, *id, &changes);
                }
            }
        }
        self.world.settle(self.now);
        outcome
    }

    fn write(&mut self, menu: &'static Menu, id: u32, changes: &Changes) {
        let store = &mut self.world.store;
        let Some(before) = store.row(menu.path, id).cloned() else { return };
        store.write(menu, id, changes);
        self.world.system.write_flash(self.now);
        let Some(after) = self.world.store.row(menu.path, id) else { return };
        for (property, value) in changes {
            match (menu.path, *property) {
                (QUEUE_TREE | QUEUE_SIMPLE, "max-limit") => {
                    let queues = |row| shaped_by(&self.world.store, menu.path, row);
                    let pairs = queues(&before).into_iter().zip(queues(after));
                    self.effects.extend(pairs.map(|(before, after)| RequestEffect::Limit {
                        queue: before.queue,
                        from: before.limit,
                        to: after.limit,
                    }));
                }
                (MANGLE | MANGLE6, "disabled") => {
                    let comment = before.get("comment").to_owned();
                    self.effects.push(RequestEffect::Rule { comment, enabled: value == "false" });
                }
                (path, property) => self.effects.push(RequestEffect::Property {
                    menu: path,
                    id: values::shown_id(id),
                    property,
                    to: value.clone(),
                }),
            }
        }
        self.restart_after(menu, &before);
    }

    /// Restarts the counters that do not survive a change to the row that was `before`.
    fn restart_after(&mut self, menu: &'static Menu, before: &Row) {
        let reset = self.world.quirks.counter_reset;
        let Some(after) = self.world.store.row(menu.path, before.id) else { return };
        let is_rebuilt = OF_THE_LEAF.iter().any(|name| before.get(name) != after.get(name));
        if reset == CounterReset::OnEverySet || (reset == CounterReset::OnQueueChange && is_rebuilt)
        {
            self.world.restart(menu.path, before.id, self.now);
        }
        if menu.path == QUEUE_TYPE && reset != CounterReset::Never {
            let has_type =
                |row: &Row| row.get("queue").split('/').any(|kind| kind == before.get("name"));
            self.world.restart_queues(self.now, has_type);
        }
    }

    /// Enables or disables the rows `ids` of `menu`.
    pub(super) fn switch(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
        on: bool,
    ) -> Result<(), ApiError> {
        let verb = if on { "enable" } else { "disable" };
        self.require_to(menu, Access::Set, verb)?;
        menu.property("disabled").map_err(|_| ApiError::no_such_command(verb))?;
        self.set(menu, ids, &[("disabled".to_owned(), (!on).to_string())])
    }

    /// Adds a row to `menu`, in front of the row `before` or at the end; returns its identifier.
    pub(super) fn add(
        &mut self,
        menu: &'static Menu,
        before: Option<u32>,
        arguments: &Pairs,
    ) -> Result<u32, ApiError> {
        self.require_to(menu, Access::Open, "add")?;
        let changes = self.world.store.read_changes(menu, None, arguments)?;
        let id = self.world.store.add(menu, before, &changes)?;
        self.effects.push(RequestEffect::Added { menu: menu.path, id: values::shown_id(id) });
        self.world.system.write_flash(self.now);
        self.world.settle(self.now);
        self.world.restart(menu.path, id, self.now);
        Ok(id)
    }

    /// Removes the rows `ids` from `menu`, or none if one of them is the router's own.
    pub(super) fn remove(&mut self, menu: &'static Menu, ids: &[u32]) -> Result<(), ApiError> {
        self.require_to(menu, Access::Open, "remove")?;
        self.require_static(menu, ids)?;
        for id in ids {
            if self.world.store.remove(menu.path, *id).is_some() {
                let id = values::shown_id(*id);
                self.effects.push(RequestEffect::Removed { menu: menu.path, id });
                self.world.system.write_flash(self.now);
            }
            self.world.shapers.forget(menu.path, *id);
        }
        self.world.settle(self.now);
        Ok(())
    }

    /// Moves the rows `ids` of `menu` in front of the row `before`, or to the end.
    pub(super) fn move_rows(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
        before: Option<u32>,
    ) -> Result<(), ApiError> {
        self.require_to(menu, Access::Open, "move")?;
        if before.is_some_and(|before| ids.contains(&before)) {
            return Err(ApiError::bad("failure: can not move object before itself"));
        }
        for id in ids {
            self.world.store.move_row(menu.path, *id, before);
            self.effects.push(RequestEffect::Moved { menu: menu.path, id: values::shown_id(*id) });
        }
        self.world.system.write_flash(self.now);
        self.world.settle(self.now);
        Ok(())
    }

    /// Sets the counters of the rows `ids` of `menu` to zero.
    pub(super) fn reset_counters(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
    ) -> Result<(), ApiError> {
        self.user.require(Policy::Write)?;
        for id in ids {
            self.world.restart(menu.path, *id, self.now);
            let id = values::shown_id(*id);
            self.effects.push(RequestEffect::CountersReset { menu: menu.path, id });
        }
        Ok(())
    }

    /// Returns what the interface named `name` carries.
    pub(super) fn traffic(&mut self, name: &str) -> Result<Values, ApiError> {
        self.user.require(Policy::Read)?;
        let rate = self.world.rate_under(name, self.now);
        let rate = rate.ok_or_else(|| ApiError::no_match("interface"))?;
        Ok(Values::from([
            ("name", name.to_owned()),
            ("rx-bits-per-second", "0".to_owned()),
            ("tx-bits-per-second", rate.bps().to_string()),
        ]))
    }

    pub(super) fn rename(&mut self, name: String) -> Result<(), ApiError> {
        self.user.require(Policy::Write)?;
        self.world.system.rename(name, self.now);
        Ok(())
    }

    /// Sets the limit of the queue named `queue`, both ways if it is a simple one.
    pub(super) fn set_limit(&mut self, queue: &str, limit: BitRate) {
        let bps = limit.bps();
        for (path, limit) in [(QUEUE_TREE, bps.to_string()), (QUEUE_SIMPLE, format!("{bps}/{bps}"))]
        {
            let menu = menu(path);
            if let Some(id) = self.world.locate(menu, queue) {
                let outcome = self.set(menu, &[id], &[("max-limit".to_owned(), limit)]);
                debug_assert!(outcome.is_ok(), "a whole number is a rate: {outcome:?}");
            }
        }
    }

    fn require_static(&self, menu: &Menu, ids: &[u32]) -> Result<(), ApiError> {
        let rows = ids.iter().filter_map(|id| self.world.store.row(menu.path, *id));
        if rows.into_iter().any(|row| row.is_dynamic) { Err(ApiError::dynamic()) } else { Ok(()) }
    }

    fn require_to(&self, menu: &Menu, access: Access, verb: &str) -> Result<(), ApiError> {
        self.user.require(Policy::Write)?;
        if menu.kind.access >= access { Ok(()) } else { Err(ApiError::no_such_command(verb)) }
    }
}
