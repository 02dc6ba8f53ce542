//! What a menu is: its properties, how they are read, and when they are shown.

use std::{collections::BTreeMap, time::Duration};

use wanctl_core::units::MonoTime;

use super::{errors::Refusal, quirks::Quirks, shapers::Shapers, store::Store, values};

/// Properties with their values, as they are shown; sorted as RouterOS sorts them.
pub(super) type Values = BTreeMap<&'static str, String>;

/// One row of a menu.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Identifier; never used again once the row is gone.
    pub(super) id: u32,
    /// Whether the router made it; such a row cannot be changed.
    pub(super) is_dynamic: bool,
    /// What is stored; what only the running router knows is added when the row is shown.
    pub(super) values: Values,
}

impl Row {
    /// Returns the stored value of `property`, or an empty text.
    pub(super) fn get(&self, property: &str) -> &str {
        self.values.get(property).map_or("", String::as_str)
    }

    /// Tells whether the row is switched off; a missing key means that it never was.
    pub(super) fn is_disabled(&self) -> bool {
        self.get("disabled") == "true"
    }
}

/// A list of rows under one path.
#[derive(Debug)]
pub(super) struct Menu {
    /// Path below `/rest/`.
    pub(super) path: &'static str,
    /// Everything that can be written.
    pub(super) properties: &'static [Property],
    /// Identifier of the first row that is added.
    pub(super) first_id: u32,
    /// Whether rows have names that can stand for identifiers.
    pub(super) is_named: bool,
    /// Whether rows are evaluated one after the other, and can be moved.
    pub(super) is_ordered: bool,
    /// What clients may do.
    pub(super) access: Access,
    /// Whether rows have counters that can be reset.
    pub(super) is_counted: bool,
    /// Fills in what follows from what was written.
    pub(super) complete: fn(&mut Values),
    /// Adds what only the running router knows.
    pub(super) show: fn(&mut Values, &mut Live<'_>),
}

/// What clients may do with the rows of a menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// Read them.
    Read,
    /// Change them, too.
    Set,
    /// Add and remove some, too.
    Open,
}

/// What a row is shown from, besides what it stores.
#[derive(Debug)]
pub(super) struct Live<'a> {
    /// The row.
    pub(super) row: &'a Row,
    /// All rows of all menus.
    pub(super) store: &'a Store,
    /// The counters.
    pub(super) shapers: &'a mut Shapers,
    /// What is not certain.
    pub(super) quirks: &'a Quirks,
    /// Time since the router started.
    pub(super) uptime: Duration,
    /// Now.
    pub(super) now: MonoTime,
}

/// Something that can be written to a row.
#[derive(Debug)]
pub(super) struct Property {
    /// Name in requests and answers.
    pub(super) name: &'static str,
    /// How its values are read.
    pub(super) kind: Kind,
    /// When it is shown.
    pub(super) presence: Presence,
}

/// How a value is read and normalised.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// A text that is unique within the menu.
    Name,
    /// A rate in bit/s.
    Rate,
    /// A truth value.
    Flag,
    /// A time.
    Time,
    /// A whole number between two bounds, both included.
    Whole(i64, i64),
    /// A number with decimals between zero and a bound.
    Decimal(f64),
    /// One of some words.
    Choice(&'static [&'static str]),
    /// Two values with a slash between: upload and download.
    Pair(&'static Kind),
    /// Something a queue can hang under: an interface, another queue, or everything.
    Parent,
    /// The name of a queue type.
    QueueType,
    /// The name of a routing table.
    RoutingTable,
    /// A key that says something by being there, whatever its value.
    Marker,
}

/// When a property is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Always, from this default on.
    Always(&'static str),
    /// Always, and without a default.
    Required,
    /// From the first time it is written on.
    OnceWritten,
    /// While it is not empty.
    WhileSet,
}

/// Builds a property; for the tables of the menus.
pub(super) const fn property(name: &'static str, kind: Kind, presence: Presence) -> Property {
    Property { name, kind, presence }
}

impl Menu {
    /// Returns the property named `name`.
    ///
    /// # Errors
    /// Refuses a name that the menu does not have.
    pub(super) fn property(&self, name: &str) -> Result<&'static Property, Refusal> {
        let found = self.properties.iter().find(|property| property.name == name);
        found.ok_or_else(|| Refusal::bad(format!("unknown parameter {name}")))
    }
}

impl Property {
    /// Reads `text` and returns it as RouterOS will show it. References are not followed here.
    ///
    /// # Errors
    /// Refuses what cannot be read or lies out of range.
    pub(super) fn read(&self, text: &str) -> Result<String, Refusal> {
        self.read_as(self.kind, text)
    }

    fn read_as(&self, kind: Kind, text: &str) -> Result<String, Refusal> {
        let invalid = || Refusal::invalid_value(self.name);
        match kind {
            Kind::Name if text.is_empty() => Err(invalid()),
            Kind::Text | Kind::Name | Kind::Parent | Kind::QueueType | Kind::RoutingTable => {
                Ok(text.to_owned())
            }
            Kind::Marker => Ok(String::new()),
            Kind::Rate => values::rate(text).map(|bps| bps.to_string()).ok_or_else(invalid),
            Kind::Flag => {
                values::flag(text).map(|on| values::shown_flag(on).to_owned()).ok_or_else(invalid)
            }
            Kind::Time => {
                let refusal = format!("invalid time value for argument {}", self.name);
                let span: Option<Duration> = values::time(text);
                span.map(values::shown_time).ok_or_else(|| Refusal::bad(refusal))
            }
            Kind::Whole(low, high) => {
                let number: i64 = text.parse().map_err(|_| invalid())?;
                let refusal = format!("value of {} out of range ({low}..{high})", self.name);
                let fits = (low..=high).contains(&number);
                fits.then(|| number.to_string()).ok_or_else(|| Refusal::bad(refusal))
            }
            Kind::Decimal(high) => {
                let number: f64 = text.parse().map_err(|_| invalid())?;
                let refusal = format!("value of {} out of range (0..{high})", self.name);
                let fits = (0.0..=high).contains(&number);
                fits.then(|| number.to_string()).ok_or_else(|| Refusal::bad(refusal))
            }
            Kind::Choice(words) => {
                let known = words.contains(&text).then(|| text.to_owned());
                known.ok_or_else(|| Refusal::no_match(self.name))
            }
            Kind::Pair(of) => {
                let (upload, download) = text.split_once('/').ok_or_else(invalid)?;
                Ok(format!("{}/{}", self.read_as(*of, upload)?, self.read_as(*of, download)?))
            }
        }
    }
}
