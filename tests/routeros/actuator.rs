//! The actuator under every fault: what is desired comes into force within five seconds of the
//! fault's end, no write is lost silently and no older rate overwrites a newer one.

use std::time::{Duration, Instant};

use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use wanctl::{
    actuator::{
        Actuator, Assignment, IdleReads, Pace, Queue, RouterFamilies, RouterReport, SwitchChannels,
        SwitchMetrics, SwitchWork, Tuning, WanChannels,
    },
    catalogue::Catalogue,
    clock::Clock,
    router::routeros::{RouterOs, Settings},
};
use wanctl_core::{Actuation, Direction, PerDirection, units::BitRate};
use wanctl_lab::{
    plant::PlantReading,
    routeros::{EmulatorConfig, Fault, LatencyProfile, RequestEffect},
};

use super::{
    bench::{Bench, defaults, tree, until},
    swallow::RequestSink,
};

struct Rig {
    bench: Bench,
    link: WanChannels,
    report: watch::Receiver<RouterReport>,
    tune: watch::Sender<Tuning>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

impl Rig {
    async fn start(config: EmulatorConfig) -> Self {
        Self::with(config, true, None).await
    }

    async fn with(config: EmulatorConfig, writes: bool, exit_limits: Option<Vec<BitRate>>) -> Self {
        let bench = Bench::start(config).await;
        let url = bench.url.clone();
        Self::at(bench, &url, writes, exit_limits)
    }

    /// Reaches the router of the bench by another URL.
    fn at(bench: Bench, url: &str, writes: bool, exit_limits: Option<Vec<BitRate>>) -> Self {
        Self::shaping(&Direction::ALL, bench, url, writes, exit_limits)
    }

    fn shaping(
        directions: &[Direction],
        bench: Bench,
        url: &str,
        writes: bool,
        exit_limits: Option<Vec<BitRate>>,
    ) -> Self {
        let settings = Settings { url: url.to_owned(), ..bench.config("ctl", "secret") };
        let queue = |direction: &Direction| {
            let name = if *direction == Direction::Download { "dl" } else { "ul" };
            Queue { wan: 0, direction: *direction, queue: tree(name) }
        };
        let queues: Vec<Queue> = directions.iter().map(queue).collect();
        let link = WanChannels::default();
        let refs = queues.iter().map(|queue| queue.queue.clone()).collect();
        let (stats_interval, pace) = (Duration::from_millis(50), Pace::default());
        let idle = IdleReads { after: Duration::from_millis(300), ..IdleReads::default() };
        let tuning = Tuning { writes, stats_interval, idle, pace, exit_limits };
        let (tune, tuning) = watch::channel(tuning);
        let router = RouterOs::new(&settings, refs).unwrap().into_router("router");
        let families = RouterFamilies::register(&mut Catalogue::default());
        let actuator = Actuator::new(Assignment {
            metrics: families.of_router(&router, [].into_iter()),
            router,
            queues,
            links: [(0, link.clone())].into(),
            switches: SwitchWork {
                refs: Vec::new(),
                forgets: Vec::new(),
                link: SwitchChannels::default(),
                metrics: SwitchMetrics::register(&mut Catalogue::default(), &[]),
            },
            clock: Clock::start(),
            tuning,
        });
        let report = actuator.report();
        let stop = CancellationToken::new();
        let task = tokio::spawn(actuator.run(stop.clone(), Duration::from_secs(3)));
        Self { bench, link, report, tune, stop, task }
    }

    fn want(&self, download: f64, upload: f64) {
        let rates = PerDirection { download: Some(mbps(download)), upload: Some(mbps(upload)) };
        self.link.desired.send_replace(rates);
    }

    fn in_force(&self, queue: &str) -> Option<BitRate> {
        let log = self.bench.emulator.log();
        log.iter().rev().flat_map(|call| call.effects.iter().rev()).find_map(|e| match e {
            RequestEffect::Limit { queue: q, to, .. } if q == queue => Some(*to),
            _ => None,
        })
    }

    fn is_settled(&self, download: f64) -> bool {
        let reported = self.link.actuation.borrow().download;
        reported.pending_since.is_none()
            && reported.observed == Some(mbps(download))
            && self.in_force("dl") == Some(mbps(download))
    }
}

#[tokio::test]
async fn desired_rates_come_into_force_and_then_all_is_silent() {
    let rig = Rig::start(defaults()).await;
    rig.want(80.0, 20.0);
    until("both limits in force", || {
        rig.in_force("dl") == Some(mbps(80.0)) && rig.in_force("ul") == Some(mbps(20.0))
    })
    .await;
    let writes = || rig.bench.emulator.log().iter().filter(|call| call.method == "PATCH").count();
    let (before, reads) = (writes(), rig.bench.emulator.log().len());
    until("ten more readings", || rig.bench.emulator.log().len() >= reads + 10).await;
    assert_eq!(writes(), before);
    assert_eq!(rig.report.borrow().up, Some(true));
}

#[tokio::test]
async fn a_direction_that_is_not_shaped_is_neither_read_nor_written() {
    let bench = Bench::start(defaults()).await;
    let url = bench.url.clone();
    let rig = Rig::shaping(&[Direction::Upload], bench, &url, true, Some(vec![mbps(7.0)]));
    rig.link.desired.send_replace(PerDirection { download: None, upload: Some(mbps(20.0)) });
    until("the limit in force", || rig.in_force("ul") == Some(mbps(20.0))).await;
    until("readings", || rig.link.shaper.borrow().is_some_and(|s| s.sequence > 3)).await;
    let queues = rig.link.shaper.borrow().unwrap().queues;
    assert!(queues.download.is_none() && queues.upload.is_some());
    assert_eq!(rig.link.actuation.borrow().download, Actuation::default());
    rig.stop.cancel();
    until("the parting limit in force", || rig.in_force("ul") == Some(mbps(7.0))).await;
    assert_eq!(rig.in_force("dl"), None);
}

#[tokio::test]
async fn observe_mode_stops_writes_and_active_mode_resumes_them() {
    let rig = Rig::start(defaults()).await;
    rig.want(80.0, 20.0);
    until("the first limit in force", || rig.is_settled(80.0)).await;
    rig.tune.send_modify(|tuning| tuning.writes = false);
    rig.want(60.0, 20.0);
    let readings = || rig.link.shaper.borrow().map_or(0, |sample| sample.sequence);
    let before = readings();
    until("more readings", || readings() > before + 5).await;
    assert_eq!(rig.in_force("dl"), Some(mbps(80.0)));
    assert_eq!(rig.link.actuation.borrow().download.pending_since, None);
    rig.tune.send_modify(|tuning| tuning.writes = true);
    until("the limit wanted by now in force", || rig.is_settled(60.0)).await;
}

#[tokio::test]
async fn observing_writes_nothing_and_is_never_pending() {
    let rig = Rig::with(defaults(), false, Some(vec![mbps(1.0), mbps(1.0)])).await;
    rig.want(80.0, 20.0);
    until("readings", || rig.link.shaper.borrow().is_some_and(|s| s.sequence > 5)).await;
    assert_eq!(rig.link.actuation.borrow().download.pending_since, None);
    rig.stop.cancel();
    let log = rig.bench.emulator.clone();
    rig.task.await.unwrap();
    assert!(log.log().iter().all(|call| call.effects.is_empty()));
}

#[tokio::test]
async fn drift_is_corrected() {
    let rig = Rig::start(defaults()).await;
    rig.want(50.0, 20.0);
    until("in force", || rig.is_settled(50.0)).await;
    rig.bench.emulator.inject(Fault::Drift { queue: "dl".into(), limit: mbps(900.0) });
    let count = |rig: &Rig| rig.link.actuation.borrow().download.writes;
    let before = count(&rig);
    until("repaired", || count(&rig) > before && rig.is_settled(50.0)).await;
}

#[tokio::test]
async fn exit_limits_are_written_at_exit() {
    let rig = Rig::with(defaults(), true, Some(vec![mbps(33.0), mbps(11.0)])).await;
    rig.want(80.0, 20.0);
    until("in force", || rig.is_settled(80.0)).await;
    let emulator = rig.bench.emulator.clone();
    rig.stop.cancel();
    rig.task.await.unwrap();
    let limits = emulator.log().into_iter().flat_map(|call| call.effects).filter_map(|e| match e {
        RequestEffect::Limit { to, .. } => Some(to),
        _ => None,
    });
    let last_two: Vec<BitRate> = limits.collect::<Vec<_>>().into_iter().rev().take(2).collect();
    assert_eq!(last_two, [mbps(11.0), mbps(33.0)]);
}

#[tokio::test]
async fn a_reading_in_flight_does_not_delay_the_exit_limits() {
    let rig = Rig::with(defaults(), true, Some(vec![mbps(33.0), mbps(11.0)])).await;
    rig.want(80.0, 20.0);
    until("in force", || rig.is_settled(80.0)).await;
    rig.bench.emulator.inject(Fault::Slow(300.0, Duration::from_secs(1)));
    let log = rig.bench.emulator.clone();
    let seen = log.log().len();
    until("a slow reading has been answered, so another is in flight", || log.log().len() > seen)
        .await;
    rig.stop.cancel();
    let ended = Instant::now();
    rig.task.await.unwrap();
    assert!(ended.elapsed() < Duration::from_secs(3));
    let restored = |queue: &str, to| {
        log.log().iter().flat_map(|call| &call.effects).any(|effect| {
            matches!(effect, RequestEffect::Limit { queue: q, to: t, .. } if q == queue && *t == to)
        })
    };
    assert!(restored("dl", mbps(33.0)) && restored("ul", mbps(11.0)));
}

/// Wants a new rate every 50 ms while `fault` lasts, and checks what the module promises.
async fn survives(fault: Fault, lasts: Duration) {
    let rig = Rig::start(EmulatorConfig { latency: LatencyProfile::None, ..defaults() }).await;
    rig.want(90.0, 20.0);
    until("in force before the fault", || rig.is_settled(90.0)).await;
    let name = format!("{fault:?}");
    rig.bench.emulator.inject(fault);
    let began = Instant::now();
    let mut wanted = 90.0;
    while began.elapsed() < lasts {
        wanted -= 0.5;
        rig.want(wanted, 20.0);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let ended = Instant::now();
    while !rig.is_settled(wanted) {
        assert!(ended.elapsed() < Duration::from_secs(5), "{name}: not in force after 5 s");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Rates were wanted in falling order, so that is the order in which they may arrive.
    let log = rig.bench.emulator.log();
    let arrived: Vec<BitRate> = log
        .iter()
        .flat_map(|call| &call.effects)
        .filter_map(|effect| match effect {
            RequestEffect::Limit { queue, to, .. } if queue == "dl" => Some(*to),
            _ => None,
        })
        .collect();
    assert!(arrived.is_sorted_by(|a, b| a >= b), "{name}: an older rate overwrote a newer one");
    until("the report is clean again", || rig.report.borrow().failure.is_none()).await;
}

const SPELL: Duration = Duration::from_millis(1200);

#[tokio::test]
async fn a_hanging_router_is_waited_for() {
    survives(Fault::Hang(SPELL), SPELL).await;
}

#[tokio::test]
async fn broken_connections_are_left_alone_for_a_while() {
    survives(Fault::Reset(SPELL), SPELL).await;
}

#[tokio::test]
async fn a_storm_of_refusals_is_not_a_wrong_password() {
    survives(Fault::Unauthorised(SPELL), SPELL).await;
}

#[tokio::test]
async fn a_slow_router_is_not_asked_faster() {
    survives(Fault::Slow(300.0, SPELL), SPELL).await;
}

#[tokio::test]
async fn a_reboot_is_survived() {
    survives(Fault::Reboot { down: SPELL }, SPELL * 2).await;
}

#[tokio::test]
async fn a_queue_made_anew_is_found() {
    survives(Fault::Recreate { queue: "dl".into() }, Duration::from_millis(300)).await;
}

#[tokio::test]
async fn a_router_that_lost_what_it_was_asked_in_a_hang_gets_the_newest_rate_soon_after() {
    let bench = Bench::start(defaults()).await;
    let swallower = RequestSink::start(&bench.url).await;
    let rig = Rig::at(bench, &swallower.url, true, None);
    rig.want(90.0, 20.0);
    until("in force before the hang", || rig.is_settled(90.0)).await;
    // Shorter and longer than a request's timeout, which is 600 ms here.
    for (hang, rates) in [(500, [85.0, 80.0]), (2500, [70.0, 60.0])] {
        swallower.swallow(true);
        rig.want(rates[0], 20.0);
        tokio::time::sleep(Duration::from_millis(hang)).await;
        rig.want(rates[1], 20.0);
        swallower.swallow(false);
        let ended = Instant::now();
        until("the newest rate in force", || rig.is_settled(rates[1])).await;
        let took = ended.elapsed();
        assert!(took < Duration::from_secs(1), "{took:?} after a hang of {hang} ms");
    }
    let limits = rig.bench.emulator.log().into_iter().flat_map(|call| call.effects);
    let downloads = limits.filter_map(|effect| match effect {
        RequestEffect::Limit { queue, to, .. } if queue == "dl" => Some(to),
        _ => None,
    });
    assert_eq!(downloads.collect::<Vec<_>>(), [90.0, 80.0, 60.0].map(mbps), "no stale rate");
}

#[tokio::test]
async fn idle_queues_are_read_rarely_until_a_reading_shows_traffic() {
    let rig = Rig::start(defaults()).await;
    rig.want(80.0, 20.0);
    until("in force", || rig.is_settled(80.0)).await;
    let readings = || rig.link.shaper.borrow().map_or(0, |sample| sample.sequence);
    rig.link.idle.send_replace(true);
    let mut before = readings();
    until("a second without much reading", || {
        std::mem::replace(&mut before, readings()) + 2 > readings()
    })
    .await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let before = readings();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(readings() - before <= 4, "{} readings in 3 s", readings() - before);
    rig.bench.files.put("dl", PlantReading { bytes: 1_000_000, ..PlantReading::default() });
    let before = readings();
    until("the traffic was read", || readings() > before).await;
    let began = Instant::now();
    until("ten more readings", || readings() > before + 10).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_second_controller_is_named_and_not_fought_without_end() {
    let rig = Rig::start(defaults()).await;
    rig.want(50.0, 20.0);
    until("in force", || rig.is_settled(50.0)).await;
    let emulator = rig.bench.emulator.clone();
    let writes = || emulator.log().iter().filter(|call| call.method == "PATCH").count();
    let before = writes();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(6) {
        emulator.inject(Fault::Drift { queue: "dl".into(), limit: mbps(900.0) });
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(writes() - before <= 6, "{} writes", writes() - before);
    let reported = rig.report.borrow().overridden.clone();
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert!(
        reported[0].what.contains("another wanctl") && reported[0].what.contains("dl"),
        "{reported:?}"
    );
    // A new cut goes out at once all the same.
    rig.want(20.0, 20.0);
    until("the new cut in force", || rig.in_force("dl") == Some(mbps(20.0))).await;
}
