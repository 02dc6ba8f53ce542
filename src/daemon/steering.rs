//! The task that steers: cycles of all WANs in, orders for the router's switches out.
//!
//! It has a task of its own, off the control thread: the loops leave their cycles in a channel
//! that never blocks, and a cycle that is missed does no harm.

mod override_orders;
mod publisher;
mod router_switches;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub(super) use self::override_orders::OverrideOrders;
use self::{publisher::SteeringPublisher, router_switches::RouterSwitches};
use super::memory;
use crate::{
    actuator::{SwitchChannels, SwitchMetrics, SwitchWork},
    catalogue::Catalogue,
    clock::Clock,
    config::{Config, Mode, SteeringConfig, SteeringExit},
    history::{HistoryError, Memories, Recorder, SavedSteering},
    status::SteeringBoard,
    telemetry::SteeringMetrics,
};
use wanctl_core::{
    Cycle,
    steering::{Rank, SteerOverride, Steering, SteeringMode, SteeringParams, Switch},
    units::{MonoTime, Timestamp},
};

/// Time between two decisions: a fraction of the second and a half after which a WAN is dead.
const TICK: Duration = Duration::from_millis(100);
/// Cycles that may wait: ten ticks of eight WANs at the fastest pace.
const CYCLES: usize = 512;
/// Time between two memories if nothing changes.
const KEEP_EVERY: Duration = Duration::from_mins(1);

/// What steering shares with the rest of the daemon; also there if nothing is steered.
#[derive(Debug)]
pub(super) struct SteeringParts {
    /// The switches of each router, for its actuator.
    pub(super) switches: Vec<SwitchWork>,
    /// Where decisions are pinned.
    pub(super) board: SteeringBoard,
    /// The operator's word.
    pub(super) overrides: OverrideOrders,
    /// Where the loops leave their cycles.
    pub(super) cycles: Option<mpsc::Sender<Arc<Cycle>>>,
    /// Where new settings are published.
    pub(super) tune: Option<watch::Sender<SteeringSettings>>,
    /// The task to run.
    pub(super) task: Option<SteeringTask>,
}

/// Decides ten times a second, and publishes the decisions.
#[derive(Debug)]
pub(super) struct SteeringTask {
    steering: Steering,
    clock: Clock,
    cycles: mpsc::Receiver<Arc<Cycle>>,
    overrides: watch::Receiver<Option<SteerOverride>>,
    switches: RouterSwitches,
    settings: watch::Receiver<SteeringSettings>,
    publisher: SteeringPublisher,
    keep_at: MonoTime,
}

/// What of a configuration steering works by, and what may change while it runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SteeringSettings {
    params: SteeringParams,
    /// The switches are put to rest at the end.
    restores: bool,
}

impl SteeringSettings {
    /// Returns what `steering`, which is part of `config`, says. Where nothing is written to the
    /// router, nothing is switched either.
    pub(super) fn of(config: &Config, steering: &SteeringConfig) -> Self {
        let mut params = steering.params.clone();
        if config.control.mode == Mode::Observe && params.mode == SteeringMode::Active {
            info!("steering is in observe mode, because control writes nothing to the router");
            params.mode = SteeringMode::Observe;
        }
        Self { params, restores: steering.on_exit == SteeringExit::Restore }
    }
}

impl SteeringParts {
    /// Builds what `config` asks for; metrics are declared in `catalogue`.
    pub(super) fn new(
        config: &Config,
        routers: usize,
        catalogue: &mut Catalogue,
        recorder: Option<Recorder>,
        clock: Clock,
    ) -> Self {
        let links: Vec<SwitchChannels> = (0..routers).map(|_| SwitchChannels::default()).collect();
        let board = SteeringBoard::default();
        let Some(steering) = &config.steering else {
            let metrics = SwitchMetrics::unregistered();
            let none = |link| SwitchWork {
                refs: Vec::new(),
                forgets: Vec::new(),
                link,
                metrics: metrics.clone(),
            };
            let switches = links.into_iter().map(none).collect();
            let overrides = OverrideOrders::nobody();
            return Self { switches, board, overrides, cycles: None, tune: None, task: None };
        };
        let SteeringConfig { switches, forgets, .. } = steering.clone();
        let settings = SteeringSettings::of(config, steering);
        let params = settings.params.clone();
        let names: Vec<String> = params.wans.iter().map(|wan| wan.name.clone()).collect();
        let metrics = SwitchMetrics::register(catalogue, &params.wans);
        let switches = if params.mode == SteeringMode::Off { Vec::new() } else { switches };
        let publisher = SteeringPublisher::new(
            SteeringMetrics::register(catalogue, &names),
            recorder.clone(),
            board.clone(),
            params.wans.iter().map(|wan| wan.place).collect(),
        );
        let now = clock.now();
        let overrides = OverrideOrders::new(params.wans.clone(), recorder, clock, board.clone());
        let mut machine = Steering::new(params, now);
        if let Some((kept, age)) = recall(config, Clock::wall()) {
            machine.restore(&kept.memory, age, now);
            overrides.restore(&kept, Clock::wall());
        }
        let (sender, cycles) = mpsc::channel(CYCLES);
        let (tune, tuned) = watch::channel(settings);
        let task = SteeringTask {
            steering: machine,
            clock,
            cycles,
            overrides: overrides.listen(),
            switches: RouterSwitches::new(&switches, links.clone()),
            settings: tuned,
            publisher,
            keep_at: now + KEEP_EVERY,
        };
        let of_router = |(router, link)| {
            let of_it = switches.iter().filter(|placed| placed.router == router);
            SwitchWork {
                refs: of_it.map(|placed| placed.at.clone()).collect(),
                // Each of them follows a change of a switch, which only one router makes.
                forgets: forgets.clone(),
                link,
                metrics: metrics.clone(),
            }
        };
        let switches = links.into_iter().enumerate().map(of_router).collect();
        Self {
            switches,
            board,
            overrides,
            cycles: Some(sender),
            tune: Some(tune),
            task: Some(task),
        }
    }
}

impl SteeringTask {
    /// Turns until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            // Both futures may be dropped and begun anew without loss.
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = ticks.tick() => self.turn(),
            }
        }
        self.keep(self.clock.now());
    }

    fn turn(&mut self) {
        if self.settings.has_changed().unwrap_or(false) {
            let params = self.settings.borrow_and_update().params.clone();
            self.retune(params);
        }
        while let Ok(cycle) = self.cycles.try_recv() {
            self.steering.on_cycle(&cycle);
        }
        let actuation = self.switches.actuation();
        self.steering.on_actuation(actuation.clone());
        self.steering.on_override(*self.overrides.borrow_and_update());
        let now = self.clock.now();
        let decision = self.steering.decide(now);
        let orders = if decision.acts { decision.orders.clone() } else { Vec::new() };
        let restores = self.settings.borrow().restores;
        let exit_orders = if restores { self.steering.exit_orders() } else { Vec::new() };
        self.switches.order(&orders, &exit_orders, &actuation);
        let moved = decision.steer.moved.is_some() || decision.failover.moved.is_some();
        self.publisher.publish(decision, actuation);
        if moved || now >= self.keep_at {
            self.keep(now);
        }
    }

    /// Goes on by other settings. Who only observes from now on writes nothing, not even to undo
    /// what was switched: somebody else must know of it.
    fn retune(&mut self, params: SteeringParams) {
        if params.mode != SteeringMode::Active {
            for Switch { wan, kind } in self.steering.not_at_default() {
                let (wan, rule) = (self.publisher.name(wan).unwrap_or_default(), kind.name());
                warn!(
                    wan,
                    rule,
                    "left in its state, because steering is in observe mode now: switch it back \
                     on the router, or set `steering.mode: active`"
                );
            }
        }
        self.steering.retune(params);
    }

    /// Lets the history remember where traffic goes.
    fn keep(&mut self, now: MonoTime) {
        self.keep_at = now + KEEP_EVERY;
        let wall = Clock::wall();
        let steer_override = *self.overrides.borrow();
        let steer_override = steer_override
            .filter(|steer_override| steer_override.until > now)
            .and_then(|steer_override| {
                let left = i64::try_from(steer_override.until.since(now).as_micros()).ok()?;
                let until = Timestamp::from_micros(wall.micros().saturating_add(left));
                Some((self.publisher.name(steer_override.to)?, until))
            });
        let kept = SavedSteering { memory: self.steering.memory(now), steer_override };
        self.publisher.keep(wall, &kept);
    }
}

/// Returns what the run before has left, and how old it is.
fn recall(config: &Config, now: Timestamp) -> Option<(SavedSteering, Duration)> {
    let path = config.history.path.as_ref()?;
    let read = Memories::open(path).and_then(|memories| memories.of_steering());
    let (at, kept) = match read {
        Ok(kept) => kept?,
        Err(HistoryError::Missing { .. }) => return None,
        Err(error) => {
            memory::complain(path, &error);
            return None;
        }
    };
    match memory::age(at, now) {
        Ok(age) => Some((kept, age)),
        Err(reason) => {
            warn!(reason, "the stored state of steering cannot be read");
            None
        }
    }
}

/// Returns the rank of the WAN named `name`.
fn rank_of(wans: &[wanctl_core::steering::WanFacts], name: &str) -> Option<Rank> {
    wans.iter().position(|wan| wan.name == name).map(Rank)
}
