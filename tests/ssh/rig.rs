//! An emulated router with both of its doors: REST over HTTP, and a real SSH server.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, UnixListener},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use wanctl::router::{
    QueueRef, SwitchMenu, SwitchRef,
    routeros::{Credentials, RouterOs, Secret, Settings, SshConfig, TlsTrust, TransportChoice},
};
use wanctl_core::{
    steering::{Rank, Switch, SwitchKind},
    units::BitRate,
};
use wanctl_lab::{
    plant::{Plant, PlantReading},
    routeros::{
        Emulator, EmulatorConfig, FastTrack, LatencyProfile, MangleSpec, Pinger, Policy, QueueSpec,
        RequestEffect, RouteSpec, SimpleQueueSpec, User,
    },
};

use super::sshd::Sshd;

/// A name with everything that means something to somebody on the way.
pub(crate) const STRANGE_NAME: &str = "007 \"$x\" \\ ?;=[find] größe";
/// A connection mark that has to be quoted.
pub(crate) const QUOTED_MARK: &str = "two \"calls\"";
/// Longer than the widest terminal that is asked for.
pub(crate) const LONG_COMMENT: &str = concat!(
    "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 ",
    "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 ",
    "0123456789 0123456789 0123456789 0123456789 0123456789 end",
);
/// How long a request may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);
/// Never answers the router's pings.
pub(crate) const LOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 66));

/// The limits in force, and counters that move once.
#[derive(Debug, Default)]
struct TempFiles {
    limits: Mutex<BTreeMap<String, BitRate>>,
    has_carried: AtomicBool,
}

impl Plant for TempFiles {
    fn set_limit(&self, queue: &str, limit: BitRate) {
        self.limits.lock().unwrap().insert(queue.to_owned(), limit);
    }

    fn reading(&self, _: &str) -> PlantReading {
        if !self.has_carried.load(Ordering::Relaxed) {
            return PlantReading::default();
        }
        PlantReading {
            bytes: 272_603_902_153,
            packets: 184_614_358,
            dropped: 7,
            backlog_bytes: 3000,
            backlog_packets: 2,
        }
    }
}

/// The rig. Everything ends with it.
pub(crate) struct Rig {
    pub(crate) emulator: Emulator,
    pub(crate) sshd: Sshd,
    plant: Arc<TempFiles>,
    address: SocketAddr,
    rest: Option<(JoinHandle<std::io::Result<()>>, CancellationToken)>,
    stop: CancellationToken,
}

pub(crate) fn dl() -> QueueRef {
    QueueRef::Tree("dl".to_owned())
}

impl Rig {
    pub(crate) async fn new(version: &str) -> Self {
        let plant = Arc::new(TempFiles::default());
        let emulator = Emulator::new(config(version), plant.clone());
        plant.has_carried.store(true, Ordering::Relaxed);
        let sshd = Sshd::new(&["ctl+cet512w", "reader+cet512w"]);
        let stop = CancellationToken::new();
        let socket = UnixListener::bind(sshd.console()).unwrap();
        tokio::spawn(emulator.clone().serve_console(socket, stop.clone()));
        let address = ([127, 0, 0, 1], 0).into();
        let mut rig = Self { emulator, sshd, plant, address, rest: None, stop };
        rig.start_rest().await;
        rig
    }

    /// Serves REST, where it was served before.
    pub(crate) async fn start_rest(&mut self) {
        let address = self.address;
        let listener = until(|| async { TcpListener::bind(address).await.ok() }).await;
        self.address = listener.local_addr().unwrap();
        let stop = self.stop.child_token();
        let server = tokio::spawn(self.emulator.clone().serve(listener, stop.clone()));
        self.rest = Some((server, stop));
    }

    pub(crate) async fn stop_rest(&mut self) {
        let (server, stop) = self.rest.take().unwrap();
        stop.cancel();
        server.await.unwrap().unwrap();
    }

    pub(crate) fn config(&self, user: &str, transport: TransportChoice) -> Settings {
        let password = Secret::new("secret".to_owned());
        Settings {
            url: format!("http://{}", self.address),
            transport,
            credentials: Credentials { user: user.to_owned(), password },
            statistics: None,
            pings: None,
            ssh: SshConfig {
                host: "127.0.0.1".to_owned(),
                port: self.sshd.port(),
                user: user.to_owned(),
                key_file: Some(self.sshd.user_key()),
                known_hosts_file: Some(self.sshd.known_hosts()),
            },
            trust: TlsTrust::System,
            request_timeout: TIMEOUT,
        }
    }

    pub(crate) fn router(&self, user: &str, transport: TransportChoice) -> RouterOs {
        RouterOs::new(&self.config(user, transport), vec![dl()]).unwrap()
    }

    /// Everything that was written, in order.
    pub(crate) fn effects(&self) -> Vec<RequestEffect> {
        self.emulator.log().into_iter().flat_map(|call| call.effects).collect()
    }

    /// The limit that is in force.
    pub(crate) fn limit(&self, queue: &str) -> BitRate {
        self.plant.limits.lock().unwrap()[queue]
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn config(version: &str) -> EmulatorConfig {
    let queue = |name: &str| QueueSpec {
        name: name.to_owned(),
        parent: "bridge".to_owned(),
        queue_type: "cake".to_owned(),
        max_limit: BitRate::from_mbps(100.0),
        bucket_size: "0.1".to_owned(),
    };
    let rule = |comment: &str, disabled| MangleSpec {
        chain: "prerouting".to_owned(),
        action: "mark-routing".to_owned(),
        comment: comment.to_owned(),
        disabled,
        ..MangleSpec::default()
    };
    let reader = User {
        policies: vec![Policy::Api, Policy::RestApi, Policy::Read],
        ..User::full("reader", "secret")
    };
    let answers = |address| (address != LOST).then_some(Duration::from_micros(13_205));
    EmulatorConfig {
        version: version.to_owned(),
        users: vec![User::full("ctl", "secret"), reader],
        queues: vec![queue("dl"), queue(STRANGE_NAME)],
        mangle: vec![
            rule("twice", true),
            rule("twice", false),
            rule("steer: \"games\"", true),
            rule(LONG_COMMENT, false),
        ],
        simple_queues: vec![SimpleQueueSpec {
            name: "lan".to_owned(),
            target: "10.0.0.0/24".to_owned(),
            queue_type: "cake".to_owned(),
            from_target: BitRate::from_mbps(20.0),
            to_target: BitRate::from_mbps(100.0),
        }],
        routes: vec![RouteSpec {
            destination: "0.0.0.0/0".to_owned(),
            gateway: "192.0.2.1".to_owned(),
            distance: 1,
            table: "main".to_owned(),
            comment: "over wan2".to_owned(),
            disabled: false,
        }],
        connections: ["web", QUOTED_MARK, QUOTED_MARK].map(str::to_owned).to_vec(),
        fasttrack: FastTrack::Enabled,
        latency: LatencyProfile::None,
        pinger: Pinger::new(answers),
        ..EmulatorConfig::default()
    }
}

/// Tries until there is something, and gives up after a time that no healthy machine needs.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(mut attempt: impl FnMut() -> F) -> T {
    let trying = async {
        loop {
            if let Some(found) = attempt().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), trying).await.expect("it did not come to pass")
}

/// The switch with this comment.
pub(crate) fn switch(menu: SwitchMenu, comment: &str) -> SwitchRef {
    let switch = Switch { wan: Rank(1), kind: SwitchKind::SteerRule };
    SwitchRef { switch, menu, comment: comment.to_owned() }
}
