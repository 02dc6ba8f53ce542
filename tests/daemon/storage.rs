//! A history that others lock or write: control goes on, it is reported, and it ends by itself.

use rusqlite::Connection;

use crate::support::{
    child::until,
    daemon::Daemon,
    router::Router,
    site::{DOWNLOAD, Site, Sketch},
};

fn value(daemon: &Daemon, name: &str) -> f64 {
    daemon.scrape().value(&format!("wanctl_history_{name}"), &[])
}

fn wait_until_written(daemon: &Daemon) {
    until("a history that is written", || {
        let written = value(daemon, "failing") == 0.0 && value(daemon, "rows_written_total") > 0.0;
        written.then_some(())
    });
}

#[test]
fn a_second_daemon_on_the_same_file_controls_without_it_until_the_first_ends() {
    let routers = [Router::start(), Router::start()];
    let site = Site::with(&Sketch::of(routers[0].url()));
    let Some(first) = site.run(&[]) else { return };
    wait_until_written(&first);
    let file = site.path("history.db").display().to_string();
    let shared = Sketch { history: file.clone().leak(), ..Sketch::of(routers[1].url()) };
    let other = Site::with(&shared);
    let Some(second) = other.run(&[]) else { return };
    let reported = second.complains("history", |reason| reason.contains("another wanctl"));
    assert!(reported.contains(&file) && reported.contains("history.path"), "{reported}");
    assert_eq!(value(&second, "failing"), 1.0);
    second.wait_until_ready();
    until("limits", || (!routers[1].limits(DOWNLOAD).is_empty()).then_some(()));
    assert_eq!((value(&first, "failing"), value(&second, "rows_written_total")), (0.0, 0.0));
    first.stop().expect(0);
    wait_until_written(&second);
    assert_eq!(value(&second, "rows_dropped_total"), 0.0);
    second.stop().expect(0);
}

#[test]
fn a_lock_of_another_tool_is_reported_and_costs_nothing() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(daemon) = site.run(&[]) else { return };
    wait_until_written(&daemon);
    let tool = Connection::open(site.path("history.db")).unwrap();
    tool.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    tool.execute_batch("BEGIN IMMEDIATE").unwrap();
    daemon.complains("history", |reason| reason.contains("locked"));
    let before = daemon.cycles();
    until("more cycles", || (daemon.cycles() > before + 20.0).then_some(()));
    tool.execute_batch("ROLLBACK").unwrap();
    wait_until_written(&daemon);
    assert_eq!(value(&daemon, "rows_dropped_total"), 0.0);
    daemon.stop().expect(0);
    let gaps: i64 =
        tool.query_row("SELECT sum(gap) - 1 FROM cycles", [], |row| row.get(0)).unwrap();
    assert_eq!(gaps, 0, "cycles are missing");
}
