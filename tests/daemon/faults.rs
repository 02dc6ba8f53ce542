//! What goes wrong around `wanctl run` does not end it: it runs on, says what is wrong and what
//! to do, and recovers.

use std::time::Duration;

use wanctl_core::units::BitRate;
use wanctl_lab::routeros::Fault;

use crate::support::{
    child::until,
    router::Router,
    site::{BASE_MBPS, DOWNLOAD, Site, Sketch, UPLOAD, WAN},
};

/// Longer than any test.
const LONG: Duration = Duration::from_hours(1);

#[test]
fn a_refused_password_is_reported_and_a_right_one_is_noticed() {
    let router = Router::start();
    router.inject(Fault::Unauthorised(LONG));
    let site = Site::with(&Sketch::of(router.url()));
    let Some(mut daemon) = site.run(&[]) else { return };
    let reported = daemon.complains("router", |reason| reason.contains("is refused"));
    assert!(reported.contains("user `wanctl` is refused"), "{reported}");
    assert!(reported.contains("check router.user and its password"), "{reported}");
    assert_eq!(daemon.get("/readyz").status, 503);
    assert_eq!(daemon.get("/livez").status, 200);
    router.inject(Fault::Unauthorised(Duration::ZERO));
    daemon.wait_until_ready();
    daemon.program.logged("the router answers again");
    until("limits", || (!router.limits(DOWNLOAD).is_empty()).then_some(()));
    daemon.stop().expect(0);
}

#[test]
fn a_router_that_is_not_there_is_reported_and_measuring_goes_on() {
    // The discard port of a loopback address that nothing listens on.
    let url = "http://127.99.0.1:9".to_owned();
    let site = Site::with(&Sketch::of(url.clone()));
    let Some(daemon) = site.run(&[]) else { return };
    let reported = daemon.complains("router", |reason| reason.contains("cannot connect"));
    assert!(reported.contains(&url) && reported.contains("check router.url"), "{reported}");
    assert_eq!(daemon.scrape().value("wanctl_router_up", &[]), 0.0);
    let before = daemon.cycles();
    until("more cycles", || (daemon.cycles() > before).then_some(()));
    assert_eq!(daemon.get("/livez").status, 200);
    assert_eq!(daemon.get("/readyz").status, 503);
    daemon.stop().expect(0);
}

#[test]
fn a_queue_that_is_missing_is_named_with_its_key_and_the_other_is_shaped() {
    let router = Router::start();
    let site = Site::with(&Sketch { download: "CABEL-DL", ..Sketch::of(router.url()) });
    let Some(daemon) = site.run(&[]) else { return };
    let reported = daemon.complains("router", |reason| reason.contains("wans[0].download.queue"));
    assert!(reported.contains("not found: queue tree `CABEL-DL`"), "{reported}");
    assert!(reported.contains(DOWNLOAD), "what is there is not named: {reported}");
    until("a limit on the other queue", || (!router.limits(UPLOAD).is_empty()).then_some(()));
    assert_eq!(daemon.get("/readyz").status, 503);
    daemon.stop().expect(0);
}

/// Bound to the loopback interface, a packet to an address for documentation (RFC 5737) comes
/// back to this host, which is not its destination and drops it.
const SILENT: &str = "interface: lo\n    reflectors: [192.0.2.1, 192.0.2.2, 192.0.2.3]";

/// Runs without replies for as long as it would take to raise a rate several times, and asserts
/// that health says `reason` and that no limit but the base was written.
fn assert_held(router: &Router, state: &str, reason: &str) {
    let sketch = Sketch { probes: SILENT.to_owned(), ..Sketch::of(router.url()) };
    let site = Site::with(&sketch);
    let Some(daemon) = site.run(&[]) else { return };
    daemon.complains(WAN, |reported| reported == reason);
    until("lost probes and three seconds", || {
        let labels = [("wan", WAN), ("reflector", "192.0.2.1"), ("reason", "timeout")];
        let scrape = daemon.scrape();
        let lost = scrape.value("wanctl_reflector_probe_failures_total", &labels);
        let labels = [("wan", WAN), ("state", state)];
        let time = scrape.value("wanctl_measurement_state_time_seconds_total", &labels);
        (lost > 0.0 && time > 3.0).then_some(())
    });
    assert_eq!(daemon.get("/livez").status, 200);
    assert_eq!(daemon.get("/readyz").status, 503);
    daemon.stop().expect(0);
    let limits = router.limits(DOWNLOAD);
    assert_eq!(limits, [BitRate::from_mbps(BASE_MBPS[0])]);
}

#[test]
fn reflectors_that_never_answer_on_an_idle_link_are_reported_and_no_rate_moves() {
    let reason = "no reflector answers and no traffic flows: check that the link is up and that \
                  the probes use it";
    assert_held(&Router::with_traffic(0.0), "stalled", reason);
}

#[test]
fn reflectors_that_never_answer_under_load_are_reported_and_no_rate_moves() {
    let reason = "no reflector answers although traffic flows: congestion is likely";
    assert_held(&Router::with_traffic(1.0), "collapsed", reason);
}

#[test]
fn a_history_that_cannot_be_written_is_reported_and_control_goes_on() {
    let router = Router::start();
    // A file where a directory should be stops even the superuser.
    let site = Site::with(&Sketch { history: "file/history.db", ..Sketch::of(router.url()) });
    site.write("file", "");
    let Some(daemon) = site.run(&[]) else { return };
    let reported = daemon.complains("history", |reason| reason.contains("creating the directory"));
    assert!(reported.contains(&site.path("file").display().to_string()), "{reported}");
    daemon.wait_until_ready();
    until("limits", || (!router.limits(DOWNLOAD).is_empty()).then_some(()));
    let health = daemon.health();
    assert_eq!(health["status"], "degraded", "{health}");
    daemon.stop().expect(0);
}

#[test]
fn a_router_that_restarts_is_reported_and_taken_up_again() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(mut daemon) = site.run(&[]) else { return };
    daemon.wait_until_ready();
    router.inject(Fault::Reboot { down: Duration::from_millis(500) });
    daemon.complains("router", |_| true);
    daemon.wait_until_ready();
    daemon.program.logged("the router answers again");
    let calls = router.calls();
    until("more calls", || (router.calls() > calls).then_some(()));
    assert_eq!(daemon.health()["status"], "ok");
    daemon.stop().expect(0);
}

#[test]
fn an_address_or_an_interface_that_is_not_on_this_host_is_reported_and_waited_for() {
    for (end, named) in [
        ("source: 192.0.2.9", "source address 192.0.2.9"),
        ("interface: wanctl-none", "interface wanctl-none"),
    ] {
        let router = Router::start();
        let probes = format!(
            "{end}\n    reflectors: [127.0.0.1, 127.0.0.2, 127.0.0.3]\n    probe: {{method: icmp}}"
        );
        let site = Site::with(&Sketch { probes, ..Sketch::of(router.url()) });
        let Some(daemon) = site.run(&[]) else { return };
        let log = daemon.program.stderr();
        assert!(log.contains(named) && log.contains("on this host"), "{log}");
        let health = daemon.get("/health").body;
        assert!(health.contains("no probe can be sent") && health.contains(named), "{health}");
        daemon.stop().expect(0);
    }
}
