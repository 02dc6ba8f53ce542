//! A backend that exists only here: four small mocks assembled to a `Router`. With it the daemon
//! serves two routers at once, without any backend of the product.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    collections::BTreeMap,
    net::IpAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::{FutureExt as _, ready};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};
use wanctl::{
    clock::Clock,
    config::{Config, Environment},
    daemon::{Daemon, Parts},
    http::{Listening, Web},
    probe::{Prober, RouterProber},
    router::{
        Finding, Inspect, MarkedConnections, PingFrom, Pinged, Pinger, QueueRef, QueueRow,
        Readings, Reply, Rights, Router, RouterFacts, RouterFault, RouterText, Severity, Shaper,
        Subject, SwitchRef, Switches, Transport,
    },
    status::{Health, Level},
};
use wanctl_core::{
    QueueReading,
    units::{BitRate, Delay},
};

/// A router in memory.
#[derive(Debug, Default)]
struct Memory {
    limits: Mutex<BTreeMap<QueueRef, BitRate>>,
    switches: Mutex<BTreeMap<String, bool>>,
    is_down: AtomicBool,
}

/// Its four capabilities, each a view of the same memory.
#[derive(Debug, Clone)]
struct Mock(Arc<Memory>);

impl Mock {
    fn router(&self, name: &str) -> Router {
        Router {
            name: name.to_owned(),
            kind: "mock",
            shaper: Arc::new(self.clone()),
            switches: Some(Arc::new(self.clone())),
            pinger: Some(Arc::new(self.clone())),
            inspect: Arc::new(self.clone()),
        }
    }

    fn answer<'a, T: Send + 'a>(&self, answer: T) -> Reply<'a, T> {
        let answer = if self.0.is_down.load(Relaxed) {
            Err(RouterFault::Connect("switched off".into()).at("mock", "asking"))
        } else {
            Ok(answer)
        };
        ready(answer).boxed()
    }

    fn row(&self, queue: &QueueRef) -> QueueRow {
        let limit = self.0.limits.lock().unwrap().get(queue).copied().unwrap_or(BitRate::ZERO);
        let reading = QueueReading { limit, ..QueueReading::default() };
        QueueRow { reading, active: true, ..QueueRow::default() }
    }
}

impl Shaper for Mock {
    fn read_queues<'a>(&'a self, queues: &'a [QueueRef]) -> Reply<'a, Readings> {
        self.answer(Readings { rows: queues.iter().map(|queue| Ok(self.row(queue))).collect() })
    }

    fn set_limit<'a>(&'a self, queue: &'a QueueRef, limit: BitRate) -> Reply<'a, BitRate> {
        if !self.0.is_down.load(Relaxed) {
            self.0.limits.lock().unwrap().insert(queue.clone(), limit);
        }
        self.answer(limit)
    }

    fn reads_apart(&self) -> bool {
        true
    }
}

impl Switches for Mock {
    fn switch_enabled<'a>(&'a self, switch: &'a SwitchRef) -> Reply<'a, bool> {
        let enabled = self.0.switches.lock().unwrap().get(&switch.comment).copied();
        self.answer(enabled.unwrap_or(false))
    }

    fn enable_switch<'a>(&'a self, switch: &'a SwitchRef, enabled: bool) -> Reply<'a, bool> {
        self.0.switches.lock().unwrap().insert(switch.comment.clone(), enabled);
        self.answer(enabled)
    }

    fn forget_connections<'a>(&'a self, _: &'a MarkedConnections) -> Reply<'a, usize> {
        self.answer(0)
    }
}

impl Pinger for Mock {
    fn ping<'a>(&'a self, _: IpAddr, _: &'a PingFrom, _: Duration) -> Reply<'a, Pinged> {
        self.answer(Pinged::Reply(Delay::from_micros(9_000)))
    }

    fn longest_wait(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn interfaces(&self) -> Reply<'_, Vec<RouterText>> {
        self.answer(Vec::new())
    }
}

impl Inspect for Mock {
    fn transport(&self) -> Transport {
        Transport::Rest
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Rest]
    }

    fn target(&self) -> String {
        "mock".to_owned()
    }

    fn remedy(&self, _: &RouterFault) -> &'static str {
        "switch it on"
    }

    fn facts(&self) -> Reply<'_, RouterFacts> {
        self.answer(RouterFacts {
            identity: "mock".into(),
            board: "memory".into(),
            version: "1".into(),
            uptime: None,
            cpu_percent: None,
            flash_sectors_written: None,
        })
    }

    fn findings(&self) -> Reply<'_, Vec<Finding>> {
        let text = "it exists only in memory";
        self.answer(vec![Finding::new(Severity::Unknown, Subject::Router, text)])
    }

    fn rights(&self, _: Rights) -> Reply<'_, Vec<Finding>> {
        self.answer(Vec::new())
    }

    fn describe_queue<'a>(&'a self, queue: &'a QueueRef) -> Reply<'a, Finding> {
        self.answer(Finding::new(Severity::Ok, Subject::Queue(queue.clone()), "in memory"))
    }
}

const TEXT: &str = "
routers:
  cabinet: {url: 'https://192.0.2.1', user: wanctl, password_env: P}
  roof: {url: 'https://192.0.2.2', user: wanctl, password_env: P}
wans:
  - {name: cable, router: cabinet, source: 192.0.2.3, reflectors: [192.0.2.9, 192.0.2.10, 192.0.2.11],
     download: {queue: dl, floor_mbps: 20, ceiling_mbps: 50}}
  - {name: lte, router: roof, source: 192.0.2.4, reflectors: [192.0.2.9, 192.0.2.10, 192.0.2.11],
     download: {queue: dl, floor_mbps: 5, ceiling_mbps: 30}}
http: {listen: '127.0.0.1:0'}
";

/// Starts a daemon for these routers; each WAN is probed by its router.
async fn start(mocks: &[Mock; 2]) -> Daemon {
    let environment = Environment { variable: &|_| Some("secret".to_owned()), ..Environment::REAL };
    let parsed = Config::parse(TEXT, Path::new("wanctl.yaml"), &environment);
    let (config, _) = parsed.unwrap_or_else(|errors| panic!("{errors}"));
    let named = config.routers.iter().zip(mocks);
    let routers: Vec<Router> = named.map(|(of, mock)| mock.router(&of.name)).collect();
    let prober = |(router, wan): (&Router, &wanctl::config::WanConfig)| {
        let pinger = router.pinger.clone().unwrap();
        Arc::new(RouterProber::new(pinger, &wan.probe)) as Arc<dyn Prober>
    };
    let probers = routers.iter().zip(&config.wans).map(prober).collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Daemon::start(Parts {
        config,
        routers,
        probers,
        clock: Clock::start(),
        listening: Listening::Bound(listener),
        web: Web::default(),
        source: None,
        recording: None,
    })
    .unwrap()
}

/// Waits until health is as wanted.
async fn until(daemon: &Daemon, what: &str, holds: impl Fn(&Health) -> bool) {
    let started = Instant::now();
    while !holds(&daemon.health()) {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}: {:#?}", daemon.health());
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_routers_are_served_and_one_that_is_down_concerns_its_own_wan_only() {
    let mocks = [Mock(Arc::default()), Mock(Arc::default())];
    let daemon = start(&mocks).await;
    let written = |mock: &Mock| mock.0.limits.lock().unwrap().values().next().copied();
    until(&daemon, "both routers and WANs are well", |health| {
        let routers = health.routers.iter().all(|router| router.part.status == Level::Ok);
        routers && health.wans.iter().all(|wan| wan.status == Level::Ok) && health.ready
    })
    .await;
    let [cabinet, roof] = mocks.each_ref().map(|mock| written(mock).unwrap());
    // The same name on two routers is two queues.
    assert!(cabinet >= BitRate::from_mbps(20.0) && roof < cabinet, "{cabinet} {roof}");
    let health = daemon.health();
    let of: Vec<_> = health.wans.iter().map(|wan| wan.router.as_str()).collect();
    assert_eq!(of, ["cabinet", "roof"]);
    assert_eq!(health.routers[0].kind, "mock");
    assert_eq!(health.routers[0].part.notes, ["it exists only in memory"]);

    mocks[1].0.is_down.store(true, Relaxed);
    until(&daemon, "the roof is down", |health| {
        health.routers[1].part.status == Level::Degraded && !health.ready
    })
    .await;
    let health = daemon.health();
    assert!(health.routers[1].part.reasons[0].ends_with("switch it on"), "{health:#?}");
    assert_eq!(health.routers[0].part.status, Level::Ok);
    assert_eq!(health.wans[0].status, Level::Ok, "{health:#?}");
    until(&daemon, "its pings fail as well", |health| {
        health.wans[1].status != Level::Ok && health.wans[0].status == Level::Ok
    })
    .await;
    daemon.stop("the test is over").await;
}
