//! Probes on real links: which way they go, what they see, and what they do not fall for.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::lab::{Lab, REFLECTORS, SIDES};
use crate::support::{
    child::{DEADLINE, Program, until, until_within},
    site::{Site, Sketch},
};

fn reflectors() -> String {
    format!("reflectors: [{}]", REFLECTORS.join(", "))
}

/// Asserts that the probes of a daemon configured by `bind` reach the neighbour on the side
/// `wanted`, and none the other.
fn assert_side(bind: &str, wanted: &str) {
    let lab = Lab::new();
    let daemon = lab.daemon(&format!("{bind}{}", reflectors()));
    daemon.wait_until_ready();
    for side in SIDES {
        let echoes = lab.icmp(side, "InEchos");
        if side == wanted {
            assert!(echoes > 0, "{bind}: no probe came to the {side}");
        } else {
            assert_eq!(echoes, 0, "{bind}: probes came to the {side}");
        }
    }
    let before = lab.icmp(wanted, "InEchos");
    until("twenty more probes", || (lab.icmp(wanted, "InEchos") >= before + 20).then_some(()));
    daemon.stop();
}

#[test]
fn without_a_bind_the_routing_table_chooses() {
    assert_side("", "left");
}

#[test]
fn probes_leave_from_their_source_address() {
    assert_side("source: 10.77.2.1\n    ", "right");
}

#[test]
fn probes_leave_through_their_interface() {
    assert_side("interface: right0\n    ", "right");
}

#[test]
fn a_queue_on_the_link_is_seen_and_its_end_too() {
    let lab = Lab::new();
    // 8 Mbit/s with room for two seconds: what a link without a shaper does.
    lab.run("left", "tc qdisc add dev up0 root tbf rate 8mbit burst 5kb latency 2s");
    let daemon = lab.daemon(&reflectors());
    daemon.wait_until_ready();
    // There is no delay to report while the queue fills faster than replies come through it.
    let calm = || daemon.delta().filter(|delta| *delta < 0.005);
    until("a calm link", calm);
    // Blocks of a datagram each; the socket's buffer keeps the link's queue full.
    let load = lab.start("left", "while :; do head -c 8000 /dev/zero >/dev/udp/10.77.1.1/9; done");
    let seen = until("a delay of a queue", || daemon.delta().filter(|delta| *delta > 0.05));
    assert!(seen < 4.0, "{seen} s are more than the queue holds");
    let during = daemon.value("wanctl_rtt_inflation_seconds_sum", &[]);
    assert!(during > 0.05, "the histogram has missed it: {during}");
    drop(load);
    until("a calm link again", calm);
    daemon.stop();
}

#[test]
fn a_reflector_that_falls_silent_makes_room_and_the_history_says_so() {
    let lab = Lab::new();
    let daemon = lab.daemon(&format!("{}\n    probe: {{active: 2}}", reflectors()));
    daemon.wait_until_ready();
    let [silent, other, spare] = REFLECTORS;
    lab.run("left", &format!("ip route add blackhole {silent}"));
    lab.run("left", &format!("ip address del {silent}/32 dev lo"));
    // A reflector is assessed by half a minute of probes, so that a moment's bad luck replaces nobody.
    let reported = until_within(2 * DEADLINE, "a replacement in the history", || {
        Some(daemon.events("reflector_replaced")).filter(|reported| reported.contains("fault"))
    });
    for part in ["cable", silent, spare, "loss"] {
        assert!(reported.contains(part), "{part}: {reported}");
    }
    assert!(!reported.contains(other), "{reported}");
    daemon.stop();
}

#[test]
fn an_answer_that_the_host_is_unreachable_is_no_reply() {
    // Both kinds of sockets: raw, and unprivileged ones that the kernel sorts by itself.
    for ping_groups in ["1 0", "0 2147483647"] {
        let lab = Lab::new();
        lab.run("host", &format!("echo {ping_groups} >/proc/sys/net/ipv4/ping_group_range"));
        lab.run("left", "echo 1 >/proc/sys/net/ipv4/ip_forward");
        lab.run("left", "echo 0 >/proc/sys/net/ipv4/icmp_ratelimit");
        lab.run("left", "ip route add unreachable 203.0.113.0/24");
        let daemon = lab.daemon("reflectors: [203.0.113.1, 203.0.113.2, 203.0.113.3]");
        let reported = until("unreachable answers", || {
            let reported = lab.icmp("host", "InDestUnreachs");
            // The kernel sends five at once, then one a second.
            (reported >= 8).then_some(reported)
        });
        let labels = [("reflector", "203.0.113.1")];
        assert!(daemon.value("wanctl_reflector_rtt_seconds_count", &labels) < 0.5, "{reported}");
        let failed = ["timeout", "send_error"].map(|reason| {
            let labels = [labels[0], ("reason", reason)];
            daemon.value("wanctl_reflector_probe_failures_total", &labels)
        });
        assert!(failed.iter().sum::<f64>() >= 5.0, "{failed:?}");
        assert_eq!(daemon.get("/readyz").status, 503);
        let health = daemon.get("/health").body;
        assert!(health.contains("no reflector"), "{health}");
        daemon.stop();
    }
}

/// Lets everybody read the site, and returns a program in it that everybody may run.
fn open_to_all(site: &Site) -> PathBuf {
    let program = site.path("wanctl");
    fs::copy(env!("CARGO_BIN_EXE_wanctl"), &program).unwrap();
    for open in [program.parent().unwrap(), &program, &site.path("router.password")] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(site.path("wanctl.yaml"), fs::Permissions::from_mode(0o644)).unwrap();
    program
}

/// `wanctl run` by a user without any rights; the configuration is to be added.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.arg(program).args(["run", "--config"]);
    command
}

#[test]
fn a_user_who_may_not_ping_is_reported_what_to_do() {
    let lab = Lab::new();
    let site = Site::with(&Sketch::of("http://127.0.0.1:9".to_owned()));
    let mut command = unprivileged(&open_to_all(&site));
    command.arg(site.path("wanctl.yaml"));
    let exit = Program::finish(lab.inside("host", &command));
    exit.expect(77);
    for remedy in ["net.ipv4.ping_group_range", "setcap cap_net_raw+ep"] {
        assert!(exit.complaint().contains(remedy), "{exit:#?}");
    }
}

#[test]
fn probing_outlives_an_interface_that_goes_and_comes_back() {
    let lab = Lab::new();
    let mut daemon = lab.daemon(&format!("interface: right0\n    {}", reflectors()));
    daemon.wait_until_ready();
    lab.run("host", "ip link delete right0");
    daemon.program.logged("no probe can be sent");
    until("health that says so", || {
        daemon.get("/health").body.contains("no probe can be sent").then_some(())
    });
    lab.link(2, "right");
    let before = lab.icmp("right", "InEchos");
    daemon.program.logged("probes can be sent again");
    until("twenty more probes", || (lab.icmp("right", "InEchos") >= before + 20).then_some(()));
    daemon.wait_until_ready();
    assert!(daemon.value("wanctl_probe_reopenings_total", &[]) >= 1.0);
    daemon.stop();
}

#[test]
fn an_interface_that_is_not_there_yet_is_waited_for() {
    let lab = Lab::new();
    lab.run("host", "ip link delete right0");
    let mut daemon = lab.daemon(&format!("interface: right0\n    {}", reflectors()));
    daemon.program.logged("interface right0");
    lab.link(2, "right");
    daemon.wait_until_ready();
    daemon.stop();
}

#[test]
fn where_pings_get_no_answer_tcp_takes_over() {
    let lab = Lab::new();
    lab.run("left", "echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all");
    // A closed port would refuse the connects, which is no reply.
    let _web = lab.start("left", "exec python3 -m http.server 443");
    let daemon = lab.daemon(&format!("{}\n    probe: {{timestamps: off}}", reflectors()));
    daemon.wait_until_ready();
    let labels = [("method", "tcp_connect"), ("reason", "icmp_unanswered")];
    assert_eq!(daemon.value("wanctl_probe_method_info", &labels).to_bits(), 1.0_f64.to_bits());
    let health = daemon.get("/health").body;
    assert!(health.contains("by tcp"), "{health}");
    daemon.stop();
}

#[test]
fn a_user_who_may_not_ping_measures_by_tcp() {
    let lab = Lab::new();
    lab.run("host", "echo 1 0 >/proc/sys/net/ipv4/ping_group_range");
    let site =
        Site::with(&Sketch { probes: reflectors(), ..Sketch::of("http://127.0.0.1:9".to_owned()) });
    let program = open_to_all(&site);
    let mut command = unprivileged(&program);
    command.arg(site.path("wanctl.yaml"));
    let mut daemon = Program::start(lab.inside("host", &command));
    let line = daemon.logged("the delay is measured by this method");
    assert!(
        line.contains("method=tcp_connect") || line.contains("method=\"tcp_connect\""),
        "{line}"
    );
    daemon.logged("serving");
    daemon.terminate();
    daemon.exit().expect(0);
}

#[test]
fn a_reflector_with_a_valid_clock_measures_one_way_delays() {
    let lab = Lab::new();
    let daemon = lab.daemon("reflectors: [198.51.100.1]");
    let labels = [("reflector", "198.51.100.1")];
    until("a clock that is trusted", || {
        (daemon.value("wanctl_reflector_one_way", &labels) > 0.5).then_some(())
    });
    let before = lab.icmp("left", "InTimestamps");
    until("more of them", || (lab.icmp("left", "InTimestamps") >= before + 20).then_some(()));
    daemon.stop();
}
