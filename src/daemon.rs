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
mod dead_reflectors;
mod idle;
mod memory;
mod metrics;
mod reflector_events;
mod reload;
mod router_events;
mod settings;
mod sources;
mod steering;
mod watchdog;
mod wiring;

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{
    runtime,
    sync::watch,
    task,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

use crate::{
    actuator::{Actuator, Assignment, Queue, RouterMetrics, SwitchWork, Tuning, WanChannels},
    catalogue::Catalogue,
    clock::Clock,
    config::{Config, Origin, WanConfig},
    history::{self, Event, Recorder, Writer},
    http::{self, HealthSource, HistorySource, ListenError, Listening, Served, Web},
    probe::Prober,
    recording::Recording,
    router::Router,
    status::{Health, StatusBoard, SteeringBoard},
};
pub use control_loop::{ControlLoop, LoopSettings, Outputs};
pub use idle::IdleWatch;
pub use memory::MemoryWriter;
use metrics::Metrics;
pub use reload::Source;
use reload::{Outgoing, Reloader};
use settings::{mode_name, tuning};
use sources::{health_source, host_source, reload_source};
use steering::SteeringParts;
use wiring::{Wired, Wiring};

/// How long the parting limits may take.
const EXIT_TIME: Duration = Duration::from_secs(3);
/// Until when after the begin of a stop the control loops must have ended ...
const LOOPS_BY: Duration = Duration::from_secs(1);
/// ... the requests to the router, after the time of the parting limits ...
const TASKS_BY: Duration = Duration::from_millis(3500);
/// ... and the history and the recording. Everything together takes less than the 5.5 s after
/// which the process is ended.
const FLUSHED_BY: Duration = Duration::from_millis(4700);
/// How long the history may take to flush, even if all time is used up.
const FLUSH_LEAST: Duration = Duration::from_millis(500);
/// How long the HTTP server may take to end what it answers.
const SERVER: Duration = Duration::from_millis(300);

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
    pub listening: Listening,
    /// How connections to it are secured and who may ask.
    pub web: Web,
    /// Where the configuration is read again, if it came from a file.
    pub source: Option<Source>,
    /// What is written down for a replay, if that is asked for.
    pub recording: Option<Recording>,
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    board: StatusBoard,
    health: HealthSource,
    steering: SteeringBoard,
    recorder: Option<Recorder>,
    writer: Option<Writer>,
    recording: Option<Recording>,
    reloader: Reloader,
    control: Option<JoinHandle<()>>,
    tasks: TaskTracker,
    server: task::JoinHandle<()>,
    stop: CancellationToken,
    stop_server: CancellationToken,
}

impl Daemon {
    /// Starts everything. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(parts: Parts) -> io::Result<Self> {
        let Parts { config, router, probers, clock, listening, web, source, recording } = parts;
        let stop = CancellationToken::new();
        let stop_server = CancellationToken::new();
        let tasks = TaskTracker::new();
        let board = StatusBoard::new(config.wans.iter().map(names).collect());
        // Before the writer opens the file, which may set a corrupt one aside.
        let memories = memory::recall(&config, Clock::wall());
        let (recorder, writer) = history(&config).unzip();

        let mut catalogue = Catalogue::default();
        let Metrics { config: metrics, wans: labels, probing, router: router_metrics } =
            Metrics::declare(&mut catalogue);
        let mut wiring = Wiring {
            wired: 0,
            wans: config.wans.len(),
            control: config.control.clone(),
            clock,
            labels,
            probing,
            recorder: recorder.clone(),
            board: board.clone(),
            cycles: None,
            recording: recording.as_ref(),
        };
        declare_others(&mut catalogue, recorder.clone(), &web);
        tasks.spawn(web.clone().watch(stop.clone()));

        let SteeringParts { switches, board: steering, overrides, cycles, tune: retune, task } =
            SteeringParts::new(&config, &mut catalogue, recorder.clone(), clock);
        if let Some(task) = task {
            tasks.spawn(task.run(stop.clone()));
        }
        let switch_link = switches.link.clone();
        wiring.cycles = cycles;

        let links: Vec<WanChannels> = config.wans.iter().map(|_| WanChannels::default()).collect();
        let (tune, tuning) = watch::channel(tuning(&config));
        let given = (links.clone(), switches);
        let actuator = actuator(&config, router, given, clock, tuning, router_metrics);
        let report = actuator.report();
        tasks.spawn(actuator.run(stop.clone(), EXIT_TIME));

        let (mut loops, mut updates) = (Vec::new(), Vec::new());
        let wans = config.wans.iter().zip(memories).zip(probers.iter().zip(links));
        for ((wan, memory), (prober, link)) in wans {
            let wired = wiring.wire(wan, memory.as_ref(), link);
            let Wired { schedule, ends, .. } = wired;
            tasks.spawn(schedule.run(Arc::clone(prober), clock, ends, stop.clone()));
            if let Some(reflectors) = wired.reflectors {
                tasks.spawn(reflectors.run());
            }
            loops.push(wired.control);
            updates.push(wired.update);
        }
        let control = spawn_control(loops, stop.clone())?;

        let (mode, origin) = (mode_name(config.control.mode), config.origin.clone());
        let out = Outgoing {
            loops: updates,
            tuning: tune,
            steering: retune,
            metrics,
            recorder: recorder.clone(),
        };
        let kept = HistorySource::new(config.history.path.clone());
        let reloader = Reloader::new(config, source, out);
        if let Some(recorder) = &recorder {
            log_start(recorder, mode, origin);
            tasks.spawn(router_events::run(report.clone(), recorder.clone(), stop.clone()));
        }
        let listen_error = ListenError::default();
        let others = (probers, steering.clone(), switch_link, listen_error.clone());
        let health =
            health_source(reloader.clone(), clock, board.clone(), report, recorder.clone(), others);
        let asked = reloader.clone();
        let steer = overrides.source(move || asked.config_in_force().allows_steer);
        tasks.spawn(watchdog::run(board.clone(), clock, stop.clone()));
        tasks.spawn(dead_reflectors::run(board.clone(), stop.clone()));
        let served = Served {
            catalogue: Arc::new(catalogue),
            web,
            board: board.clone(),
            health: health.clone(),
            history: kept,
            steering: steering.clone(),
            reload: reload_source(reloader.clone()),
            steer,
            hosts: host_source(reloader.clone()),
            stop: stop.clone(),
        };
        let http = tokio::spawn(http::serve(listening, served, listen_error, stop_server.clone()));
        watchdog::ready();
        Ok(Self {
            board,
            health,
            steering,
            recorder,
            writer,
            recording,
            reloader,
            control: Some(control),
            tasks,
            server: http,
            stop,
            stop_server,
        })
    }

    /// Returns the board with the newest cycles.
    #[must_use]
    pub fn board(&self) -> &StatusBoard {
        &self.board
    }

    /// Returns the board with what steering decided.
    #[must_use]
    pub fn steering(&self) -> &SteeringBoard {
        &self.steering
    }

    /// Judges the daemon's health now.
    #[must_use]
    pub fn health(&self) -> Health {
        (self.health.0)()
    }

    /// Begins to reload the configuration; what comes of it is told in the log.
    pub fn reload(&self) {
        let (reloader, stop) = (self.reloader.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                _ = reloader.reload() => {}
            }
        });
    }

    /// Stops in order: loops, parting limits, history, listener. The history is told `reason`.
    /// Each step has a deadline, after which the next begins.
    pub async fn stop(mut self, reason: &str) {
        let begin = Instant::now();
        watchdog::stopping();
        self.stop.cancel();
        self.tasks.close();
        if let Some(control) = self.control.take() {
            let joined = task::spawn_blocking(move || control.join());
            match timeout_at(begin + LOOPS_BY, joined).await {
                Ok(Ok(Ok(()))) => {}
                Ok(_) => error!("the control thread had died"),
                Err(_) => warn!("the control loops have not ended; leaving without them"),
            }
        }
        let recording = self.recording.take().map(|recording| {
            task::spawn_blocking(move || recording.close(FLUSHED_BY.saturating_sub(LOOPS_BY)))
        });
        if timeout_at(begin + TASKS_BY, self.tasks.wait()).await.is_err() {
            warn!("a request to the router is still in flight; leaving without its answer");
        }
        if let Some(recorder) = self.recorder.take() {
            recorder.event(Clock::wall(), None, Event::Stop { reason: reason.to_owned() });
        }
        if let Some(writer) = self.writer.take() {
            let within = FLUSHED_BY.saturating_sub(begin.elapsed()).max(FLUSH_LEAST);
            let flushed = task::spawn_blocking(move || writer.close(within)).await;
            if let Ok(Err(error)) = flushed {
                error!(%error, "the history is not complete");
            }
        }
        if let Some(recording) = recording {
            let _ = recording.await;
        }
        self.stop_server.cancel();
        // A client that keeps its connection open does not keep us.
        if timeout(SERVER, &mut self.server).await.is_err() {
            self.server.abort();
        }
        info!("stopped");
    }
}

fn names(wan: &WanConfig) -> (String, Vec<String>) {
    (wan.name.clone(), wan.probe.reflectors.iter().map(ToString::to_string).collect())
}

/// The first lines of this run in the history.
fn log_start(recorder: &Recorder, mode: &'static str, origin: Origin) {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    recorder.event(Clock::wall(), None, Event::Start { version, mode });
    let Origin { file: path, sha256: hash } = origin;
    recorder.event(Clock::wall(), None, Event::ConfigLoaded { path, hash });
}

/// Declares the metrics of what stands beside the loops.
fn declare_others(catalogue: &mut Catalogue, recorder: Option<Recorder>, web: &Web) {
    if let Some(recorder) = recorder {
        history::declare_metrics(catalogue, recorder);
    }
    web.declare(catalogue);
}

fn history(config: &Config) -> Option<(Recorder, Writer)> {
    let path = config.history.path.clone()?;
    let wans = config.wans.iter().map(|wan| wan.name.clone()).collect();
    let retention = settings::retention(&config.history);
    Some(history::start(history::Settings { path, retention, wans }))
}

fn actuator(
    config: &Config,
    router: Arc<dyn Router>,
    (links, switches): (Vec<WanChannels>, SwitchWork),
    clock: Clock,
    tuning: watch::Receiver<Tuning>,
    metrics: RouterMetrics,
) -> Actuator {
    let queues = config.wans.iter().enumerate().flat_map(|(wan, settings)| {
        let queues = settings.queues.present();
        queues.map(move |(direction, queue)| Queue { wan, direction, queue: queue.clone() })
    });
    let named = config
        .wans
        .iter()
        .flat_map(|wan| wan.queues.present().map(|(direction, _)| (wan.name.as_str(), direction)));
    let metrics = metrics.of_queues(named);
    Actuator::new(Assignment {
        router,
        queues: queues.collect(),
        links,
        switches,
        clock,
        tuning,
        metrics,
    })
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
