//! `wanctl run` when nothing is wrong.

use std::time::{Duration, Instant};

use wanctl_core::units::BitRate;
use wanctl_lab::routeros::Fault;

use crate::support::{
    child::until,
    exposition::{Format, Scrape},
    router::{Router, UNTOUCHED},
    site::{BASE_MBPS, DOWNLOAD, Site, Sketch, UPLOAD, WAN},
};

/// Families without which the controller could not be observed.
const ESSENTIAL: [&str; 12] = [
    "process_cpu_seconds",
    "wanctl_build",
    "wanctl_controller_enabled",
    "wanctl_controller_state",
    "wanctl_cycle_duration_seconds",
    "wanctl_decisions",
    "wanctl_history_rows_written",
    "wanctl_reflector_probes",
    "wanctl_router_up",
    "wanctl_rtt_seconds",
    "wanctl_shaper_rate_observed_bytes_per_second",
    "wanctl_shaper_rate_bytes_per_second",
];

fn assert_exported(scrape: &Scrape) {
    let names = scrape.names();
    let missing: Vec<_> = ESSENTIAL.iter().filter(|name| !names.contains(**name)).collect();
    assert!(missing.is_empty(), "not exported: {missing:?}");
}

fn base() -> [BitRate; 2] {
    BASE_MBPS.map(BitRate::from_mbps)
}

/// Waits until the controller, whose queues are full, has raised both limits above the base.
fn wait_for_raises(router: &Router) {
    until("limits above the base", || {
        let raised = |queue, base| router.limits(queue).last().is_some_and(|last| *last > base);
        let [download, upload] = base();
        (raised(DOWNLOAD, download) && raised(UPLOAD, upload)).then_some(())
    });
}

#[test]
fn it_becomes_ready_and_writes_limits_within_their_bounds() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(daemon) = site.run(&[]) else { return };
    daemon.wait_until_ready();
    wait_for_raises(&router);
    let scrape = daemon.scrape();
    assert_exported(&scrape);
    assert_eq!(scrape.value("wanctl_controller_enabled", &[]), 1.0);
    assert_eq!(scrape.value("wanctl_router_up", &[]), 1.0);
    assert_eq!(daemon.health()["status"], "ok");
    assert_eq!(daemon.get("/livez").status, 200);
    daemon.stop().expect(0);
    for (queue, floor, ceiling) in [(DOWNLOAD, 10.0, 100.0), (UPLOAD, 2.0, 20.0)] {
        let (floor, ceiling) = (BitRate::from_mbps(floor), BitRate::from_mbps(ceiling));
        let limits = router.limits(queue);
        assert!(limits.iter().all(|l| (floor..=ceiling).contains(l)), "{queue}: {limits:?}");
    }
}

#[test]
fn observing_it_exports_everything_and_writes_nothing_not_even_at_the_end() {
    let router = Router::start();
    let site = Site::with(&Sketch { on_exit: "base", ..Sketch::of(router.url()) });
    let Some(daemon) = site.run(&["--observe"]) else { return };
    daemon.wait_until_ready();
    // Long enough for a raise to be decided, which an active controller would have written.
    let scrape = until("a decision to raise", || {
        let scrape = daemon.scrape();
        let labels = [("wan", WAN), ("direction", "download"), ("reason", "raise_shaper_limited")];
        (scrape.value("wanctl_decisions_total", &labels) > 0.0).then_some(scrape)
    });
    assert_exported(&scrape);
    assert_eq!(scrape.value("wanctl_controller_enabled", &[]), 0.0);
    let labels = [("wan", WAN), ("direction", "download")];
    let applied = scrape.value("wanctl_shaper_rate_observed_bytes_per_second", &labels);
    assert_eq!(applied, UNTOUCHED.bps() as f64 / 8.0);
    assert_eq!(daemon.health()["mode"], "observe");
    daemon.stop().expect(0);
    assert_eq!(router.effects(), [], "the router was changed");
}

#[test]
fn with_on_exit_restore_the_base_rates_stay() {
    let router = Router::start();
    let site = Site::with(&Sketch { on_exit: "base", ..Sketch::of(router.url()) });
    let Some(daemon) = site.run(&[]) else { return };
    wait_for_raises(&router);
    let asked = Instant::now();
    daemon.stop().expect(0);
    assert!(asked.elapsed() < Duration::from_secs(3), "it took {:?}", asked.elapsed());
    let left = [DOWNLOAD, UPLOAD].map(|queue| *router.limits(queue).last().unwrap());
    assert_eq!(left, base());
}

#[test]
fn with_on_exit_keep_the_last_limits_stay() {
    let router = Router::start();
    let site = Site::with(&Sketch { on_exit: "keep", ..Sketch::of(router.url()) });
    let Some(daemon) = site.run(&[]) else { return };
    wait_for_raises(&router);
    daemon.stop().expect(0);
    let left = [DOWNLOAD, UPLOAD].map(|queue| *router.limits(queue).last().unwrap());
    assert!(left[0] > base()[0] && left[1] > base()[1], "{left:?}");
}

#[test]
fn a_last_scrape_is_answered_while_it_stops() {
    let router = Router::start();
    let site = Site::with(&Sketch { on_exit: "base", ..Sketch::of(router.url()) });
    let Some(mut daemon) = site.run(&[]) else { return };
    wait_for_raises(&router);
    // The request in flight is never cut off, so the end waits for its answer.
    router.inject(Fault::Hang(Duration::from_secs(2)));
    daemon.program.terminate();
    daemon.program.logged("stopping");
    let last = daemon.scrape();
    assert!(last.value("wanctl_cycle_duration_seconds_count", &[("wan", WAN)]) > 0.0);
    assert!(!daemon.program.has_ended());
    daemon.program.exit().expect(0);
    let left = [DOWNLOAD, UPLOAD].map(|queue| *router.limits(queue).last().unwrap());
    assert_eq!(left, base());
}

#[test]
fn both_formats_are_in_order_and_expose_the_same_families() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(daemon) = site.run(&[]) else { return };
    daemon.wait_until_ready();
    // Families without samples so far may get some between the two scrapes, in this order only.
    let text = daemon.scrape().names();
    let open = daemon.scrape_as(Format::OpenMetrics).names();
    assert!(text.is_subset(&open), "{:?}", text.difference(&open));
    let known = |name: &String| name.starts_with("wanctl_") || name.starts_with("process_");
    assert!(open.iter().all(known), "{open:?}");
    daemon.stop().expect(0);
}

#[test]
fn no_page_and_no_log_shows_the_password_however_much_is_logged() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(daemon) = site.run(&["--log-level", "trace"]) else { return };
    daemon.wait_until_ready();
    wait_for_raises(&router);
    // `get` and `stop` look for it in everything that comes back.
    for path in ["/", "/metrics", "/health", "/status", "/recent", "/livez", "/readyz", "/config"] {
        daemon.get(path);
    }
    let exit = daemon.stop();
    assert!(exit.expect(0).stderr.contains("TRACE"), "nothing was traced");
}
