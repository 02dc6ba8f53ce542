//! One WAN's schedule of probes and control loop, and the channels by which they meet each other
//! and everybody else.

use std::{sync::Arc, time::Duration};

use tokio::sync::{mpsc, watch};
use wanctl_core::{Cycle, Wan, WanMemory, units::MonoTime};

use super::{
    ControlLoop, IdleWatch, LoopSettings, MemoryWriter, Outputs, events::ReflectorEvents, memory,
    start::names,
};
use crate::{
    actuator::WanChannels,
    clock::Clock,
    config::{ControlConfig, WanConfig},
    history::Recorder,
    probe::{Ends, Pace, ProbeFamilies, ProbeMetrics, Schedule},
    recording::{Beginning, Recording},
    status::StatusBoard,
    telemetry::{CycleMetrics, WanLabels},
};

/// Outcomes of probes that may wait for a control loop: many times what one cycle brings.
const SAMPLES: usize = 1024;
/// Changes of who takes turns that may wait to be recorded: a pool makes one in seconds.
const CHANGES: usize = 16;

/// Wires the WANs up, one after the other in the order of the configuration, from what they share.
pub(super) struct Wiring<'a> {
    /// How many WANs are wired already.
    pub(super) wired: usize,
    /// How many there are.
    pub(super) wans: usize,
    pub(super) control: ControlConfig,
    pub(super) clock: Clock,
    pub(super) labels: &'a WanLabels,
    pub(super) probing: &'a ProbeFamilies,
    pub(super) recorder: Option<Recorder>,
    pub(super) board: StatusBoard,
    /// Where steering picks the cycles up, if anything is steered.
    pub(super) cycles: Option<mpsc::Sender<Arc<Cycle>>>,
    pub(super) recording: Option<&'a Recording>,
}

/// A WAN that is ready to be started.
pub(super) struct Wired {
    pub(super) schedule: Schedule,
    /// The schedule's ends of its channels.
    pub(super) ends: Ends,
    /// Who records what becomes of the reflectors, if there is a history.
    pub(super) reflectors: Option<ReflectorEvents>,
    pub(super) control: ControlLoop,
    /// Where the loop takes new settings from.
    pub(super) update: watch::Sender<LoopSettings>,
}

impl Wiring<'_> {
    /// Wires up the next WAN, whose controller goes on from what is remembered.
    pub(super) fn wire(
        &mut self,
        config: &WanConfig,
        memory: Option<&(WanMemory, Duration)>,
        link: WanChannels,
    ) -> Wired {
        let index = self.wired;
        self.wired += 1;
        let (name, reflectors) = names(config);
        let settings = LoopSettings::of_wan(config, &self.control);
        let (sender, samples) = mpsc::channel(SAMPLES);
        let (change_sender, changes) = mpsc::channel(CHANGES);
        let pace = watch::Sender::new(Pace::Full);
        let (kind_sender, prober_kind) = watch::channel(None);
        let ends = Ends {
            samples: sender,
            pace: pace.subscribe(),
            prober_kind: kind_sender,
            changes: change_sender,
            metrics: ProbeMetrics::new(self.probing, &name, &reflectors),
        };
        let at = self.clock.now();
        let beginning = Beginning {
            wan: index,
            name: &name,
            at,
            params: &settings.params,
            observe_mode: settings.observe_mode,
            memory: memory.map(|(memory, age)| (memory, *age)),
        };
        let memory_writer = |recorder| MemoryWriter::new(recorder, index, reflectors.clone());
        let shaped: Vec<_> =
            settings.params.directions.present().map(|(direction, _)| direction).collect();
        let metrics = CycleMetrics::new(self.labels, &name, &reflectors, &shaped);
        metrics.configure(&settings.params, settings.interval);
        let (update, updates) = watch::channel(settings);
        let control = ControlLoop {
            index,
            wan: controller(&name, &settings, memory, at),
            settings,
            updates,
            clock: self.clock,
            prober_kind,
            method: None,
            samples,
            shaper: link.shaper.subscribe(),
            actuation: link.actuation.subscribe(),
            desired: link.desired,
            pace,
            is_idle: link.idle,
            idle: IdleWatch::default(),
            outputs: Outputs {
                metrics,
                recorder: self.recorder.clone(),
                board: self.board.clone(),
                steering: self.cycles.clone(),
                memory_writer: self.recorder.clone().map(memory_writer),
                tape: self.recording.map(|recording| recording.tape(beginning)),
            },
        };
        let schedule = Schedule::new(&name, &config.probe, self.splay(index, config));
        let reported = |recorder| ReflectorEvents { wan: index, reflectors, changes, recorder };
        let reflectors = self.recorder.clone().map(reported);
        Wired { schedule, ends, reflectors, control, update }
    }

    /// The WANs' probes are spread over one interval, so that they do not leave in one burst.
    fn splay(&self, index: usize, config: &WanConfig) -> Duration {
        config.probe.interval.mul_f64(index as f64 / self.wans.max(1) as f64)
    }
}

/// Makes a WAN's controller, which goes on from what is remembered.
fn controller(
    name: &str,
    settings: &LoopSettings,
    memory: Option<&(WanMemory, Duration)>,
    at: MonoTime,
) -> Wan {
    let mut wan = Wan::new(&settings.params, at);
    if let Some(memory) = memory {
        memory::restore(&mut wan, name, memory);
    }
    wan.set_observing(settings.observe_mode);
    wan
}
