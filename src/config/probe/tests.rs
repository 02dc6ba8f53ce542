use std::path::Path;

use super::*;
use crate::config::{Config, ConfigErrors, Environment};

/// A configuration with one WAN, of which `keys` are added.
fn parse(keys: &str) -> Result<ProbeConfig, ConfigErrors> {
    let text = format!(
        "\
router: {{url: 'https://192.168.88.1', user: wanctl, password_env: PASSWORD}}
wans:
  - name: cable
    reflectors: [1.1.1.1, 8.8.8.8, 9.9.9.9]
{keys}
    download: {{queue: a, floor_mbps: 20, ceiling_mbps: 400}}
    upload: {{queue: b, floor_mbps: 5, ceiling_mbps: 40}}
"
    );
    let password = |_: &str| Some("swordfish".to_owned());
    let surroundings = Environment { variable: &password, ..Environment::REAL };
    let (mut config, _) = Config::parse(&text, Path::new("wanctl.yaml"), &surroundings)?;
    Ok(config.wans.remove(0).probe)
}

#[test]
fn an_interface_of_the_router_has_a_name_of_routeros() {
    let with = |method: &str, name: &str| {
        parse(&format!("    interface: {name}\n    probe: {{method: {method}}}"))
    };
    for name in ["pppoe-out1 Telekom", "ether1/up", "sfp-sfpplus1-uplink-to-provider", "LTE Müller"]
    {
        let probe = with("router_ping", name).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        assert_eq!(probe.bind, Bind::Interface(name.to_owned()));
        assert!(with("icmp", name).is_err(), "{name} is no interface of this host");
    }
}

#[test]
fn named_reflectors_have_a_reserve_unless_it_is_declined() {
    let probe = parse("").unwrap();
    assert_eq!((probe.named().len(), probe.active, probe.builtin_spares), (3, 3, 9));
    let probe = parse("    probe: {builtin_spares: false}").unwrap();
    assert_eq!((probe.builtin_spares, probe.reflectors.len()), (0, 3));
}
