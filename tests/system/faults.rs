//! What goes wrong with a controller and its router reaches the Alertmanager, and what is mended
//! leaves it. Time passes twenty times as fast for the rules.

use std::{fs, net::SocketAddr, thread, time::Duration};

use super::monitor::{Alertmanager, Prometheus};
use crate::support::{
    child::{Program, until, until_within, wanctl},
    http,
    site::{DOWNLOAD, PASSWORD, Site, Sketch, USER, address},
};

const SPEEDUP: u32 = 20;
/// How long an alert is waited for: its window and its wait, sped up, and room for a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// Between two changes by somebody else.
const PACE: Duration = Duration::from_millis(500);

/// An emulated router that takes faults by command.
#[derive(Debug)]
struct Router {
    program: Program,
    address: SocketAddr,
}

impl Router {
    fn start() -> Self {
        let mut command = wanctl();
        command.args(["emulate-router", "--listen", "127.0.0.1:0", "--control"]);
        command.args(["--user", USER, "--password", PASSWORD]);
        let mut program = Program::start(command);
        let address = address(&program.said("RouterOS emulator at"));
        Self { program, address }
    }

    fn inject(&self, fault: &str) {
        let (address, body) = (self.address, format!(r#"{{"fault":"{fault}"}}"#));
        let length = body.len();
        let answer = http::ask(
            address,
            &format!(
                "POST /emulator/fault HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{body}"
            ),
        );
        // A router that resets connections may reset this one, too.
        let status = answer.map_or(0, |answer| answer.status);
        assert!(fault.starts_with("reset") || (200..300).contains(&status), "{fault}: {status}");
    }
}

#[test]
fn faults_reach_the_alertmanager_and_leave_it_when_they_are_mended() {
    let router = Router::start();
    let sketch =
        Sketch { history: "kept/history.db", ..Sketch::of(format!("http://{}", router.address)) };
    let site = Site::with(&sketch);
    let mut daemon = Program::start(site.command(&[]));
    let target = address(&daemon.logged("serving url="));
    let alertmanager = Alertmanager::start(&site);
    let prometheus = Prometheus::of_the_stack(&site, "hasty", target, &alertmanager, SPEEDUP);
    let metric = |query: &str| prometheus.query(query, "").first().map(|(_, value)| *value);
    let fires = |names: &[&str]| {
        until_within(DEADLINE, &format!("{names:?} in the Alertmanager"), || {
            let firing = alertmanager.firing();
            names.iter().all(|name| firing.contains(*name)).then_some(())
        });
    };
    until("a router that answers", || metric("wanctl_router_up == 1"));

    let good = fs::read_to_string(site.path("wanctl.yaml")).unwrap();
    site.write("wanctl.yaml", &good.replace("reflectors:", "reflector:"));
    daemon.signal("HUP");
    // The history's directory becomes a file, in which nothing can be made.
    fs::rename(site.path("kept"), site.path("lost")).unwrap();
    site.write("kept", "");
    // One that a write of the controller's own follows at once is never seen: so there are many.
    let mut rate = 60;
    until_within(DEADLINE, "drifts that are found", || {
        rate += 1;
        router.inject(&format!("drift={DOWNLOAD},{rate}M"));
        thread::sleep(PACE);
        metric("wanctl_router_limit_drifts_total >= 4")
    });
    fires(&["WanctlConfigReloadFailed", "WanctlHistoryStale", "WanctlRateDrift"]);
    router.inject("reset=10m");
    fires(&["WanctlRouterUnreachable", "WanctlRouterErrors"]);

    site.write("wanctl.yaml", &good);
    daemon.signal("HUP");
    until_within(DEADLINE, "an alert that resolves", || {
        (!alertmanager.firing().contains("WanctlConfigReloadFailed")).then_some(())
    });
    drop(daemon);
    fires(&["WanctlDown"]);
    drop(router.program);
}
