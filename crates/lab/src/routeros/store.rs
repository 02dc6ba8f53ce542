//! The rows of all menus: what a reboot does not change.

use std::collections::BTreeMap;

use super::{
    menus::{
        BUILT_IN, FIRST_BUILT_IN, INTERFACE, Kind, MENUS, Menu, Presence, Property, QUEUE_TREE,
        QUEUE_TYPE, ROUTING_TABLE, Values, menu,
    },
    request::ApiError,
};

/// Properties with values that have been read and found good.
pub(super) type Changes = Vec<(&'static str, String)>;
/// A request's arguments as texts.
pub(super) type Pairs = [(String, String)];

/// One row of a menu.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Identifier; never used again once the row is gone.
    pub(super) id: u32,
    /// Whether the router made it; such a row cannot be changed.
    pub(super) is_dynamic: bool,
    /// What is stored; state of the running router is added when the row is shown.
    pub(super) values: Values,
}

impl Row {
    /// Returns the stored value of `property`, or an empty text.
    pub(super) fn get(&self, property: &str) -> &str {
        self.values.get(property).map_or("", String::as_str)
    }

    /// Returns whether the row is disabled; a missing key means that it never was.
    pub(super) fn is_disabled(&self) -> bool {
        self.get("disabled") == "true"
    }
}

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

impl Table {
    fn insert(&mut self, place: usize, is_dynamic: bool, values: Values) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        self.rows.insert(place, Row { id, is_dynamic, values });
        id
    }

    /// Returns the place of the row with the identifier `before`, or the end.
    fn place(&self, before: Option<u32>) -> usize {
        let place = self.rows.iter().position(|row| Some(row.id) == before);
        place.unwrap_or(self.rows.len())
    }
}

impl Store {
    /// Creates a store with the built-in queue types and the routing table `main`;
    /// `wan_interfaces` lead to the internet.
    pub(super) fn new(wan_interfaces: Vec<String>) -> Self {
        let empty = |menu: &Menu| (menu.path, Table { rows: vec![], next_id: menu.kind.first_id });
        let mut store = Self { tables: MENUS.iter().map(empty).collect(), wan_interfaces };
        let types = &mut store.table_mut(QUEUE_TYPE).rows;
        for (id, (name, kind)) in (FIRST_BUILT_IN..=u32::MAX).zip(BUILT_IN) {
            let values = Values::from([("name", name.to_owned()), ("kind", kind.to_owned())]);
            types.push(Row { id, is_dynamic: false, values });
        }
        let main = Values::from([("name", "main".to_owned()), ("fib", String::new())]);
        store.add_dynamic(ROUTING_TABLE, main);
        store
    }

    fn table_mut(&mut self, menu: &str) -> &mut Table {
        self.tables.get_mut(menu).expect("every menu got a table when the store was built")
    }

    /// Returns the rows of `menu` in their order.
    pub(super) fn rows(&self, menu: &str) -> &[Row] {
        self.tables.get(menu).map_or(&[], |table| &table.rows)
    }

    pub(super) fn row(&self, menu: &str, id: u32) -> Option<&Row> {
        self.rows(menu).iter().find(|row| row.id == id)
    }

    pub(super) fn named(&self, menu: &str, name: &str) -> Option<&Row> {
        self.rows(menu).iter().find(|row| row.get("name") == name)
    }

    /// Returns the kind of the queue type named `name`, or `None` if there is no such type.
    pub(super) fn queue_kind(&self, name: &str) -> Option<&str> {
        self.named(QUEUE_TYPE, name).map(|row| row.get("kind"))
    }

    /// Returns whether a queue can hang under `name`.
    pub(super) fn has_parent(&self, name: &str) -> bool {
        let known = |menu| self.named(menu, name).is_some();
        name == "global" || known(INTERFACE) || known(QUEUE_TREE)
    }

    /// Returns whether the interface named `name` leads to the internet.
    pub(super) fn is_wan(&self, name: &str) -> bool {
        self.wan_interfaces.iter().any(|interface| interface == name)
    }

    /// Reads the values that are to be written to the row `id` of `menu`, or to a new one. Refuses
    /// unknown properties, values that cannot be read, references to nothing and names in use.
    pub(super) fn read_changes(
        &self,
        menu: &'static Menu,
        id: Option<u32>,
        arguments: &Pairs,
    ) -> Result<Changes, ApiError> {
        let read = |(name, text): &(String, String)| {
            let property = menu.property(name)?;
            let value = property.read(text)?;
            self.check_reference(menu.path, id, property, &property.1, &value)?;
            Ok((property.0, value))
        };
        arguments.iter().map(read).collect()
    }

    fn check_reference(
        &self,
        menu: &str,
        id: Option<u32>,
        property: &Property,
        kind: &Kind,
        value: &str,
    ) -> Result<(), ApiError> {
        let is_found = match kind {
            Kind::QueueType => self.queue_kind(value).is_some(),
            Kind::Parent => {
                let own = id.and_then(|id| self.row(menu, id)).map(|row| row.get("name"));
                self.has_parent(value) && own != Some(value)
            }
            // An empty value takes the property away.
            Kind::RoutingTable => value.is_empty() || self.named(ROUTING_TABLE, value).is_some(),
            Kind::Name if self.named(menu, value).is_some_and(|row| Some(row.id) != id) => {
                return Err(ApiError::bad("failure: already have such entry"));
            }
            Kind::Pair(of) => {
                let mut both = value.split('/');
                return both.try_for_each(|v| self.check_reference(menu, id, property, of, v));
            }
            _ => true,
        };
        is_found.then_some(()).ok_or_else(|| ApiError::no_match(property.0))
    }

    /// Writes `changes` to the row `id` of `menu`, if it is there.
    pub(super) fn write(&mut self, menu: &Menu, id: u32, changes: &Changes) {
        let rows = &mut self.table_mut(menu.path).rows;
        if let Some(row) = rows.iter_mut().find(|row| row.id == id) {
            apply(menu, &mut row.values, changes);
        }
    }

    /// Adds a row to `menu`, in front of the row `before` or at the end, and returns its
    /// identifier. Refuses a row without a required property.
    pub(super) fn add(
        &mut self,
        menu: &Menu,
        before: Option<u32>,
        changes: &Changes,
    ) -> Result<u32, ApiError> {
        let mut values = Values::new();
        for Property(name, _, presence) in &menu.kind.properties {
            if let Presence::Always(default) = presence {
                values.insert(name, (*default).to_owned());
            }
        }
        apply(menu, &mut values, changes);
        for Property(name, _, presence) in &menu.kind.properties {
            if *presence == Presence::Required && !values.contains_key(name) {
                return Err(ApiError::missing(name));
            }
        }
        let table = self.table_mut(menu.path);
        let place = table.place(before);
        Ok(table.insert(place, false, values))
    }

    /// Adds a row of the router's own to the front of `menu`.
    pub(super) fn add_dynamic(&mut self, menu: &str, values: Values) {
        self.table_mut(menu).insert(0, true, values);
    }

    /// Removes the rows of `menu` that the router made.
    pub(super) fn remove_dynamic(&mut self, menu: &str) {
        self.table_mut(menu).rows.retain(|row| !row.is_dynamic);
    }

    /// Moves the row `id` of `menu` in front of the row `before`, or to the end if there is none.
    pub(super) fn move_row(&mut self, menu: &str, id: u32, before: Option<u32>) {
        let Some(row) = self.remove(menu, id) else { return };
        let table = self.table_mut(menu);
        table.rows.insert(table.place(before), row);
    }

    pub(super) fn remove(&mut self, menu: &str, id: u32) -> Option<Row> {
        let rows = &mut self.table_mut(menu).rows;
        let place = rows.iter().position(|row| row.id == id)?;
        Some(rows.remove(place))
    }

    /// Gives the queue tree named `name` a new identifier, as removing and adding it again does.
    /// Returns the identifiers before and after, or `None` if there is no such queue.
    pub(super) fn recreate_queue(&mut self, name: &str) -> Option<(u32, u32)> {
        let old = self.named(QUEUE_TREE, name)?.id;
        let values = self.remove(QUEUE_TREE, old)?.values;
        let table = self.table_mut(QUEUE_TREE);
        let end = table.place(None);
        Some((old, table.insert(end, false, values)))
    }

    /// Adds a row without checks: what the configuration says exists, mistakes included.
    pub(super) fn place(&mut self, path: &str, values: &[(&str, &str)]) {
        let menu = menu(path);
        let found = |(name, value): &(&str, &str)| {
            menu.property(name).ok().map(|property| (property.0, (*value).to_owned()))
        };
        let changes: Changes = values.iter().filter_map(found).collect();
        let added = self.add(menu, None, &changes);
        debug_assert!(added.is_ok(), "the emulator's own rows are complete: {added:?}");
    }
}

fn apply(menu: &Menu, values: &mut Values, changes: &Changes) {
    for (name, value) in changes {
        let goes = value.is_empty()
            && menu.property(name).is_ok_and(|property| property.2 == Presence::WhileSet);
        if goes {
            values.remove(name);
        } else {
            values.insert(name, value.clone());
        }
    }
    menu.complete(values);
}
