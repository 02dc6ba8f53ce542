//! Disks that are full, read-only or broken under the history.

use std::{net::SocketAddr, process::Command};

use super::tool::tool;
use crate::support::{
    child::{Program, until, wanctl},
    exposition::{Format, Scrape},
    http,
    site::{PASSWORD, Site, Sketch, USER, WAN, address},
};

/// A daemon whose history is on a disk of its own, which only its processes see.
struct OnDisk {
    program: Program,
    address: SocketAddr,
    disk: String,
    _site: Site,
    _router: Program,
}

impl OnDisk {
    /// Starts the daemon after a line of shell that prepares `$DISK`, or the shell itself.
    fn start(prepare: &str) -> Self {
        let mut emulator = wanctl();
        emulator.args(["emulate-router", "--listen", "127.0.0.1:0", "--user", USER]);
        emulator.args(["--password", PASSWORD]);
        let mut router = Program::start(emulator);
        let url = format!("http://{}", address(&router.said("RouterOS emulator at")));
        let site = Site::with(&Sketch { history: "disk/history.db", ..Sketch::of(url) });
        let disk = site.path("disk").display().to_string();
        std::fs::create_dir(&disk).unwrap();
        let daemon = site.command(&[]);
        let mut command = tool("unshare", "util-linux");
        command.args(["--mount", "--propagation", "private", "bash", "-c"]);
        command.arg(format!("set -e; {prepare}; exec \"$@\"")).arg("bash");
        command.arg(daemon.get_program()).args(daemon.get_args()).env("DISK", &disk);
        let mut program = Program::start(command);
        let address = address(&program.logged("serving url="));
        Self { program, address, disk, _site: site, _router: router }
    }

    /// Runs a line of shell where the daemon runs.
    #[track_caller]
    fn run(&self, line: &str) {
        let mut command = tool("nsenter", "util-linux");
        command.args(["--mount", "--target", &self.program.id().to_string(), "bash", "-c", line]);
        finish(command.env("DISK", &self.disk));
    }

    fn value(&self, name: &str) -> f64 {
        let page = http::get(self.address, "/metrics", Format::Text.accept()).unwrap();
        Scrape::parse(&page.body, Format::Text).unwrap().value(name, &[])
    }

    fn cycles(&self) -> f64 {
        let page = http::get(self.address, "/metrics", Format::Text.accept()).unwrap();
        let scrape = Scrape::parse(&page.body, Format::Text).unwrap();
        scrape.value("wanctl_cycle_duration_seconds_count", &[("wan", WAN)])
    }

    /// Waits until the history fails for a reason that health gives, and control goes on.
    fn fails(&self, reason: &str) {
        until(reason, || (self.value("wanctl_history_failing") > 0.0).then_some(()));
        let health = http::get(self.address, "/health", "*/*").unwrap();
        assert!(health.body.contains(reason), "{health:?}");
        let before = self.cycles();
        until("more cycles", || (self.cycles() > before + 20.0).then_some(()));
    }

    /// Waits until the history is written again, and asserts that nothing was lost.
    fn recovers(self) {
        let written = self.value("wanctl_history_rows_written_total");
        until("a history that is written again", || {
            let more = self.value("wanctl_history_rows_written_total") > written + 20.0;
            (more && self.value("wanctl_history_failing") < 1.0).then_some(())
        });
        assert!(self.value("wanctl_history_rows_dropped_total") < 1.0, "cycles are lost");
        self.program.terminate();
        self.program.exit().expect(0);
    }

    fn wait_until_written(&self) {
        until("rows", || (self.value("wanctl_history_rows_written_total") > 0.0).then_some(()));
    }
}

#[track_caller]
fn finish(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {done:?}");
}

#[test]
fn a_history_on_a_disk_that_cannot_be_written_is_read() {
    let daemon = OnDisk::start("mount -t tmpfs none $DISK");
    daemon.wait_until_written();
    daemon.run("mkdir $DISK.copy && mount -t tmpfs none $DISK.copy");
    daemon.run("sqlite3 $DISK/history.db \"VACUUM INTO '$DISK.copy/history.db'\"");
    // As the daemon leaves it: a file that wants a log, without one.
    daemon.run("sqlite3 $DISK.copy/history.db 'PRAGMA journal_mode = wal'");
    daemon.run("mount -o remount,ro $DISK.copy");
    let program = env!("CARGO_BIN_EXE_wanctl");
    daemon.run(&format!("{program} history --summary --db $DISK.copy/history.db | grep recorded"));
    daemon.recovers();
}

#[test]
fn a_full_disk_is_reported_and_room_is_used() {
    let daemon = OnDisk::start("mount -t tmpfs -o size=4m none $DISK");
    daemon.wait_until_written();
    // It ends when there is no room left, which is no failure here.
    daemon.run("dd if=/dev/zero of=$DISK/ballast bs=4k 2>/dev/null || true");
    daemon.fails("database or disk is full");
    daemon.run("rm $DISK/ballast");
    daemon.recovers();
}

#[test]
fn a_disk_that_cannot_be_written_is_reported_and_taken_when_it_can() {
    let daemon = OnDisk::start("mount -t tmpfs -o ro none $DISK");
    daemon.fails("Read-only file system");
    daemon.run("mount -o remount,rw $DISK");
    daemon.recovers();
}

#[test]
fn a_disk_that_gives_errors_is_reported_and_used_when_it_does_not() {
    // Beyond a limit the system refuses to write: for SQLite an error like any of a disk's.
    let daemon = OnDisk::start("trap '' XFSZ; ulimit -S -f 100");
    daemon.fails("disk I/O error");
    let mut limit = tool("prlimit", "util-linux");
    let pid = daemon.program.id().to_string();
    finish(limit.args(["--pid", &pid, "--fsize=unlimited:unlimited"]));
    daemon.recovers();
}
