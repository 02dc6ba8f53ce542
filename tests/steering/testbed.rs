//! A site with two WANs behind an emulated router, and the daemon that steers them.

use std::{fs, net::SocketAddr, path::PathBuf, process::Command, sync::Arc, time::Duration};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpListener, time::Instant};
use tokio_util::sync::CancellationToken;
use wanctl::{
    clock::Clock,
    config::Config,
    daemon::{Daemon, Parts, Source},
    http::Web,
    probe::simulated,
};
use wanctl_core::{PerDirection, units::BitRate};
use wanctl_lab::{
    link::{Link, LinkSpec, Shape, Supply},
    routeros::{
        Emulator, EmulatorConfig, LatencyProfile, MangleSpec, QueueSpec, RequestEffect, RouteSpec,
        RoutingRuleSpec, User,
    },
    traffic::{GREEDY, Phase, Traffic},
    world::{World, WorldQueues},
};

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(30);
pub(crate) const STEER_RULE: &str = "wanctl: steer to lte";
pub(crate) const ALL: &str = "wanctl: failover to lte";
/// The default route of the cable, where a router has it.
pub(crate) const ROUTE: &str = "wanctl: default route of cable";

/// When the cable's capacity is which share of the nominal one, in seconds from the start.
pub(crate) type CapacitySteps = Vec<(u64, f64)>;

pub(crate) struct Testbed {
    pub(crate) emulator: Emulator,
    pub(crate) world: World,
    daemon: Option<Daemon>,
    address: SocketAddr,
    directory: TempDir,
    wans: String,
    clock: Clock,
    url: String,
    _stop: tokio_util::sync::DropGuard,
}

/// The rules of a router that is set up as it should be.
pub(crate) fn rules() -> EmulatorConfig {
    let queue = |name: &str, parent: &str, mbps| QueueSpec {
        name: name.to_owned(),
        parent: parent.to_owned(),
        queue_type: "cake".to_owned(),
        max_limit: BitRate::from_mbps(mbps),
        bucket_size: "0.02".to_owned(),
    };
    let route = |gateway: &str, table: &str| RouteSpec {
        destination: "0.0.0.0/0".to_owned(),
        gateway: gateway.to_owned(),
        distance: 1,
        table: table.to_owned(),
        comment: String::new(),
        disabled: false,
    };
    EmulatorConfig {
        users: vec![User::full("ctl", "secret")],
        queues: vec![
            queue("cable-dl", "bridge", 50.0),
            queue("cable-ul", "ether1", 20.0),
            queue("lte-dl", "bridge", 40.0),
            queue("lte-ul", "ether2", 15.0),
        ],
        mangle: vec![steer_rule(STEER_RULE, "mark-connection"), routing()],
        routing_rules: vec![RoutingRuleSpec {
            action: "lookup".to_owned(),
            table: "to-lte".to_owned(),
            comment: ALL.to_owned(),
            disabled: true,
        }],
        routes: vec![route("ether1", "main"), route("ether2", "to-lte")],
        latency: LatencyProfile::None,
        ..EmulatorConfig::default()
    }
}

/// The rule that marks calls, disabled at rest.
pub(crate) fn steer_rule(comment: &str, action: &str) -> MangleSpec {
    let more = [("dscp", "46"), ("new-connection-mark", "to-lte")];
    MangleSpec {
        chain: "prerouting".to_owned(),
        action: action.to_owned(),
        comment: comment.to_owned(),
        disabled: true,
        more: more.map(|(name, value)| (name, value.to_owned())).to_vec(),
    }
}

fn routing() -> MangleSpec {
    let more = [("connection-mark", "to-lte"), ("new-routing-mark", "to-lte")];
    MangleSpec {
        chain: "prerouting".to_owned(),
        action: "mark-routing".to_owned(),
        more: more.map(|(name, value)| (name, value.to_owned())).to_vec(),
        ..MangleSpec::default()
    }
}

/// The WANs of the usual rules.
pub(crate) fn default_wans() -> String {
    format!(
        "    - {{name: cable}}
    - {{name: lte, steer: {{rule: '{STEER_RULE}'}}, failover: {{routing_rule: '{ALL}'}}}}"
    )
}

/// The configuration; `steering` is added to its table.
fn text(url: &str, wans: &str, mode: &str, steering: &str) -> String {
    format!(
        "router: {{url: '{url}', user: ctl, password: secret}}
wans:
  - name: cable
    source: 192.0.2.1
    reflectors: [198.51.100.1, 198.51.100.2, 198.51.100.3]
    download: {{queue: cable-dl, floor_mbps: 20, ceiling_mbps: 50}}
    upload: {{queue: cable-ul, floor_mbps: 8, ceiling_mbps: 20}}
  - name: lte
    source: 192.0.2.2
    reflectors: [198.51.100.1, 198.51.100.2, 198.51.100.3]
    delay: {{yellow_ms: 25, soft_red_ms: 60, red_ms: 120}}
    download: {{queue: lte-dl, floor_mbps: 5, ceiling_mbps: 40}}
    upload: {{queue: lte-ul, floor_mbps: 2, ceiling_mbps: 15}}
control: {{mode: {mode}}}
history: {{path: history.db}}
http: {{listen: '127.0.0.1:0', allow_steer: true}}
steering:
  mode: active
  wans:
{wans}
  steer: {{sustain_ms: 500, recovery_sustain_s: 1, hold_down_s: 1}}
  failover: {{recovery_s: 1, hold_down_s: 1, failback_s: 1}}
{steering}"
    )
}

fn link(nominal: [f64; 2], course: &CapacitySteps, loaded: bool) -> LinkSpec {
    let rates = PerDirection { download: nominal[0], upload: nominal[1] };
    let steps: Vec<(Duration, f64)> =
        course.iter().map(|(at, share)| (Duration::from_secs(*at), *share)).collect();
    let download = if loaded { GREEDY } else { BitRate::from_mbps(1.0) };
    let phase = Phase {
        lasts: Duration::from_hours(1),
        download: download.into(),
        upload: BitRate::from_mbps(0.5).into(),
    };
    LinkSpec {
        supply: PerDirection::build(|_| Supply::Shape(Shape::Steps(steps.clone()))),
        traffic: Traffic::new(vec![phase]),
        displaced: Traffic::new(vec![phase]),
        ..LinkSpec::steady(PerDirection::build(|direction| BitRate::from_mbps(rates[direction])))
    }
}

impl Testbed {
    /// Starts everything; the cable goes through `course` and is loaded.
    pub(crate) async fn start(course: CapacitySteps, router: EmulatorConfig) -> Self {
        Self::start_with(course, router, &default_wans()).await
    }

    /// Starts everything with other rules: those of `wans`, the list in the configuration.
    pub(crate) async fn start_with(
        course: CapacitySteps,
        router: EmulatorConfig,
        wans: &str,
    ) -> Self {
        let clock = Clock::start();
        let queues = |wan: &str, gateway: &str| WorldQueues {
            download: format!("{wan}-dl"),
            upload: format!("{wan}-ul"),
            gateway: gateway.to_owned(),
        };
        let world = World::new(
            move || clock.now().since_start(),
            vec![
                (queues("cable", "ether1"), Link::new(link([50.0, 20.0], &course, true))),
                (queues("lte", "ether2"), Link::new(link([40.0, 15.0], &Vec::new(), false))),
            ],
        );
        let emulator = Emulator::new(router, Arc::new(world.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(emulator.clone().serve(listener, stop.clone()));
        let directory = TempDir::new().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut testbed = Self {
            emulator,
            world,
            daemon: None,
            address,
            directory,
            wans: wans.to_owned(),
            clock,
            url,
            _stop: stop.drop_guard(),
        };
        testbed.restart("").await;
        testbed
    }

    /// Starts the daemon, anew if it ran, with `steering` at the end of its configuration.
    pub(crate) async fn restart(&mut self, steering: &str) {
        self.end().await;
        let file = self.write("active", steering);
        let (config, _) = Config::load(&file).unwrap_or_else(|errors| panic!("{errors}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.address = listener.local_addr().unwrap();
        let routers = config.open_routers().unwrap();
        let probers = (0..2).map(|link| simulated::prober(&self.world, link)).collect();
        let clock = self.clock;
        let source = Some(Source(Arc::new(move || Config::load(&file))));
        let parts = Parts {
            config,
            routers,
            probers,
            clock,
            listening: wanctl::http::Listening::Bound(listener),
            web: Web::default(),
            source,
            recording: None,
        };
        self.daemon = Some(Daemon::start(parts).unwrap());
    }

    fn write(&self, mode: &str, steering: &str) -> PathBuf {
        let file = self.directory.path().join("wanctl.yaml");
        fs::write(&file, text(&self.url, &self.wans, mode, steering)).unwrap();
        file
    }

    /// Lets the daemon read its configuration again, with another `control.mode`.
    pub(crate) fn reload(&self, mode: &str) {
        self.write(mode, "");
        self.daemon.as_ref().unwrap().reload();
    }

    /// Lets the router track a connection under `mark`; `menu` says of which kind.
    pub(crate) async fn track(&self, menu: &str, mark: &str) {
        let url = format!("{}/rest/{menu}", self.url);
        let body = serde_json::json!({ "connection-mark": mark });
        let request = reqwest::Client::new().put(url).basic_auth("ctl", Some("secret"));
        assert_eq!(request.json(&body).send().await.unwrap().status(), 201);
    }

    /// Counts the connections that the router was made to forget.
    pub(crate) fn forgotten(&self) -> usize {
        let effects = self.emulator.log().into_iter().flat_map(|call| call.effects);
        let is_one = |effect: &RequestEffect| matches!(effect, RequestEffect::Removed { menu, .. } if menu.ends_with("firewall/connection"));
        effects.filter(is_one).count()
    }

    /// Ends the daemon in good order.
    pub(crate) async fn end(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop("the test is over").await;
        }
    }

    /// What became of the rules with this comment, oldest first.
    pub(crate) fn switched(&self, comment: &str) -> Vec<bool> {
        let effects = self.emulator.log().into_iter().flat_map(|call| call.effects);
        effects
            .filter_map(|effect| match effect {
                RequestEffect::Rule { comment: of, enabled } if of == comment => Some(enabled),
                RequestEffect::Property {
                    menu: "routing/rule", property: "disabled", to, ..
                } if comment == ALL => Some(to == "false"),
                RequestEffect::Property { menu: "ip/route", property: "disabled", to, .. }
                    if comment == ROUTE =>
                {
                    Some(to == "false")
                }
                _ => None,
            })
            .collect()
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        let url = format!("http://{}{path}", self.address);
        reqwest::get(url).await.unwrap().text().await.unwrap()
    }

    pub(crate) async fn steering(&self) -> Value {
        let status: Value = serde_json::from_str(&self.get("/status").await).unwrap();
        status["steering"].clone()
    }

    /// Returns the value of the series that begins like this in `/metrics`.
    pub(crate) async fn metric(&self, series: &str) -> Option<f64> {
        let page = self.get("/metrics").await;
        let line = page.lines().find_map(|line| line.strip_prefix(series))?;
        line.trim().parse().ok()
    }

    pub(crate) async fn override_with(&self, query: &str) -> (u16, String) {
        let url = format!("http://{}/-/steer?{query}", self.address);
        let answer = reqwest::Client::new().post(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Runs `wanctl steer` as a person would, and returns its exit code and what it said.
    pub(crate) async fn command(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wanctl"));
        let url = format!("http://{}", self.address);
        command.arg("steer").args(words).args(["--url", &url]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }

    /// Waits until the status of steering is as `wanted`.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let reported = self.steering().await;
            if wanted(&reported) {
                return reported;
            }
            assert!(Instant::now() < deadline, "never came: {what}: {reported:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Opens the history of the daemon that has ended.
    pub(crate) fn history(&self) -> wanctl::history::Reader {
        wanctl::history::Reader::open(&self.directory.path().join("history.db")).unwrap()
    }
}

/// Returns the state of a switch from the status.
pub(crate) fn switch<'a>(reported: &'a Value, rule: &str) -> &'a Value {
    let switches = reported["switches"].as_array().unwrap();
    switches.iter().find(|switch| switch["switch"] == rule).unwrap()
}
