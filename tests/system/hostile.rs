//! Probes against a hostile peer, and on links that lose what they need: a device, an address, a
//! route, a permission.

use std::{fs, path::PathBuf};

use super::lab::{Lab, LabDaemon, REFLECTORS};
use crate::support::child::{Program, until};

/// The program of the peer.
const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/system/peer.py");
/// Behind the peer every address answers.
const BEHIND: &str = "interface: wan0\n    reflectors: [203.0.113.1, 203.0.113.2, 203.0.113.3]\n    \
                      probe: {method: icmp, builtin_spares: false, timestamps: off}";

/// A lab whose host has a further device, `wan0`, with a peer behind it.
struct Peer {
    control: PathBuf,
    _directory: tempfile::TempDir,
    _program: Program,
}

impl Peer {
    fn start(lab: &Lab, rules: &str) -> Self {
        let directory = tempfile::TempDir::new().unwrap();
        let control = directory.path().join("rules.json");
        fs::write(&control, rules).unwrap();
        let mut program =
            lab.start("host", &format!("exec python3 {PEER} wan0 {}", control.display()));
        program.said("ready");
        lab.run("host", "ip address add 10.77.9.1/24 dev wan0");
        lab.run("host", "ip link set wan0 up");
        lab.run("host", "ip route add 203.0.113.0/24 dev wan0");
        Self { control, _directory: directory, _program: program }
    }

    fn behave(&self, rules: &str) {
        fs::write(&self.control, rules).unwrap();
    }
}

/// The number and the mean in seconds of all delays so far.
fn delays(daemon: &LabDaemon<'_>) -> (f64, f64) {
    let total = |name: &str| {
        let of = |n: u8| {
            let reflector = format!("203.0.113.{n}");
            daemon.value(name, &[("reflector", &reflector)])
        };
        (1..=3).map(of).sum::<f64>()
    };
    let count = total("wanctl_reflector_rtt_seconds_count");
    (count, total("wanctl_reflector_rtt_seconds_sum") / count.max(1.0))
}

#[test]
fn forged_early_replies_are_ignored() {
    // Both kinds of sockets: raw ones, and unprivileged ones.
    for ping_groups in ["1 0", "0 2147483647"] {
        let lab = Lab::new();
        lab.run("host", &format!("echo {ping_groups} >/proc/sys/net/ipv4/ping_group_range"));
        let forge = r#"["guess", "identifier", "sequence", "nonce", "source", "unreachable",
                        "duplicate"]"#;
        let peer = Peer::start(&lab, &format!(r#"{{"delay_ms": 60, "forge": {forge}}}"#));
        let daemon = lab.daemon(BEHIND);
        let (count, mean) =
            until("many replies", || Some(delays(&daemon)).filter(|(count, _)| *count >= 60.0));
        assert!(mean >= 0.06, "{count} replies of {mean} s on average");
        // Without the true ones there are none.
        peer.behave(&format!(r#"{{"silent": true, "forge": {forge}}}"#));
        until("silence", || (daemon.get("/readyz").status == 503).then_some(()));
        daemon.stop();
    }
}

#[test]
fn replies_after_the_timeout_are_late_and_not_lost() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, r#"{"delay_ms": 20}"#);
    let daemon = lab.daemon(BEHIND);
    daemon.wait_until_ready();
    let before = delays(&daemon).0;
    peer.behave(r#"{"delay_ms": 1300}"#);
    until("late replies", || {
        let seconds: f64 = delays(&daemon).1;
        (delays(&daemon).0 > before + 20.0 && seconds > 0.1).then_some(())
    });
    let labels = [("reflector", "203.0.113.1"), ("reason", "timeout")];
    assert!(daemon.value("wanctl_reflector_probe_failures_total", &labels) >= 1.0);
    daemon.stop();
}

/// Breaks what the probes need, and mends it: the health says `words` meanwhile, and that they can
/// be sent again.
fn assert_fault(bind: &str, break_it: &str, words: &str, mend: &[&str]) {
    let lab = Lab::new();
    let reflectors = REFLECTORS.join(", ");
    let probe = "probe: {method: icmp, builtin_spares: false}";
    let mut daemon = lab.daemon(&format!("{bind}\n    reflectors: [{reflectors}]\n    {probe}"));
    daemon.wait_until_ready();
    lab.run("host", break_it);
    let line = daemon.program.logged("no probe can be sent");
    assert!(line.contains(words), "{line}");
    until("health that says so", || daemon.get("/health").body.contains(words).then_some(()));
    for command in mend {
        lab.run("host", command);
    }
    daemon.program.logged("probes can be sent again");
    daemon.wait_until_ready();
    until("health without the fault", || {
        (!daemon.get("/health").body.contains("no probe can be sent")).then_some(())
    });
    daemon.stop();
}

#[test]
fn a_source_address_that_is_gone_is_named_and_waited_for() {
    assert_fault(
        "source: 10.77.2.1",
        "ip address del 10.77.2.1/24 dev right0",
        "source address 10.77.2.1 is not configured",
        &[
            "ip address add 10.77.2.1/24 dev right0",
            "ip route replace default via 10.77.2.2 dev right0 table 102",
        ],
    );
}

#[test]
fn an_interface_without_an_address_is_named_and_waited_for() {
    assert_fault(
        "interface: right0",
        "ip address flush dev right0",
        "no IPv4 address through interface right0",
        &[
            "ip address add 10.77.2.1/24 dev right0",
            "ip route replace default via 10.77.2.2 dev right0 table 102",
        ],
    );
}

#[test]
fn a_route_that_is_gone_is_named_and_waited_for() {
    assert_fault(
        "source: 10.77.2.1",
        "ip route flush table 102; ip route del default via 10.77.1.2; ip route del default via \
         10.77.2.2",
        "no IPv4 route from the source address 10.77.2.1",
        &["ip route add default via 10.77.2.2 dev right0 table 102"],
    );
}

#[test]
fn a_policy_that_refuses_the_probes_is_reported() {
    assert_fault(
        "source: 10.77.2.1",
        "ip rule add from 10.77.2.1 prohibit priority 10",
        "no IPv4 route from the source address 10.77.2.1",
        &["ip rule del priority 10"],
    );
}
