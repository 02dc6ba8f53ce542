//! Network namespaces: a host with two links, and a neighbour at the end of each.
//!
//! ```text
//!              left0  10.77.1.1 ──── 10.77.1.2  neighbour left   198.51.100.1 .. 3
//!        host
//!              right0 10.77.2.1 ──── 10.77.2.2  neighbour right  198.51.100.1 .. 3
//! ```
//!
//! The same reflectors are behind both, so that what counts is which way the probes go. Without
//! by default they go left; packets from the address on the right go right.

use std::{
    net::SocketAddr,
    process::{Command, id},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use super::tool::tool;
use crate::support::{
    child::{Program, until, wanctl},
    exposition::{Format, Scrape},
    http::{self, HttpResponse},
    site::{PASSWORD, Site, Sketch, USER, WAN, address},
};

/// Reflectors behind both neighbours.
pub(crate) const REFLECTORS: [&str; 3] = ["198.51.100.1", "198.51.100.2", "198.51.100.3"];
/// Which side of the host.
pub(crate) const SIDES: [&str; 2] = ["left", "right"];

static LABS: AtomicU32 = AtomicU32::new(0);

/// Three namespaces, which are removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Lab {
    name: String,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let lab = Self { name: format!("wanctl-{}-{}", id(), LABS.fetch_add(1, Relaxed)) };
        let hosts = ["host", SIDES[0], SIDES[1]];
        for place in hosts {
            ip(&["netns", "add", &lab.namespace(place)]);
            lab.run(place, "ip link set lo up");
        }
        for (number, side) in (1..).zip(SIDES) {
            lab.run("host", &format!("ip rule add from 10.77.{number}.1 lookup 10{number}"));
            lab.link(number, side);
            for reflector in REFLECTORS {
                lab.run(side, &format!("ip address add {reflector}/32 dev lo"));
            }
        }
        lab
    }

    /// Makes the link with this number between the host and a side, with its addresses and routes.
    pub(crate) fn link(&self, number: usize, side: &str) {
        let neighbour = self.namespace(side);
        for command in [
            format!("ip link add {side}0 type veth peer name up0 netns {neighbour}"),
            format!("ip address add 10.77.{number}.1/24 dev {side}0"),
            format!("ip link set {side}0 up"),
            format!("ip route add default via 10.77.{number}.2 dev {side}0 metric {number}"),
            format!("ip route add default via 10.77.{number}.2 dev {side}0 table 10{number}"),
        ] {
            self.run("host", &command);
        }
        self.run(side, &format!("ip address add 10.77.{number}.2/24 dev up0"));
        self.run(side, "ip link set up0 up");
    }

    fn namespace(&self, place: &str) -> String {
        format!("{}-{place}", self.name)
    }

    /// Puts `command` into the namespace of `place`.
    pub(crate) fn inside(&self, place: &str, command: &Command) -> Command {
        let mut wrapped = tool("ip", "iproute2");
        wrapped.args(["netns", "exec", &self.namespace(place)]);
        wrapped.arg(command.get_program()).args(command.get_args());
        wrapped
    }

    /// Runs a line of shell in the namespace of `place` to its good end.
    #[track_caller]
    pub(crate) fn run(&self, place: &str, line: &str) {
        self.output(place, line);
    }

    #[track_caller]
    fn output(&self, place: &str, line: &str) -> String {
        let exit = Program::finish(self.inside(place, &shell(line)));
        assert!(exit.status.success(), "in {place}: {line}: {exit:#?}");
        exit.stdout
    }

    /// Starts a line of shell in the namespace of `place`.
    pub(crate) fn start(&self, place: &str, line: &str) -> Program {
        Program::start(self.inside(place, &shell(line)))
    }

    /// One of the kernel's own counts of ICMP packets (RFC 5813 names) at `place`.
    pub(crate) fn icmp(&self, place: &str, name: &str) -> u64 {
        let table = self.output(place, "cat /proc/net/snmp");
        let rows: Vec<&str> =
            table.lines().filter_map(|line| line.strip_prefix("Icmp: ")).collect();
        let [names, values] = rows[..] else { panic!("{table}") };
        let mut both = names.split(' ').zip(values.split(' '));
        both.find(|(known, _)| *known == name).unwrap().1.parse().unwrap()
    }

    /// Starts an emulated router and the daemon on the host, its probes configured by `probes`.
    pub(crate) fn daemon(&self, probes: &str) -> LabDaemon<'_> {
        let binary = env!("CARGO_BIN_EXE_wanctl");
        let emulate = format!(
            "exec {binary} emulate-router --listen 127.0.0.1:0 --user {USER} --password {PASSWORD}"
        );
        let mut router = self.start("host", &emulate);
        let url = format!("http://{}", address(&router.said("RouterOS emulator at")));
        let site = Site::with(&Sketch { probes: probes.to_owned(), ..Sketch::of(url) });
        let mut program = Program::start(self.inside("host", &site.command(&[])));
        let address = address(&program.logged("serving url="));
        LabDaemon { lab: self, program, _router: router, site, address }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for place in ["host", SIDES[0], SIDES[1]] {
            // What cannot be removed has not been made.
            let _ = tool("ip", "iproute2").args(["netns", "del", &self.namespace(place)]).output();
        }
    }
}

fn shell(line: &str) -> Command {
    let mut shell = Command::new("bash");
    shell.args(["-c", line]);
    shell
}

#[track_caller]
fn ip(arguments: &[&str]) {
    let made = tool("ip", "iproute2").args(arguments).output().unwrap();
    assert!(made.status.success(), "ip {arguments:?} (needs the superuser): {made:?}");
}

/// A daemon on the host of a lab.
#[derive(Debug)]
pub(crate) struct LabDaemon<'a> {
    lab: &'a Lab,
    pub(crate) program: Program,
    _router: Program,
    site: Site,
    address: SocketAddr,
}

impl LabDaemon<'_> {
    pub(crate) fn get(&self, path: &str) -> HttpResponse {
        let request = http::request(self.address, path, Format::Text.accept());
        let (host, port) = (self.address.ip(), self.address.port());
        let line = format!("exec 3<>/dev/tcp/{host}/{port}; printf '{request}' >&3; cat <&3");
        let answer = self.lab.output("host", &line);
        http::parse(&answer).unwrap_or_else(|| panic!("{path}: {answer}"))
    }

    pub(crate) fn wait_until_ready(&self) {
        until("a daemon that is ready", || (self.get("/readyz").status == 200).then_some(()));
    }

    /// The value of a metric of the WAN.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.scrape().value(name, &[&[("wan", WAN)], labels].concat())
    }

    /// The events of this kind in the history, as they are printed.
    pub(crate) fn events(&self, kind: &str) -> String {
        let mut history = wanctl();
        history.args(["history", "--events", "--kind", kind, "--db"]);
        let reported = history.arg(self.site.path("history.db")).output().unwrap();
        String::from_utf8(reported.stdout).unwrap()
    }

    /// The delay over the baseline, unless no reply is fresh.
    pub(crate) fn delta(&self) -> Option<f64> {
        self.scrape().find("wanctl_rtt_delta_seconds", &[("wan", WAN)])
    }

    fn scrape(&self) -> Scrape {
        Scrape::parse(&self.get("/metrics").body, Format::Text).unwrap()
    }

    pub(crate) fn stop(self) {
        self.program.terminate();
        self.program.exit().expect(0);
    }
}
