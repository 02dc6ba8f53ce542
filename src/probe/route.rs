//! Whether this host has a route for a WAN's probes, and in words why a probe could not be sent.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use socket2::{Domain, Protocol, Socket, Type};

use super::{Bind, Family};

/// Any port will do: nothing is sent.
const PORT: u16 = 53;

/// Checks whether this host can send to `address` from `bind`. No packet is sent.
pub(super) fn reaches(bind: &Bind, address: IpAddr) -> bool {
    let has_family = match bind {
        Bind::Source(source) => source.is_ipv4() == address.is_ipv4(),
        Bind::Interface(_) | Bind::Any => true,
    };
    has_family && check_route(bind, address).is_ok()
}

/// Says what is missing if the interface of `bind` has no address of the family of `address`. The
/// kernel would send all the same: from an address of another interface, and for IPv4 as if the
/// target were a neighbour.
pub(super) fn lacks_address(bind: &Bind, address: IpAddr) -> Option<String> {
    let Bind::Interface(name) = bind else { return None };
    let error = io::ErrorKind::AddrNotAvailable.into();
    (!has_address(name, Family::of(address))).then(|| explain(bind, address, &error))
}

/// Says why a probe to `address` could not be sent: which address, interface or route is missing.
/// `error` is what the operating system said. Two probes that fail alike get the same words.
pub(super) fn explain(bind: &Bind, address: IpAddr, error: &io::Error) -> String {
    let family = Family::of(address).name();
    match (check_route(bind, address), bind) {
        (Err(Missing::End(_)), Bind::Source(source)) => {
            format!("the source address {source} is not configured on this host")
        }
        (Err(Missing::End(cause)), Bind::Interface(name)) => no_interface(name, &cause),
        (Err(Missing::Address), _) => format!("no {family} address{}", end(bind)),
        (Err(Missing::Route(cause)), Bind::Source(source)) => {
            format!("no {family} route from the source address {source} ({cause})")
        }
        (Err(Missing::Route(cause)), Bind::Interface(name)) => format!(
            "no {family} route through interface {name} ({cause}): check that it is up and has an \
             address"
        ),
        (Err(Missing::Route(cause) | Missing::End(cause)), Bind::Any) => {
            format!("no {family} route ({cause})")
        }
        (Ok(()), _) if error.kind() == io::ErrorKind::PermissionDenied => {
            let end = end(bind);
            format!("a firewall or policy of this host refuses {family} probes{end} ({error})")
        }
        (Ok(()), _) => {
            format!("the operating system refuses {family} probes{}: {error}", end(bind))
        }
    }
}

/// Says why an interface cannot be used.
pub(super) fn no_interface(name: &str, cause: &io::Error) -> String {
    if cause.kind() == io::ErrorKind::PermissionDenied {
        return format!("not permitted to send through interface {name} ({cause})");
    }
    format!("interface {name} does not exist on this host ({cause})")
}

fn end(bind: &Bind) -> String {
    match bind {
        Bind::Any => String::new(),
        Bind::Source(source) => format!(" from {source}"),
        Bind::Interface(name) => format!(" through interface {name}"),
    }
}

enum Missing {
    /// The source address or the interface.
    End(io::Error),
    /// An address of the interface.
    Address,
    Route(io::Error),
}

/// Asks the routing table: connecting a datagram socket sends no packet.
fn check_route(bind: &Bind, address: IpAddr) -> Result<(), Missing> {
    let target = SocketAddr::new(address, PORT);
    let socket = Socket::new(Domain::for_address(target), Type::DGRAM, Some(Protocol::UDP));
    let socket = socket.map_err(Missing::Route)?;
    bind.tie(&socket).map_err(Missing::End)?;
    if matches!(bind, Bind::Interface(name) if !has_address(name, Family::of(address))) {
        return Err(Missing::Address);
    }
    socket.connect(&target.into()).map_err(Missing::Route)
}

/// Returns whether an interface has an address of this family that reaches beyond its own network.
/// Where that cannot be read, it is assumed.
fn has_address(interface: &str, family: Family) -> bool {
    let Ok(addresses) = if_addrs::get_if_addrs() else { return true };
    addresses.iter().any(|found| {
        let is_local = matches!(found.ip(), IpAddr::V6(ip) if ip.is_unicast_link_local());
        found.name == interface && Family::of(found.ip()) == family && !is_local
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(bind: &Bind) -> String {
        let error = io::Error::from(io::ErrorKind::InvalidInput);
        explain(bind, IpAddr::from([192, 0, 2, 1]), &error)
    }

    #[test]
    fn what_is_missing_is_named() {
        let source = words(&Bind::Source(IpAddr::from([192, 0, 2, 9])));
        assert!(source.contains("source address 192.0.2.9 is not configured"), "{source}");
        let interface = words(&Bind::Interface("wanctl-none".to_owned()));
        assert!(interface.contains("interface wanctl-none does not exist"), "{interface}");
    }

    #[test]
    fn the_loopback_is_reached_and_no_family_by_the_other_ones_source() {
        let localhost = IpAddr::from([127, 0, 0, 1]);
        assert!(reaches(&Bind::Any, localhost));
        assert!(reaches(&Bind::Source(localhost), localhost));
        assert!(!reaches(&Bind::Source(localhost), "::1".parse().unwrap()));
        assert!(!reaches(&Bind::Interface("wanctl-none".to_owned()), localhost));
    }

    #[test]
    fn a_refusal_with_a_route_is_a_firewall() {
        let error = io::Error::from(io::ErrorKind::PermissionDenied);
        let words = explain(&Bind::Any, IpAddr::from([127, 0, 0, 1]), &error);
        assert!(words.contains("firewall"), "{words}");
    }
}
