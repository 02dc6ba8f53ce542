//! What `wanctl run` has learned survives its end, and a kill.

use rusqlite::Connection;

use crate::support::{
    child::until,
    daemon::Daemon,
    router::Router,
    site::{Site, Sketch, WAN},
};

/// The learned idle delay of the first reflector in µs, as it is stored.
fn stored(site: &Site) -> Option<i64> {
    let history = Connection::open(site.path("history.db")).unwrap();
    let baseline = "SELECT content ->> '$.reflectors.\"127.0.0.1\".baseline_us' FROM memory";
    history.query_row(baseline, [], |row| row.get(0)).ok()
}

/// Moves the stored memory's time by `seconds`, and gives it a baseline that no loopback has.
fn forge(site: &Site, seconds: i64) {
    let history = Connection::open(site.path("history.db")).unwrap();
    let changed = history.execute(
        "UPDATE memory SET at = at + ?1,
         content = json_set(content, '$.reflectors.\"127.0.0.1\".baseline_us', 7777777)",
        [seconds * 1_000_000],
    );
    assert_eq!(changed.unwrap(), 1);
}

/// Waits until the idle delay of every reflector has been learned.
fn learn(daemon: &Daemon) {
    let provisional = "wanctl_rtt_baseline_provisional";
    until("a final baseline", || {
        let value = daemon.scrape().find(provisional, &[("wan", WAN)]);
        // The metric is of them together: six seconds are enough for each.
        (value == Some(0.0) && daemon.cycles() > 120.0).then_some(())
    });
}

fn live_a_little(site: &Site) -> Option<()> {
    let daemon = site.run(&[])?;
    daemon.wait_until_ready();
    learn(&daemon);
    daemon.stop().expect(0);
    Some(())
}

#[test]
fn a_restart_continues_from_what_was_learned() {
    let router = Router::with_traffic(0.0);
    let site = Site::with(&Sketch::of(router.url()));
    let Some(()) = live_a_little(&site) else { return };
    let learned = stored(&site).expect("kept at the end");
    assert!((1..500_000).contains(&learned), "{learned} µs");
    forge(&site, -600);
    let mut daemon = site.run(&[]).unwrap();
    let line = daemon.program.logged("continuing from the stored state of 10 minutes ago");
    assert!(line.contains(WAN), "{line}");
    // Killed within its first minute it leaves the memory as it was.
    drop(daemon);
    assert_eq!(stored(&site), Some(7_777_777));
    let mut daemon = site.run(&[]).unwrap();
    daemon.program.logged("continuing from the stored state of 10 minutes ago");
    daemon.stop().expect(0);
}

#[test]
fn a_memory_from_the_future_is_ignored() {
    let router = Router::with_traffic(0.0);
    let site = Site::with(&Sketch::of(router.url()));
    let Some(()) = live_a_little(&site) else { return };
    forge(&site, 3600);
    let mut daemon = site.run(&[]).unwrap();
    let line = daemon.program.logged("the stored state is not used");
    assert!(line.contains("in the future"), "{line}");
    daemon.wait_until_ready();
    learn(&daemon);
    daemon.stop().expect(0);
    assert!(stored(&site).unwrap() < 7_777_777, "learned anew");
}
