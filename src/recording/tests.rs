//! What is recorded and replayed is what was decided, and an error names the line of a broken file.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use proptest::prelude::*;
use wanctl_core::{
    Actuation, Direction, DirectionMemory, DirectionParams, EvidenceParams, LawKind, LawName,
    Limits, Params, PerDirection, ProbeOutcome, QueueReading, ReflectorId, RttSample, ShaperSample,
    StateThresholds, Wan, WanMemory, WanParams, ZoneParams,
    units::{BitRate, Delay, MonoTime},
};

use super::*;

const LONG: Duration = Duration::from_secs(30);
const PLENTY: u64 = 1 << 30;

/// A file in memory.
#[derive(Debug, Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn params(ceiling_mbps: f64) -> WanParams {
    let mbps = BitRate::from_mbps;
    let limits = Limits { floor: mbps(2.0), base: mbps(30.0), ceiling: mbps(ceiling_mbps) };
    let direction = DirectionParams { limits, law: LawKind::Adaptive };
    // A factor that only all its digits distinguish from its neighbours.
    let LawKind::Zone(zone) = LawName::Zone.default_law(Direction::Upload, &limits) else {
        panic!("zone is zone")
    };
    let zone = LawKind::Zone(ZoneParams { factor_down: 0.1 + 0.7, ..zone });
    let upload = DirectionParams { limits, law: zone };
    let mut tuning = Params::default();
    tuning.set("policy.adaptive.decay_tau_s", 12.5).unwrap();
    let ms = Delay::from_millis_f64;
    WanParams {
        evidence: EvidenceParams {
            reflectors: 3,
            probe_interval: Duration::from_millis(50),
            stale_after: Duration::from_secs(1),
            queue_threshold: ms(15.0),
        },
        thresholds: StateThresholds { yellow: ms(15.0), soft_red: ms(45.0), red: ms(80.0) },
        directions: PerDirection { download: Some(direction), upload: Some(upload) },
        tuning,
    }
}

fn memory() -> WanMemory {
    let direction = DirectionMemory { desired: BitRate::from_mbps(17.0), proven: None };
    let baselines = vec![Some(Delay::from_micros(21_000)), None, Some(Delay::from_micros(9_000))];
    WanMemory {
        baselines,
        directions: PerDirection { download: Some(direction), upload: Some(direction) },
    }
}

/// What the world does within one cycle.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// Time since the cycle before, in ns.
    pause: u64,
    outcome: ProbeOutcome,
    reflector: u16,
    one_way: Option<PerDirection<Delay>>,
    /// The queues' counters, if they are read; `again` is the reading before, seen twice.
    queue: Option<QueueReading>,
    /// How far the router has followed the download; `None` if it follows at once.
    actuation: Option<Actuation>,
    /// A new configuration comes into force, with this ceiling in Mbit/s and this first threshold.
    reload: Option<(f64, f64, bool)>,
}

fn moments() -> impl Strategy<Value = Vec<Moment>> {
    let outcome = prop_oneof![
        8 => (0_i64..900_000).prop_map(|us| ProbeOutcome::Reply(Delay::from_micros(us))),
        1 => Just(ProbeOutcome::Lost),
        1 => Just(ProbeOutcome::Unsent),
    ];
    let one_way = prop::option::of((any::<i32>(), any::<i32>()).prop_map(|(down, up)| {
        let delay = |us| Delay::from_micros(i64::from(us));
        PerDirection { download: delay(down), upload: delay(up) }
    }));
    let queue = (any::<u32>(), any::<u16>(), 0_u64..90_000_000).prop_map(|(bytes, more, limit)| {
        QueueReading {
            bytes: bytes.into(),
            packets: more.into(),
            dropped: u64::MAX - u64::from(more),
            backlog_bytes: more.into(),
            backlog_packets: 3,
            limit: BitRate::from_bps(limit),
        }
    });
    let rate = || prop::option::of((0_u64..90_000_000).prop_map(BitRate::from_bps));
    let actuation = (rate(), rate(), prop::option::of(0_u64..60_000), 0_u64..9).prop_map(
        |(written, observed, pending, writes)| {
            let pending_since = pending.map(MonoTime::from_millis);
            Some(Actuation { written, observed, pending_since, writes })
        },
    );
    let reload = prop::option::weighted(0.03, (30.0..90.0_f64, 5.0..40.0_f64, any::<bool>()));
    let moment =
        (
            1_u64..400_000_000,
            outcome,
            0_u16..4,
            one_way,
            prop::option::of(queue),
            actuation,
            reload,
        )
            .prop_map(|(pause, outcome, reflector, one_way, queue, actuation, reload)| {
                Moment { pause, outcome, reflector, one_way, queue, actuation, reload }
            });
    prop::collection::vec(moment, 1..150)
}

/// Lets a controller live through `moments`, as its control loop does, while a tape runs, and
/// returns the recording.
fn record(moments: &[Moment], most: u64) -> String {
    let paper = Paper::default();
    let recording = Recording::to(paper.clone(), most);
    let (mut params, mut now) = (params(60.0), MonoTime::from_millis(17));
    let mut wan = Wan::new(&params, now);
    wan.restore(&memory(), Duration::from_mins(3));
    let age = Duration::from_mins(3);
    let beginning = Beginning {
        wan: 0,
        name: "cable",
        at: now,
        params: &params,
        observe_mode: false,
        memory: Some((&memory(), age)),
    };
    let mut tape = recording.tape(beginning);
    let (mut shaper, mut follows) = (None, Actuation::default());
    for (sequence, moment) in (1..).zip(moments) {
        now = now + Duration::from_nanos(moment.pause);
        if let Some((ceiling, yellow, observe_mode)) = moment.reload {
            let mut new = self::params(ceiling);
            new.thresholds.yellow = Delay::from_millis_f64(yellow);
            new.evidence.queue_threshold = new.thresholds.yellow;
            wan.reconfigure(&params, &new, now);
            wan.set_observing(observe_mode);
            tape.change(now, &new, observe_mode);
            params = new;
        }
        let Moment { outcome, one_way, .. } = *moment;
        let actuation = moment.actuation.unwrap_or(follows);
        let reflector = ReflectorId(moment.reflector);
        let sample = RttSample { reflector, sequence, at: now, outcome, one_way };
        wan.on_rtt(&sample);
        if let Some(queue) = moment.queue {
            let queues =
                PerDirection { download: Some(queue), upload: Some(QueueReading::default()) };
            shaper = Some(ShaperSample { sequence, at: now, queues });
        }
        if let Some(sample) = &shaper {
            wan.on_shaper(sample);
        }
        let actuation = PerDirection { download: actuation, upload: Actuation::default() };
        wan.on_actuation(actuation);
        let decision = wan.decide(now);
        tape.cycle(now, &[sample], shaper, actuation, &decision);
        let observed = Some(decision.directions.download.unwrap().desired);
        follows = Actuation { written: observed, observed, ..Actuation::default() };
    }
    drop(tape);
    recording.close(LONG);
    paper.text()
}

fn replayed(text: &str) -> Result<Outcome, ReplayError> {
    replay(Lines::open(text.as_bytes())?, None, |_, params| Ok(*params))
}

/// Cycles of a link that is busy and has no queue: the rate rises to the ceiling.
fn busy(cycles: u64) -> Vec<Moment> {
    let moment = |number: u64| Moment {
        pause: 50_000_000,
        outcome: ProbeOutcome::Reply(Delay::from_micros(9_000)),
        reflector: u16::try_from(number % 3).unwrap(),
        one_way: None,
        queue: Some(QueueReading {
            bytes: number * 1_000_000,
            limit: BitRate::from_mbps(30.0),
            ..QueueReading::default()
        }),
        actuation: None,
        reload: None,
    };
    (0..cycles).map(moment).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_recorded_is_decided_again_to_the_bit(moments in moments()) {
        let text = record(&moments, PLENTY);
        let outcome = replayed(&text).unwrap();
        let reported = &outcome.wans[0];
        prop_assert!(outcome.is_identical(), "{:?}", reported.directions);
        prop_assert_eq!(reported.cycles, moments.len() as u64);
        prop_assert_eq!((outcome.end.as_deref(), outcome.torn), (Some("stopped"), None));
    }

    #[test]
    fn no_text_makes_reading_panic(
        cut in 0_usize..4000, garbage in "\\PC{0,20}", at in 0_usize..4000
    ) {
        let mut text = record(&busy(5), PLENTY).into_bytes();
        let at = at.min(text.len());
        text.splice(at..at, garbage.bytes());
        text.truncate(cut.max(1));
        let input = text.as_slice();
        let _ = Lines::open(input)
            .map_err(ReplayError::from)
            .and_then(|lines| replay(lines, None, |_, params| Ok(*params)));
    }
}

#[test]
fn other_settings_are_decided_by_and_the_first_difference_is_reported() {
    let text = record(&busy(400), PLENTY);
    let lower = |_: &str, params: &WanParams| {
        let mut params = *params;
        params.directions.download.as_mut().unwrap().limits.ceiling = BitRate::from_mbps(30.0);
        Ok(params)
    };
    let outcome = replay(Lines::open(text.as_bytes()).unwrap(), Some("cable"), lower).unwrap();
    assert!(!outcome.is_identical());
    let PerDirection { download, upload } = outcome.wans[0].directions.clone();
    let (download, upload) = (download.unwrap(), upload.unwrap());
    assert_eq!(upload.differing, 0, "{upload:?}");
    assert!(download.recorded.rates.quantile(1.0) > BitRate::from_mbps(30.0), "{download:?}");
    assert_eq!(download.replayed.rates.quantile(1.0), BitRate::from_mbps(30.0));
    let first = download.first.as_ref().unwrap();
    assert!(first.recorded.0 > first.replayed.0, "{first:?}");
    assert_eq!(first.recorded.1, "raise_shaper_limited");
    assert!(text.lines().nth(usize::try_from(first.line).unwrap() - 1).unwrap().contains("cycle"));
    assert!(download.recorded.raises["raise_shaper_limited"] > 0);
}

#[test]
fn a_line_that_a_crash_cut_short_ends_the_recording_and_is_reported() {
    let text = record(&busy(20), PLENTY);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 23, "header, beginning, twenty cycles, end");
    let torn = format!("{}\n{}", lines[..10].join("\n"), &lines[10][..30]);
    let outcome = replayed(&torn).unwrap();
    assert_eq!((outcome.torn, outcome.end), (Some(11), None));
    assert_eq!(outcome.wans[0].cycles, 8);
}

#[test]
fn what_is_no_recording_is_reported_with_its_line() {
    let text = record(&busy(3), PLENTY);
    let lines: Vec<&str> = text.lines().collect();
    let with = |number: usize, line: &str| {
        let mut lines = lines.clone();
        lines[number - 1] = line;
        lines.join("\n") + "\n"
    };
    for (text, reported) in [
        (String::new(), "line 1: the recording is empty"),
        ("hello\n".to_owned(), "line 1: this is not a recording of wanctl"),
        ("{}\n".to_owned(), "line 1: this is not a recording of wanctl"),
        (with(1, r#"{"wanctl_recording":2,"new":1}"#), "line 1: the recording has format 2"),
        (with(3, "x"), "line 3: not a line of a recording"),
        (with(4, r#"{"cycle":{"wan":0}}"#), "line 4: not a line of a recording: missing field"),
        (with(2, r#"{"gap":{"wan":0,"cycles":1}}"#), "line 2: WAN number 0 has not begun"),
        (with(3, &"y".repeat(2 << 20)), "line 3: longer than"),
        (lines[..2].join("\n") + "\n", "the recording has no cycles"),
    ] {
        let error = replayed(&text).unwrap_err().to_string();
        assert!(error.starts_with(reported), "{error}");
    }
    let lines = Lines::open(text.as_bytes()).unwrap();
    let error = replay(lines, Some("lte"), |_, params| Ok(*params)).unwrap_err();
    assert_eq!(error.to_string(), "the recording has no WAN lte; it has: cable");
}

#[test]
fn a_full_recording_says_so_and_keeps_its_size() {
    const MOST: u64 = 14_000;
    let text = record(&busy(100), MOST);
    assert!(text.len() as u64 <= MOST, "{} bytes", text.len());
    let outcome = replayed(&text).unwrap();
    assert_eq!(outcome.end.as_deref(), Some("full"));
    assert!(outcome.is_identical() && outcome.wans[0].cycles > 2);
}

/// Takes nothing until it is let go.
#[derive(Debug, Clone)]
struct Stuck(Paper, Arc<Mutex<()>>);

impl Write for Stuck {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let _wait = self.1.lock().unwrap();
        self.0.write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_a_slow_disk_costs_is_a_gap_in_the_recording() {
    const CYCLES: u64 = 30_000;
    let (paper, hold) = (Paper::default(), Arc::new(Mutex::new(())));
    let barrier = hold.lock().unwrap();
    let recording = Recording::to(Stuck(paper.clone(), Arc::clone(&hold)), PLENTY);
    let (params, mut now) = (params(60.0), MonoTime::ZERO);
    let mut wan = Wan::new(&params, now);
    let (memory, observe_mode) = (None, false);
    let start = Beginning { wan: 0, name: "cable", at: now, params: &params, observe_mode, memory };
    let mut tape = recording.tape(start);
    let mut cycle = || {
        now = now + Duration::from_millis(50);
        let decision = wan.decide(now);
        tape.cycle(now, &[], None, PerDirection::default(), &decision);
    };
    for _ in 0..CYCLES {
        cycle();
    }
    drop(barrier);
    // The next that finds room reports those that did not.
    while !paper.text().contains("\"gap\"") {
        cycle();
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(tape);
    recording.close(LONG);
    let outcome = replayed(&paper.text()).unwrap();
    let reported = &outcome.wans[0];
    assert!(reported.missing > 0 && reported.missing < CYCLES, "{}", reported.missing);
    assert_eq!(outcome.end.as_deref(), Some("stopped"));
}

#[test]
fn a_disk_that_breaks_ends_the_recording_and_nothing_else() {
    #[derive(Debug)]
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no space left"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let recording = Recording::to(Broken, PLENTY);
    let (params, now) = (params(60.0), MonoTime::ZERO);
    let mut wan = Wan::new(&params, now);
    let (memory, observe_mode) = (None, false);
    let start = Beginning { wan: 0, name: "cable", at: now, params: &params, observe_mode, memory };
    let mut tape = recording.tape(start);
    for _ in 0..10 {
        tape.cycle(now, &[], None, PerDirection::default(), &wan.decide(now));
    }
    recording.close(LONG);
}

#[test]
fn a_recording_overwrites_nothing() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("precious.jsonl");
    std::fs::write(&path, "mine").unwrap();
    let error = Recording::create(&path, PLENTY).unwrap_err();
    assert!(matches!(error, RecordingError::Exists { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    let nowhere = directory.path().join("none/x.jsonl");
    let error = Recording::create(&nowhere, PLENTY).unwrap_err();
    assert!(matches!(error, RecordingError::Create { .. }), "{error}");
}
