//! What goes wrong around `wanctl run` does not end it: it runs on, says what is wrong and what
//! to do, and recovers.

use std::time::Duration;

use wanctl::sim::routeros::Fault;

use crate::support::{
    child::until,
    router::Router,
    site::{DOWNLOAD, Site, Sketch, UPLOAD, WAN},
};

/// Longer than any test.
const LONG: Duration = Duration::from_hours(1);

#[test]
fn a_refused_password_is_told_and_a_right_one_is_noticed() {
    let router = Router::start();
    router.inject(Fault::Unauthorised(LONG));
    let site = Site::with(&Sketch::of(router.url()));
    let Some(mut daemon) = site.run(&[]) else { return };
    let told = daemon.complains("router", |reason| reason.contains("401"));
    assert!(told.contains("refuses user `wanctl`"), "{told}");
    assert!(told.contains("check router.user and its password"), "{told}");
    assert_eq!(daemon.get("/readyz").status, 503);
    assert_eq!(daemon.get("/livez").status, 200);
    router.inject(Fault::Unauthorised(Duration::ZERO));
    daemon.wait_until_ready();
    daemon.program.logged("the router answers again");
    until("limits", || (!router.limits(DOWNLOAD).is_empty()).then_some(()));
    daemon.stop().expect(0);
}

#[test]
fn a_router_that_is_not_there_is_told_and_measuring_goes_on() {
    // The discard port of a loopback address that nothing listens on.
    let url = "http://127.99.0.1:9".to_owned();
    let site = Site::with(&Sketch::of(url.clone()));
    let Some(daemon) = site.run(&[]) else { return };
    let told = daemon.complains("router", |reason| reason.contains("cannot connect"));
    assert!(told.contains(&url) && told.contains("check router.url"), "{told}");
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
    let told = daemon.complains("router", |reason| reason.contains("no queue named"));
    assert!(told.contains("`CABEL-DL`") && told.contains("wans[0].download.queue"), "{told}");
    assert!(told.contains(DOWNLOAD), "what is there is not named: {told}");
    until("a limit on the other queue", || (!router.limits(UPLOAD).is_empty()).then_some(()));
    assert_eq!(daemon.get("/readyz").status, 503);
    daemon.stop().expect(0);
}

#[test]
fn reflectors_that_never_answer_are_told_and_no_rate_moves() {
    let router = Router::start();
    // Bound to the loopback interface, a packet to an address for documentation (RFC 5737) comes
    // back to this host, which is not its destination and drops it.
    let probes = "interface: lo\n    reflectors: [192.0.2.1, 192.0.2.2, 192.0.2.3]".to_owned();
    let site = Site::with(&Sketch { probes, ..Sketch::of(router.url()) });
    let Some(daemon) = site.run(&[]) else { return };
    let part = format!("wan {WAN}");
    daemon.complains(&part, |reason| reason.contains("no reflector"));
    let lost = until("lost probes", || {
        let labels = [("wan", WAN), ("reflector", "192.0.2.1"), ("reason", "timeout")];
        let lost = daemon.scrape().value("wanctl_reflector_probe_failures_total", &labels);
        (lost > 0.0).then_some(lost)
    });
    assert!(lost >= 1.0);
    assert_eq!(daemon.get("/livez").status, 200);
    assert_eq!(daemon.get("/readyz").status, 503);
    daemon.stop().expect(0);
}

#[test]
fn a_history_that_cannot_be_written_is_told_and_control_goes_on() {
    let router = Router::start();
    // A file where a directory should be stops even the superuser.
    let site = Site::with(&Sketch { history: "file/history.db", ..Sketch::of(router.url()) });
    site.write("file", "");
    let Some(daemon) = site.run(&[]) else { return };
    let told = daemon.complains("history", |reason| reason.contains("creating the directory"));
    assert!(told.contains(&site.path("file").display().to_string()), "{told}");
    daemon.wait_until_ready();
    until("limits", || (!router.limits(DOWNLOAD).is_empty()).then_some(()));
    let health = daemon.health();
    assert_eq!(health["status"], "degraded", "{health}");
    daemon.stop().expect(0);
}

#[test]
fn a_router_that_restarts_gets_its_limits_again() {
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
