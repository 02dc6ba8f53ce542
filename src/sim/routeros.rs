//! A RouterOS 7 router as its REST clients see it.
//!
//! Faithful where clients get hurt: everything is a text, keys are missing, values come back
//! normalised, identifiers change, refusals mislead, one user's requests queue up behind each
//! other, an abandoned request is carried out all the same. What its queues do to traffic is the
//! business of a [`Plant`].
//!
//! ```text
//! listener (resets) ─► service (admission, user queue, latency, faults) ─► place ─► commands
//!                                                                                     │
//!                                    plant ◄─ shapers ◄─ world ◄─ store ◄─ rows, schema
//! ```
//!
//! Invariants:
//! - no lock is held while anything is awaited, but for the queue of a user, which is that lock;
//! - the limits that the plant has are those that the store shows;
//! - every request below `/rest/` is remembered in the log, whatever became of it.

mod auth;
mod call;
mod commands;
mod config;
mod console;
mod errors;
mod faults;
mod latency;
mod listener;
mod log;
mod ping;
mod place;
mod rows;
mod schema;
mod select;
mod service;
mod shapers;
mod store;
#[cfg(test)]
mod tests;
mod values;
mod world;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Router, http::HeaderMap};
use fastrand::Rng;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

pub use auth::{Policy, User};
pub use config::{EmulatorConfig, MangleSpec, QueueSpec};
pub use faults::Fault;
pub use latency::LatencyProfile;
pub use listener::{RouterListener, RouterStream};
pub use log::{CallRecord, Effect};
pub use ping::Pinger;

use self::{
    errors::Refusal,
    faults::{Mood, Troubles},
    log::CallLog,
    world::World,
};
use crate::{sim::plant::Plant, units::MonoTime};

/// Requests that the web server carries at once, those that wait included.
const HANDLERS: usize = 8;

/// An emulated router; clones share it.
#[derive(Debug, Clone)]
pub struct Emulator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    started: Instant,
    users: Vec<User>,
    /// One for each user: whoever holds it has the turn.
    turns: Vec<tokio::sync::Mutex<()>>,
    handlers: Semaphore,
    latency: LatencyProfile,
    keep_alive: bool,
    pinger: Pinger,
    random: Mutex<Rng>,
    world: Mutex<World>,
    troubles: Mutex<Troubles>,
    log: Mutex<CallLog>,
    /// Cancelled to cut off every connection that stands; then replaced.
    wire: Mutex<CancellationToken>,
}

impl Emulator {
    /// Builds the router described by `config`, and puts its limits in force in `plant`.
    #[must_use]
    pub fn new(config: EmulatorConfig, plant: Arc<dyn Plant>) -> Self {
        let world = World::new(&config, plant);
        let turns = config.users.iter().map(|_| tokio::sync::Mutex::new(())).collect();
        Self(Arc::new(Inner {
            started: Instant::now(),
            users: config.users,
            turns,
            handlers: Semaphore::new(HANDLERS),
            latency: config.latency,
            keep_alive: config.keep_alive,
            pinger: config.pinger,
            random: Mutex::new(Rng::with_seed(config.seed)),
            world: Mutex::new(world),
            troubles: Mutex::default(),
            log: Mutex::default(),
            wire: Mutex::default(),
        }))
    }

    /// Returns the web server, for callers who serve it themselves.
    ///
    /// Faults that reset connections work only behind [`Emulator::listener`].
    pub fn router(&self) -> Router {
        service::router(self.clone())
    }

    /// Returns `listener` with this router's faults: what it accepts can be wrapped in TLS.
    #[must_use]
    pub fn listener(&self, listener: TcpListener) -> RouterListener {
        RouterListener::new(listener, self.clone())
    }

    /// Serves plain HTTP on `listener` until `stop`, which cuts off what is still connected.
    ///
    /// # Errors
    /// Fails when the listener does.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let emulator = self.clone();
        let stopped = async move {
            stop.cancelled().await;
            emulator.sever();
        };
        axum::serve(self.listener(listener), self.router()).with_graceful_shutdown(stopped).await
    }

    /// Returns the last calls, oldest first: at most 10 000, each once it was answered.
    #[must_use]
    pub fn log(&self) -> Vec<CallRecord> {
        lock(&self.0.log).to_vec()
    }

    /// Lets something go wrong, from now on.
    pub fn inject(&self, fault: Fault) {
        let now = self.now();
        lock(&self.0.troubles).begin(&fault, now);
        match fault {
            Fault::Reset(_) | Fault::Reboot { .. } => self.sever(),
            Fault::Drift { queue, limit } => lock(&self.0.world).drift(&queue, limit, now),
            Fault::Recreate { queue } => lock(&self.0.world).recreate(&queue, now),
            Fault::Hang(_) | Fault::Unauthorised(_) | Fault::Slow(..) => {}
        }
    }

    fn sever(&self) {
        std::mem::take(&mut *lock(&self.0.wire)).cancel();
    }

    /// Returns what cuts off a new connection, or `None` if none can be made.
    fn wire(&self) -> Option<CancellationToken> {
        // In this order: a fault that begins in between cuts off what was just taken.
        let wire = lock(&self.0.wire).clone();
        lock(&self.0.troubles).is_reachable(self.now()).then_some(wire)
    }

    fn now(&self) -> MonoTime {
        MonoTime::from_start(self.0.started.elapsed())
    }

    fn keeps_alive(&self) -> bool {
        self.0.keep_alive
    }

    fn pinger(&self) -> &Pinger {
        &self.0.pinger
    }

    /// Returns one of the web server's handlers.
    fn handler(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        self.0.handlers.try_acquire().map_err(|_| Refusal::unavailable())
    }

    /// Returns the user whom `headers` prove, and the queue of that user's requests.
    fn admit(&self, headers: &HeaderMap) -> Result<(&User, &tokio::sync::Mutex<()>), Refusal> {
        let index = auth::login(&self.0.users, headers)?;
        Ok((&self.0.users[index], &self.0.turns[index]))
    }

    /// Waits until the router no longer hangs.
    async fn stall(&self) {
        loop {
            let rest = lock(&self.0.troubles).stall(self.now());
            if rest.is_zero() {
                return;
            }
            tokio::time::sleep(rest).await;
        }
    }

    fn draw_latency(&self) -> Duration {
        let slowdown = lock(&self.0.troubles).slowdown(self.now());
        self.0.latency.draw(&mut lock(&self.0.random), slowdown)
    }

    fn failed_login(&self) -> Duration {
        self.0.latency.of_failed_login()
    }

    fn mood(&self) -> Mood {
        lock(&self.0.troubles).mood(self.now())
    }

    /// Catches up with a reboot, and returns how many there were.
    fn settle(&self) -> u32 {
        let (boot, reboots) = {
            let mut troubles = lock(&self.0.troubles);
            (troubles.take_boot(self.now()), troubles.reboots())
        };
        if let Some(at) = boot {
            lock(&self.0.world).boot(at);
        }
        reboots
    }

    fn with_world<T>(&self, act: impl FnOnce(&mut World, MonoTime) -> T) -> T {
        let mut world = lock(&self.0.world);
        // Taken under the lock, so that time never runs backwards for the world.
        let now = self.now();
        act(&mut world, now)
    }

    fn record(&self, record: CallRecord) {
        lock(&self.0.log).push(record);
    }
}

/// Locks, and carries on after a panic elsewhere: a failed test must not fail all others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
