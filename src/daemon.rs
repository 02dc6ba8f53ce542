//! The composition root: builds everything, starts it in order and stops it in order. The only
//! place that spawns long-lived tasks.
//!
//! ```text
//! thread "control"           one current-thread runtime, one loop a WAN, waits for nothing
//! main runtime               probe schedules, actuator, HTTP, watchdog
//! thread of the history      SQLite
//! ```
//!
//! The control loops have a thread of their own so that a burst of scrapes or a slow disk can
//! not make them late. On the way out the order is: loops, parting limits, history, and the
//! listener last, so that a final scrape still sees how it ended.

mod control_loop;
mod router_events;
mod watchdog;

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{net::TcpListener, runtime, sync::mpsc, task, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

use crate::{
    actuator::{Actuator, Assignment, Link, Queue, RouterMetrics},
    clock::Clock,
    config::{Config, Mode, OnExit, Origin, Trust},
    control::{Direction, Wan},
    history::{self, Event, HistoryCollector, Recorder, Writer},
    http::{self, HealthSource, Served},
    probe::{Prober, Schedule},
    router::Router,
    status::{Board, Health, HealthInputs},
    telemetry::{self, CycleMetrics, WanLabels},
    units::BitRate,
};
pub use control_loop::{ControlLoop, Outlets};

/// How long the parting limits may take.
const PARTING: Duration = Duration::from_secs(3);
/// How long the history may take to flush.
const FLUSH: Duration = Duration::from_secs(5);
/// Outcomes of probes that may wait for a control loop: many times what one cycle brings.
const SAMPLES: usize = 1024;

/// What a daemon is made of. Router and probers are given, so that the same daemon runs against a
/// real router and in a simulated world.
#[derive(Debug)]
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The router.
    pub router: Arc<dyn Router>,
    /// One prober a WAN, in the order of the configuration.
    pub probers: Vec<Arc<dyn Prober>>,
    /// The clock that everything shares.
    pub clock: Clock,
    /// Where HTTP is served.
    pub listener: TcpListener,
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    board: Board,
    health: HealthSource,
    recorder: Option<Recorder>,
    writer: Option<Writer>,
    control: Option<JoinHandle<()>>,
    tasks: TaskTracker,
    server: task::JoinHandle<io::Result<()>>,
    stop: CancellationToken,
    stop_server: CancellationToken,
}

impl Daemon {
    /// Starts everything. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(parts: Parts) -> io::Result<Self> {
        let Parts { config, router, probers, clock, listener } = parts;
        let stop = CancellationToken::new();
        let stop_server = CancellationToken::new();
        let tasks = TaskTracker::new();
        let board = Board::new(config.wans.iter().map(names).collect());
        let (recorder, writer) = history(&config).unzip();

        let mut registry = telemetry::registry();
        let ours = telemetry::ours(&mut registry);
        telemetry::register_config(ours, &config.origin.sha256);
        telemetry::register_mode(ours, config.control.mode == Mode::Active);
        let wan_labels = WanLabels::register(ours);
        let router_metrics = RouterMetrics::register(ours);
        if let Some(recorder) = &recorder {
            ours.register_collector(Box::new(HistoryCollector::new(recorder.clone())));
        }

        let links: Vec<Link> = config.wans.iter().map(|_| Link::default()).collect();
        let actuator = actuator(&config, router, links.clone(), clock, router_metrics);
        let report = actuator.report();
        tasks.spawn(actuator.run(stop.clone(), parting(&config), PARTING));

        let mut loops = Vec::new();
        for (wan, ((settings, prober), link)) in
            config.wans.iter().zip(probers).zip(links).enumerate()
        {
            let (sender, samples) = mpsc::channel(SAMPLES);
            tasks.spawn(schedule(&config, wan).run(prober, clock, sender, stop.clone()));
            let (name, reflectors) = names(settings);
            loops.push(ControlLoop {
                index: wan,
                wan: controller(settings, config.control.mode, clock),
                interval: config.control.interval,
                clock,
                samples,
                shaper: link.shaper.subscribe(),
                actuation: link.actuation.subscribe(),
                desired: link.desired,
                outlets: Outlets {
                    metrics: CycleMetrics::new(&wan_labels, &name, &reflectors),
                    recorder: recorder.clone(),
                    board: board.clone(),
                },
            });
        }
        let control = spawn_control(loops, stop.clone())?;

        if let Some(recorder) = &recorder {
            let events = router_events::run(report.clone(), recorder.clone(), stop.clone());
            tasks.spawn(events);
        }
        let health = health_source(&config, clock, board.clone(), report, recorder.clone());
        tasks.spawn(watchdog::run(board.clone(), clock, stop.clone()));
        let served = Served {
            registry: Arc::new(registry),
            board: board.clone(),
            health: health.clone(),
            stop: stop.clone(),
        };
        let http = tokio::spawn(http::serve(listener, served, stop_server.clone()));
        if let Some(recorder) = &recorder {
            let version = env!("CARGO_PKG_VERSION").to_owned();
            let mode = mode_name(config.control.mode);
            recorder.event(Clock::wall(), None, Event::Start { version, mode });
            let Origin { file: path, sha256: hash } = config.origin.clone();
            recorder.event(Clock::wall(), None, Event::ConfigLoaded { path, hash });
        }
        watchdog::ready();
        Ok(Self {
            board,
            health,
            recorder,
            writer,
            control: Some(control),
            tasks,
            server: http,
            stop,
            stop_server,
        })
    }

    /// Returns the board with the newest cycles.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Judges the daemon's health now.
    #[must_use]
    pub fn health(&self) -> Health {
        (self.health.0)()
    }

    /// Waits until a part that should never end has ended, and says which.
    pub async fn broken(&mut self) -> String {
        match (&mut self.server).await {
            Ok(Ok(())) => "the HTTP server has ended".to_owned(),
            Ok(Err(error)) => format!("the HTTP server has failed: {error}"),
            Err(error) => format!("the HTTP server has died: {error}"),
        }
    }

    /// Stops in order: loops, parting limits, history, listener. The history is told `reason`.
    pub async fn stop(mut self, reason: &str) {
        watchdog::stopping();
        self.stop.cancel();
        self.tasks.close();
        if let Some(control) = self.control.take() {
            let joined = task::spawn_blocking(move || control.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                error!("the control thread had died");
            }
        }
        if timeout(PARTING * 2, self.tasks.wait()).await.is_err() {
            warn!("a request to the router is still under way; leaving without its answer");
        }
        if let Some(recorder) = self.recorder.take() {
            recorder.event(Clock::wall(), None, Event::Stop { reason: reason.to_owned() });
        }
        if let Some(writer) = self.writer.take() {
            let flushed = task::spawn_blocking(move || writer.close(FLUSH)).await;
            if let Ok(Err(error)) = flushed {
                error!(%error, "the history is not complete");
            }
        }
        self.stop_server.cancel();
        // A client that keeps its connection open does not keep us.
        if timeout(Duration::from_secs(1), &mut self.server).await.is_err() {
            self.server.abort();
        }
        info!("stopped");
    }
}

fn controller(wan: &crate::config::WanConfig, mode: Mode, clock: Clock) -> Wan {
    let wan = Wan::new(&wan.params, clock.now());
    match mode {
        Mode::Active => wan,
        Mode::Observe => wan.observing(),
    }
}

const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Active => "active",
        Mode::Observe => "observe",
    }
}

fn names(wan: &crate::config::WanConfig) -> (String, Vec<String>) {
    (wan.name.clone(), wan.probe.reflectors.iter().map(ToString::to_string).collect())
}

fn history(config: &Config) -> Option<(Recorder, Writer)> {
    let told = &config.history;
    let path = told.path.clone()?;
    let wans = config.wans.iter().map(|wan| wan.name.clone()).collect();
    let retention = history::Retention {
        raw: told.raw,
        seconds: told.seconds,
        minutes: told.minutes,
        five_minutes: told.five_minutes,
        hours: told.hours,
        events: told.events,
        bytes: told.max_bytes,
        ..history::Retention::default()
    };
    Some(history::start(history::Settings { path, retention, wans }))
}

fn actuator(
    config: &Config,
    router: Arc<dyn Router>,
    links: Vec<Link>,
    clock: Clock,
    metrics: RouterMetrics,
) -> Actuator {
    let queues = config.wans.iter().enumerate().flat_map(|(wan, settings)| {
        Direction::ALL.map(|direction| Queue {
            wan,
            direction,
            queue: settings.queues[direction].clone(),
        })
    });
    Actuator::new(Assignment {
        router,
        queues: queues.collect(),
        links,
        clock,
        writes: config.control.mode == Mode::Active,
        stats_interval: config.router.stats_interval,
        pace: config.router.pace,
        metrics,
    })
}

/// The limits to leave on the router, in the order of the queues.
fn parting(config: &Config) -> Option<Vec<BitRate>> {
    match config.control.on_exit {
        OnExit::Keep => None,
        OnExit::Restore => {
            let base = |wan: &crate::config::WanConfig| {
                Direction::ALL.map(|direction| wan.params.directions[direction].limits.base)
            };
            Some(config.wans.iter().flat_map(base).collect())
        }
    }
}

/// The WANs' probes are spread over one interval, so that they do not leave in one burst.
fn schedule(config: &Config, wan: usize) -> Schedule {
    let probe = config.wans.get(wan).map(|wan| &wan.probe);
    let interval = probe.map_or(Duration::from_millis(50), |probe| probe.interval);
    let share = wan as f64 / config.wans.len().max(1) as f64;
    Schedule {
        reflectors: probe.map_or(1, |probe| u16::try_from(probe.reflectors.len()).unwrap_or(1)),
        interval,
        timeout: probe.map_or(Duration::from_secs(1), |probe| probe.timeout),
        splay: interval.mul_f64(share),
    }
}

fn spawn_control(loops: Vec<ControlLoop>, stop: CancellationToken) -> io::Result<JoinHandle<()>> {
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    thread::Builder::new().name("control".to_owned()).spawn(move || {
        runtime.block_on(async {
            let loops = loops.into_iter().map(|each| each.run(stop.clone()));
            futures_util::future::join_all(loops).await;
        });
    })
}

fn health_source(
    config: &Config,
    clock: Clock,
    board: Board,
    report: tokio::sync::watch::Receiver<crate::actuator::RouterReport>,
    recorder: Option<Recorder>,
) -> HealthSource {
    let mode = mode_name(config.control.mode);
    let reminders: Vec<String> = match config.router.trust {
        Trust::Insecure => {
            vec!["router.insecure is set: whoever answers there gets the password".to_owned()]
        }
        Trust::System | Trust::CaFile(_) | Trust::Fingerprint(_) => Vec::new(),
    };
    HealthSource(Arc::new(move || {
        let history = recorder.as_ref().map(Recorder::stats).filter(|stats| stats.failing);
        Health::judge(HealthInputs {
            now: clock.now(),
            mode,
            wans: board.latest(),
            router: report.borrow().clone(),
            reminders: reminders.clone(),
            history: history.and_then(|stats| stats.last_error).into_iter().collect(),
        })
    }))
}
