//! What a user can do with the rows of the router, however the wish came in.
//!
//! REST maps its verbs to these; a console would map its words to them. Policies are checked here;
//! each operation reports its effects for the log.

use wanctl_core::units::MonoTime;

use super::{
    auth::{Policy, User},
    errors::Refusal,
    log::Effect,
    place::Single,
    schema::{Access, Menu, Values},
    select,
    world::{Pairs, World},
};

/// What an operation works on and with.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) world: &'a mut World,
    pub(super) user: &'a User,
    pub(super) now: MonoTime,
    pub(super) effects: &'a mut Vec<Effect>,
}

/// Which rows are wanted, and what of them.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// Conditions and operators in postfix order; none is satisfied by every row.
    pub(super) words: Vec<String>,
    /// Properties that are kept, or all of them.
    pub(super) properties: Option<Vec<String>>,
}

impl Session<'_> {
    /// Returns the rows of `menu` that satisfy `query`.
    ///
    /// # Errors
    /// Refuses users who may not read, and queries that make no sense.
    pub(super) fn print(&mut self, menu: &Menu, query: &Query) -> Result<Vec<Values>, Refusal> {
        self.user.require(Policy::Read)?;
        let mut rows = Vec::new();
        for id in self.world.ids(menu) {
            let Some(row) = self.world.show(menu, id, self.now) else { continue };
            if select::satisfies(&row, &query.words)? {
                rows.push(select::project(row, query.properties.as_deref()));
            }
        }
        Ok(rows)
    }

    /// Returns the row `id` of `menu`, whole.
    ///
    /// # Errors
    /// Refuses users who may not read, and rows that are gone.
    pub(super) fn print_one(&mut self, menu: &Menu, id: u32) -> Result<Values, Refusal> {
        self.user.require(Policy::Read)?;
        self.show(menu, id)
    }

    /// Returns an object without an identifier.
    ///
    /// # Errors
    /// Refuses users who may not read.
    pub(super) fn print_single(&self, single: Single) -> Result<Values, Refusal> {
        self.user.require(Policy::Read)?;
        Ok(match single {
            Single::Identity => self.world.system.identity(),
            Single::Resource => self.world.system.resource(self.now),
        })
    }

    /// Returns the row `id` of `menu` to a user who has just written it.
    ///
    /// # Errors
    /// Refuses rows that are gone.
    pub(super) fn show(&mut self, menu: &Menu, id: u32) -> Result<Values, Refusal> {
        self.world.show(menu, id, self.now).ok_or_else(Refusal::not_found)
    }

    /// Returns the row of `menu` that `key`, an identifier or a name, stands for.
    ///
    /// # Errors
    /// Refuses keys that stand for nothing.
    pub(super) fn target(&self, menu: &Menu, key: &str) -> Result<u32, Refusal> {
        self.world.locate(menu, key).ok_or_else(|| Refusal::bad("no such item"))
    }

    /// Writes `values` to the rows `ids` of `menu`.
    ///
    /// # Errors
    /// Refuses users who may not write, and what [`World::set`] refuses.
    pub(super) fn set(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
        values: &Pairs,
    ) -> Result<(), Refusal> {
        self.require_to(menu, Access::Set, "set")?;
        self.world.set(menu, ids, values, self.now, self.effects)
    }

    /// Switches the rows `ids` of `menu` on or off.
    ///
    /// # Errors
    /// As [`Session::set`].
    pub(super) fn switch(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
        on: bool,
    ) -> Result<(), Refusal> {
        let verb = if on { "enable" } else { "disable" };
        self.require_to(menu, Access::Set, verb)?;
        menu.property("disabled").map_err(|_| Refusal::no_such_command(verb))?;
        let switch = [("disabled".to_owned(), (!on).to_string())];
        self.world.set(menu, ids, &switch, self.now, self.effects)
    }

    /// Adds a row to `menu`, in front of the row `before` or at the end.
    ///
    /// # Errors
    /// Refuses users who may not write, and what [`World::add`] refuses.
    pub(super) fn add(
        &mut self,
        menu: &'static Menu,
        before: Option<u32>,
        values: &Pairs,
    ) -> Result<u32, Refusal> {
        self.require_to(menu, Access::Open, "add")?;
        self.world.add(menu, before, values, self.now, self.effects)
    }

    /// Removes the rows `ids` from `menu`.
    ///
    /// # Errors
    /// Refuses users who may not write, and rows of the router's own.
    pub(super) fn remove(&mut self, menu: &'static Menu, ids: &[u32]) -> Result<(), Refusal> {
        self.require_to(menu, Access::Open, "remove")?;
        self.world.remove(menu, ids, self.now, self.effects)
    }

    /// Moves the rows `ids` of `menu` in front of the row `before`, or to the end.
    ///
    /// # Errors
    /// Refuses users who may not write, and moving a row in front of itself.
    pub(super) fn move_rows(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
        before: Option<u32>,
    ) -> Result<(), Refusal> {
        self.require_to(menu, Access::Open, "move")?;
        if before.is_some_and(|before| ids.contains(&before)) {
            return Err(Refusal::bad("failure: can not move object before itself"));
        }
        self.world.move_rows(menu, ids, before, self.now, self.effects);
        Ok(())
    }

    /// Sets the counters of the rows `ids` of `menu` to zero.
    ///
    /// # Errors
    /// Refuses users who may not write.
    pub(super) fn reset_counters(
        &mut self,
        menu: &'static Menu,
        ids: &[u32],
    ) -> Result<(), Refusal> {
        self.user.require(Policy::Write)?;
        self.world.reset_counters(menu, ids, self.now, self.effects);
        Ok(())
    }

    /// Returns what the interface named `name` carries.
    ///
    /// # Errors
    /// Refuses users who may not read, and interfaces that do not exist.
    pub(super) fn traffic(&mut self, name: &str) -> Result<Values, Refusal> {
        self.user.require(Policy::Read)?;
        let rate = self.world.rate_under(name, self.now);
        let rate = rate.ok_or_else(|| Refusal::no_match("interface"))?;
        Ok(Values::from([
            ("name", name.to_owned()),
            ("rx-bits-per-second", "0".to_owned()),
            ("tx-bits-per-second", rate.bps().to_string()),
        ]))
    }

    /// Renames the router.
    ///
    /// # Errors
    /// Refuses users who may not write.
    pub(super) fn rename(&mut self, name: String) -> Result<(), Refusal> {
        self.user.require(Policy::Write)?;
        self.world.system.rename(name, self.now);
        Ok(())
    }

    fn require_to(&self, menu: &Menu, access: Access, verb: &str) -> Result<(), Refusal> {
        self.user.require(Policy::Write)?;
        if menu.access >= access { Ok(()) } else { Err(Refusal::no_such_command(verb)) }
    }
}
