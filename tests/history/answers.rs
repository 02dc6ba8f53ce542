//! What `wanctl history` says, to the letter: each answer about one made history is in
//! `tests/data/history`. `UPDATE_EXPECT=1` rewrites them, to be read through before they are
//! committed.

use std::{
    env, fs,
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, LazyLock},
    thread,
    time::Duration,
};

use tempfile::TempDir;
use wanctl::history::{self, Event, Retention, Settings};
use wanctl_core::{
    CongestionState, Cycle, Direction, Measurement, MeasurementState, units::Timestamp,
};

use crate::link::TrafficModel;

/// 2026-03-01 12:00:00 UTC, an hour later on the wall of the zone below.
const START: Timestamp = Timestamp::from_micros(1_772_366_400_000_000);
const ZONE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
/// Cycles of the first WAN: it rests for five minutes, then loads its download, then both ways.
const CYCLES: u64 = 20 * 60 * 11;
/// Cycles of the second WAN, a minute. Its probes bypass the queue for ten seconds of it, and then
/// cannot be sent for five.
const FEW: u64 = 20 * 60;
const BYPASS: Range<u64> = 20 * 40..20 * 50;
const CANNOT_SEND: Range<u64> = 20 * 50..20 * 55;

/// One history for all tests.
static MADE: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("history.db");
    let keep = Duration::MAX;
    let retention = Retention {
        raw: keep,
        seconds: keep,
        minutes: keep,
        five_minutes: keep,
        events: keep,
        ..Retention::default()
    };
    let wans = ["cable", "lte"].map(str::to_owned).to_vec();
    let (recorder, writer) = history::start(Settings { path: path.clone(), retention, wans });
    let at = |seconds| START.after(Duration::from_secs(seconds));
    recorder.event(at(0), None, Event::Start { version: "1.2.3".into(), mode: "active" });
    for (wan, cycles) in [(0, CYCLES), (1, FEW)] {
        let mut link = TrafficModel::new(wan, START);
        for number in 0..cycles {
            while recorder.stats().queued > 4096 {
                thread::sleep(Duration::from_millis(1));
            }
            let mut cycle = link.cycle();
            if wan == 1 {
                unmeasure(&mut cycle, number);
            }
            recorder.cycle(Arc::new(cycle));
        }
    }
    let error = "connection refused\u{1b}[2J".to_owned();
    recorder.event(at(400), None, Event::RouterUnreachable { router: "edge".to_owned(), error });
    let (router, outage) = ("edge".to_owned(), Duration::from_secs(3));
    recorder.event(at(403), None, Event::RouterRecovered { router, outage });
    recorder.event(at(659), None, Event::Stop { reason: "SIGTERM".into() });
    writer.close(Duration::from_mins(1)).unwrap();
    (directory, path)
});

fn unmeasure(cycle: &mut Cycle, number: u64) {
    let state = match number {
        number if BYPASS.contains(&number) => MeasurementState::Bypass,
        number if CANNOT_SEND.contains(&number) => MeasurementState::CannotSend,
        _ => return,
    };
    cycle.measurement.state = state;
    for direction in Direction::ALL {
        cycle.directions[direction].as_mut().unwrap().state = CongestionState::Unknown;
    }
    if state == MeasurementState::CannotSend {
        let Measurement { rtt, delta, jitter, .. } = &mut cycle.measurement;
        (*rtt, *delta, *jitter) = (None, None, None);
    }
}

/// What a command said, and how it ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Said {
    #[track_caller]
    fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

fn ask(arguments: &[&str]) -> Said {
    ask_of(&MADE.1, arguments)
}

fn ask_of(file: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wanctl"));
    command.env_remove("RUST_LOG").env("TZ", ZONE).stdin(Stdio::null());
    let said = command.arg("history").args(arguments).arg("--db").arg(file).output().unwrap();
    let [stdout, stderr] = [said.stdout, said.stderr].map(|text| String::from_utf8(text).unwrap());
    Said { code: said.status.code(), stdout, stderr }
}

#[track_caller]
fn expect(name: &str, reported: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/history").join(name);
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, reported).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(reported, expected, "{name}: UPDATE_EXPECT=1 rewrites it");
}

const ALL: [&str; 4] = ["--from", "2026-03-01 13:00", "--to", "2026-03-01 13:11"];

#[test]
fn answers_are_as_they_were_approved() {
    let part = ["--from", "13:00:00", "--to", "13:00:03"];
    let part = part.map(|word| {
        if word.starts_with("13") { format!("2026-03-01 {word}") } else { word.to_owned() }
    });
    let part: Vec<&str> = part.iter().map(String::as_str).collect();
    for (name, span, rest) in [
        ("table.txt", &ALL[..], &["--resolution", "1m"][..]),
        ("table-metrics.txt", &part, &["--metrics", "rtt_p95,bytes,state", "--resolution", "1s"]),
        ("table-raw.txt", &part, &["--wan", "lte", "--metrics", "delta_mean,desired_mean"]),
        ("rows.csv", &ALL, &["--resolution", "5m", "--format", "csv"]),
        (
            "rows.json",
            &part,
            &["--metrics", "delta_p50,jitter", "--resolution", "1s", "--format", "json"],
        ),
        (
            "rows.openmetrics",
            &ALL,
            &["--wan", "lte", "--resolution", "1m", "--format", "openmetrics"],
        ),
        ("summary.txt", &ALL, &["--summary", "--over", "12ms"]),
        ("summary.csv", &ALL, &["--summary", "--format", "csv"]),
        ("summary.json", &ALL, &["--summary", "--wan", "cable", "--format", "json"]),
        ("by-day.txt", &ALL, &["--by", "day", "--over", "12"]),
        ("by-hour.csv", &ALL, &["--by", "hour-of-day", "--format", "csv", "--wan", "cable"]),
        (
            "events.txt",
            &ALL,
            &["--events", "--kind", "start,router_unreachable,router_recovered,stop"],
        ),
        ("events-part.txt", &part, &["--events", "--wan", "cable"]),
        ("events.csv", &ALL, &["--events", "--format", "csv", "--kind", "start,stop"]),
        ("events.json", &ALL, &["--events", "--format", "json", "--kind", "start,stop"]),
        ("plot.txt", &ALL, &["--plot", "--wan", "cable"]),
        ("plot-metrics.txt", &ALL, &["--metrics", "download_backlog", "--wan", "cable", "--plot"]),
        ("nothing.txt", &["--from", "2020-01-01", "--to", "2020-01-02"], &["--wan", "lte"]),
    ] {
        let exit = ask(&[span, rest].concat());
        exit.expect(0);
        assert_eq!(exit.stderr, "", "{name}");
        expect(name, &exit.stdout);
    }
}

#[test]
fn pictures_are_drawn() {
    let directory = TempDir::new().unwrap();
    let draw = |name: &str, rest: &[&str]| {
        let file = directory.path().join(name);
        let mut arguments = [&ALL[..], rest].concat();
        arguments.extend(["--plot", file.to_str().unwrap()]);
        ask(&arguments).expect(0);
        fs::read(file).unwrap()
    };
    let coarse = ["--wan", "cable", "--metrics", "delta_p95", "--resolution", "5m"];
    expect("plot.svg", &String::from_utf8(draw("one.svg", &coarse)).unwrap());
    let picture = draw("all.png", &[]);
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
    let size = |from: usize| u32::from_be_bytes(picture[from..from + 4].try_into().unwrap());
    assert!(size(16) > 1000 && size(20) > 1000, "{} x {}", size(16), size(20));
    assert!(picture.len() > 20_000, "a picture without content: {} bytes", picture.len());
}

#[test]
fn a_file_is_exported_as_the_pipe_would_be() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("rows.csv");
    let span = ["export", "--from", "2026-03-01T12:00:00Z", "--to", "2026-03-01T12:11:00Z"];
    let rest = ["--resolution", "5m", "--output", file.to_str().unwrap()];
    let exit = ask(&[&span[..], &rest].concat());
    assert_eq!(exit.expect(0).stdout, "");
    expect("rows.csv", &fs::read_to_string(file).unwrap());
}

#[test]
fn a_copy_without_its_log_is_read_too() {
    let directory = TempDir::new().unwrap();
    let copy = directory.path().join("copy.db");
    fs::copy(&MADE.1, &copy).unwrap();
    let said = ask_of(&copy, &[&ALL[..], &["--resolution", "1m"]].concat());
    expect("table.txt", &said.expect(0).stdout);
}

#[test]
fn what_makes_no_sense_is_refused_with_what_would() {
    for (arguments, reported) in [
        (&["--from", "soon"][..], "--from: `soon` is no time; try "),
        (&["--last", "1x"], "--last: `1x` is no span of time; try "),
        (&["--metrics", "latency"], "--metrics: there is no metric `latency`"),
        (&["--resolution", "2m"], "--resolution: `2m` is none of auto, raw, 1s, 1m, 5m and 1h"),
        (
            &["--events", "--kind", "started"],
            "--kind: there is no kind of event `started`; there are start, ",
        ),
        (&["--summary", "--format", "openmetrics"], "--format openmetrics: only rows"),
        (&["--plot", "picture.jpeg"], "picture.jpeg ends neither in .svg nor in .png"),
    ] {
        let exit = ask(arguments);
        assert!(exit.expect(2).stderr.contains(reported), "{exit:#?}");
    }
    let many = ask(&[&ALL[..], &["--metrics", "all", "--plot"]].concat());
    assert!(many.expect(1).stderr.contains("metrics are more than the 12 that fit"));
    for both in [["--summary", "--events"], ["--last=1h", "--from=today"]] {
        ask(&both).expect(2);
    }
}
