//! A RouterOS 7 router as its REST clients see it.
//!
//! Faithful where clients fail: every value is a text, keys are missing, values come back
//! normalised, identifiers change, errors mislead, requests of one user queue up behind each other,
//! an abandoned request is carried out all the same. A [`Plant`] does what queues do to traffic.
//!
//! ```text
//! listener (sessions, resets) ─► service (admission, user queue, latency, faults) ─► commands (verbs)
//!   └ certificate (TLS)            └► tools (ping, monitor)    console ─┐                 │
//!                                                                       └► session (policies, effects)
//!                                        plant ◄─ shapers ◄─ world ◄─ store (rows) ◄─ menus
//! ```
//!
//! What is not certain about RouterOS is a switch in [`Quirks`]. A [`Fault`] is injected by a
//! method, by schedule or by HTTP.
//!
//! Invariants:
//! - no lock is held across an `await`, except the lock of a user, which is the user's queue;
//! - the limits that the plant has are those that the store shows;
//! - every request below `/rest/` is in the log, whatever its outcome, until the log is full;
//! - every change of a row is an operation of a user or a fault.

mod certificate;
mod commands;
mod config;
mod console;
mod fault;
mod faults;
mod initial_rows;
mod listener;
mod log;
mod menus;
mod query;
mod quirks;
mod request;
mod service;
mod session;
mod shapers;
mod store;
mod system;
#[cfg(test)]
mod tests;
mod tools;
mod values;
mod world;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Router, extract::connect_info::IntoMakeServiceWithConnectInfo, http::HeaderMap};
use fastrand::Rng;
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

pub use certificate::{CertificateError, CertificateShape, RouterCertificate};
pub use config::{
    EmulatorConfig, FastTrack, MangleSpec, Policy, QueueSpec, RouteSpec, RoutingRuleSpec,
    SimpleQueueSpec, User,
};
pub use fault::{Fault, FaultSyntaxError, ScheduledFault};
pub use faults::LatencyProfile;
pub use log::{RequestEffect, RequestRecord};
pub use quirks::{
    BarePost, CounterReset, FlashWrites, Quirks, RateUnit, RefusedChange, UnknownCommand,
};
pub use tools::Pinger;

use wanctl_core::units::MonoTime;

use self::{
    faults::{ActiveFaults, Hazard, ServerMode},
    listener::{Peer, RouterListener},
    log::RequestLog,
    menus::{QUEUE_SIMPLE, QUEUE_TREE, menu},
    request::ApiError,
    session::Session,
    world::World,
};
use crate::plant::Plant;

/// Requests that the web server carries at once, those that wait included.
const HANDLERS: usize = 8;
/// Time between the answer of a damaged web server and the reset of every connection.
const LAST_WORDS: Duration = Duration::from_millis(20);

/// An emulated router; clones share it.
#[derive(Debug, Clone)]
pub struct Emulator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    started: Instant,
    users: Vec<User>,
    /// One for each user, held by the request that is served.
    turns: Vec<tokio::sync::Mutex<()>>,
    handlers: Semaphore,
    latency: LatencyProfile,
    sessions: Arc<Semaphore>,
    quirks: Quirks,
    schedule: Vec<ScheduledFault>,
    is_controlled: bool,
    pinger: Pinger,
    random: Mutex<Rng>,
    world: Mutex<World>,
    faults: Mutex<ActiveFaults>,
    hazard: Mutex<Hazard>,
    log: Mutex<RequestLog>,
    /// Cancelled to reset every connection; then replaced.
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
            sessions: Arc::new(Semaphore::new(config.max_sessions)),
            quirks: config.quirks,
            schedule: config.faults,
            is_controlled: config.control,
            pinger: config.pinger,
            random: Mutex::new(Rng::with_seed(config.seed)),
            world: Mutex::new(world),
            faults: Mutex::default(),
            hazard: Mutex::default(),
            log: Mutex::new(RequestLog::new(config.log_capacity)),
            wire: Mutex::default(),
        }))
    }

    fn service(&self) -> IntoMakeServiceWithConnectInfo<Router, Peer> {
        service::router(self.clone()).into_make_service_with_connect_info()
    }

    /// Returns `listener` with this router's faults; with TLS on top it is a secure one.
    fn listener(&self, listener: TcpListener) -> RouterListener {
        RouterListener::new(listener, self.clone())
    }

    /// Serves plain HTTP on `listener` until `stop`, which resets what is still connected.
    /// Meanwhile scheduled faults happen.
    ///
    /// # Errors
    /// Fails when the listener does.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let listener = self.listener(listener);
        let stopped = self.clone().until(stop);
        axum::serve(listener, self.service()).with_graceful_shutdown(stopped).await
    }

    /// Serves HTTPS with `certificate`; otherwise as [`Emulator::serve`].
    ///
    /// # Errors
    /// Fails when the listener does.
    pub async fn serve_tls(
        self,
        listener: TcpListener,
        certificate: &RouterCertificate,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let listener = certificate.secure(self.listener(listener));
        let stopped = self.clone().until(stop);
        axum::serve(listener, self.service()).with_graceful_shutdown(stopped).await
    }

    /// Lets scheduled faults happen until `stop`, and then resets what is connected.
    async fn until(self, stop: CancellationToken) {
        let schedule = async {
            self.follow_schedule().await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = schedule => {}
        }
        self.sever();
    }

    async fn follow_schedule(&self) {
        let mut schedule: Vec<&ScheduledFault> = self.0.schedule.iter().collect();
        schedule.sort_by_key(|scheduled| scheduled.after);
        for scheduled in schedule {
            tokio::time::sleep_until(self.0.started + scheduled.after).await;
            self.inject(scheduled.fault.clone());
        }
    }

    /// Returns the last answered requests, oldest first, at most `log_capacity`.
    #[must_use]
    pub fn log(&self) -> Vec<RequestRecord> {
        lock(&self.0.log).to_vec()
    }

    /// Begins a fault.
    pub fn inject(&self, fault: Fault) {
        let now = self.now();
        lock(&self.0.faults).begin(&fault, now);
        match fault {
            Fault::Reset(_) | Fault::Reboot { .. } => self.sever(),
            Fault::Drift { queue, limit } => {
                let other = User::full("", "");
                self.operate(&other, &mut vec![], |session| session.set_limit(&queue, limit));
            }
            Fault::Recreate { queue } => lock(&self.0.world).recreate(&queue, now),
            Fault::Hang(_)
            | Fault::Silence(_)
            | Fault::Unauthorised(_)
            | Fault::SessionsFull(_)
            | Fault::Slow(..) => {}
        }
    }

    /// Returns whether there is a queue, tree or simple, with this name.
    #[must_use]
    pub fn has_queue(&self, name: &str) -> bool {
        let world = lock(&self.0.world);
        [QUEUE_TREE, QUEUE_SIMPLE].iter().any(|path| world.locate(menu(path), name).is_some())
    }

    fn sever(&self) {
        std::mem::take(&mut *lock(&self.0.wire)).cancel();
    }

    /// Returns the token that resets a new connection, or `None` if none can be made.
    fn wire(&self) -> Option<CancellationToken> {
        // In this order: a fault that begins in between cancels the token.
        let wire = lock(&self.0.wire).clone();
        let now = self.now();
        let is_damaged = lock(&self.0.hazard).is_damaged(now);
        (!is_damaged && lock(&self.0.faults).is_reachable(now)).then_some(wire)
    }

    /// Returns one of the web server's sessions, if one is free.
    fn session_permit(&self) -> Option<OwnedSemaphorePermit> {
        let is_full = lock(&self.0.faults).is_full(self.now());
        if is_full { None } else { self.0.sessions.clone().try_acquire_owned().ok() }
    }

    fn abort_on(&self, connection: u64) {
        if self.0.quirks.abort_hazard {
            lock(&self.0.hazard).abort(connection, self.now());
        }
    }

    /// A request was carried out. Returns whether its answer is lost to the abort hazard, together
    /// with every connection.
    fn complete_on(&self, connection: u64) -> bool {
        let mut random = lock(&self.0.random);
        let is_damaged = lock(&self.0.hazard).complete(connection, self.now(), &mut random);
        if is_damaged {
            let emulator = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(LAST_WORDS).await;
                emulator.sever();
            });
        }
        is_damaged
    }

    fn now(&self) -> MonoTime {
        MonoTime::from_start(self.0.started.elapsed())
    }

    fn handler(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.0.handlers.try_acquire().map_err(|_| ApiError::unavailable())
    }

    /// Returns the user whom `headers` prove, and the queue of that user's requests.
    fn admit(&self, headers: &HeaderMap) -> Result<(&User, &tokio::sync::Mutex<()>), ApiError> {
        let index = service::login(&self.0.users, headers, self.0.quirks.needs_web_policy)?;
        Ok((&self.0.users[index], &self.0.turns[index]))
    }

    /// Waits until the router no longer hangs.
    async fn stall(&self) {
        loop {
            let rest = lock(&self.0.faults).stall(self.now());
            if rest.is_zero() {
                return;
            }
            tokio::time::sleep(rest).await;
        }
    }

    /// Waits until the router answers again.
    async fn hold_back(&self) {
        let rest = lock(&self.0.faults).silence(self.now());
        if !rest.is_zero() {
            tokio::time::sleep(rest).await;
        }
    }

    fn draw_latency(&self) -> Duration {
        let slowdown = lock(&self.0.faults).slowdown(self.now());
        self.0.latency.draw(&mut lock(&self.0.random), slowdown)
    }

    fn server_mode(&self) -> ServerMode {
        lock(&self.0.faults).server_mode(self.now())
    }

    /// Finishes a reboot that is over, and returns how many there were.
    fn finish_boot(&self) -> u32 {
        let (boot, reboots) = {
            let mut faults = lock(&self.0.faults);
            (faults.take_boot(self.now()), faults.reboots())
        };
        if let Some(at) = boot {
            lock(&self.0.world).boot(at);
        }
        reboots
    }

    fn with_world<T>(&self, act: impl FnOnce(&mut World, MonoTime) -> T) -> T {
        let mut world = lock(&self.0.world);
        // Read under the lock: time never runs backwards for the world.
        let now = self.now();
        act(&mut world, now)
    }

    /// Lets `user` operate on the rows; what that changes is added to `effects`.
    fn operate<T>(
        &self,
        user: &User,
        effects: &mut Vec<RequestEffect>,
        act: impl FnOnce(&mut Session<'_>) -> T,
    ) -> T {
        self.with_world(|world, now| act(&mut Session { world, user, now, effects }))
    }
}

/// Locks, and carries on after a panic elsewhere: a failed test must not fail all others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
