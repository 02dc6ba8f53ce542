//! The history: size on disk, the writer's work, and how long a person waits for an answer.
#![expect(clippy::print_stdout, reason = "a benchmark's table is its output")]

#[path = "history/link.rs"]
mod link;
mod support;

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use link::TrafficModel;
use rusqlite::Connection;
use support::{Spread, check, heading};
use wanctl::history::{self, DelayKind, Reader, Resolution, Retention, Settings, Tier};
use wanctl_core::units::{Delay, Timestamp};

const CYCLES_A_DAY: u64 = 24 * 3600 * 20;
const DAY_MICROS: i64 = 86_400_000_000;
/// The made day; an hour of the clock begins with it.
const START: Timestamp = Timestamp::from_micros(1_790_002_800_000_000);
/// How long the writer is watched at the pace of life.
const LIFE: Duration = Duration::from_secs(20);

fn main() {
    if !support::wanted() {
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let day = directory.path().join("day.db");
    write_a_day(&day);
    fill_a_year(&day);
    ask(&day);
    ask_by_command(&day);
    println!();
    live(&directory.path().join("two.db"), 2, 0);
    live(&directory.path().join("hundred.db"), 100, 0);
    live(&directory.path().join("read.db"), 2, 10);
}

fn settings(path: &Path, wans: usize) -> Settings {
    // The made cycles' moments are not those of the clock by which the writer forgets.
    let keep = Duration::MAX;
    let retention = Retention { raw: keep, seconds: keep, minutes: keep, ..Retention::default() };
    let wans = (0..wans).map(|wan| format!("wan{wan}")).collect();
    Settings { path: path.to_owned(), retention, wans }
}

/// Writes a day of one WAN as fast as the disk takes it, and prints size and speed.
fn write_a_day(path: &Path) {
    let (recorder, writer) = history::start(settings(path, 1));
    let mut link = TrafficModel::new(0, START);
    let started = Instant::now();
    for _ in 0..CYCLES_A_DAY {
        while recorder.stats().queued > 4096 {
            thread::sleep(Duration::from_millis(1));
        }
        recorder.cycle(Arc::new(link.cycle()));
    }
    writer.close(Duration::from_mins(1)).expect("all is written");
    let rate = CYCLES_A_DAY as f64 / started.elapsed().as_secs_f64();
    println!("\na day of one WAN, written at {rate:.0} cycles/s, the making of them included");
    let database = Connection::open(path).expect("the history opens");
    let pages = |table| -> f64 {
        let sql = "SELECT coalesce(sum(pgsize), 0.0) FROM dbstat WHERE name GLOB ?1";
        database.query_row(sql, [table], |row| row.get(0)).expect("dbstat answers")
    };
    check("a cycle on disk", pages("cycle_*") / CYCLES_A_DAY as f64, 60.0, "bytes");
    let [second, minute, five, hour] = ["tier_1s", "tier_1m", "tier_5m", "tier_1h"].map(pages);
    println!("  bytes of a bucket: 1 s {:.0}, 1 min {:.0}", second / 86_400.0, minute / 1_440.0);
    println!("  5 min {:.0}, 1 h {:.0}", five / 288.0, hour / 24.0);
    let keep = Retention::default();
    let days = |span: Duration| span.as_secs_f64() / 86_400.0;
    let finest = days(keep.seconds) * second + days(keep.minutes) * minute;
    let year = 2.0 * (finest + days(keep.five_minutes) * five + 365.0 * hour);
    check("the tiers of two WANs after a year", year / 1e6, 500.0, "MB");
}

/// Repeats the day's coarse buckets backwards over as long as they would be kept.
fn fill_a_year(path: &Path) {
    let database = Connection::open(path).expect("the history opens");
    let start = START.micros() / 1_000_000;
    for (table, days) in [("tier_1m", 30), ("tier_5m", 180), ("tier_1h", 365)] {
        let columns: Vec<String> = database
            .prepare("SELECT name FROM pragma_table_info(?1) WHERE cid > 1")
            .and_then(|mut ask| ask.query_map([table], |row| row.get(0))?.collect())
            .expect("the table is there");
        let columns = columns.join(", ");
        let sql = format!(
            "WITH RECURSIVE n(d) AS (SELECT 1 UNION ALL SELECT d + 1 FROM n WHERE d < {days})
             INSERT OR IGNORE INTO {table} (wan, start, {columns})
             SELECT wan, start - d * 86400, {columns} FROM {table}, n WHERE start >= {start}"
        );
        database.execute(&sql, []).expect("the day is repeated");
    }
    // A reader must know where the finer rows are not.
    for (level, days) in [(0, 0), (1, 0), (60, 30), (300, 180)] {
        let sql = "INSERT INTO mark (wan, level, trimmed) VALUES (1, ?1, ?2)
                   ON CONFLICT DO UPDATE SET trimmed = excluded.trimmed";
        database.execute(sql, [level, start - days * 86_400]).expect("the mark is set");
    }
    let size = fs::metadata(path).map_or(0, |file| file.len());
    println!("  the file then has {} MB", size / 1_000_000);
}

fn ask(path: &Path) {
    let reader = Reader::open(path).expect("the history opens");
    // Not at bounds of buckets: the ends are read from finer rows.
    let end = Timestamp::from_micros(START.micros() + DAY_MICROS - 1_234_567);
    let from = |days: i64| Timestamp::from_micros(end.micros() - days * DAY_MICROS);
    heading("An answer", "ms");
    for (label, days) in [("a day", 1), ("a month", 30), ("a year", 365)] {
        let spread = timed(|| {
            let summary = reader.summary("wan0", from(days), end).expect("it is read");
            assert!(summary.quantile(DelayKind::Rtt, 0.99).is_some(), "no delays");
        });
        spread.print(&format!("{label}, summed up"));
        check(label, spread.quantile(0.5), 100.0, "ms");
    }
    for (label, days, tier) in [
        ("a day, each second", 1, Tier::Second),
        ("a month, each five minutes", 30, Tier::FiveMinutes),
        ("a year, each hour", 365, Tier::Hour),
    ] {
        timed(|| {
            let rows = reader.series("wan0", from(days), end, Resolution::Tier(tier));
            let cycles: u64 =
                rows.expect("it is read").map(|row| row.expect("a row").bucket.cycles()).sum();
            assert!(cycles > 0, "nothing was read");
        })
        .print(label);
    }
}

/// Asks as a person does: a process is started, the answer formatted and thrown away.
fn ask_by_command(path: &Path) {
    let end = START.micros() + DAY_MICROS;
    let second = |micros: i64| (micros / 1_000_000).to_string();
    heading("An answer of `wanctl history`", "ms");
    for (label, days, asked) in [
        ("a day, summed up", 1, &["--summary"][..]),
        ("a month, summed up", 30, &["--summary"]),
        ("a year, summed up", 365, &["--summary"]),
        ("a year by the hour of the day", 365, &["--by", "hour-of-day"]),
        ("a day, each second, as CSV", 1, &["--resolution", "1s", "--format", "csv"]),
        ("a month, each five minutes, as CSV", 30, &["--resolution", "5m", "--format", "csv"]),
        ("a year, each hour, as CSV", 365, &["--resolution", "1h", "--format", "csv"]),
        ("a year, drawn", 365, &["--plot"]),
    ] {
        let spread = timed(|| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_wanctl"));
            command.arg("history").args(asked).arg("--db").arg(path);
            command.args(["--from", &second(end - days * DAY_MICROS), "--to", &second(end)]);
            let answer = command.output().expect("it starts");
            assert!(answer.status.success() && answer.stdout.len() > 100, "{answer:?}");
        });
        spread.print(label);
        if asked == ["--summary"] {
            check(label, spread.quantile(0.5), 100.0, "ms");
        }
    }
}

fn timed(mut ask: impl FnMut()) -> Spread {
    let once = || {
        let started = Instant::now();
        ask();
        started.elapsed().as_secs_f64() * 1e3
    };
    Spread::new(std::iter::repeat_with(once).take(10).collect())
}

/// Records `wans` at 20 Hz while `readers` read all there is, again and again.
fn live(path: &Path, wans: usize, readers: usize) {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("a clock after 1970");
    let start = Timestamp::from_micros(Delay::from(now).micros());
    let (recorder, writer) = history::start(settings(path, wans));
    let mut links: Vec<TrafficModel> = (0..wans).map(|wan| TrafficModel::new(wan, start)).collect();
    let ended = Arc::new(AtomicBool::new(false));
    let (begun, cpu) = (Instant::now(), writer_cpu());
    let mut late: f64 = 0.0;
    let reading: Vec<_> = (0..readers).map(|_| read_on(path, &ended)).collect();
    while begun.elapsed() < LIFE {
        let round = Instant::now();
        for link in &mut links {
            recorder.cycle(Arc::new(link.cycle()));
        }
        let stats = recorder.stats();
        // A second and a bit of rounds waits at most, if each batch is written within its second.
        late = late.max(stats.queued as f64 / wans as f64 / 20.0);
        thread::sleep(Duration::from_millis(50).saturating_sub(round.elapsed()));
    }
    let used = writer_cpu() - cpu;
    ended.store(true, Relaxed);
    let reads: usize = reading.into_iter().map(|thread| thread.join().unwrap_or(0)).sum();
    let dropped = recorder.stats().dropped;
    writer.close(Duration::from_secs(10)).expect("all is written");
    println!("{wans} WANs at 20 Hz, {readers} readers ({reads} answers), {dropped} dropped");
    let share = used / begun.elapsed().as_secs_f64() * 100.0;
    check("  the writer's share of a core", share, if wans == 2 { 1.0 } else { 50.0 }, "%");
    check("  the oldest cycle that waits", late, 2.0, "s");
}

fn read_on(path: &Path, ended: &Arc<AtomicBool>) -> thread::JoinHandle<usize> {
    let (path, ended) = (path.to_owned(), Arc::clone(ended));
    thread::spawn(move || {
        let end = Timestamp::from_micros(i64::MAX);
        let mut answers = 0;
        while !ended.load(Relaxed) {
            // At first there may be no file yet.
            let Ok(reader) = Reader::open(&path) else { continue };
            let rows = reader.series("wan0", Timestamp::default(), end, Resolution::Raw);
            answers += usize::from(rows.is_ok_and(|rows| rows.count() > 0));
        }
        answers
    })
}

/// Returns the CPU time of all threads named `history`, in seconds, to the hundredth.
fn writer_cpu() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let ticks = tasks.filter_map(|task| {
        let stat = fs::read_to_string(task.path().join("stat")).ok()?;
        let (_, rest) = stat.split_once("(history) ")?;
        let field = |place: usize| rest.split(' ').nth(place)?.parse::<f64>().ok();
        Some(field(11)? + field(12)?)
    });
    ticks.sum::<f64>() / 100.0
}
