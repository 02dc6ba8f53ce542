//! The daemon in its place: started, asked, scraped and stopped. It runs only where this user may
//! send pings, and it never shows the password.

use std::{fs, net::SocketAddr, path::Path};

use serde_json::Value;

use super::{
    child::{Exit, Program, until},
    exposition::{Format, Scrape},
    http::{self, HttpResponse},
    site::{PASSWORD, Site, WAN, address},
};

/// The password as basic authentication sends it (RFC 7617: base64 of `user:password`).
const ENCODED: &str = "d2FuY3RsOnN3b3JkZmlzaC0weEMwRkZFRQ";

impl Site {
    /// Starts the daemon and waits until it serves. Where this user may not send pings, asserts
    /// that `run` says so with its own exit code and a remedy, and returns `None`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Option<Daemon> {
        let program = Program::start(self.command(arguments));
        if may_ping() { Some(Daemon::serving(program)) } else { refused(program) }
    }

    /// Runs the daemon as [`Site::run`] does, under a service manager that listens at `notify`.
    pub(crate) fn run_under(&self, notify: &Path, arguments: &[&str]) -> Option<Daemon> {
        let mut command = self.command(arguments);
        command.env("NOTIFY_SOCKET", notify);
        let program = Program::start(command);
        if may_ping() { Some(Daemon::serving(program)) } else { refused(program) }
    }

    /// Runs the daemon to its end, which comes by itself; `None` as for [`Site::run`].
    pub(crate) fn run_to_end(&self, arguments: &[&str]) -> Option<Exit> {
        let program = Program::start(self.command(arguments));
        if may_ping() { Some(hush(program.exit())) } else { refused(program) }
    }
}

/// Asserts that `program` ends because it may not send pings.
fn refused<T>(program: Program) -> Option<T> {
    let exit = hush(program.exit());
    exit.expect(77);
    // One test asks for a log of everything, which may name the attempts.
    let reported = exit.stderr.lines().filter(|line| !line.contains(" DEBUG ")).count();
    assert_eq!(reported, 1, "{exit:#?}");
    let complaint = exit.complaint();
    assert!(complaint.contains(&format!("wan {WAN}: not permitted to send ICMP")), "{exit:#?}");
    for remedy in ["net.ipv4.ping_group_range", "cap_net_raw", "AmbientCapabilities"] {
        assert!(complaint.contains(remedy), "{remedy} is not named: {complaint}");
    }
    None
}

/// Returns whether this process may open an ICMP socket: by capability, or by its group.
fn may_ping() -> bool {
    const CAP_NET_RAW: u32 = 13;
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::trim).unwrap_or_default()
    };
    let effective = u64::from_str_radix(field("CapEff:"), 16).unwrap();
    let range = fs::read_to_string("/proc/sys/net/ipv4/ping_group_range").unwrap();
    let bounds: Vec<u64> = range.split_whitespace().map(|bound| bound.parse().unwrap()).collect();
    let (own, others) = (field("Gid:"), field("Groups:"));
    let mut groups = own.split_whitespace().chain(others.split_whitespace());
    let is_in_range = |group: &str| {
        let group: u64 = group.parse().unwrap();
        bounds[0] <= group && group <= bounds[1]
    };
    effective & (1 << CAP_NET_RAW) != 0 || groups.any(is_in_range)
}

/// A daemon that serves.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
}

impl Daemon {
    fn serving(mut program: Program) -> Self {
        let line = program.logged("serving url=");
        Self { program, address: address(&line) }
    }

    /// Gets a page, which must not hold the password.
    pub(crate) fn get(&self, path: &str) -> HttpResponse {
        let answer = self.ask(path, "*/*");
        assert_secret(&answer.body);
        answer
    }

    /// Posts nothing to a page, whose answer must not hold the password.
    pub(crate) fn post(&self, path: &str) -> HttpResponse {
        let address = self.address;
        let request =
            format!("POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n");
        let answer = http::ask(address, &request)
            .unwrap_or_else(|error| panic!("{path}: {error}: {}", self.program.stderr()));
        assert_secret(&answer.body);
        answer
    }

    fn ask(&self, path: &str, accept: &str) -> HttpResponse {
        http::get(self.address, path, accept)
            .unwrap_or_else(|error| panic!("{path}: {error}: {}", self.program.stderr()))
    }

    pub(crate) fn wait_until_ready(&self) {
        until("a daemon that is ready", || (self.get("/readyz").status == 200).then_some(()));
    }

    pub(crate) fn health(&self) -> Value {
        serde_json::from_str(&self.get("/health").body).unwrap()
    }

    /// Waits until health gives a reason that `matches` for `part`: one of the parts there are once,
    /// or the name of a router, or of a WAN for any of its own. Returns the reason.
    pub(crate) fn complains(&self, part: &str, matches: impl Fn(&str) -> bool) -> String {
        let check = || {
            let health = self.health();
            let wans = health["wans"].as_array().unwrap();
            let wan = wans.iter().find(|wan| wan["name"] == part);
            let own = wan.map_or(Vec::new(), |wan| {
                ["measurement", "control", "actuator"].map(|own| &wan[own]).to_vec()
            });
            let routers = health["routers"].as_array().unwrap().iter();
            let router = routers.filter(|router| router["name"] == part);
            let once = health["parts"].get(part).into_iter().chain(router);
            let reasons = once.chain(own).flat_map(|reported| {
                reported["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str)
            });
            reasons.map(str::to_owned).find(|reason| matches(reason))
        };
        until(&format!("a complaint of {part}, log: {}", self.program.stderr()), check)
    }

    /// Scrapes in the older format, strictly parsed.
    pub(crate) fn scrape(&self) -> Scrape {
        self.scrape_as(Format::Text)
    }

    pub(crate) fn scrape_as(&self, format: Format) -> Scrape {
        let answer = self.ask("/metrics", format.accept());
        assert_secret(&answer.body);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some(format.content_type()));
        Scrape::parse(&answer.body, format).unwrap_or_else(|error| panic!("{error}"))
    }

    /// How many cycles the WAN has had.
    pub(crate) fn cycles(&self) -> f64 {
        self.scrape().value("wanctl_cycle_duration_seconds_count", &[("wan", WAN)])
    }

    /// Asks the daemon to end and waits for it; nothing it ever said may hold the password.
    pub(crate) fn stop(self) -> Exit {
        self.program.terminate();
        hush(self.program.exit())
    }
}

/// Asserts that the password is not in `text`, neither plain nor as it is sent.
#[track_caller]
pub(crate) fn assert_secret(text: &str) {
    for form in [PASSWORD, ENCODED] {
        assert!(!text.contains(form), "the password shows: {text}");
    }
}

/// Asserts that the password is in nothing that was said.
fn hush(exit: Exit) -> Exit {
    assert_secret(&exit.stdout);
    assert_secret(&exit.stderr);
    exit
}
