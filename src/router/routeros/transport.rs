//! The transports to a RouterOS and what they carry: requests, and rows of texts. RouterOS has the
//! same tables over each of them; the client above knows what the rows mean.

use std::{collections::BTreeMap, fmt, net::IpAddr, time::Duration};

use futures_util::future::BoxFuture;

use super::{json::Keep, pinged, rate, time};
use crate::router::{PingFrom, Pinged, Reply, RouterError, RouterFault, RouterText, Transport};

/// A connection to a RouterOS as one of its users.
///
/// It has at most one request in flight, in the order of the calls, and never cancels one.
pub(super) trait RowTransport: Send + Sync + fmt::Debug {
    /// Returns which transport took the last request.
    fn transport(&self) -> Transport;

    /// Returns the address, for messages: `https://192.168.88.1` or `ssh://192.168.88.1:22`.
    fn target(&self) -> String;

    /// Checks whether the server answers anything at all, beside the requests in flight and without
    /// credentials; `None` if this transport has no such check.
    fn check_alive(&self) -> Option<BoxFuture<'static, bool>> {
        None
    }

    /// Makes a request and returns the rows that it comes to.
    fn request<'a>(&'a self, request: Request<'a>) -> Reply<'a, Vec<Row>>;
}

/// A request to a RouterOS.
#[derive(Debug, Clone, Copy)]
pub(super) enum Request<'a> {
    /// Print the rows of a menu, with at least those of these properties that each has.
    Print(Menu, &'static [&'static str]),
    /// Set a property of a row, and print the row as far as the router shows it.
    Set { menu: Menu, id: &'a RowId, property: &'static str, value: &'a str },
    /// Print the ids of the rows of which a property has exactly this value, at most
    /// [`MOST_FOUND`] of them.
    Find { menu: Menu, property: &'static str, value: &'a str },
    /// Remove these rows, at least one.
    Remove { menu: Menu, ids: &'a [RowId] },
    /// Send one echo request, which is lost without a reply within the time.
    Ping(IpAddr, &'a PingFrom, Duration),
}

impl Request<'_> {
    /// Returns what it does, for messages.
    pub(super) const fn operation(self) -> &'static str {
        match self {
            Self::Print(..) | Self::Find { .. } => "reading",
            Self::Set { .. } => "writing",
            Self::Remove { .. } => "removing",
            Self::Ping(..) => "pinging",
        }
    }

    /// Returns what is kept of its answer.
    pub(super) const fn keep(self) -> Keep {
        match self {
            Self::Print(menu, properties) if !menu.is_singleton() => Keep::Only(properties),
            Self::Find { .. } => Keep::Ids(MOST_FOUND),
            Self::Remove { .. } => Keep::Ids(0),
            Self::Print(..) | Self::Set { .. } | Self::Ping(..) => Keep::All,
        }
    }
}

/// The requests, with what each comes to.
impl dyn RowTransport + '_ {
    pub(super) async fn print(
        &self,
        menu: Menu,
        properties: &'static [&'static str],
    ) -> Result<Vec<Row>, RouterError> {
        self.request(Request::Print(menu, properties)).await
    }

    /// Returns the row afterwards; what it does not show is not confirmed.
    pub(super) async fn set(
        &self,
        menu: Menu,
        id: &RowId,
        property: &'static str,
        value: &str,
    ) -> Result<Row, RouterError> {
        let rows = self.request(Request::Set { menu, id, property, value }).await?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    pub(super) async fn find(
        &self,
        menu: Menu,
        property: &'static str,
        value: &str,
    ) -> Result<Vec<Row>, RouterError> {
        self.request(Request::Find { menu, property, value }).await
    }

    pub(super) async fn remove(&self, menu: Menu, ids: &[RowId]) -> Result<(), RouterError> {
        self.request(Request::Remove { menu, ids }).await.map(drop)
    }

    pub(super) async fn ping(
        &self,
        address: IpAddr,
        from: &PingFrom,
        wait: Duration,
    ) -> Result<Pinged, RouterError> {
        let request = Request::Ping(address, from, wait);
        let rows = self.request(request).await?;
        pinged::read(address, &rows).map_err(|cause| {
            RouterFault::Unparsable(cause.into()).at(self.target(), request.operation())
        })
    }
}

/// How long RouterOS waits for the answer to the last echo request when nothing is said.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);
/// The longest wait that it accepts.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The `interval` of a ping, which is also how long an answer is waited for; `None` if the usual
/// one is long enough.
pub(super) fn interval(wait: Duration) -> Option<String> {
    (wait > DEFAULT_WAIT).then(|| format!("{}ms", wait.min(LONGEST_WAIT).as_millis()))
}

/// Returns the rows of a menu that some versions and users do not have; none if it is refused.
///
/// # Errors
/// Those that any other request would meet as well.
pub(super) async fn optional(
    transport: &dyn RowTransport,
    menu: Menu,
    properties: &'static [&'static str],
) -> Result<Vec<Row>, RouterError> {
    match transport.print(menu, properties).await {
        Err(error) if error.fault.concerns_all() => Err(error),
        answer => Ok(answer.unwrap_or_default()),
    }
}

/// Most rows that [`Request::Find`] returns: more than a site has latency-sensitive connections,
/// few enough for one request.
pub(super) const MOST_FOUND: usize = 256;

/// The id of a row: an asterisk and hexadecimal digits.
///
/// Ids become part of paths and commands as they are, so nothing else is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowId(String);

impl RowId {
    /// Longest id, in digits; RouterOS has at most eight.
    const LONGEST: usize = 16;

    /// Takes what a router gives as an id.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('*')?;
        let is_id = (1..=Self::LONGEST).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then(|| Self(text.to_owned()))
    }

    /// Returns the id as RouterOS writes it.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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
    Filter6,
    Address,
    DhcpClient,
    DhcpServer,
    ListMember,
    PppoeClient,
    Route6,
    IpSettings,
    Ipv6Settings,
    Connection,
    Connection6,
    RoutingRule,
    RoutingTable,
    Route,
    Interface,
    Resource,
    Identity,
    User,
    UserGroup,
}

impl Menu {
    /// The path, the same over every transport.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::QueueTree => "/queue/tree",
            Self::QueueSimple => "/queue/simple",
            Self::QueueType => "/queue/type",
            Self::Mangle => "/ip/firewall/mangle",
            Self::Mangle6 => "/ipv6/firewall/mangle",
            Self::Filter => "/ip/firewall/filter",
            Self::Filter6 => "/ipv6/firewall/filter",
            Self::Address => "/ip/address",
            Self::DhcpClient => "/ip/dhcp-client",
            Self::DhcpServer => "/ip/dhcp-server",
            Self::ListMember => "/interface/list/member",
            Self::PppoeClient => "/interface/pppoe-client",
            Self::Route6 => "/ipv6/route",
            Self::IpSettings => "/ip/settings",
            Self::Ipv6Settings => "/ipv6/settings",
            Self::Connection => "/ip/firewall/connection",
            Self::Connection6 => "/ipv6/firewall/connection",
            Self::RoutingRule => "/routing/rule",
            Self::RoutingTable => "/routing/table",
            Self::Route => "/ip/route",
            Self::Interface => "/interface",
            Self::Resource => "/system/resource",
            Self::Identity => "/system/identity",
            Self::User => "/user",
            Self::UserGroup => "/user/group",
        }
    }

    /// Whether it is one object without an id instead of a list.
    pub(super) const fn is_singleton(self) -> bool {
        matches!(self, Self::Resource | Self::Identity | Self::IpSettings | Self::Ipv6Settings)
    }
}

/// One row: every value a text, a property that is not set absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

    /// Returns the id.
    ///
    /// # Errors
    /// A sentence if there is none, or if what stands there is no id.
    pub(super) fn id(&self) -> Result<RowId, String> {
        let text = self.required(".id")?;
        RowId::parse(text).ok_or_else(|| format!("`{}` is no id like *1A", RouterText::words(text)))
    }

    /// Returns a flag; an absent one is false.
    pub(super) fn flag(&self, property: &str) -> bool {
        matches!(self.text(property), Some("true" | "yes"))
    }

    /// Returns a count, if there is one.
    pub(super) fn count(&self, property: &str) -> Option<u64> {
        self.text(property)?.parse().ok()
    }

    /// Returns a pair of counts as simple queues have them, if there is one.
    pub(super) fn pair(&self, property: &str) -> Option<[u64; 2]> {
        let (first, second) = self.text(property)?.split_once('/')?;
        Some([first.parse().ok()?, second.parse().ok()?])
    }

    /// Returns a rate in bit/s.
    ///
    /// # Errors
    /// A sentence if it is missing or none.
    pub(super) fn rate(&self, property: &str) -> Result<u64, String> {
        let text = self.required(property)?;
        rate::parse(text)
            .ok_or_else(|| format!("`{property}` is `{}`, not a rate", RouterText::words(text)))
    }

    /// Returns a pair of rates in bit/s, as simple queues have them.
    ///
    /// # Errors
    /// A sentence if it is missing or none.
    pub(super) fn rates(&self, property: &str) -> Result<[u64; 2], String> {
        let text = self.required(property)?;
        let (first, second) = text.split_once('/').unwrap_or((text, ""));
        rate::parse(first).zip(rate::parse(second)).map(<[u64; 2]>::from).ok_or_else(|| {
            format!("`{property}` is `{}`, not two rates like 1/2", RouterText::words(text))
        })
    }

    /// Returns a span of time such as `1d2h` or `453us`, if there is one.
    pub(super) fn span(&self, property: &str) -> Option<Duration> {
        time::parse(self.text(property)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_an_asterisk_and_hexadecimal_digits_is_an_id() {
        for id in ["*0", "*1A", "*FFFFFFFF", "*8000000a"] {
            assert_eq!(RowId::parse(id).map(|id| id.to_string()).as_deref(), Some(id));
        }
        for wrong in
            ["", "*", "1", "*1/../../system/reboot", "../../system/reboot", "*1,*2", "*1 ", "*ß"]
        {
            assert_eq!(RowId::parse(wrong), None, "{wrong}");
        }
        assert_eq!(RowId::parse(&format!("*{}", "1".repeat(17))), None);
    }
}
