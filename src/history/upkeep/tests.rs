use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;
use wanctl_core::{CongestionState, Cycle, Direction, units::Delay};

use super::{
    super::{
        Bucket, DelayKind, Reader, Resolution, Settings, file::with_suffix, fixture,
        fixture::START, store::Store,
    },
    *,
};

/// What may happen to a history.
#[derive(Debug, Clone)]
enum Happening {
    /// Cycles of a WAN, this far apart in ms.
    Cycles(usize, u16, u16),
    /// The wall clock jumps by this many seconds.
    Step(i32),
    /// Time passes without cycles, in seconds.
    Pause(u16),
    /// A round of upkeep.
    Upkeep,
    /// The process ends without a word, and another begins with what is on the disk.
    Crash,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => (0..2_usize, 1..60_u16, 20..1500_u16).prop_map(|(w, n, d)| Happening::Cycles(w, n, d)),
        1 => (-4000..4000_i32).prop_map(Happening::Step),
        2 => (1..5000_u16).prop_map(Happening::Pause),
        4 => Just(Happening::Upkeep),
        1 => Just(Happening::Crash),
    ]
}

/// A history under test, and every cycle that it was given.
struct Trial {
    directory: TempDir,
    settings: Settings,
    store: Option<Store>,
    wall: Timestamp,
    number: u64,
    generation: u32,
    given: Vec<(usize, u64)>,
}

impl Trial {
    fn new(retention: Retention) -> Self {
        let directory = TempDir::new().unwrap();
        let settings = Settings { retention, ..fixture::settings(&directory) };
        let store = Some(fixture::store(&settings));
        let wall = START;
        Self { directory, settings, store, wall, number: 0, generation: 0, given: Vec::new() }
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Cycles(wan, count, apart) => {
                let mut cycles = Vec::new();
                for _ in 0..count {
                    self.number += 1;
                    self.wall = self.wall.after(Duration::from_millis(apart.into()));
                    let cycle = Cycle { wall: self.wall, ..fixture::cycle(wan, self.number) };
                    self.given.push((wan, self.number));
                    cycles.push(cycle);
                }
                let batch = fixture::batch(cycles);
                self.store().write(&batch).unwrap();
            }
            Happening::Step(seconds) => {
                let moved = self.wall.micros() + i64::from(seconds) * 1_000_000;
                self.wall = Timestamp::from_micros(moved);
            }
            Happening::Pause(seconds) => {
                self.wall = self.wall.after(Duration::from_secs(seconds.into()));
            }
            Happening::Upkeep => {
                let wall = self.wall;
                self.store().upkeep(wall, wall).unwrap();
            }
            Happening::Crash => self.crash(),
        }
    }

    /// Goes on with a copy of the files as they are, while the connection is still open.
    fn crash(&mut self) {
        self.generation += 1;
        let copy = self.directory.path().join(format!("after-{}.db", self.generation));
        if self.settings.path.exists() {
            fs::copy(&self.settings.path, &copy).unwrap();
            let log = with_suffix(&self.settings.path, "-wal");
            if log.exists() {
                fs::copy(log, with_suffix(&copy, "-wal")).unwrap();
            }
        }
        self.settings.path = copy;
        self.store = Some(fixture::store(&self.settings));
    }

    fn total(&self, wan: &str) -> Bucket {
        let reader = Reader::open(&self.settings.path).unwrap();
        let end = Timestamp::from_micros(i64::MAX);
        reader.summary(wan, Timestamp::default(), end).unwrap()
    }

    /// Expects that nothing is lost or stored twice, in the tables or by the readers.
    fn expect_whole(&mut self) {
        let wall = self.wall;
        self.store().write(&super::super::row::Batch::default()).unwrap();
        let reader = Reader::open(&self.settings.path).unwrap();
        let found = reader.verify().unwrap();
        assert_eq!(found.problems, Vec::<String>::new());
        for (place, wan) in ["cable", "dsl"].into_iter().enumerate() {
            let given = self.given.iter().filter(|(of, _)| *of == place).count() as u64;
            assert_eq!(self.total(wan).cycles(), given, "summary of {wan}");
            for resolution in Tier::ALL
                .map(Resolution::Tier)
                .into_iter()
                .chain([Resolution::Raw, Resolution::Auto])
            {
                let end = Timestamp::from_micros(i64::MAX);
                let series = reader.series(wan, Timestamp::default(), end, resolution).unwrap();
                let points: Vec<_> = series.map(Result::unwrap).collect();
                let reported: u64 = points.iter().map(|point| point.bucket.cycles()).sum();
                assert_eq!(reported, given, "{resolution:?} of {wan} at {wall:?}");
                assert!(points.is_sorted_by(|a, b| a.at < b.at), "{resolution:?} of {wan}");
            }
        }
    }
}

fn short() -> Retention {
    let minutes = |minutes: u64| Duration::from_mins(minutes);
    Retention {
        raw: minutes(2),
        seconds: minutes(20),
        minutes: minutes(60),
        five_minutes: minutes(150),
        ..Retention::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_cycle_is_reported_once(
        happenings in prop::collection::vec(happening(), 1..25),
    ) {
        let mut trial = Trial::new(short());
        for happening in &happenings {
            trial.happen(happening);
        }
        trial.expect_whole();
        // And when all that is due has been done, years later.
        trial.wall = trial.wall.after(Duration::from_hours(24));
        let wall = trial.wall;
        while trial.store().upkeep(wall, wall).unwrap() {}
        trial.expect_whole();
    }
}

/// The predecessor deleted 30 of 120 rows in the bucket that straddles the cut, unsummed.
#[test]
fn the_bucket_at_the_cut_loses_nothing() {
    let mut trial = Trial::new(short());
    trial.happen(&Happening::Cycles(0, 1200, 1000));
    // The cuts of all levels lie within buckets of the next.
    for seconds in [0, 7, 13, 29, 31, 59, 61, 299, 301, 1799, 3601] {
        trial.happen(&Happening::Pause(seconds));
        trial.happen(&Happening::Upkeep);
        trial.happen(&Happening::Upkeep);
        trial.expect_whole();
    }
}

#[test]
fn upkeep_done_twice_changes_nothing() {
    let mut trial = Trial::new(short());
    trial.happen(&Happening::Cycles(0, 600, 1000));
    trial.happen(&Happening::Pause(4000));
    let wall = trial.wall;
    while trial.store().upkeep(wall, wall).unwrap() {}
    let once = trial.total("cable");
    assert!(!trial.store().upkeep(wall, wall).unwrap());
    assert_eq!(trial.total("cable"), once);
    let green = once.state_ms(Direction::Download, CongestionState::Green);
    assert_eq!(green, once.measured_ms(Direction::Download));
}

#[test]
fn a_wall_clock_that_is_doubted_costs_no_row() {
    let mut trial = Trial::new(short());
    trial.happen(&Happening::Cycles(0, 60, 1000));
    let (right, wrong) = (trial.wall, trial.wall.after(Duration::from_hours(24 * 400)));
    assert_eq!(trial.store().newest().unwrap(), Some(right));
    while trial.store().upkeep(wrong, right).unwrap() {}
    let connection = Connection::open(&trial.settings.path).unwrap();
    let kept = |table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(kept("cycles"), 60);
    assert!(kept("seconds") >= 60 && kept("minutes") > 0, "buckets are built all the same");
    while trial.store().upkeep(wrong, wrong).unwrap() {}
    assert_eq!(kept("cycles"), 0);
    trial.expect_whole();
}

#[test]
fn a_tier_that_is_kept_shorter_than_a_finer_one_is_no_hole() {
    let keep = Retention { raw: Duration::from_hours(2), ..short() };
    let mut trial = Trial::new(keep);
    trial.happen(&Happening::Cycles(0, 2400, 1000));
    trial.happen(&Happening::Pause(600));
    let wall = trial.wall;
    while trial.store().upkeep(wall, wall).unwrap() {}
    trial.expect_whole();
}

#[test]
fn a_short_peak_survives_every_tier() {
    let mut trial = Trial::new(short());
    trial.happen(&Happening::Cycles(0, 600, 1000));
    let mut peak = Cycle { wall: trial.wall, ..fixture::cycle(0, 601) };
    peak.measurement.delta = Some(Delay::from_micros(210_000));
    peak.directions.upload.as_mut().unwrap().state = CongestionState::Red;
    trial.store().write(&fixture::batch([peak])).unwrap();
    trial.wall = trial.wall.after(Duration::from_hours(12));
    let wall = trial.wall;
    while trial.store().upkeep(wall, wall).unwrap() {}
    let total = trial.total("cable");
    assert_eq!(total.delay(DelayKind::Delta).unwrap().max, Delay::from_micros(210_000));
    assert!(total.state_ms(Direction::Upload, CongestionState::Red) > 0);
}

#[test]
fn too_many_bytes_cost_the_finest_first_and_no_sum() {
    let keep = Retention { bytes: LOG_BYTES + 600_000, ..Retention::default() };
    let mut trial = Trial::new(keep);
    for _ in 0..8 {
        trial.happen(&Happening::Cycles(0, 1200, 50));
        trial.happen(&Happening::Upkeep);
    }
    trial.happen(&Happening::Pause(3000));
    for _ in 0..50 {
        trial.happen(&Happening::Upkeep);
    }
    let connection = Connection::open(&trial.settings.path).unwrap();
    let used = retention::used_bytes(&connection).unwrap();
    assert!(used <= 600_000, "{used}");
    let kept = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(kept("SELECT sum(cycles) FROM minutes"), 9600);
    assert!(kept("SELECT count(*) FROM cycles") < 9600);
    assert_eq!(trial.total("cable").cycles(), 9600);
}

#[test]
fn events_go_by_age_and_by_number() {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::prepare(&mut connection, schema::Identity::Blank, &[]).unwrap();
    let mut insert =
        connection.prepare("INSERT INTO event (at, kind, payload) VALUES (?1, ?2, '{}')").unwrap();
    let day = 86_400_000_000_i64;
    for (days, kind) in [(400, "stop"), (10, "rate_written"), (9, "start"), (0, "rate_written")] {
        insert.execute(rusqlite::params![START.micros() - days * day, kind]).unwrap();
    }
    drop(insert);
    let kinds = |connection: &Connection| -> String {
        let sql = "SELECT group_concat(kind) FROM event";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let keep = Retention::default();
    assert!(retention::trim_events(&connection, START, &keep).unwrap());
    assert_eq!(kinds(&connection), "start,rate_written");
    assert!(!retention::trim_events(&connection, START, &keep).unwrap());
    let fewer = Retention { event_count: 1, ..keep };
    retention::trim_events(&connection, START, &fewer).unwrap();
    assert_eq!(kinds(&connection), "rate_written");
}

#[test]
fn upkeep_without_work_takes_no_lock() {
    let mut trial = Trial::new(Retention::default());
    trial.happen(&Happening::Cycles(0, 1, 50));
    let wall = trial.wall;
    trial.store().upkeep(wall, wall).unwrap();
    let other = Connection::open(&trial.settings.path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    trial.store().upkeep(wall, wall).unwrap();
}
