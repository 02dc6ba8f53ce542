//! The roads to a RouterOS and what travels on them: rows of texts.
//!
//! RouterOS has the same tables whichever way one comes. A road knows how to print a table, to
//! set one property and to ping; what the rows mean is known once, in the client above it.

use std::{collections::BTreeMap, fmt, net::IpAddr, time::Duration};

use futures_util::future::BoxFuture;

use super::time;
use crate::{
    router::{RouterError, Transport},
    units::Delay,
};

/// A way to talk to a RouterOS as one of its users.
///
/// A road has at most one request under way, in the order in which they were asked for, and
/// never cancels one.
pub(super) trait Road: Send + Sync + fmt::Debug {
    /// Which kind of road took the last request.
    fn transport(&self) -> Transport;

    /// Where the road leads, for messages: `https://192.168.88.1` or `ssh://192.168.88.1:22`.
    fn target(&self) -> String;

    /// Returns every row of `menu` with at least those of `properties` that it has.
    fn print<'a>(
        &'a self,
        menu: Menu,
        properties: &'static [&'static str],
    ) -> BoxFuture<'a, Result<Vec<Row>, RouterError>>;

    /// Sets one property of the row `id` and returns the row as it is afterwards.
    fn set<'a>(
        &'a self,
        menu: Menu,
        id: &'a str,
        property: &'static str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<Row, RouterError>>;

    /// Returns the ids of the rows of `menu` of which a property has exactly this value.
    fn find<'a>(
        &'a self,
        menu: Menu,
        property: &'static str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Row>, RouterError>>;

    /// Removes the rows with these ids, of which there is at least one.
    fn remove<'a>(
        &'a self,
        menu: Menu,
        ids: &'a [String],
    ) -> BoxFuture<'a, Result<(), RouterError>>;

    /// Lets the router send one echo request and returns its round-trip time; `None` if it was
    /// lost.
    fn ping<'a>(
        &'a self,
        address: IpAddr,
        from: &'a PingFrom,
    ) -> BoxFuture<'a, Result<Option<Delay>, RouterError>>;
}

/// Where on the router an echo request starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PingFrom {
    /// Its source address.
    pub source: Option<IpAddr>,
    /// Its interface.
    pub interface: Option<String>,
}

/// A table of RouterOS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Menu {
    QueueTree,
    QueueSimple,
    QueueType,
    Mangle,
    Mangle6,
    Filter,
    Connection,
    Connection6,
    RoutingRule,
    RoutingTable,
    Route,
    Interface,
    Resource,
    Identity,
}

impl Menu {
    /// The path, the same on every road.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::QueueTree => "/queue/tree",
            Self::QueueSimple => "/queue/simple",
            Self::QueueType => "/queue/type",
            Self::Mangle => "/ip/firewall/mangle",
            Self::Mangle6 => "/ipv6/firewall/mangle",
            Self::Filter => "/ip/firewall/filter",
            Self::Connection => "/ip/firewall/connection",
            Self::Connection6 => "/ipv6/firewall/connection",
            Self::RoutingRule => "/routing/rule",
            Self::RoutingTable => "/routing/table",
            Self::Route => "/ip/route",
            Self::Interface => "/interface",
            Self::Resource => "/system/resource",
            Self::Identity => "/system/identity",
        }
    }

    /// Whether it is one object without an id instead of a list.
    pub(super) const fn is_singleton(self) -> bool {
        matches!(self, Self::Resource | Self::Identity)
    }
}

/// One row: every value a text, a property that is not set absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Row(pub(super) BTreeMap<String, String>);

impl Row {
    /// Returns the text of a property, or none if it is not set.
    pub(super) fn text(&self, property: &str) -> Option<&str> {
        self.0.get(property).map(String::as_str)
    }

    /// Returns the text of a property that every row of the menu has.
    ///
    /// # Errors
    /// A sentence if it is missing, which after a boot means that the answer is another menu's.
    pub(super) fn required(&self, property: &str) -> Result<&str, String> {
        self.text(property).ok_or_else(|| format!("a row without `{property}`"))
    }

    /// Returns a flag; an absent one is false.
    pub(super) fn flag(&self, property: &str) -> bool {
        matches!(self.text(property), Some("true" | "yes"))
    }

    /// Returns a count; an absent one is zero.
    ///
    /// # Errors
    /// A sentence if the text is not a whole number.
    pub(super) fn count(&self, property: &str) -> Result<u64, String> {
        self.text(property).map_or(Ok(0), |text| whole(property, text))
    }

    /// Returns a pair of counts `up/down`, as simple queues have them; an absent one is zeros.
    ///
    /// # Errors
    /// A sentence if the text is not two whole numbers.
    pub(super) fn pair(&self, property: &str) -> Result<[u64; 2], String> {
        let Some(text) = self.text(property) else { return Ok([0, 0]) };
        let (first, second) = text
            .split_once('/')
            .ok_or_else(|| format!("`{property}` is `{text}`, not a pair like 1/2"))?;
        Ok([whole(property, first)?, whole(property, second)?])
    }

    /// Returns a span of time such as `1d2h` or `453us`; an absent one is zero.
    ///
    /// # Errors
    /// A sentence if the text is not a RouterOS time.
    pub(super) fn span(&self, property: &str) -> Result<Duration, String> {
        self.text(property).map_or(Ok(Duration::ZERO), |text| {
            time::parse(text).ok_or_else(|| format!("`{property}` is `{text}`, not a time"))
        })
    }
}

fn whole(property: &str, text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{property}` is `{text}`, not a whole number"))
}
