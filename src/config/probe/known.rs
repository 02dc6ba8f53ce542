//! Reflectors that are known to everybody: resolvers that answer pings from many places at once,
//! so that one of them is near wherever the link is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Bind;

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

/// Spares of the other family where both can be reached: each costs series and now and then a
/// packet.
const SPARES: usize = 6;

/// Returns the reflectors of a WAN that names none: of the families that `bind` can reach, as
/// `reaches` tells. IPv4 if neither can be reached, because the link may be down.
pub(super) fn reflectors(bind: &Bind, reaches: &dyn Fn(&Bind, IpAddr) -> bool) -> Vec<IpAddr> {
    let v4 = IPV4.map(IpAddr::V4);
    let v6 = IPV6.map(IpAddr::V6);
    match bind {
        Bind::Source(IpAddr::V4(_)) => v4.to_vec(),
        Bind::Source(IpAddr::V6(_)) => v6.to_vec(),
        Bind::Any | Bind::Interface(_) => match (reaches(bind, v4[0]), reaches(bind, v6[0])) {
            (true, true) => v4.into_iter().chain(v6.into_iter().take(SPARES)).collect(),
            (false, true) => v6.to_vec(),
            (true | false, false) => v4.to_vec(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reflectors_are_of_the_families_that_the_wan_can_reach() {
        let only = |v6: bool| move |_: &Bind, address: IpAddr| address.is_ipv6() == v6;
        assert!(reflectors(&Bind::Any, &only(false)).iter().all(IpAddr::is_ipv4));
        assert!(reflectors(&Bind::Any, &only(true)).iter().all(IpAddr::is_ipv6));
        assert!(reflectors(&Bind::Any, &|_, _| false).iter().all(IpAddr::is_ipv4));
        assert_eq!(reflectors(&Bind::Any, &|_, _| true).len(), 18);
        let source = Bind::Source("2001:db8::1".parse().unwrap());
        assert!(reflectors(&source, &|_, _| false).iter().all(IpAddr::is_ipv6));
    }
}
