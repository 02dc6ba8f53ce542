//! The steps of a start, in their order: each starts the tasks of one subject.

use std::{
    collections::BTreeMap,
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::{
    runtime,
    sync::{mpsc, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wanctl_core::Cycle;

use super::{
    ControlLoop, EXIT_TIME, LoopSettings, events, memory,
    metrics::Metrics,
    settings::{self, mode_name, tunings},
    steering::SteeringParts,
    wiring::{Wired, Wiring},
};
use crate::{
    actuator::{
        Actuator, Assignment, Queue, RouterReport, SwitchChannels, SwitchWork, Tuning, WanChannels,
    },
    catalogue::Catalogue,
    clock::Clock,
    config::{Config, Origin, WanConfig},
    history::{self, Event, Recorder, Writer},
    http::Web,
    probe::Prober,
    recording::Recording,
    router::Router,
    status::StatusBoard,
};

/// A start in progress: what every step uses.
pub(super) struct Start<'a> {
    config: &'a Config,
    clock: Clock,
    recording: Option<&'a Recording>,
    memories: memory::Recalled,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    pub(super) board: StatusBoard,
    pub(super) recorder: Option<Recorder>,
    pub(super) writer: Option<Writer>,
    pub(super) catalogue: Catalogue,
    pub(super) metrics: Metrics,
}

/// The actuators, one for each router in the order of the configuration.
pub(super) struct Actuators {
    /// The name and kind of each router, and where its state is reported.
    pub(super) reports: Vec<(String, &'static str, watch::Receiver<RouterReport>)>,
    /// Where each takes new settings from.
    pub(super) tunings: Vec<watch::Sender<Tuning>>,
    /// The channels of each one's switches.
    pub(super) switches: Vec<SwitchChannels>,
    /// One for each WAN.
    pub(super) links: Vec<WanChannels>,
}

/// The control loops.
pub(super) struct Wans {
    /// Where each takes new settings from.
    pub(super) updates: Vec<watch::Sender<LoopSettings>>,
    /// Their thread.
    pub(super) control: JoinHandle<()>,
}

impl<'a> Start<'a> {
    /// Opens the history and declares the metrics.
    pub(super) fn new(config: &'a Config, clock: Clock, recording: Option<&'a Recording>) -> Self {
        // Before the writer opens the file, which may set a corrupt one aside.
        let memories = memory::recall(config, Clock::wall());
        let (recorder, writer) = open_history(config).unzip();
        let mut catalogue = Catalogue::default();
        let metrics = Metrics::declare(&mut catalogue);
        if let Some(recorder) = &recorder {
            log_start(recorder, mode_name(config.control.mode), config.origin.clone());
            history::declare_metrics(&mut catalogue, recorder.clone());
        }
        Self {
            config,
            clock,
            recording,
            memories,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            board: StatusBoard::new(config.wans.iter().map(names).collect()),
            recorder,
            writer,
            catalogue,
            metrics,
        }
    }

    /// Watches the files of the web configuration.
    pub(super) fn watch_web(&mut self, web: &Web) {
        web.declare(&mut self.catalogue);
        self.tasks.spawn(web.clone().watch(self.stop.clone()));
    }

    /// Starts steering, if anything is steered.
    pub(super) fn steering(&mut self, routers: &[Router]) -> SteeringParts {
        let (catalogue, recorder) = (&mut self.catalogue, self.recorder.clone());
        let mut parts =
            SteeringParts::new(self.config, routers.len(), catalogue, recorder, self.clock);
        if let Some(task) = parts.task.take() {
            self.tasks.spawn(task.run(self.stop.clone()));
        }
        parts
    }

    /// Starts an actuator for each router; each has its `switches`.
    pub(super) fn actuators(&self, routers: Vec<Router>, switches: Vec<SwitchWork>) -> Actuators {
        let links: Vec<WanChannels> =
            self.config.wans.iter().map(|_| WanChannels::default()).collect();
        let mut actuators = Actuators {
            reports: Vec::new(),
            tunings: Vec::new(),
            switches: switches.iter().map(|work| work.link.clone()).collect(),
            links,
        };
        let each = routers.into_iter().zip(switches).zip(tunings(self.config)).enumerate();
        for (place, ((router, switches), tuning)) in each {
            let (name, kind) = (router.name.clone(), router.kind);
            let (tune, tuning) = watch::channel(tuning);
            let actuator = self.actuator(place, router, switches, &actuators.links, tuning);
            let report = actuator.report();
            self.tasks.spawn(actuator.run(self.stop.clone(), EXIT_TIME));
            if let Some(recorder) = self.recorder.clone() {
                let (name, stop) = (name.clone(), self.stop.clone());
                self.tasks.spawn(events::record_router(name, report.clone(), recorder, stop));
            }
            actuators.reports.push((name, kind, report));
            actuators.tunings.push(tune);
        }
        actuators
    }

    fn actuator(
        &self,
        place: usize,
        router: Router,
        switches: SwitchWork,
        links: &[WanChannels],
        tuning: watch::Receiver<Tuning>,
    ) -> Actuator {
        let wans = || self.config.wans.iter().enumerate().filter(|(_, wan)| wan.router == place);
        let queues = wans().flat_map(|(wan, config)| {
            let queues = config.queues.present();
            queues.map(move |(direction, queue)| Queue { wan, direction, queue: queue.clone() })
        });
        let named = wans().flat_map(|(_, wan)| {
            wan.queues.present().map(|(direction, _)| (wan.name.as_str(), direction))
        });
        let of_wan = |(wan, _): (usize, &WanConfig)| Some((wan, links.get(wan)?.clone()));
        let links: BTreeMap<usize, WanChannels> = wans().filter_map(of_wan).collect();
        Actuator::new(Assignment {
            metrics: self.metrics.routers.of_router(&router, named),
            router,
            queues: queues.collect(),
            links,
            switches,
            clock: self.clock,
            tuning,
        })
    }

    /// Starts the probes and the control loops of the WANs; `cycles` is where steering picks up
    /// what they decide.
    ///
    /// # Errors
    /// If the control thread cannot be started.
    pub(super) fn wans(
        &self,
        probers: &[Arc<dyn Prober>],
        links: &[WanChannels],
        cycles: Option<mpsc::Sender<Arc<Cycle>>>,
    ) -> io::Result<Wans> {
        let mut wiring = Wiring {
            wired: 0,
            wans: self.config.wans.len(),
            control: self.config.control.clone(),
            clock: self.clock,
            labels: &self.metrics.wans,
            probing: &self.metrics.probing,
            recorder: self.recorder.clone(),
            board: self.board.clone(),
            cycles,
            recording: self.recording,
        };
        let (mut loops, mut updates) = (Vec::new(), Vec::new());
        let wans = self.config.wans.iter().zip(&self.memories).zip(probers.iter().zip(links));
        for ((wan, memory), (prober, link)) in wans {
            let wired = wiring.wire(wan, memory.as_ref(), link.clone());
            let Wired { schedule, ends, reflectors, control, update } = wired;
            let stop = self.stop.clone();
            self.tasks.spawn(schedule.run(Arc::clone(prober), self.clock, ends, stop));
            if let Some(reflectors) = reflectors {
                self.tasks.spawn(reflectors.run());
            }
            loops.push(control);
            updates.push(update);
        }
        Ok(Wans { updates, control: spawn_control(loops, self.stop.clone())? })
    }
}

pub(super) fn names(wan: &WanConfig) -> (String, Vec<String>) {
    (wan.name.clone(), wan.probe.reflectors.iter().map(ToString::to_string).collect())
}

/// Records the first events of this run.
fn log_start(recorder: &Recorder, mode: &'static str, origin: Origin) {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    recorder.event(Clock::wall(), None, Event::Start { version, mode });
    let Origin { file: path, sha256: hash } = origin;
    recorder.event(Clock::wall(), None, Event::ConfigLoaded { path, hash });
}

fn open_history(config: &Config) -> Option<(Recorder, Writer)> {
    let path = config.history.path.clone()?;
    let wans = config.wans.iter().map(|wan| wan.name.clone()).collect();
    let retention = settings::retention(&config.history);
    Some(history::start(history::Settings { path, retention, wans }))
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
