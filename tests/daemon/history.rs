//! The history that `wanctl run` leaves behind, and what `wanctl history` prints of it.

use std::{path::Path, process::Stdio};

use rusqlite::{Connection, OpenFlags};

use crate::support::{
    child::{Program, until, wanctl},
    router::Router,
    site::{Site, Sketch, WAN},
};

/// Cycles in one second.
const A_SECOND: f64 = 20.0;

fn open(path: &Path) -> Connection {
    // Writable, as the daemon itself would open it: what was left in the log is taken over.
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap()
}

fn one<T: rusqlite::types::FromSql>(history: &Connection, query: &str) -> T {
    history.query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn killed_it_leaves_a_whole_history_without_the_last_second_at_most() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(daemon) = site.run(&[]) else { return };
    let decided = until("cycles of four seconds", || {
        let decided = daemon.cycles();
        (decided > 4.0 * A_SECOND).then_some(decided)
    });
    // This is a SIGKILL.
    drop(daemon);
    let history = open(&site.path("history.db"));
    assert_eq!(one::<String>(&history, "PRAGMA integrity_check"), "ok");
    let kept: u32 = one(&history, "SELECT count(*) FROM cycles");
    // A batch is a second long; another second is for a machine that is busy.
    assert!(f64::from(kept) >= decided - 2.0 * A_SECOND, "{kept} of {decided} were kept");
    let gaps: u32 = one(&history, "SELECT sum(gap) - 1 FROM cycles");
    assert_eq!(gaps, 0, "cycles are missing in between");
}

#[test]
fn ended_in_order_it_leaves_every_cycle_and_the_reason() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(daemon) = site.run(&[]) else { return };
    daemon.wait_until_ready();
    until("a second of cycles", || (daemon.cycles() > 20.0).then_some(()));
    let decided = daemon.cycles();
    daemon.stop().expect(0);
    let history = open(&site.path("history.db"));
    assert_eq!(one::<String>(&history, "PRAGMA integrity_check"), "ok");
    let kept: u32 = one(&history, "SELECT count(*) FROM cycles");
    assert!(f64::from(kept) >= decided, "{kept} of {decided} were kept");
    let reason = "SELECT payload ->> 'reason' FROM event WHERE kind = 'stop'";
    assert_eq!(one::<String>(&history, reason), "SIGTERM");
    reports_of(&site.path("history.db"));
}

fn reports_of(path: &Path) {
    let command = |arguments: &[&str]| {
        let mut command = wanctl();
        command.args(["history", "--last", "1h", "--db"]).arg(path).args(arguments);
        command
    };
    let table = Program::finish(command(&[]));
    assert!(table.expect(0).stdout.starts_with(&format!("{WAN}, ")), "{table:#?}");
    let sum = Program::finish(command(&["--summary"]));
    sum.expect(0);
    for reported in [WAN, "recorded", "added", "download", "upload", "green"] {
        assert!(sum.stdout.contains(reported), "{reported} is missing: {}", sum.stdout);
    }
    let events = Program::finish(command(&["--events"]));
    events.expect(0);
    assert!(events.stdout.contains("start") && events.stdout.contains("SIGTERM"), "{events:#?}");
    let unknown = Program::finish(command(&["--wan", "dsl"]));
    assert!(unknown.expect(1).complaint().contains("it knows: cable"), "{unknown:#?}");

    // Whoever reads has gone before the first line, as `head` does a little later.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut deaf = command(&["--events"]);
    let ended = deaf.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

#[test]
fn times_are_shown_in_the_zone_of_the_environment_which_may_be_a_name() {
    let site = Site::new();
    let database = site.path("data/history.db");
    let mut demo = wanctl();
    demo.args(["demo", "--listen", "127.0.0.1:0", "--duration", "3s", "--data-dir"]);
    Program::finish({
        demo.arg(site.path("data"));
        demo
    })
    .expect(0);
    let events = |zone: &str| {
        let mut command = wanctl();
        command.args(["history", "--events", "--last", "1h", "--db"]).arg(&database);
        let exit = Program::finish({
            command.env("TZ", zone);
            command
        });
        exit.expect(0);
        let begin: Vec<String> = exit.stdout.lines().take(3).map(str::to_owned).collect();
        (begin, exit.stderr)
    };
    let (utc, nothing) = events("UTC0");
    assert_eq!(nothing, "");
    // The rule that has held in Berlin since 1996.
    let (rule, _) = events("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_ne!(rule, utc);
    let (berlin, reported) = events("Europe/Berlin");
    let is_here = Path::new("/usr/share/zoneinfo/Europe/Berlin").exists();
    assert_eq!(berlin, if is_here { rule } else { utc.clone() });
    assert_eq!(reported.contains("has no such time zone"), !is_here, "{reported}");
    let (mars, reported) = events("Mars/Olympus_Mons");
    assert_eq!(mars, utc);
    assert!(
        reported.contains("times are shown in UTC: this system has no such time zone"),
        "{reported}"
    );
    assert_eq!(reported.lines().count(), 1, "{reported}");
}

#[test]
fn a_history_that_is_not_there_is_named() {
    let site = Site::new();
    let mut command = wanctl();
    command.args(["history", "--db"]).arg(site.path("nothing.db"));
    let exit = Program::finish(command);
    assert!(exit.expect(1).complaint().contains("nothing.db holds no history"), "{exit:#?}");
    assert_eq!(exit.stderr.lines().count(), 1, "{exit:#?}");
}
