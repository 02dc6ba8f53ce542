//! The history from outside: what `wanctl history` says of it, and the hardest end there is for
//! its writer, SIGKILL at any moment, again and again, on one file. The latter needs nothing but
//! time; `system-tests` gives it more.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

#[path = "../benches/history/link.rs"]
mod link;

#[path = "history"]
mod history_tests {
    mod answers;
}

use link::TrafficModel;
use wanctl::history::{self, Reader, Retention, Settings};
use wanctl_core::units::Timestamp;

/// Names the file to the process that writes it.
const FILE: &str = "WANCTL_TEST_HISTORY";
const WANS: [&str; 2] = ["cable", "dsl"];
const ROUNDS: usize = if cfg!(feature = "system-tests") { 200 } else { 5 };

fn settings(path: &Path) -> Settings {
    // Short enough that each round builds and forgets.
    let minutes = |minutes: u64| Duration::from_mins(minutes);
    let retention = Retention {
        raw: minutes(1),
        seconds: minutes(5),
        minutes: minutes(30),
        five_minutes: minutes(120),
        ..Retention::default()
    };
    Settings { path: path.to_owned(), retention, wans: WANS.map(str::to_owned).to_vec() }
}

/// Not a test but the process that is killed: it records until then, and prints how many cycles
/// are safe.
#[test]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn the_writer_that_is_killed() {
    let Some(path) = env::var_os(FILE) else { return };
    let (recorder, _writer) = history::start(settings(Path::new(&path)));
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    // An hour ago: there is always something to build and to forget.
    let start = Timestamp::default().after(now.saturating_sub(Duration::from_hours(1)));
    let mut links = [TrafficModel::new(0, start), TrafficModel::new(1, start)];
    for round in 0_u64.. {
        for link in &mut links {
            recorder.cycle(Arc::new(link.cycle()));
        }
        if round % 20 == 0 {
            thread::sleep(Duration::from_millis(1));
            println!("safe {}", recorder.stats().rows_written);
        }
    }
}

/// Lets a process write for `span`, kills it, and returns how many cycles it knew to be safe.
fn write_and_kill(path: &Path, span: Duration) -> u64 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_writer_that_is_killed", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let reported = BufReader::new(child.stdout.take().unwrap());
    let reading = thread::spawn(move || {
        let lines = reported.lines().map_while(Result::ok);
        lines.filter_map(|line| line.split("safe ").nth(1)?.parse().ok()).last().unwrap_or(0)
    });
    thread::sleep(span);
    child.kill().unwrap();
    child.wait().unwrap();
    reading.join().unwrap()
}

fn kept(path: &Path) -> u64 {
    let reader = Reader::open(path).unwrap();
    let all = (Timestamp::default(), Timestamp::from_micros(i64::MAX));
    WANS.iter().map(|wan| reader.summary(wan, all.0, all.1).unwrap().cycles()).sum()
}

#[test]
fn killed_at_any_moment_it_is_whole_and_lacks_the_last_batch_at_most() {
    if env::var_os(FILE).is_some() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.db");
    // The first round makes the file.
    let mut before = 0;
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..ROUNDS {
        let most = if round == 0 { 2500 } else { 1200 };
        let span = Duration::from_millis(random.u64(most - 1150..most));
        let safe = write_and_kill(&path, span);
        if !path.exists() {
            continue;
        }
        let Ok(reader) = Reader::open(&path) else {
            // Killed before its tables were there: nothing was safe.
            assert_eq!((before, safe), (0, 0), "round {round}");
            continue;
        };
        let found = reader.verify().unwrap();
        assert_eq!(found.problems, Vec::<String>::new(), "round {round}");
        let now = kept(&path);
        assert!(now >= before + safe, "round {round}: {now} kept of {before} and {safe}");
        before = now;
    }
    assert!(before > 0, "no round wrote anything");
}
