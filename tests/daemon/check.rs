//! `wanctl check` against an emulated router: each line says what is so, and the exit code what it
//! comes to.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use wanctl_lab::routeros::{EmulatorConfig, MangleSpec, Pinger, Policy, User};

use crate::support::{
    child::{Exit, Program, wanctl},
    daemon::assert_secret,
    router::Router,
    schema::violations,
    site::{DOWNLOAD, PASSWORD, Site, Sketch, USER},
};

/// Two WANs that the router probes, of which the second has a steering row.
const STEERED: &str = "
  - name: lte
    reflectors: [127.0.0.1, 127.0.0.2, 127.0.0.3]
    interface: ether9
    probe: {method: router_ping}
    download: {queue: lte-download, floor_mbps: 1, ceiling_mbps: 10}
    upload: {queue: lte-upload, floor_mbps: 1, ceiling_mbps: 10}
steering:
  mode: active
  wans:
    - name: cable
    - name: lte
      steer: {rule: \"wanctl: steer to lte\"}
  failover: {dead_after_ms: 4000}
control:";

fn by_router(url: String) -> Sketch {
    let reflectors: Vec<String> = (1..=6).map(|host| format!("127.0.0.{host}")).collect();
    let probes =
        format!("reflectors: [{}]\n    probe: {{method: router_ping}}", reflectors.join(", "));
    Sketch { probes, ..Sketch::of(url) }
}

/// A site whose router is probed by a user of its own.
fn site(router: &Router) -> Site {
    let site = Site::with(&by_router(router.url()));
    let text = fs::read_to_string(site.path("wanctl.yaml")).unwrap();
    let pings = "pings: {user: pinger, password_file: router.password}\nwans:";
    site.write("wanctl.yaml", &text.replacen("wans:", &format!("  {pings}"), 1));
    site
}

/// A router with these policies for the user who writes, and a user who pings.
fn router(policies: &[Policy], furnish: impl FnOnce(EmulatorConfig) -> EmulatorConfig) -> Router {
    let writer = User { policies: policies.to_vec(), ..User::full(USER, PASSWORD) };
    let users = vec![writer, User::full("pinger", PASSWORD)];
    Router::furnished(1.0, |config| furnish(EmulatorConfig { users, ..config }))
}

fn check(site: &Site, arguments: &[&str]) -> Exit {
    let mut command = wanctl();
    command.arg("check").arg("--config").arg(site.path("wanctl.yaml")).args(arguments);
    let exit = Program::finish(command);
    assert_secret(&exit.stdout);
    assert_secret(&exit.stderr);
    exit
}

fn report(exit: &Exit) -> Value {
    let report: Value = serde_json::from_str(&exit.stdout).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/check.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(violations(&schema, &report), [""; 0]);
    report
}

/// The only line whose subject contains `subject`: its state, what was found, and the remedy.
#[track_caller]
fn line(report: &Value, subject: &str) -> (String, String) {
    let lines = report["lines"].as_array().unwrap();
    let about = |line: &&Value| line["subject"].as_str().unwrap().contains(subject);
    let found: Vec<&Value> = lines.iter().filter(about).collect();
    assert_eq!(found.len(), 1, "`{subject}` in {report:#}");
    let text = |key: &str| found[0][key].as_str().unwrap_or_default().to_owned();
    (text("state"), format!("{} -> {}", text("what"), text("remedy")))
}

#[track_caller]
fn assert_line(report: &Value, subject: &str, state: &str, words: &str) {
    let (found, what) = line(report, subject);
    assert_eq!(found, state, "{subject}: {what}");
    assert!(what.contains(words), "`{words}` is not in `{what}`");
}

#[test]
fn a_set_up_that_is_right_is_ready_and_nothing_is_written() {
    let router = router(&Policy::ALL, |config| config);
    let site = site(&router);
    let exit = check(&site, &["--format", "json"]);
    exit.expect(0);
    let report = report(&exit);
    assert_eq!(report["verdict"], "ready");
    assert_line(&report, "wan cable reflectors", "ok", "6 of 6 answer pings from the router");
    for host in 1..=6 {
        assert_line(
            &report,
            &format!("reflector 127.0.0.{host}"),
            "ok",
            "idle round-trip time 10.0 ms",
        );
    }
    assert_line(&report, "router user `wanctl`", "ok", "`rest-api`, `write`");
    assert_line(&report, "router user `pinger`", "ok", "`rest-api`, `test`");
    assert_line(
        &report,
        "wan cable download: queue tree",
        "ok",
        "limit 70.0 Mbit/s, under `bridge`",
    );
    let untried = report["not_tried"].to_string();
    assert!(untried.contains("writing a limit") && untried.contains("--try-write"), "{untried}");
    assert_eq!(router.effects(), [], "a check writes nothing unless it is asked to");

    let exit = check(&site, &["--try-write"]);
    exit.expect(0);
    assert!(exit.stdout.contains("ok       write access: queue tree"), "{exit:#?}");
    assert!(exit.stdout.trim_end().lines().last().unwrap().starts_with("ready: "), "{exit:#?}");
    assert_eq!(router.limits(DOWNLOAD).len(), 1);
}

#[test]
fn reflectors_that_do_not_answer_are_reported_one_by_one() {
    let silent = |dead: u8| {
        Pinger::new(move |address| {
            let is_dead = matches!(address, std::net::IpAddr::V4(v4) if v4.octets()[3] > 6 - dead);
            (!is_dead).then_some(Duration::from_millis(600))
        })
    };
    for (dead, code, state) in [(2, 2, "warning"), (6, 1, "failed")] {
        let router =
            router(&Policy::ALL, |config| EmulatorConfig { pinger: silent(dead), ..config });
        let exit = check(&site(&router), &["--format", "json"]);
        exit.expect(code);
        let report = report(&exit);
        let count = format!("{} of 6 answer", 6 - dead);
        assert_line(&report, "wan cable reflectors", state, &count);
        assert_line(&report, "reflector 127.0.0.6", "warning", "does not answer");
        if dead < 6 {
            let words =
                "more than half of `probe.timeout_ms`, 1000 -> set `probe.timeout_ms` to 2400";
            assert_line(&report, "reflector 127.0.0.1", "warning", words);
        }
    }
}

#[test]
fn a_local_end_that_is_not_here_is_not_ready() {
    let router = Router::start();
    for (end, name) in
        [("source: 192.0.2.9", "address 192.0.2.9"), ("interface: wanctl-none", "wanctl-none")]
    {
        for method in ["icmp", "tcp_connect"] {
            let probes = format!(
                "reflectors: [127.0.0.1, 127.0.0.2, 127.0.0.3]\n    {end}\n    probe: {{method: \
                 {method}}}"
            );
            let sketch = Sketch { probes, ..Sketch::of(router.url()) };
            let exit = check(&Site::with(&sketch), &["--format", "json"]);
            exit.expect(1);
            let report = report(&exit);
            assert_line(&report, "wan cable local end", "failed", name);
            assert_line(&report, "wan cable reflectors", "failed", "0 of 3 answer");
            assert_eq!(line(&report, "reflector 127.0.0.2").0, "warning");
        }
    }
}

#[test]
fn steering_rows_are_looked_at_one_by_one() {
    let row = |action: &str| MangleSpec {
        chain: "prerouting".to_owned(),
        action: action.to_owned(),
        comment: "wanctl: steer to lte".to_owned(),
        disabled: true,
        more: vec![("new-connection-mark", "lte".to_owned())],
    };
    let marking = || row("mark-connection");
    for (mangle, state, words) in [
        (vec![marking()], "ok", "it is disabled: it steers no connection"),
        (vec![], "failed", "not found: a rule of /ip/firewall/mangle"),
        (vec![marking(), marking()], "failed", "2 rules of /ip/firewall/mangle are commented"),
        (vec![row("accept")], "failed", "has the action `accept`, which marks nothing"),
    ] {
        let router = router(&Policy::ALL, |config| EmulatorConfig { mangle, ..config });
        let site = site(&router);
        let text = fs::read_to_string(site.path("wanctl.yaml")).unwrap();
        site.write(
            "wanctl.yaml",
            &text.replace("\ncontrol:", STEERED).replacen(
                "    probe",
                "    interface: ether1\n    probe",
                1,
            ),
        );
        let exit = check(&site, &["--format", "json"]);
        exit.expect(1);
        let report = report(&exit);
        assert_line(&report, "steering steer_rule to wan lte", state, words);
        assert_line(&report, "interface `ether1` of the router", "ok", "it exists");
        assert_line(&report, "interface `ether9` of the router", "failed", "no such interface");
        // The other thing that is wrong: nobody made these queues.
        assert_line(&report, "wan lte download: queue tree", "failed", "not found: queue tree");
    }
}

#[test]
fn a_policy_that_is_missing_is_named() {
    let reads = [Policy::Api, Policy::RestApi, Policy::Read];
    let router = router(&reads, |config| config);
    let site = site(&router);
    let exit = check(&site, &["--format", "json"]);
    exit.expect(1);
    assert_line(&report(&exit), "router user `wanctl`", "failed", "lacks the policy `write`");
    let exit = check(&site, &["--format", "json", "--try-write"]);
    assert_line(&report(&exit), "write access", "failed", "lacks the policy `write`");

    // Who observes needs no right to write.
    let text = fs::read_to_string(site.path("wanctl.yaml")).unwrap();
    site.write("wanctl.yaml", &text.replace("control: {", "control: {mode: observe, "));
    let exit = check(&site, &["--format", "json"]);
    exit.expect(0);
    assert!(report(&exit)["not_tried"][0].as_str().unwrap().contains("observe mode"), "{exit:#?}");
}

#[test]
fn a_router_that_does_not_answer_leaves_everything_of_its_unknown() {
    let (mute, began) = (std::net::TcpListener::bind("127.0.0.1:0").unwrap(), Instant::now());
    let url = format!("http://{}", mute.local_addr().unwrap());
    let site = Site::with(&by_router(url));
    let exit = check(&site, &["--format", "json"]);
    exit.expect(1);
    let report = report(&exit);
    let (state, what) = {
        let lines = report["lines"].as_array().unwrap();
        let line = lines.iter().find(|line| line["subject"] == "router").unwrap();
        (line["state"].clone(), line["what"].to_string())
    };
    assert_eq!(state, "failed", "{what}");
    assert!(what.contains("no answer within 3s"), "{what}");
    assert_line(&report, "wan cable upload: queue tree", "unknown", "the router does not answer");
    assert_line(&report, "reflector 127.0.0.3", "unknown", "not checked");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn a_wrong_file_is_a_report_as_well() {
    let site = Site::new();
    site.write("wanctl.yaml", "router: {}\n");
    let exit = check(&site, &["--format", "json"]);
    exit.expect(78);
    let report = report(&exit);
    assert_eq!(report["verdict"], "not_ready");
    assert!(report["lines"].as_array().unwrap().len() >= 2, "{report:#}");
}
