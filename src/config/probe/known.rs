//! Reflectors that are known to everybody: resolvers that answer pings from many places at once,
//! so that one of them is near wherever the link is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::probe::Bind;

/// Well-known IPv4 resolvers, one of each operator first, so that the first six share no fate.
pub const IPV4: [Ipv4Addr; 12] = [
    Ipv4Addr::new(1, 1, 1, 1),
    Ipv4Addr::new(8, 8, 8, 8),
    Ipv4Addr::new(9, 9, 9, 9),
    Ipv4Addr::new(208, 67, 222, 222),
    Ipv4Addr::new(94, 140, 14, 14),
    Ipv4Addr::new(185, 228, 168, 9),
    Ipv4Addr::new(76, 76, 2, 0),
    Ipv4Addr::new(1, 0, 0, 1),
    Ipv4Addr::new(8, 8, 4, 4),
    Ipv4Addr::new(149, 112, 112, 112),
    Ipv4Addr::new(208, 67, 220, 220),
    Ipv4Addr::new(94, 140, 15, 15),
];

/// The same operators over IPv6.
pub const IPV6: [Ipv6Addr; 12] = [
    Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111),
    Ipv6Addr::new(0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888),
    Ipv6Addr::new(0x2620, 0xfe, 0, 0, 0, 0, 0, 0xfe),
    Ipv6Addr::new(0x2620, 0x119, 0x35, 0, 0, 0, 0, 0x35),
    Ipv6Addr::new(0x2a10, 0x50c0, 0, 0, 0, 0, 0xad1, 0xff),
    Ipv6Addr::new(0x2a0d, 0x2a00, 1, 0, 0, 0, 0, 2),
    Ipv6Addr::new(0x2606, 0x1a40, 0, 0, 0, 0, 0, 0),
    Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1001),
    Ipv6Addr::new(0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8844),
    Ipv6Addr::new(0x2620, 0xfe, 0, 0, 0, 0, 0, 9),
    Ipv6Addr::new(0x2620, 0x119, 0x53, 0, 0, 0, 0, 0x53),
    Ipv6Addr::new(0x2a10, 0x50c0, 0, 0, 0, 0, 0xad2, 0xff),
];

/// How many of each family are in reserve for a WAN that names its reflectors: each costs series.
const RESERVE: usize = 6;

/// Returns the reflectors of a WAN that names none: of both families, unless its source address has
/// only one. Which of them can be reached is found out while running, because routes come and go.
pub(super) fn reflectors(bind: &Bind) -> Vec<IpAddr> {
    of_families(bind, IPV4.len())
}

/// Returns the reserve of a WAN that names `reflectors`.
pub(super) fn reserve(bind: &Bind, reflectors: &[IpAddr]) -> Vec<IpAddr> {
    let mut reserve = of_families(bind, RESERVE);
    reserve.retain(|address| !reflectors.contains(address));
    reserve
}

fn of_families(bind: &Bind, each: usize) -> Vec<IpAddr> {
    let v4 = IPV4.into_iter().map(IpAddr::V4).take(each);
    let v6 = IPV6.into_iter().map(IpAddr::V6).take(each);
    match bind {
        Bind::Source(IpAddr::V4(_)) => v4.collect(),
        Bind::Source(IpAddr::V6(_)) => v6.collect(),
        Bind::Any | Bind::Interface(_) => v4.chain(v6).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reflectors_are_of_the_families_that_the_wan_may_ever_reach() {
        assert_eq!(reflectors(&Bind::Any).len(), 24);
        let source = Bind::Source("2001:db8::1".parse().unwrap());
        assert!(reflectors(&source).iter().all(IpAddr::is_ipv6));
        assert!(reserve(&source, &[]).iter().all(IpAddr::is_ipv6));
    }

    #[test]
    fn nobody_is_named_and_in_reserve() {
        let named = [IpAddr::V4(IPV4[0]), IpAddr::V6(IPV6[1])];
        let reserve = reserve(&Bind::Any, &named);
        assert_eq!(reserve.len(), 10);
        assert!(!reserve.iter().any(|address| named.contains(address)));
    }
}
