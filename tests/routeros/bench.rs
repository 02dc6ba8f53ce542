//! An emulated router on a loopback port and clients for it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wanctl::router::{
    QueueRef, SwitchMenu, SwitchRef,
    routeros::{Credentials, RouterOs, Settings},
};
use wanctl_core::{
    steering::{Rank, Switch, SwitchKind},
    units::BitRate,
};
use wanctl_lab::{
    plant::{Plant, PlantReading},
    routeros::{
        Emulator, EmulatorConfig, LatencyProfile, MangleSpec, QueueSpec, RouterCertificate, User,
    },
};

/// A plant whose queues carry what a test says.
#[derive(Debug, Default)]
pub(crate) struct TempFiles(Mutex<BTreeMap<String, PlantReading>>);

impl TempFiles {
    pub(crate) fn put(&self, queue: &str, reading: PlantReading) {
        self.0.lock().unwrap().insert(queue.to_owned(), reading);
    }
}

impl Plant for TempFiles {
    fn set_limit(&self, _queue: &str, _limit: BitRate) {}

    fn reading(&self, queue: &str) -> PlantReading {
        self.0.lock().unwrap().get(queue).copied().unwrap_or_default()
    }
}

/// A running emulator; it ends with the test.
pub(crate) struct Bench {
    pub(crate) emulator: Emulator,
    pub(crate) files: Arc<TempFiles>,
    pub(crate) url: String,
    stop: CancellationToken,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) fn queue(name: &str) -> QueueSpec {
    QueueSpec {
        name: name.to_owned(),
        parent: "ether1".to_owned(),
        queue_type: "cake".to_owned(),
        max_limit: BitRate::from_mbps(100.0),
        bucket_size: "0.1".to_owned(),
    }
}

pub(crate) fn rule(comment: &str, disabled: bool) -> MangleSpec {
    MangleSpec {
        chain: "prerouting".to_owned(),
        action: "mark-routing".to_owned(),
        comment: comment.to_owned(),
        disabled,
        ..MangleSpec::default()
    }
}

/// The usual router of these tests: two queues, a user who may do everything, no latency.
pub(crate) fn defaults() -> EmulatorConfig {
    EmulatorConfig {
        users: vec![User::full("ctl", "secret")],
        queues: vec![queue("dl"), queue("ul")],
        latency: LatencyProfile::None,
        ..EmulatorConfig::default()
    }
}

impl Bench {
    pub(crate) async fn start(config: EmulatorConfig) -> Self {
        Self::served(config, None).await
    }

    /// Serves HTTPS with `certificate`.
    pub(crate) async fn secure(config: EmulatorConfig, certificate: RouterCertificate) -> Self {
        Self::served(config, Some(certificate)).await
    }

    async fn served(config: EmulatorConfig, certificate: Option<RouterCertificate>) -> Self {
        let files = Arc::new(TempFiles::default());
        let emulator = Emulator::new(config, Arc::clone(&files) as Arc<dyn Plant>);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if certificate.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let (served, stopped) = (emulator.clone(), stop.clone());
        tokio::spawn(async move {
            match certificate {
                Some(certificate) => served.serve_tls(listener, &certificate, stopped).await,
                None => served.serve(listener, stopped).await,
            }
        });
        Self { emulator, files, url, stop }
    }

    pub(crate) fn config(&self, user: &str, password: &str) -> Settings {
        Settings {
            request_timeout: Duration::from_millis(600),
            ..Settings::at(&self.url, Credentials::new(user, password))
        }
    }

    pub(crate) fn client(&self) -> RouterOs {
        let queues = vec![tree("dl"), tree("ul")];
        RouterOs::new(&self.config("ctl", "secret"), queues).unwrap()
    }
}

/// The switch with this comment.
pub(crate) fn switch(menu: SwitchMenu, comment: &str) -> SwitchRef {
    let switch = Switch { wan: Rank(1), kind: SwitchKind::SteerRule };
    SwitchRef { switch, menu, comment: comment.to_owned() }
}

pub(crate) fn tree(name: &str) -> QueueRef {
    QueueRef::Tree(name.to_owned())
}

/// Waits until `holds`, at most ten seconds: a deadline for a broken test, not a timing.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(10), "never came about: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
