//! The composition root: builds everything, starts it in order and stops it in order. The only
//! place that spawns long-lived tasks.
//!
//! ```text
//! thread "control"           one current-thread runtime, one loop a WAN, waits for nothing
//! main runtime               probe schedules, actuators, HTTP, watchdog
//! thread of the history      SQLite
//! ```
//!
//! The control loops have a thread of their own so that a burst of scrapes or a slow disk can
//! not make them late. On the way out the order is: loops, parting limits, history, and the
//! listener last, so that a final scrape still sees how it ended.

mod control_loop;
mod events;
mod idle;
mod memory;
mod metrics;
mod reload;
mod settings;
mod sources;
mod start;
mod steering;
mod watchdog;
mod wiring;

use std::{io, sync::Arc, thread::JoinHandle, time::Duration};

use tokio::{
    task,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

use self::{
    reload::{Outgoing, Reloader},
    sources::{HealthSources, health_source, host_source, reload_source},
    start::Start,
};
use crate::{
    clock::Clock,
    config::Config,
    history::{Event, Recorder, Writer},
    http::{self, HealthSource, HistorySource, ListenError, Listening, Served, Web},
    probe::Prober,
    recording::Recording,
    router::Router,
    status::{Health, StatusBoard, SteeringBoard},
};

pub use control_loop::{ControlLoop, LoopSettings, Outputs};
pub use idle::IdleWatch;
pub use memory::MemoryWriter;
pub use reload::Source;

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

/// What a daemon is made of. Routers and probers are given, so that the same daemon runs against a
/// real router and in a simulated world.
#[derive(Debug)]
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The routers, in the order of the configuration.
    pub routers: Vec<Router>,
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
        let Parts { config, routers, probers, clock, listening, web, source, recording } = parts;
        let mut start = Start::new(&config, clock, recording.as_ref());
        start.watch_web(&web);
        let steering = start.steering(&routers);
        let actuators = start.actuators(routers, steering.switches);
        let wans = start.wans(&probers, &actuators.links, steering.cycles)?;
        let Start { stop, tasks, board, recorder, writer, catalogue, metrics, .. } = start;

        let reloader = Reloader::new(
            config.clone(),
            source,
            Outgoing {
                loops: wans.updates,
                tunings: actuators.tunings,
                steering: steering.tune,
                metrics: metrics.config,
                recorder: recorder.clone(),
            },
        );
        let listen_error = ListenError::default();
        let health = health_source(HealthSources {
            reloader: reloader.clone(),
            clock,
            board: board.clone(),
            routers: actuators.reports,
            router_of: config.wans.iter().map(|wan| wan.router).collect(),
            recorder: recorder.clone(),
            probers,
            steering: steering.board.clone(),
            switches: actuators.switches,
            listen_error: listen_error.clone(),
        });
        let allows = reloader.clone();
        let content = Served {
            catalogue: Arc::new(catalogue),
            web,
            board: board.clone(),
            health: health.clone(),
            history: HistorySource::new(config.history.path.clone()),
            steering: steering.board.clone(),
            reload: reload_source(reloader.clone()),
            steer: steering.overrides.source(move || allows.config_in_force().allows_steer),
            hosts: host_source(reloader.clone()),
            stop: stop.clone(),
        };
        let stop_server = CancellationToken::new();
        let server =
            tokio::spawn(http::serve(listening, content, listen_error, stop_server.clone()));
        tasks.spawn(watchdog::run(board.clone(), clock, stop.clone()));
        tasks.spawn(events::log_dead_reflectors(board.clone(), stop.clone()));
        watchdog::ready();
        Ok(Self {
            board,
            health,
            steering: steering.board,
            recorder,
            writer,
            recording,
            reloader,
            control: Some(wans.control),
            tasks,
            server,
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

    /// Assesses the daemon's health now.
    #[must_use]
    pub fn health(&self) -> Health {
        (self.health.0)()
    }

    /// Begins to reload the configuration; the log has the result.
    pub fn reload(&self) {
        let (reloader, stop) = (self.reloader.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                _ = reloader.reload() => {}
            }
        });
    }

    /// Stops in order: loops, exit limits, history (with `reason`), listener. Each step has a
    /// deadline, after which the next begins.
    pub async fn stop(mut self, reason: &str) {
        let begin = Instant::now();
        watchdog::stopping();
        self.stop.cancel();
        self.tasks.close();
        if let Some(control) = self.control.take() {
            let joined = task::spawn_blocking(move || control.join());
            match timeout_at(begin + LOOPS_BY, joined).await {
                Ok(Ok(Ok(()))) => {}
                Ok(_) => error!("the control thread has panicked"),
                Err(_) => warn!("the control loops have not stopped in time; exiting without them"),
            }
        }
        let recording = self.recording.take().map(|recording| {
            task::spawn_blocking(move || recording.close(FLUSHED_BY.saturating_sub(LOOPS_BY)))
        });
        if timeout_at(begin + TASKS_BY, self.tasks.wait()).await.is_err() {
            warn!("a request to the router is still in flight; exiting without its response");
        }
        if let Some(recorder) = self.recorder.take() {
            recorder.event(Clock::wall(), None, Event::Stop { reason: reason.to_owned() });
        }
        if let Some(writer) = self.writer.take() {
            let within = FLUSHED_BY.saturating_sub(begin.elapsed()).max(FLUSH_LEAST);
            let flushed = task::spawn_blocking(move || writer.close(within)).await;
            if let Ok(Err(error)) = flushed {
                error!(%error, "the history is incomplete");
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
