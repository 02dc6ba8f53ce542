//! A signal to stop ends the process in time, whatever hangs; and what hangs does not keep it from
//! starting either.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::support::{
    child::{Exit, until},
    daemon::Daemon,
    router::Router,
    site::{DOWNLOAD, Site, Sketch},
};

/// What is promised, and what a busy machine adds.
const ENDS_WITHIN: Duration = Duration::from_secs(6);

fn mkfifo(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn stop_in_time(daemon: Daemon) -> Exit {
    let asked = Instant::now();
    let exit = daemon.stop();
    assert!(asked.elapsed() < ENDS_WITHIN, "{:?}: {exit:#?}", asked.elapsed());
    exit
}

#[test]
fn a_named_pipe_or_a_device_in_place_of_a_file_is_refused_and_the_old_configuration_stays() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(mut daemon) = site.run(&[]) else { return };
    daemon.wait_until_ready();
    let config = site.path("wanctl.yaml");
    let right = fs::read_to_string(&config).unwrap();
    mkfifo(&site.path("pipe"));
    for (from, to, reported) in [
        (
            "router.password",
            "pipe",
            "router.password_file: cannot read the file that is named here: this is a named pipe",
        ),
        (
            "router.password",
            "/dev/zero",
            "router.password_file: cannot read the file that is named here: this is a device",
        ),
        (
            "user: wanctl",
            "user: wanctl\n  ssh: {key_file: pipe}",
            "router.ssh.key_file: cannot read",
        ),
    ] {
        site.write("wanctl.yaml", &right.replace(from, to));
        daemon.program.signal("HUP");
        daemon.program.logged(reported);
    }
    mkfifo(&config);
    daemon.program.signal("HUP");
    daemon.program.logged("wanctl.yaml: cannot read the file: this is a named pipe");
    daemon.complains("config", |reason| reason.contains("the last reload failed"));
    // The next reload is obeyed.
    fs::remove_file(&config).unwrap();
    site.write("wanctl.yaml", &right.replace("ceiling_mbps: 100", "ceiling_mbps: 99"));
    daemon.program.signal("HUP");
    daemon.program.logged("`wans[0].download.ceiling_mbps` changed");
    mkfifo(&config);
    daemon.program.signal("HUP");
    stop_in_time(daemon).expect(0);
}

#[test]
fn a_named_pipe_in_place_of_the_history_costs_the_history_only() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    mkfifo(&site.path("history.db"));
    let Some(daemon) = site.run(&[]) else { return };
    daemon.wait_until_ready();
    until("a rate", || router.limits(DOWNLOAD).last().copied());
    // An attempt to open it fails, or it hangs; either is reported.
    daemon.complains("history", |_| true);
    stop_in_time(daemon);
}

#[test]
fn a_router_that_accepts_and_says_nothing_does_not_delay_the_end() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let site = Site::with(&Sketch { on_exit: "base", ..Sketch::of(url) });
    let Some(daemon) = site.run(&[]) else { return };
    let _asked = silent.accept().unwrap();
    stop_in_time(daemon).expect(0);
}

#[test]
fn a_history_that_another_program_keeps_locked_does_not_delay_start_or_end() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(daemon) = site.run(&[]) else { return };
    daemon.wait_until_ready();
    stop_in_time(daemon).expect(0);
    let lock = rusqlite::Connection::open(site.path("history.db")).unwrap();
    lock.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let daemon = site.run(&[]).unwrap();
    daemon.wait_until_ready();
    daemon.complains("history", |_| true);
    stop_in_time(daemon);
}
