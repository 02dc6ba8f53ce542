//! Which interfaces of a router lead to the internet, and which into the LAN.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use super::{
    network::Network,
    transport::{Menu, Row, RowTransport, optional},
};
use crate::router::{QueueTarget, RouterError, RouterText};

/// Kinds of interface that lead to a provider and nowhere else.
const UPLINKS: [&str; 3] = ["pppoe-out", "ppp-out", "lte"];
/// The interface lists of MikroTik's default configuration.
const WAN_LIST: &str = "wan";
const LAN_LIST: &str = "lan";

/// What is known about the interfaces of a router.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Topology {
    names: BTreeSet<String>,
    bridges: BTreeSet<String>,
    /// Known to lead to a provider: by a list, a client, or their kind.
    wan: BTreeSet<String>,
    lan: BTreeSet<String>,
    /// Some default route leads over these, in use or not, in whichever routing table.
    routed: BTreeSet<String>,
    /// There is a default route of which the router does not show the interface.
    has_lost_route: bool,
    addresses: Vec<(Network, String)>,
    lists: BTreeMap<String, BTreeSet<String>>,
}

/// The rows about interfaces; empty for a menu that the router does not have.
#[derive(Debug, Default)]
struct Rows {
    interfaces: Vec<Row>,
    members: Vec<Row>,
    addresses: Vec<Row>,
    routes: Vec<Row>,
    dhcp_clients: Vec<Row>,
    dhcp_servers: Vec<Row>,
    pppoe_clients: Vec<Row>,
}

impl Topology {
    /// Asks the router at the end of `transport`.
    ///
    /// # Errors
    /// Those that concern all requests; a menu that the router refuses to show counts as empty.
    pub(super) async fn read(transport: &dyn RowTransport) -> Result<Self, RouterError> {
        const ROUTE: &[&str] = &["dst-address", "gateway", "immediate-gw", "disabled"];
        const OF_INTERFACE: &[&str] = &["interface", "disabled"];
        let mut routes = optional(transport, Menu::Route, ROUTE).await?;
        routes.extend(optional(transport, Menu::Route6, ROUTE).await?);
        let member: &[&str] = &["list", "interface", "disabled"];
        let rows = Rows {
            interfaces: optional(transport, Menu::Interface, &["name", "type"]).await?,
            members: optional(transport, Menu::ListMember, member).await?,
            addresses: optional(transport, Menu::Address, &["address", "interface", "disabled"])
                .await?,
            routes,
            dhcp_clients: optional(transport, Menu::DhcpClient, OF_INTERFACE).await?,
            dhcp_servers: optional(transport, Menu::DhcpServer, OF_INTERFACE).await?,
            pppoe_clients: optional(
                transport,
                Menu::PppoeClient,
                &["name", "interface", "disabled"],
            )
            .await?,
        };
        Ok(Self::of(&rows))
    }

    fn of(rows: &Rows) -> Self {
        fn enabled(rows: &[Row]) -> impl Iterator<Item = &Row> {
            rows.iter().filter(|row| !row.flag("disabled"))
        }
        let own = |text: Option<&str>| text.map(str::to_owned);
        let mut topology = Self::default();
        for row in &rows.interfaces {
            topology.names.extend(own(row.text("name")));
            if row.text("type") == Some("bridge") {
                topology.bridges.extend(own(row.text("name")));
            }
            if row.text("type").is_some_and(|kind| UPLINKS.contains(&kind)) {
                topology.wan.extend(own(row.text("name")));
            }
        }
        for row in enabled(&rows.members) {
            let (Some(list), Some(interface)) = (row.text("list"), row.text("interface")) else {
                continue;
            };
            topology.lists.entry(list.to_owned()).or_default().insert(interface.to_owned());
            match list.to_ascii_lowercase().as_str() {
                WAN_LIST => topology.wan.insert(interface.to_owned()),
                LAN_LIST => topology.lan.insert(interface.to_owned()),
                _ => false,
            };
        }
        let address = |row: &Row| {
            Some((Network::parse(row.text("address")?)?, row.text("interface")?.to_owned()))
        };
        topology.addresses = enabled(&rows.addresses).filter_map(address).collect();
        for row in enabled(&rows.dhcp_clients) {
            topology.wan.extend(own(row.text("interface")));
        }
        for row in enabled(&rows.dhcp_servers) {
            topology.lan.extend(own(row.text("interface")));
        }
        for row in enabled(&rows.pppoe_clients) {
            topology.wan.extend(own(row.text("name")));
            topology.wan.extend(own(row.text("interface")));
        }
        let is_default = |row: &&Row| {
            row.text("dst-address")
                .is_some_and(|to| matches!(to, "0.0.0.0/0" | "::/0" | "2000::/3"))
        };
        for row in enabled(&rows.routes).filter(is_default) {
            let gateways = [row.text("immediate-gw"), row.text("gateway")];
            let gateways = gateways.into_iter().flatten().flat_map(|gateways| gateways.split(','));
            let gateways: Vec<&str> = gateways.filter(|gateway| !gateway.is_empty()).collect();
            let found: Vec<String> =
                gateways.iter().filter_map(|gateway| topology.leads_over(gateway)).collect();
            topology.has_lost_route |= found.is_empty() && !gateways.is_empty();
            topology.routed.extend(found);
        }
        topology
    }

    /// Returns the interface of a gateway: `192.0.2.1%ether1`, `pppoe-out1`, or the address alone.
    fn leads_over(&self, gateway: &str) -> Option<String> {
        if let Some((_, interface)) = gateway.split_once('%') {
            return Some(interface.to_owned());
        }
        match Network::parse(gateway) {
            Some(address) => self.interfaces_of(address).next().map(str::to_owned),
            None => self.names.get(gateway).cloned(),
        }
    }

    /// Returns the interfaces with an address in a network, or with a network that it lies in.
    pub(super) fn interfaces_of(&self, network: Network) -> impl Iterator<Item = &str> {
        let of_it = self.addresses.iter().filter(move |(own, _)| own.overlaps(network));
        of_it.map(|(_, interface)| interface.as_str())
    }

    /// Returns the side of an interface, or of all members of an interface list.
    ///
    /// # Errors
    /// Why it is unknown.
    pub(super) fn side_of(&self, name: &str) -> Result<QueueTarget, String> {
        let shown = RouterText::words(name);
        if let Some(members) = self.lists.get(name).filter(|_| !self.names.contains(name)) {
            let mut sides = members.iter().map(|member| self.side_of_interface(member));
            let first =
                sides.next().unwrap_or_else(|| Err(format!("the list `{shown}` is empty")))?;
            for side in sides {
                if side? != first {
                    return Err(format!("the list `{shown}` has interfaces on both sides"));
                }
            }
            return Ok(first);
        }
        self.side_of_interface(name)
    }

    fn side_of_interface(&self, name: &str) -> Result<QueueTarget, String> {
        let shown = RouterText::words(name);
        let is_known = self.names.contains(name);
        let is_routed = self.routed.contains(name);
        match (self.wan.contains(name), self.lan.contains(name)) {
            (true, false) => Ok(QueueTarget::Wan),
            (false, true) if !is_routed => Ok(QueueTarget::Lan),
            (_, true) => Err(format!("`{shown}` is on the WAN side and on the LAN side")),
            // A backup router in the LAN: which of the routes is in use changes with every
            // failover, and on which side the interface is does not.
            (false, false)
                if is_routed && self.looks_like_lan(name) && self.is_other_uplink(name) =>
            {
                Err(format!(
                    "a default route leads over `{shown}`, which looks like the LAN (a private \
                     address, or a bridge), and another leads elsewhere"
                ))
            }
            (false, false) if is_routed => Ok(QueueTarget::Wan),
            // Where the way to the internet is known to be another, an interface with an address
            // of the LAN is in the LAN.
            (false, false) if self.is_uplink_known() && self.has_private_address(name) => {
                Ok(QueueTarget::Lan)
            }
            (false, false) if is_known => Err(format!(
                "no default route leads over `{shown}`, and it is in no list named WAN or LAN"
            )),
            (false, false) => Err(format!("the router has no interface `{shown}`")),
        }
    }

    /// Returns whether another interface leads to the internet.
    fn is_other_uplink(&self, name: &str) -> bool {
        self.has_lost_route || self.wan.union(&self.routed).any(|other| other != name)
    }

    /// Returns whether all gateways to the internet are known, or one beyond doubt.
    fn is_uplink_known(&self) -> bool {
        let is_certain = |name: &String| !self.looks_like_lan(name);
        !self.wan.is_empty()
            || self.routed.iter().any(is_certain)
            || (!self.routed.is_empty() && !self.has_lost_route)
    }

    fn looks_like_lan(&self, name: &str) -> bool {
        self.bridges.contains(name) || self.has_private_address(name)
    }

    fn has_private_address(&self, name: &str) -> bool {
        let is_it = |(network, interface): &(Network, String)| {
            interface == name && matches!(network.address(), IpAddr::V4(v4) if v4.is_private())
        };
        self.addresses.iter().any(is_it)
    }

    #[cfg(test)]
    pub(super) fn for_test(
        wan: &[&str],
        lan: &[&str],
        addresses: &[(&str, &str)],
        lists: &[(&str, &str)],
    ) -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut topology = Self { wan: names(wan), lan: names(lan), ..Self::default() };
        for (interface, address) in addresses {
            let network = Network::parse(address).expect("an address");
            topology.addresses.push((network, (*interface).to_owned()));
        }
        for (list, interface) in lists {
            topology.lists.entry((*list).to_owned()).or_default().insert((*interface).to_owned());
        }
        topology
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pairs: &[(&str, &str)]) -> Row {
        Row(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    fn interface(name: &str, kind: &str) -> Row {
        row(&[("name", name), ("type", kind)])
    }

    fn sides(rows: &Rows, names: &[&str]) -> Vec<Option<QueueTarget>> {
        let topology = Topology::of(rows);
        names.iter().map(|name| topology.side_of(name).ok()).collect()
    }

    #[test]
    fn default_routes_lead_over_the_wan_however_they_are_written() {
        use QueueTarget::{Lan, Wan};
        let address = |address, interface| row(&[("address", address), ("interface", interface)]);
        for (property, gateway) in [
            ("immediate-gw", "198.51.100.1%ether1"),
            ("gateway", "198.51.100.1%ether1"),
            ("gateway", "198.51.100.1"),
            ("gateway", "ether1"),
            ("immediate-gw", "203.0.113.1%ether9,198.51.100.1%ether1"),
        ] {
            let rows = Rows {
                interfaces: ["ether1", "bridge", "ether5"]
                    .map(|name| interface(name, "ether"))
                    .into(),
                addresses: vec![
                    address("198.51.100.7/24", "ether1"),
                    address("192.168.88.1/24", "bridge"),
                ],
                routes: vec![
                    row(&[("dst-address", "0.0.0.0/0"), (property, gateway)]),
                    row(&[
                        ("dst-address", "0.0.0.0/0"),
                        ("gateway", "bridge"),
                        ("disabled", "true"),
                    ]),
                    row(&[("dst-address", "10.0.0.0/8"), ("gateway", "ether5")]),
                ],
                ..Rows::default()
            };
            let reported = sides(&rows, &["ether1", "bridge", "ether5", "ether7"]);
            assert_eq!(reported, [Some(Wan), Some(Lan), None, None], "{gateway}");
        }
    }

    #[test]
    fn lists_clients_servers_and_kinds_count_as_well() {
        use QueueTarget::{Lan, Wan};
        let of = |interface| row(&[("interface", interface)]);
        let member = |list, interface| row(&[("list", list), ("interface", interface)]);
        let rows = Rows {
            interfaces: vec![interface("lte1", "lte"), interface("vlan7", "vlan")],
            members: vec![
                member("WAN", "ether2"),
                member("LAN", "bridge"),
                member("LAN", "ether2"),
            ],
            dhcp_clients: vec![of("ether1")],
            dhcp_servers: vec![of("iot")],
            pppoe_clients: vec![row(&[("name", "dsl"), ("interface", "vlan7")])],
            ..Rows::default()
        };
        let reported = sides(&rows, &["lte1", "ether1", "dsl", "vlan7", "bridge", "iot", "ether2"]);
        let wan = Some(Wan);
        assert_eq!(reported, [wan, wan, wan, wan, Some(Lan), Some(Lan), None]);
    }

    /// A backup router in the LAN, whichever of the two routes is in use at present.
    #[test]
    fn a_default_route_through_the_lan_is_never_taken_for_the_wan() {
        use QueueTarget::{Lan, Wan};
        let address = |address, interface| row(&[("address", address), ("interface", interface)]);
        let default = |gateway, more: &[(&str, &str)]| {
            let mut pairs = vec![("dst-address", "0.0.0.0/0"), ("gateway", gateway)];
            pairs.extend(more);
            row(&pairs)
        };
        let (used, unused) = ([("active", "true")], [("inactive", "true")]);
        let elsewhere = [("active", "true"), ("routing-table", "backup")];
        for (first, second, wan) in [
            (default("198.51.100.1", &used), default("192.168.88.2", &unused), Some(Wan)),
            (default("198.51.100.1", &unused), default("192.168.88.2", &used), Some(Wan)),
            (default("198.51.100.1", &used), default("192.168.88.2", &elsewhere), Some(Wan)),
            (default("198.51.100.1", &used), default("192.168.88.2%bridge", &unused), Some(Wan)),
            // A recursive gateway, of which only the router knows where it leads.
            (default("9.9.9.9", &unused), default("192.168.88.2", &used), None),
        ] {
            for (kind, lan) in [("bridge", "192.168.88.1/24"), ("ether", "192.168.88.1/24")] {
                let rows = Rows {
                    interfaces: vec![interface("ether1", "ether"), interface("bridge", kind)],
                    addresses: vec![
                        address("198.51.100.7/24", "ether1"),
                        address(lan, "bridge"),
                        address("10.1.1.1/24", "iot"),
                    ],
                    routes: vec![first.clone(), second.clone()],
                    ..Rows::default()
                };
                let reported = sides(&rows, &["ether1", "bridge", "iot"]);
                assert_eq!(reported, [wan, None, wan.map(|_| Lan)], "{first:?} {second:?}");
            }
        }
    }

    /// Behind a provider's router the way out has a private address, and a client or list says so.
    #[test]
    fn a_private_address_on_the_only_or_the_named_way_out_is_the_wan() {
        use QueueTarget::{Lan, Wan};
        let address = |address, interface| row(&[("address", address), ("interface", interface)]);
        let default = |gateway| row(&[("dst-address", "0.0.0.0/0"), ("gateway", gateway)]);
        let behind = |more: Rows| Rows {
            addresses: vec![
                address("10.0.0.2/24", "ether1"),
                address("10.0.1.2/24", "ether2"),
                address("192.168.88.1/24", "lan"),
            ],
            ..more
        };
        let names = ["ether1", "ether2", "lan"];
        let one = behind(Rows { routes: vec![default("10.0.0.1")], ..Rows::default() });
        assert_eq!(sides(&one, &names), [Some(Wan), Some(Lan), Some(Lan)]);
        let routes = vec![default("10.0.0.1"), default("10.0.1.1")];
        let clients = ["ether1", "ether2"].map(|name| row(&[("interface", name)])).into();
        let two = behind(Rows { routes: routes.clone(), dhcp_clients: clients, ..Rows::default() });
        assert_eq!(sides(&two, &names), [Some(Wan), Some(Wan), Some(Lan)]);
        let unnamed = behind(Rows { routes, ..Rows::default() });
        assert_eq!(sides(&unnamed, &names), [None, None, Some(Lan)]);
    }

    #[test]
    fn a_router_that_shows_nothing_proves_nothing() {
        let rows = Rows { interfaces: vec![interface("ether1", "ether")], ..Rows::default() };
        assert_eq!(sides(&rows, &["ether1", "bridge"]), [None, None]);
    }
}
