//! A changed configuration while `wanctl run` is running: by signal and by HTTP, right and wrong.

use std::{fs, os::unix::net::UnixDatagram};

use rusqlite::Connection;
use wanctl_core::units::BitRate;

use crate::support::{
    child::{Program, until, wanctl},
    daemon::Daemon,
    router::Router,
    site::{DOWNLOAD, Site, Sketch},
};

/// Replaces `from` by `to` in the configuration.
fn edit(site: &Site, from: &str, to: &str) {
    let text = fs::read_to_string(site.path("wanctl.yaml")).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    site.write("wanctl.yaml", &text.replace(from, to));
}

fn reloads(daemon: &Daemon, result: &str) -> f64 {
    daemon.scrape().value("wanctl_config_reloads_total", &[("result", result)])
}

#[test]
fn hangup_takes_the_live_keys_under_load_and_names_those_that_wait_for_a_restart() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(mut daemon) = site.run(&[]) else { return };
    daemon.wait_until_ready();
    let last = || router.limits(DOWNLOAD).last().copied();
    until("a rate above the base", || last().filter(|rate| rate.mbps() > 45.0));
    let before = daemon.scrape();
    edit(&site, "ceiling_mbps: 100", "ceiling_mbps: 44");
    edit(&site, "base_mbps: 40", "base_mbps: 30");
    edit(&site, "user: wanctl", "request_timeout_ms: 900\n  user: wanctl");
    daemon.program.signal("HUP");
    daemon.program.logged("`wans[0].download.ceiling_mbps` changed");
    daemon.program.logged("`router.request_timeout_ms` changed: takes effect after a restart");
    until("the new ceiling", || last().filter(|rate| rate.mbps() <= 44.0));
    // Clamped, not begun anew at the base.
    let since = router.limits(DOWNLOAD);
    let lowest = since.iter().skip(1).min().unwrap();
    assert!(*lowest >= BitRate::from_mbps(40.0), "{since:?}");
    let after = daemon.scrape();
    for (name, value) in
        [("wanctl_config_last_reload_successful", 1.0), ("wanctl_config_generation", 2.0)]
    {
        assert_eq!(after.value(name, &[]), value, "{name}");
    }
    let stamp = "wanctl_config_last_reload_success_timestamp_seconds";
    assert!(after.value(stamp, &[]) > before.value(stamp, &[]));
    assert_eq!(reloads(&daemon, "success"), 1.0);
    let health = daemon.health();
    assert_eq!(health["status"], "ok", "{health}");
    assert!(health.to_string().contains("`router.request_timeout_ms` changed"), "{health}");
    daemon.stop().expect(0);
    let history = Connection::open(site.path("history.db")).unwrap();
    let (from, to, changed, restart): (String, String, String, String) = history
        .query_row(
            "SELECT payload ->> 'from', payload ->> 'to', payload ->> 'changed',
                    payload ->> 'restart' FROM event WHERE kind = 'config_reloaded'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    assert_ne!(from, to);
    assert_eq!(changed, r#"["wans[0].download.base_mbps","wans[0].download.ceiling_mbps"]"#);
    assert_eq!(restart, r#"["router.request_timeout_ms"]"#);
}

#[test]
fn a_file_that_is_wrong_changes_nothing_and_is_reported_as_check_reports_it() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    edit(&site, "http: {", "http: {allow_reload: true, ");
    let Some(mut daemon) = site.run(&[]) else { return };
    daemon.wait_until_ready();
    let right = fs::read_to_string(site.path("wanctl.yaml")).unwrap();
    edit(&site, "ceiling_mbps: 100", "ceiling_mbps: 5");
    edit(&site, "history: {", "history: {raw_days: 3, ");
    let answer = daemon.post("/-/reload");
    assert_eq!(answer.status, 400, "{answer:?}");
    let mut check = wanctl();
    check.args(["check", "--offline", "--config"]).arg(site.path("wanctl.yaml"));
    let exit = Program::finish(check);
    assert_eq!(answer.body, exit.expect(78).stderr);
    assert!(answer.body.lines().count() >= 2, "{answer:?}");
    for line in answer.body.lines() {
        daemon.program.logged(line);
    }
    daemon.complains("config", |reason| reason.contains("the last reload failed"));
    assert_eq!(daemon.scrape().value("wanctl_config_last_reload_successful", &[]), 0.0);
    assert_eq!(reloads(&daemon, "failure"), 1.0);
    assert_eq!(daemon.get("/readyz").status, 200);
    site.write("wanctl.yaml", &right);
    let answer = daemon.post("/-/reload");
    assert_eq!((answer.status, answer.body.as_str()), (200, "nothing changed\n"));
    assert_eq!(daemon.health()["status"], "ok");
    daemon.stop().expect(0);
}

#[test]
fn a_reload_over_http_must_be_allowed_and_must_be_a_post() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(daemon) = site.run(&[]) else { return };
    let answer = daemon.post("/-/reload");
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(answer.body.contains("http.allow_reload"), "{answer:?}");
    assert_eq!(daemon.get("/-/reload").status, 405);
    assert_eq!(reloads(&daemon, "failure"), 0.0);
    daemon.stop().expect(0);
}

#[test]
fn observing_may_end_and_begin_while_it_runs() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    edit(&site, "control: {", "control: {mode: observe, ");
    let Some(daemon) = site.run(&[]) else { return };
    daemon.wait_until_ready();
    assert!(router.limits(DOWNLOAD).is_empty());
    edit(&site, "mode: observe", "mode: active");
    daemon.program.signal("HUP");
    until("a limit", || router.limits(DOWNLOAD).last().copied());
    assert_eq!(daemon.health()["mode"], "active");
    assert_eq!(daemon.scrape().value("wanctl_controller_enabled", &[]), 1.0);
    daemon.stop().expect(0);
}

#[test]
fn the_service_manager_is_notified_when_a_reload_begins_and_ends() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let socket = UnixDatagram::bind(site.path("notify")).unwrap();
    let Some(mut daemon) = site.run_under(&site.path("notify"), &[]) else { return };
    let heard = || {
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    assert_eq!(heard().trim(), "READY=1");
    daemon.program.signal("HUP");
    let reported = heard();
    assert!(
        reported.starts_with("RELOADING=1") && reported.contains("\nMONOTONIC_USEC="),
        "{reported}"
    );
    assert_eq!(heard().trim(), "READY=1");
    daemon.program.logged("the configuration was reloaded");
    daemon.stop().expect(0);
}
