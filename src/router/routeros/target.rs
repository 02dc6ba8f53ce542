//! On which side of the router the target of a simple queue is.
//!
//! The first value of a simple queue limits what its target sends, the second what it receives. So a
//! target in the LAN has `upload/download`, and the WAN interface as a target `download/upload`. What
//! the router says about its routes, interface lists and addresses decides which it is.

use std::net::IpAddr;

use super::{network::Network, topology::Topology};
use crate::router::{QueueTarget, RouterText};

/// Wider networks than this, in bits that their addresses have in common, are nobody's own.
const WIDEST: u32 = 8;

/// Returns the side of a queue with this `target` and `dst`, as the router shows them.
///
/// # Errors
/// Why it is unknown.
pub(super) fn side(
    topology: &Topology,
    target: Option<&str>,
    dst: Option<&str>,
) -> Result<QueueTarget, String> {
    let Some(target) = target else { return Err("the router shows no target".to_owned()) };
    let parts: Vec<&str> = target.split(',').map(str::trim).filter(|part| !is_any(part)).collect();
    if parts.is_empty() {
        // Everything is the target: then the other end is what `dst` says.
        let dst = dst.map(str::trim).filter(|dst| !is_any(dst));
        let dst = dst.ok_or("the target is everything, and there is no `dst`")?;
        return of_part(topology, dst).map(opposite);
    }
    let mut sides = parts.into_iter().map(|part| of_part(topology, part));
    let first = sides.next().unwrap_or_else(|| Err("there is no target".to_owned()))?;
    for side in sides {
        if side? != first {
            return Err("it has targets on both sides".to_owned());
        }
    }
    Ok(first)
}

const fn opposite(side: QueueTarget) -> QueueTarget {
    match side {
        QueueTarget::Lan => QueueTarget::Wan,
        QueueTarget::Wan => QueueTarget::Lan,
    }
}

fn is_any(part: &str) -> bool {
    matches!(part, "" | "0.0.0.0/0" | "::/0" | "all")
}

fn of_part(topology: &Topology, part: &str) -> Result<QueueTarget, String> {
    match Network::parse(part) {
        Some(network) => of_network(topology, network),
        None => topology.side_of(part),
    }
}

fn of_network(topology: &Topology, network: Network) -> Result<QueueTarget, String> {
    let shown = || format!("the network {network}");
    if network.prefix() < WIDEST {
        return Err(format!("{} holds much of the internet", shown()));
    }
    let mut sides = topology.interfaces_of(network).map(|name| topology.side_of(name));
    if let Some(first) = sides.next() {
        let first = first?;
        for side in sides {
            if side? != first {
                return Err(format!("{} is on both sides", shown()));
            }
        }
        return Ok(first);
    }
    if is_private(network.address()) {
        return Ok(QueueTarget::Lan);
    }
    Err(format!("{} is on no interface of the router", shown()))
}

/// Returns whether an address is private, and so in a LAN.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

/// Says why the configuration cannot be followed for a queue with this target.
pub(super) fn contradiction(said: QueueTarget, target: &str) -> String {
    let target = RouterText::words(target);
    match said {
        QueueTarget::Lan => format!(
            "its target `{target}` is on the WAN side, so its first value is the download, and \
             simple_queue_target says `lan`; set simple_queue_target to `wan` or remove it"
        ),
        QueueTarget::Wan => format!(
            "its target `{target}` is on the LAN side, so its first value is the upload, and \
             simple_queue_target says `wan`; set simple_queue_target to `lan` or remove it"
        ),
    }
}

/// Describes an unknown side, and how to set it.
pub(super) fn undecided(target: Option<&str>, why: &str) -> String {
    let target = RouterText::words(target.unwrap_or_default());
    format!(
        "it is unknown on which side its target `{target}` is: {}; set simple_queue_target to \
         `lan` if the first value of its max-limit is the upload, to `wan` if it is the download",
        RouterText::words(why)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lan() -> Topology {
        Topology::for_test(
            &["ether1", "pppoe-out1"],
            &["bridge"],
            &[
                ("bridge", "192.168.88.1/24"),
                ("ether1", "198.51.100.7/24"),
                ("ether5", "10.9.0.1/24"),
            ],
            &[
                ("Uplinks", "ether1"),
                ("Uplinks", "pppoe-out1"),
                ("Mixed", "ether1"),
                ("Mixed", "bridge"),
            ],
        )
    }

    #[test]
    fn the_router_decides_where_it_can() {
        use QueueTarget::{Lan, Wan};
        for (target, dst, side_) in [
            ("ether1", "", Some(Wan)),
            ("pppoe-out1", "0.0.0.0/0", Some(Wan)),
            ("ether1,pppoe-out1", "", Some(Wan)),
            ("bridge", "ether1", Some(Lan)),
            ("192.168.88.0/24", "", Some(Lan)),
            ("192.168.88.17/32,192.168.88.18", "", Some(Lan)),
            ("172.16.5.0/24", "", Some(Lan)),
            ("fd00::/64", "", Some(Lan)),
            ("198.51.100.0/24", "", Some(Wan)),
            ("198.51.100.7/32", "", Some(Wan)),
            ("0.0.0.0/0", "ether1", Some(Lan)),
            ("", "pppoe-out1", Some(Lan)),
            ("0.0.0.0/0,::/0", "bridge", Some(Wan)),
            ("Uplinks", "", Some(Wan)),
            ("Mixed", "", None),
            ("0.0.0.0/0", "", None),
            ("", "", None),
            ("ether1,bridge", "", None),
            ("ether7", "", None),
            ("203.0.113.0/24", "", None),
            ("2001:db8::/32", "", None),
            ("0.0.0.0/1", "", None),
        ] {
            let reported = side(&lan(), Some(target), Some(dst));
            assert_eq!(reported.clone().ok(), side_, "{target} to {dst}: {reported:?}");
        }
        assert!(side(&lan(), None, None).is_err());
    }
}
