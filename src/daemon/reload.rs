//! Taking a changed configuration while running: valid as a whole, or the old one stays.
//!
//! Reading the file waits and happens first; what it changes is then handed out without a pause,
//! through channels from which each loop takes it between two cycles. So nothing is ever half
//! changed, whoever gives up waiting.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex as PlainMutex, PoisonError},
};

use tokio::{
    sync::{Mutex, watch},
    task,
    time::{Duration, timeout},
};
use tracing::{error, info, warn};

use super::{
    LoopSettings,
    settings::{mode_name, retention, tunings},
    steering::SteeringSettings,
    watchdog,
};
use crate::{
    actuator::Tuning,
    clock::Clock,
    config::{Change, Class, Config, ConfigErrors, Mode, Problem, RouterConfig},
    history::{Event, Recorder},
    status::ConfigInputs,
    telemetry::ConfigMetrics,
};

/// How long reading the configuration may take.
const READING: Duration = Duration::from_secs(10);

/// The configuration with warnings, or everything that is wrong with it.
type Loaded = Result<(Config, Vec<Problem>), ConfigErrors>;

/// Reads the configuration anew, from where it was first read. It may wait for the disk.
#[derive(Clone)]
pub struct Source(pub Arc<dyn Fn() -> Loaded + Send + Sync>);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

/// Why a configuration was not taken; the old one is in force.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReloadError {
    /// The file is wrong.
    #[error(transparent)]
    Invalid(#[from] ConfigErrors),
    /// There is no file.
    #[error("this configuration is built in: there is no file to reload")]
    BuiltIn,
    /// Reading did not end.
    #[error("reading the configuration took more than {} s: check its file system", READING.as_secs())]
    Hangs,
    /// Reading the file panicked, which is a fault in wanctl.
    #[error("reading the configuration panicked; please report this")]
    Panicked,
}

/// How things stand with the configuration, for health and the HTTP server.
#[derive(Debug, Clone)]
pub(super) struct ConfigInForce {
    /// What health reports of it.
    pub(super) config: ConfigInputs,
    /// Whether a reload may be asked for over HTTP.
    pub(super) allows_http: bool,
    /// Whether steering may be overridden over HTTP.
    pub(super) allows_steer: bool,
    /// Further hosts that are this server.
    hosts: Vec<String>,
}

impl ConfigInForce {
    /// How things stand once `config` is in force, of which `awaits_restart` is not yet.
    fn of(config: &Config, awaits_restart: Vec<String>) -> Self {
        Self {
            config: ConfigInputs {
                mode: mode_name(config.control.mode),
                sha256: config.origin.sha256.clone(),
                taken: Clock::wall(),
                reminders: reminders(config),
                reload_failure: None,
                awaits_restart,
            },
            allows_http: config.http.allow_reload,
            allows_steer: config.http.allow_steer,
            hosts: config.http.hosts.clone(),
        }
    }
}

/// Where what a configuration says goes.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// One for each WAN.
    pub(super) loops: Vec<watch::Sender<LoopSettings>>,
    /// One for each router.
    pub(super) tunings: Vec<watch::Sender<Tuning>>,
    /// None if nothing is steered.
    pub(super) steering: Option<watch::Sender<SteeringSettings>>,
    pub(super) metrics: ConfigMetrics,
    pub(super) recorder: Option<Recorder>,
}

/// Reloads the configuration, for whoever asks, one at a time.
#[derive(Debug, Clone)]
pub(super) struct Reloader {
    source: Option<Source>,
    inner: Arc<Mutex<Inner>>,
    config_in_force: Arc<PlainMutex<ConfigInForce>>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    /// A reading that hangs.
    reading: Option<task::JoinHandle<Loaded>>,
    out: Outgoing,
}

impl Reloader {
    /// Starts with `config`, which is in force, and publishes that.
    pub(super) fn new(config: Config, source: Option<Source>, out: Outgoing) -> Self {
        let is_active = config.control.mode == Mode::Active;
        out.metrics.taken(&config.origin.sha256, is_active, false, Clock::wall());
        let config_in_force = ConfigInForce::of(&config, Vec::new());
        let inner = Arc::new(Mutex::new(Inner { config, reading: None, out }));
        Self { source, inner, config_in_force: Arc::new(PlainMutex::new(config_in_force)) }
    }

    /// Returns how things stand.
    pub(super) fn config_in_force(&self) -> ConfigInForce {
        self.config_in_force.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns whether the configuration lists `host` as this server.
    pub(super) fn lists(&self, host: &str) -> bool {
        let config_in_force = self.config_in_force.lock().unwrap_or_else(PoisonError::into_inner);
        config_in_force.hosts.iter().any(|listed| listed == host)
    }

    /// Reads the configuration anew and takes it, if it is valid as a whole. What cannot change
    /// while running is reported and waits for a restart.
    ///
    /// # Errors
    /// [`ReloadError`]; nothing has changed then.
    pub(super) async fn reload(&self) -> Result<Vec<Change>, ReloadError> {
        // Reloads take turns, and systemd is notified when this one is over, however it ends.
        let mut inner = self.inner.lock().await;
        let _announced = watchdog::reloading();
        let read = match self.source.clone() {
            None => Err(ReloadError::BuiltIn),
            Some(source) => inner.read(source).await,
        };
        match read {
            Ok((new, warnings)) => {
                for warning in &warnings {
                    warn!("{warning}");
                }
                Ok(self.take(&mut inner, new))
            }
            Err(error) => {
                self.refuse(&inner, &error);
                Err(error)
            }
        }
    }

    /// Hands out what `new` says. Waits for nothing.
    fn take(&self, inner: &mut Inner, new: Config) -> Vec<Change> {
        let (config, changes) = inner.config.adopt(new);
        for (sender, settings) in inner.out.loops.iter().zip(LoopSettings::of(&config)) {
            sender.send_if_modified(|reported| replace(reported, settings));
        }
        let is_active = config.control.mode == Mode::Active;
        for (sender, tuning) in inner.out.tunings.iter().zip(tunings(&config)) {
            sender.send_if_modified(|reported| replace(reported, tuning));
        }
        if let (Some(sender), Some(steering)) = (&inner.out.steering, &config.steering) {
            let settings = SteeringSettings::of(&config, steering);
            sender.send_if_modified(|reported| replace(reported, settings));
        }
        inner.out.metrics.taken(&config.origin.sha256, is_active, true, Clock::wall());
        let pending: Vec<String> = changed_keys(&changes, Class::Restart).collect();
        if let Some(recorder) = &inner.out.recorder {
            recorder.retain(retention(&config.history));
            let keys = |class| {
                let of_class = changes.iter().filter(move |change| change.class == class);
                of_class.map(|change| change.key.clone()).collect()
            };
            let event = Event::ConfigReloaded {
                path: config.origin.file.clone(),
                from: inner.config.origin.sha256.clone(),
                to: config.origin.sha256.clone(),
                changed: keys(Class::Live),
                restart: keys(Class::Restart),
            };
            recorder.event(Clock::wall(), None, event);
        }
        info!(file = %config.origin.file, changes = changes.len(), "the configuration was reloaded");
        for what in changed_keys(&changes, Class::Live) {
            info!("{what}");
        }
        for what in &pending {
            warn!("{what}");
        }
        let mut config_in_force =
            self.config_in_force.lock().unwrap_or_else(PoisonError::into_inner);
        *config_in_force = ConfigInForce::of(&config, pending);
        inner.config = config;
        changes
    }

    fn refuse(&self, inner: &Inner, error: &ReloadError) {
        inner.out.metrics.refused();
        for line in error.to_string().lines() {
            error!("{line}");
        }
        error!("the configuration was not reloaded: the previous one stays in force");
        let mut config_in_force =
            self.config_in_force.lock().unwrap_or_else(PoisonError::into_inner);
        config_in_force.config.reload_failure = Some(summary(error));
    }
}

impl Inner {
    /// Reads the configuration, and gives up when that takes too long. A reading cannot be
    /// interrupted: while one hangs, no other begins.
    async fn read(&mut self, Source(read): Source) -> Result<(Config, Vec<Problem>), ReloadError> {
        let hangs = self.reading.take().filter(|reading| !reading.is_finished());
        let reading = hangs.unwrap_or_else(|| task::spawn_blocking(move || read()));
        let reading = self.reading.insert(reading);
        let read = timeout(READING, &mut *reading).await.map_err(|_| ReloadError::Hangs)?;
        self.reading = None;
        read.map_err(|_| ReloadError::Panicked)?.map_err(ReloadError::from)
    }
}

/// Puts `new` in the place of `reported`, and returns whether they differed.
fn replace<T: PartialEq>(reported: &mut T, new: T) -> bool {
    let differs = *reported != new;
    *reported = new;
    differs
}

fn changed_keys(changes: &[Change], class: Class) -> impl Iterator<Item = String> {
    changes.iter().filter(move |change| change.class == class).map(ToString::to_string)
}

/// The first mistake, and how many more there are.
fn summary(error: &ReloadError) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let more = match text.lines().count() {
        0 | 1 => String::new(),
        lines => format!(" (and {} more)", lines - 1),
    };
    format!("the last reload failed, the previous configuration stays in force: {first}{more}")
}

fn reminders(config: &Config) -> BTreeMap<String, Vec<String>> {
    let of_router = |router: &RouterConfig| (router.name.clone(), router.connection.reminders());
    config.routers.iter().map(of_router).collect()
}
