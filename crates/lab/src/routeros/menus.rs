//! The menus that the emulator has, from `menus.json`: their properties, how values are read, and
//! when they are shown.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use serde::Deserialize;

use super::{request::ApiError, values};

pub(super) const QUEUE_TREE: &str = "queue/tree";
pub(super) const QUEUE_SIMPLE: &str = "queue/simple";
pub(super) const QUEUE_TYPE: &str = "queue/type";
pub(super) const MANGLE: &str = "ip/firewall/mangle";
pub(super) const MANGLE6: &str = "ipv6/firewall/mangle";
pub(super) const FILTER: &str = "ip/firewall/filter";
pub(super) const FILTER6: &str = "ipv6/firewall/filter";
pub(super) const CONNECTION: &str = "ip/firewall/connection";
pub(super) const ROUTE: &str = "ip/route";
pub(super) const ROUTING_RULE: &str = "routing/rule";
pub(super) const ROUTING_TABLE: &str = "routing/table";
pub(super) const LIST_MEMBER: &str = "interface/list/member";
pub(super) const INTERFACE: &str = "interface";
pub(super) const NETWATCH: &str = "tool/netwatch";
pub(super) const CPU: &str = "system/resource/cpu";
pub(super) const USER: &str = "user";
pub(super) const GROUP: &str = "user/group";

/// The action of a `FastTrack` rule.
pub(super) const FASTTRACK: &str = "fasttrack-connection";
/// Identifier of the first built-in queue type.
pub(super) const FIRST_BUILT_IN: u32 = 0xFFFF_FFF5;
/// Names and kinds of the built-in queue types, in the order of their identifiers.
pub(super) const BUILT_IN: [(&str, &str); 10] = [
    ("default", "pfifo"),
    ("ethernet-default", "pfifo"),
    ("wireless-default", "sfq"),
    ("synchronous-default", "red"),
    ("hotspot-default", "sfq"),
    ("pcq-upload-default", "pcq"),
    ("pcq-download-default", "pcq"),
    ("only-hardware-queue", "none"),
    ("multi-queue-ethernet-default", "mq-pfifo"),
    ("default-small", "pfifo"),
];

/// Every menu.
pub(super) static MENUS: LazyLock<Vec<Menu>> = LazyLock::new(|| {
    let kinds: Vec<MenuKind> =
        serde_json::from_str(include_str!("menus.json")).expect("menus.json lists the menus");
    let of_path = |(path, kind): (&'static str, MenuKind)| Menu { path, kind };
    let menus = kinds.into_iter().flat_map(|kind| {
        let paths = kind.paths.clone();
        paths.into_iter().map(move |path| (path, kind.clone()))
    });
    menus.map(of_path).collect()
});

/// Properties with their values, as they are shown; sorted as RouterOS sorts them.
pub(super) type Values = BTreeMap<&'static str, String>;

/// A list of rows under one path.
#[derive(Debug)]
pub(super) struct Menu {
    /// Path below `/rest/`.
    pub(super) path: &'static str,
    pub(super) kind: MenuKind,
}

/// What the menus of IPv4 and IPv6 have in common.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct MenuKind {
    paths: Vec<&'static str>,
    /// Identifier of the first row that is added.
    pub(super) first_id: u32,
    pub(super) access: Access,
    /// Whether rows have names that can stand for identifiers.
    #[serde(default)]
    pub(super) is_named: bool,
    /// Whether rows are evaluated one after the other, and can be moved.
    #[serde(default)]
    pub(super) is_ordered: bool,
    /// Whether rows have counters that can be reset.
    #[serde(default)]
    pub(super) is_counted: bool,
    /// Everything that can be written.
    pub(super) properties: Vec<Property>,
}

/// What clients may do with the rows of a menu: read them, also change them, also add and remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Access {
    Read,
    Set,
    Open,
}

/// Name, kind and presence of something that can be written to a row.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Property(pub(super) &'static str, pub(super) Kind, pub(super) Presence);

/// How a value is read and normalised.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Text,
    /// A text that is unique within the menu.
    Name,
    /// A rate in bit/s.
    Rate,
    Flag,
    Time,
    /// A whole number between two bounds, both included.
    Whole(i64, i64),
    /// A number with decimals between zero and a bound.
    Decimal(f64),
    Choice(Vec<String>),
    /// Two values with a slash between: upload and download.
    Pair(Box<Kind>),
    /// Something a queue can hang under: an interface, another queue, or everything.
    Parent,
    /// The name of a queue type.
    QueueType,
    /// The name of a routing table.
    RoutingTable,
    /// A key whose presence has a meaning, whatever its value.
    Marker,
}

/// When a property is shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Presence {
    /// Always, with this default.
    Always(&'static str),
    /// Always, and without a default.
    Required,
    /// From the first time it is written on.
    OnceWritten,
    /// While it is not empty.
    WhileSet,
    /// For queue types of the kind `cake`, with this default.
    OfCake(Option<&'static str>),
}

/// Something with a path of its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Menu(&'static Menu),
    Single(Single),
    Ping,
    Monitor,
    Execute,
}

/// The objects without an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Single {
    Identity,
    Resource,
}

/// Every place with its path, the longest paths first: a path leads to the first that it begins with.
static PLACES: LazyLock<Vec<(&str, Place)>> = LazyLock::new(|| {
    let mut places: Vec<_> = MENUS.iter().map(|menu| (menu.path, Place::Menu(menu))).collect();
    places.extend([
        ("interface/monitor-traffic", Place::Monitor),
        ("system/resource", Place::Single(Single::Resource)),
        ("system/identity", Place::Single(Single::Identity)),
        ("ping", Place::Ping),
        ("tool/ping", Place::Ping),
        ("execute", Place::Execute),
    ]);
    places.sort_by_key(|(path, _)| std::cmp::Reverse(path.split('/').count()));
    places
});

/// Returns the place that `segments` begin with, and the remaining segments. The error names the
/// first word that leads nowhere.
pub(super) fn find_place(segments: &[String]) -> Result<(Place, &[String]), ApiError> {
    let begins = |path: &str, depth: usize| {
        path.split('/').take(depth).eq(segments.iter().take(depth).map(String::as_str))
    };
    for (path, place) in PLACES.iter() {
        let depth = path.split('/').count();
        if segments.len() >= depth && begins(path, depth) {
            return Ok((*place, &segments[depth..]));
        }
    }
    let is_known = |depth: &usize| PLACES.iter().any(|(path, _)| begins(path, *depth));
    Err(match (1..=segments.len()).find(|depth| !is_known(depth)) {
        Some(depth) => ApiError::no_such_command(&segments[depth - 1]),
        None => ApiError::bad("no such command"),
    })
}

pub(super) fn menu(path: &str) -> &'static Menu {
    MENUS.iter().find(|menu| menu.path == path).expect("menus.json has every path of this module")
}

impl Menu {
    pub(super) fn property(&self, name: &str) -> Result<&Property, ApiError> {
        let found = self.kind.properties.iter().find(|property| property.0 == name);
        found.ok_or_else(|| ApiError::unknown_parameter(name))
    }

    pub(super) fn complete(&self, values: &mut Values) {
        if matches!(self.path, MANGLE | MANGLE6)
            && values.get("action").is_some_and(|action| action.starts_with("mark-"))
        {
            values.entry("passthrough").or_insert_with(|| "true".to_owned());
        }
        let is_cake = values.get("kind").is_some_and(|kind| kind == "cake");
        for Property(name, _, presence) in &self.kind.properties {
            match presence {
                Presence::OfCake(_) if !is_cake => drop(values.remove(name)),
                Presence::OfCake(Some(default)) => {
                    values.entry(name).or_insert_with(|| (*default).to_owned());
                }
                _ => {}
            }
        }
    }
}

impl Property {
    /// Reads `text` and returns it as RouterOS will show it. References are not followed here.
    pub(super) fn read(&self, text: &str) -> Result<String, ApiError> {
        self.read_as(&self.1, text)
    }

    fn read_as(&self, kind: &Kind, text: &str) -> Result<String, ApiError> {
        let invalid = || ApiError::invalid_value(self.0);
        let ranged = |fits: bool, number: String, range: String| {
            let refusal = || ApiError::bad(format!("value of {} out of range ({range})", self.0));
            fits.then_some(number).ok_or_else(refusal)
        };
        match kind {
            Kind::Name if text.is_empty() => Err(invalid()),
            Kind::Text | Kind::Name | Kind::Parent | Kind::QueueType | Kind::RoutingTable => {
                Ok(text.to_owned())
            }
            Kind::Marker => Ok(String::new()),
            Kind::Rate => values::rate(text).map(|bps| bps.to_string()).ok_or_else(invalid),
            Kind::Flag => values::flag(text).map(|on| on.to_string()).ok_or_else(invalid),
            Kind::Time => {
                let span: Option<Duration> = values::time(text);
                span.map(values::shown_time).ok_or_else(|| ApiError::invalid_time(self.0))
            }
            Kind::Whole(low, high) => {
                let number: i64 = text.parse().map_err(|_| invalid())?;
                let fits = (*low..=*high).contains(&number);
                ranged(fits, number.to_string(), format!("{low}..{high}"))
            }
            Kind::Decimal(high) => {
                let number: f64 = text.parse().map_err(|_| invalid())?;
                let fits = (0.0..=*high).contains(&number);
                ranged(fits, number.to_string(), format!("0..{high}"))
            }
            Kind::Choice(words) => {
                let known = words.iter().find(|word| *word == text).cloned();
                known.ok_or_else(|| ApiError::no_match(self.0))
            }
            Kind::Pair(of) => {
                let (upload, download) = text.split_once('/').ok_or_else(invalid)?;
                Ok(format!("{}/{}", self.read_as(of, upload)?, self.read_as(of, download)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_this_module_is_a_menu_and_every_default_can_be_read() {
        assert_eq!(MENUS.len(), 18);
        for path in [QUEUE_TREE, QUEUE_SIMPLE, QUEUE_TYPE, MANGLE, MANGLE6, FILTER, FILTER6] {
            assert_eq!(menu(path).path, path);
        }
        for path in [CONNECTION, ROUTE, ROUTING_RULE, ROUTING_TABLE, LIST_MEMBER, INTERFACE] {
            assert_eq!(menu(path).path, path);
        }
        for path in [NETWATCH, CPU, USER, GROUP] {
            assert_eq!(menu(path).path, path);
        }
        for property in MENUS.iter().flat_map(|menu| &menu.kind.properties) {
            if let Presence::Always(default) | Presence::OfCake(Some(default)) = property.2 {
                assert_eq!(property.read(default).as_deref(), Ok(default), "{property:?}");
            }
        }
    }
}
