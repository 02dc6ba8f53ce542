//! The demo network: simulated links, an emulated router in front of them with routes and steering
//! rules, and the configuration of wanctl for it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use wanctl_core::{
    Limits, PerDirection, StateThresholds,
    steering::{
        FailoverMethod, FailoverParams, Preset, Rank, Recovery, SteerParams, SteeringMode,
        SteeringParams, Switch, SwitchKind, WanFacts,
    },
    units::{BitRate, Delay},
};
use wanctl_lab::{
    demo_wans::DemoWan,
    law_benchmark::default_params,
    link::Link,
    routeros::{
        Emulator, EmulatorConfig, LatencyProfile, MangleSpec, QueueSpec, RouteSpec,
        RoutingRuleSpec, User,
    },
    world::World,
};

use crate::{
    clock::Clock,
    config::{
        Config, ControlConfig, HistoryConfig, HttpConfig, Mode, OnExit, Origin, PlacedSwitch,
        RouterConfig, SteeringConfig, SteeringExit, WanConfig,
    },
    probe::ProbeConfig,
    router::{
        Connection, QueueRef, SwitchMenu, SwitchRef,
        routeros::{Credentials, Settings},
    },
};

/// User of the emulated router, unless another is given.
pub(super) const USER: &str = "wanctl";
/// Its password.
pub(super) const PASSWORD: &str = "wanctl";

/// Starts the links of the demo network.
pub(super) fn world(wans: &[DemoWan], clock: Clock) -> World {
    let link = |wan: &DemoWan| (wan.queues.clone(), Link::new(wan.link.clone()));
    World::new(move || clock.now().since_start(), wans.iter().map(link).collect())
}

/// Puts a router in front of the links.
pub(super) fn emulator(
    wans: &[DemoWan],
    world: &World,
    user: &str,
    password: &str,
    seed: u64,
) -> Emulator {
    Emulator::new(router(wans, user, password, seed), Arc::new(world.clone()))
}

/// Describes a router with a queue for each direction of the links.
pub(super) fn router(wans: &[DemoWan], user: &str, password: &str, seed: u64) -> EmulatorConfig {
    let queues = wans.iter().flat_map(|wan| {
        let queue = |name: &str, parent: String, max_limit| QueueSpec {
            name: name.to_owned(),
            parent,
            queue_type: "cake".to_owned(),
            max_limit,
            bucket_size: "0.02".to_owned(),
        };
        let nominal = wan.link.nominal;
        [
            queue(&wan.queues.download, "bridge".to_owned(), nominal.download),
            queue(&wan.queues.upload, format!("ether-{}", wan.name), nominal.upload),
        ]
    });
    let plain = EmulatorConfig {
        identity: "emulated".to_owned(),
        users: vec![User::full(user, password)],
        queues: queues.collect(),
        latency: LatencyProfile::Measured,
        seed,
        ..EmulatorConfig::default()
    };
    with_routes(plain, wans)
}

/// Configures wanctl for the demo network behind a router at `router_url`.
pub(super) fn config(wans: &[DemoWan], router_url: &str) -> Config {
    Config {
        origin: Origin::default(),
        routers: vec![RouterConfig::only(Connection::RouterOs(Settings::at(
            router_url,
            Credentials::new(USER, PASSWORD),
        )))],
        wans: (0..).zip(wans).map(|(number, wan)| wan_config(number, wan)).collect(),
        control: ControlConfig {
            interval: Duration::from_millis(50),
            mode: Mode::Active,
            on_exit: OnExit::Keep,
        },
        history: HistoryConfig::default(),
        http: HttpConfig {
            hosts: Vec::new(),
            listen: ([127, 0, 0, 1], 9102).into(),
            allow_reload: false,
            allow_steer: false,
        },
        steering: None,
    }
}

fn wan_config(number: u8, wan: &DemoWan) -> WanConfig {
    let [yellow, soft_red, red] = wan.delay_ms.map(Delay::from_millis_f64);
    let limits = |rates: [f64; 3]| {
        let [floor, base, ceiling] = rates.map(BitRate::from_mbps);
        Limits { floor, base, ceiling }
    };
    let limits =
        PerDirection { download: limits(wan.download_mbps), upload: limits(wan.upload_mbps) };
    let mut params = default_params(limits);
    params.thresholds = StateThresholds { yellow, soft_red, red };
    params.evidence.queue_threshold = yellow;
    let reflectors = 1..=u8::try_from(params.evidence.reflectors).unwrap_or(u8::MAX);
    let reflectors = reflectors.map(|host| IpAddr::from([192, 0, 2, number * 16 + host]));
    WanConfig {
        name: wan.name.to_owned(),
        router: 0,
        metered: false,
        probe: ProbeConfig::of(reflectors.collect()),
        queues: PerDirection {
            download: Some(QueueRef::Tree(wan.queues.download.clone())),
            upload: Some(QueueRef::Tree(wan.queues.upload.clone())),
        },
        params,
    }
}

/// Expedited forwarding, the mark of latency-sensitive packets.
const DSCP: &str = "46";

/// Adds routes over all WANs to `router`, and disabled rules that send traffic to all but the first.
fn with_routes(router: EmulatorConfig, wans: &[DemoWan]) -> EmulatorConfig {
    let alternates = wans.iter().skip(1);
    let mangle = alternates.clone().flat_map(|wan| {
        let table = table(wan.name);
        let calls = [("dscp", DSCP.to_owned()), ("new-connection-mark", table.clone())];
        let marked = [("connection-mark", table.clone()), ("new-routing-mark", table)];
        [
            MangleSpec {
                chain: "prerouting".to_owned(),
                action: "mark-connection".to_owned(),
                comment: steer_rule(wan.name),
                disabled: true,
                more: calls.to_vec(),
            },
            MangleSpec {
                chain: "prerouting".to_owned(),
                action: "mark-routing".to_owned(),
                comment: String::new(),
                disabled: false,
                more: marked.to_vec(),
            },
        ]
    });
    let rules = alternates.map(|wan| RoutingRuleSpec {
        action: "lookup".to_owned(),
        table: table(wan.name),
        comment: all_rule(wan.name),
        disabled: true,
    });
    let default_routes = wans.iter().enumerate().map(|(rank, wan)| RouteSpec {
        destination: "0.0.0.0/0".to_owned(),
        gateway: wan.queues.gateway.clone(),
        distance: 1,
        table: if rank == 0 { "main".to_owned() } else { table(wan.name) },
        comment: format!("wanctl: default route of {}", wan.name),
        disabled: false,
    });
    EmulatorConfig {
        mangle: mangle.collect(),
        routing_rules: rules.collect(),
        routes: default_routes.collect(),
        ..router
    }
}

/// Configures steering between the WANs of `config`, with times that show all of it within minutes.
pub(super) fn steering(config: &Config) -> SteeringConfig {
    let facts = config.wans.iter().enumerate().map(|(place, wan)| WanFacts {
        name: wan.name.clone(),
        place,
        limits: wan.params.limits(),
        metered: wan.metered,
        has_steer: place > 0,
        has_steer6: false,
        failover_method: (place > 0).then_some(FailoverMethod::EnableRule),
    });
    let switches = config.wans.iter().enumerate().skip(1).flat_map(|(rank, wan)| {
        let switch = |kind, menu, comment| PlacedSwitch {
            router: wan.router,
            at: SwitchRef { switch: Switch { wan: Rank(rank), kind }, menu, comment },
        };
        [
            switch(SwitchKind::SteerRule, SwitchMenu::Mangle, steer_rule(&wan.name)),
            switch(SwitchKind::FailoverRule, SwitchMenu::RoutingRule, all_rule(&wan.name)),
        ]
    });
    let defaults = Preset::Balanced.steer();
    let flap_damping = Duration::from_mins(1);
    let recovery = Recovery { sustain: Duration::from_secs(5), ..defaults.recovery };
    SteeringConfig {
        switches: switches.collect(),
        forgets: Vec::new(),
        params: SteeringParams {
            mode: SteeringMode::Active,
            wans: facts.collect(),
            steer: SteerParams {
                recovery,
                hold_down: Duration::from_secs(15),
                flap_damping,
                ..defaults
            },
            failover: FailoverParams {
                recovery: Duration::from_secs(5),
                hold_down: Duration::from_secs(10),
                failback: Duration::from_secs(10),
                flap_damping,
                ..FailoverParams::default()
            },
        },
        on_exit: SteeringExit::Restore,
    }
}

fn table(wan: &str) -> String {
    format!("to-{wan}")
}

fn steer_rule(wan: &str) -> String {
    format!("wanctl: steer to {wan}")
}

fn all_rule(wan: &str) -> String {
    format!("wanctl: failover to {wan}")
}
