//! A whole cycle of the daemon's control loop: samples taken from the channels, decision, and the
//! fan-out into metrics, status board and history, all of them real.
#![expect(clippy::print_stdout, reason = "a benchmark's table is its output")]

mod support;

use std::{
    thread,
    time::{Duration, Instant},
};

use support::{Spread, check, heading};
use tokio::{
    runtime,
    sync::{mpsc, watch},
};
use wanctl::{
    actuator,
    catalogue::Catalogue,
    clock::Clock,
    daemon::{ControlLoop, IdleWatch, LoopSettings, MemoryWriter, Outputs},
    history::{self, Recorder, Retention, Settings},
    probe::Pace,
    status::StatusBoard,
    telemetry::{CycleMetrics, WanLabels},
};
use wanctl_core::{
    Actuation, Direction, DirectionParams, EvidenceParams, LawKind, Limits, Params, PerDirection,
    ProbeOutcome, QueueReading, ReflectorId, RttSample, ShaperSample, StateThresholds, Timing, Wan,
    WanParams,
    units::{BitRate, Delay, MonoTime},
};

const WANS: [&str; 2] = ["cable", "lte"];
const REFLECTORS: u16 = 6;
const INTERVAL: Duration = Duration::from_millis(50);
/// Rounds of the two WANs, each of which makes one cycle a round.
const ROUNDS: u64 = 10_000;
/// Rounds at the pace of life, half a minute of it.
const ROUNDS_OF_LIFE: u64 = 600;
/// Long enough that every other thread has gone to sleep, as it has in life.
const PAUSE: Duration = Duration::from_millis(1);
/// The history's queue is given time to drain before it is as full as this.
const QUEUED: u64 = 4096;

fn main() {
    if !support::wanted() {
        return;
    }
    heading("A cycle, fan-out included", "µs");
    let life = run("50 ms of sleep between rounds", ROUNDS_OF_LIFE, |_| thread::sleep(INTERVAL));
    let paced = run("1 ms of sleep between rounds", ROUNDS, |_| thread::sleep(PAUSE));
    run("back to back", ROUNDS, |recorder| {
        while recorder.stats().queued > QUEUED {
            thread::sleep(PAUSE);
        }
    });
    println!();
    check("a cycle's own work at 20 Hz (p99)", life.quantile(0.99), 100.0, "µs");
    check("a cycle's own work with 1 ms of sleep (p99)", paced.quantile(0.99), 100.0, "µs");
}

/// Runs two WANs' loops in turn, as the control thread does, and calls `rest` between rounds.
fn run(label: &str, rounds: u64, rest: impl Fn(&Recorder)) -> Spread {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (recorder, writer) = history::start(Settings {
        path: directory.path().join("history.db"),
        retention: Retention::default(),
        wans: WANS.map(str::to_owned).to_vec(),
    });
    let reflectors: Vec<String> = (1..=REFLECTORS).map(|n| format!("192.0.2.{n}")).collect();
    let board = StatusBoard::new(WANS.map(|name| (name.to_owned(), reflectors.clone())).to_vec());
    let labels = WanLabels::register(&mut Catalogue::default());
    let clock = Clock::start();
    let mut benches: Vec<Bench> = (0..)
        .zip(WANS)
        .map(|(index, name)| {
            let metrics = CycleMetrics::new(&labels, name, &reflectors, &Direction::ALL);
            let recorder = Some(recorder.clone());
            let memory_writer =
                recorder.clone().map(|kept| MemoryWriter::new(kept, index, reflectors.clone()));
            let board = board.clone();
            Bench::new(
                index,
                clock,
                Outputs { metrics, recorder, board, steering: None, memory_writer, tape: None },
            )
        })
        .collect();
    let mut micros = Vec::new();
    for number in 1..=rounds {
        micros.extend(benches.iter_mut().map(|bench| bench.turn(number).as_secs_f64() * 1e6));
        rest(&recorder);
    }
    let spread = Spread::new(micros);
    spread.print(label);
    let changes: u64 = benches.iter().map(|bench| bench.changes).sum();
    let dropped = recorder.stats().dropped;
    println!("  in these, {changes} changes of a rate; {dropped} cycles lost to the history");
    if let Err(error) = writer.close(Duration::from_secs(10)) {
        println!("  the history: {error}");
    }
    spread
}

/// A control loop and the far ends of its channels.
struct Bench {
    control: ControlLoop,
    samples: mpsc::Sender<RttSample>,
    link: actuator::WanChannels,
    _update: watch::Sender<LoopSettings>,
    clock: Clock,
    busy: Duration,
    bytes: u64,
    /// When the counters were last reported.
    read: MonoTime,
    changes: u64,
}

impl Bench {
    fn new(index: usize, clock: Clock, outputs: Outputs) -> Self {
        let (samples, receiver) = mpsc::channel(64);
        let link = actuator::WanChannels::default();
        let wanted = link.desired.subscribe();
        thread::spawn(move || wait_for_work(wanted));
        let settings = LoopSettings { params: params(), interval: INTERVAL, observe_mode: false };
        let (update, updates) = watch::channel(settings);
        let control = ControlLoop {
            index,
            wan: Wan::new(&settings.params, clock.now()),
            settings,
            updates,
            clock,
            prober_kind: watch::channel(None).1,
            method: None,
            samples: receiver,
            shaper: link.shaper.subscribe(),
            actuation: link.actuation.subscribe(),
            desired: link.desired.clone(),
            pace: watch::Sender::new(Pace::Full),
            is_idle: link.idle.clone(),
            idle: IdleWatch::default(),
            outputs,
        };
        let (busy, read) = (Duration::ZERO, clock.now());
        Self { control, samples, link, _update: update, clock, busy, bytes: 0, read, changes: 0 }
    }

    /// Lets everything arrive that a cycle waits for, turns the loop, and returns how long it was
    /// busy.
    fn turn(&mut self, number: u64) -> Duration {
        self.samples.try_send(self.sample(number)).expect("the loop takes every sample");
        self.follow(number);
        let timing = Timing { interval: INTERVAL, busy: self.busy, ..Timing::default() };
        let started = Instant::now();
        self.control.cycle(number, timing);
        self.busy = started.elapsed();
        self.busy
    }

    /// Is the router: enforces what was desired, and reports its counters every other cycle.
    fn follow(&mut self, number: u64) {
        let desired = *self.link.desired.borrow();
        let before = *self.link.actuation.borrow();
        let actuation = PerDirection::build(|direction: Direction| {
            let changed = before[direction].observed != desired[direction];
            Actuation {
                written: desired[direction],
                observed: desired[direction],
                pending_since: None,
                writes: before[direction].writes + u64::from(changed),
            }
        });
        self.changes = actuation.each().iter().map(|(_, reported)| reported.writes).sum();
        self.link.actuation.send_replace(actuation);
        if number.is_multiple_of(2) {
            let (limit, at) = (desired.download.unwrap_or_default(), self.clock.now());
            self.bytes += limit.bytes_in(at.since(self.read));
            self.read = at;
            let queue = QueueReading { bytes: self.bytes, limit, ..QueueReading::default() };
            let queues = PerDirection::build(|_| Some(queue));
            self.link.shaper.send_replace(Some(ShaperSample { sequence: number, at, queues }));
        }
    }

    /// Three quarters of the time rest, then a full buffer.
    fn sample(&self, number: u64) -> RttSample {
        let turn = u16::try_from(number % u64::from(REFLECTORS)).unwrap_or(0);
        let standing = if number % 400 < 300 { 0 } else { 60_000 };
        let noise = i64::try_from(number * 7_919 % 2_000).unwrap_or(0);
        let outcome = ProbeOutcome::Reply(Delay::from_micros(14_000 + noise + standing));
        let at = self.clock.now();
        RttSample { reflector: ReflectorId(turn), sequence: number, at, outcome, one_way: None }
    }
}

/// Waits for new rates as the actuator does, so that the loop has somebody to wake.
fn wait_for_work(mut wanted: watch::Receiver<PerDirection<Option<BitRate>>>) {
    let runtime = runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async { while wanted.changed().await.is_ok() {} });
}

fn params() -> WanParams {
    let mbps = BitRate::from_mbps;
    let limits = Limits { floor: mbps(20.0), base: mbps(120.0), ceiling: mbps(240.0) };
    let direction = DirectionParams { limits, law: LawKind::Adaptive };
    let ms = Delay::from_millis_f64;
    WanParams {
        evidence: EvidenceParams {
            reflectors: REFLECTORS,
            probe_interval: Duration::from_millis(50),
            stale_after: Duration::from_millis(1200),
            queue_threshold: ms(15.0),
        },
        thresholds: StateThresholds { yellow: ms(15.0), soft_red: ms(45.0), red: ms(80.0) },
        directions: PerDirection { download: Some(direction), upload: Some(direction) },
        tuning: Params::default(),
    }
}
