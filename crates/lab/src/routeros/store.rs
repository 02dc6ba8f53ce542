//! The rows of all menus: what a reboot does not change.

use std::collections::BTreeMap;

use super::{
    errors::Refusal,
    rows::{BUILT_IN, FIRST_BUILT_IN, INTERFACE, MENUS, QUEUE_TREE, QUEUE_TYPE, ROUTING_TABLE},
    schema::{Kind, Menu, Presence, Property, Row, Values},
};

/// Properties with values that have been read and found good.
pub(super) type Changes = Vec<(&'static Property, String)>;

/// All rows.
#[derive(Debug)]
pub(super) struct Store {
    tables: BTreeMap<&'static str, Table>,
    wan_interfaces: Vec<String>,
}

#[derive(Debug)]
struct Table {
    rows: Vec<Row>,
    /// Counts up only: RouterOS does not give an identifier a second time.
    next_id: u32,
}

impl Store {
    /// Builds the store of a router that has its built-in queue types and the routing table `main`;
    /// `wan_interfaces` go to the internet.
    pub(super) fn new(wan_interfaces: Vec<String>) -> Self {
        let empty = |menu: &&Menu| (menu.path, Table { rows: vec![], next_id: menu.first_id });
        let tables = MENUS.iter().map(empty).collect();
        let mut store = Self { tables, wan_interfaces };
        for (id, (name, kind)) in (FIRST_BUILT_IN..=u32::MAX).zip(BUILT_IN) {
            let values = Values::from([("name", name.to_owned()), ("kind", kind.to_owned())]);
            store.table_mut(&QUEUE_TYPE).rows.push(Row { id, is_dynamic: false, values });
        }
        let main = Values::from([("name", "main".to_owned()), ("fib", String::new())]);
        store.add_dynamic(&ROUTING_TABLE, main);
        store
    }

    fn table(&self, menu: &Menu) -> &Table {
        self.tables.get(menu.path).expect("every menu got a table when the store was built")
    }

    fn table_mut(&mut self, menu: &Menu) -> &mut Table {
        self.tables.get_mut(menu.path).expect("every menu got a table when the store was built")
    }

    /// Returns the rows of `menu` in their order.
    pub(super) fn rows(&self, menu: &Menu) -> &[Row] {
        &self.table(menu).rows
    }

    /// Returns the row of `menu` with this identifier.
    pub(super) fn row(&self, menu: &Menu, id: u32) -> Option<&Row> {
        self.rows(menu).iter().find(|row| row.id == id)
    }

    /// Returns the row of `menu` with this name.
    pub(super) fn named(&self, menu: &Menu, name: &str) -> Option<&Row> {
        self.rows(menu).iter().find(|row| row.get("name") == name)
    }

    /// Returns the kind of the queue type named `name`, or `None` if there is no such type.
    pub(super) fn queue_kind(&self, name: &str) -> Option<&str> {
        self.named(&QUEUE_TYPE, name).map(|row| row.get("kind"))
    }

    /// Tells whether a queue can hang under `name`.
    pub(super) fn has_parent(&self, name: &str) -> bool {
        let known = |menu| self.named(menu, name).is_some();
        name == "global" || known(&INTERFACE) || known(&QUEUE_TREE)
    }

    /// Tells whether the interface named `name` goes to the internet.
    pub(super) fn is_wan(&self, name: &str) -> bool {
        self.wan_interfaces.iter().any(|interface| interface == name)
    }

    /// Reads the values that are to be written to the row `id` of `menu`, or to a new one.
    ///
    /// # Errors
    /// Refuses unknown properties, values that cannot be read, references to nothing, and names
    /// that are taken. Nothing has been changed then.
    pub(super) fn read_changes(
        &self,
        menu: &Menu,
        id: Option<u32>,
        arguments: &[(String, String)],
    ) -> Result<Changes, Refusal> {
        let read = |(name, text): &(String, String)| {
            let property = menu.property(name)?;
            let value = property.read(text)?;
            self.follow(menu, id, property, property.kind, &value)?;
            Ok((property, value))
        };
        arguments.iter().map(read).collect()
    }

    fn follow(
        &self,
        menu: &Menu,
        id: Option<u32>,
        property: &Property,
        kind: Kind,
        value: &str,
    ) -> Result<(), Refusal> {
        let found = match kind {
            Kind::QueueType => self.queue_kind(value).is_some(),
            Kind::Parent => {
                let own = id.and_then(|id| self.row(menu, id)).map(|row| row.get("name"));
                self.has_parent(value) && own != Some(value)
            }
            // An empty value takes the property away.
            Kind::RoutingTable => value.is_empty() || self.named(&ROUTING_TABLE, value).is_some(),
            Kind::Name => {
                let free = self.named(menu, value).is_none_or(|row| Some(row.id) == id);
                return free
                    .then_some(())
                    .ok_or_else(|| Refusal::bad("failure: already have such entry"));
            }
            Kind::Pair(of) => {
                return value.split('/').try_for_each(|v| self.follow(menu, id, property, *of, v));
            }
            Kind::Text
            | Kind::Marker
            | Kind::Rate
            | Kind::Flag
            | Kind::Time
            | Kind::Whole(..)
            | Kind::Decimal(_)
            | Kind::Choice(_) => true,
        };
        found.then_some(()).ok_or_else(|| Refusal::no_match(property.name))
    }

    /// Writes `changes` to the row `id` of `menu`; a row that is gone is left alone.
    pub(super) fn write(&mut self, menu: &Menu, id: u32, changes: &Changes) {
        let rows = &mut self.table_mut(menu).rows;
        if let Some(row) = rows.iter_mut().find(|row| row.id == id) {
            apply(menu, &mut row.values, changes);
        }
    }

    /// Adds a row to `menu`, in front of the row `before` or at the end, and returns its
    /// identifier.
    ///
    /// # Errors
    /// Refuses a row that lacks what it cannot do without.
    pub(super) fn add(
        &mut self,
        menu: &Menu,
        before: Option<u32>,
        changes: &Changes,
    ) -> Result<u32, Refusal> {
        let mut values = Values::new();
        for property in menu.properties {
            if let Presence::Always(default) = property.presence {
                values.insert(property.name, default.to_owned());
            }
        }
        apply(menu, &mut values, changes);
        let is_missing = |property: &&Property| {
            property.presence == Presence::Required && !values.contains_key(property.name)
        };
        if let Some(property) = menu.properties.iter().find(is_missing) {
            return Err(Refusal::bad(format!("missing ={}=", property.name)));
        }
        let table = self.table_mut(menu);
        let id = table.next_id;
        table.next_id += 1;
        let place = table.rows.iter().position(|row| Some(row.id) == before);
        table.rows.insert(place.unwrap_or(table.rows.len()), Row { id, is_dynamic: false, values });
        Ok(id)
    }

    /// Adds a row of the router's own to the front of `menu`.
    pub(super) fn add_dynamic(&mut self, menu: &Menu, values: Values) {
        let table = self.table_mut(menu);
        let id = table.next_id;
        table.next_id += 1;
        table.rows.insert(0, Row { id, is_dynamic: true, values });
    }

    /// Removes the rows of `menu` that the router made.
    pub(super) fn remove_dynamic(&mut self, menu: &Menu) {
        self.table_mut(menu).rows.retain(|row| !row.is_dynamic);
    }

    /// Moves the row `id` of `menu` in front of the row `before`, or to the end if there is none.
    pub(super) fn move_row(&mut self, menu: &Menu, id: u32, before: Option<u32>) {
        let Some(row) = self.remove(menu, id) else { return };
        let rows = &mut self.table_mut(menu).rows;
        let place = rows.iter().position(|row| Some(row.id) == before);
        rows.insert(place.unwrap_or(rows.len()), row);
    }

    /// Removes the row `id` from `menu`, and returns it.
    pub(super) fn remove(&mut self, menu: &Menu, id: u32) -> Option<Row> {
        let rows = &mut self.table_mut(menu).rows;
        let place = rows.iter().position(|row| row.id == id)?;
        Some(rows.remove(place))
    }

    /// Gives the queue named `name` a new identifier, as removing and adding it again does.
    ///
    /// Returns the identifier before and after, or `None` if there is no such queue.
    pub(super) fn recreate_queue(&mut self, name: &str) -> Option<(u32, u32)> {
        let menu = &QUEUE_TREE;
        let old = self.named(menu, name)?.id;
        let mut row = self.remove(menu, old)?;
        let table = self.table_mut(menu);
        row.id = table.next_id;
        table.next_id += 1;
        let new = row.id;
        table.rows.push(row);
        Some((old, new))
    }
}

fn apply(menu: &Menu, values: &mut Values, changes: &Changes) {
    for (property, value) in changes {
        if property.presence == Presence::WhileSet && value.is_empty() {
            values.remove(property.name);
        } else {
            values.insert(property.name, value.clone());
        }
    }
    (menu.complete)(values);
}
