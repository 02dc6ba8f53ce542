//! `wanctl emulate-router`, and the household that it and the demo share.

use std::{net::IpAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use super::{
    EmulateArgs, Failure,
    output::say,
    run::{asked_to_stop, bind},
};
use crate::{
    clock::Clock,
    config::{
        Bind, Config, ControlConfig, Credentials, HistoryConfig, HttpConfig, Mode, OnExit, Pace,
        ProbeConfig, QueueRef, RouterConfig, Secret, SshConfig, TransportChoice, Trust, Via,
        WanConfig,
    },
    control::{
        DirectionParams, EvidenceParams, LawKind, Limits, PerDirection, StateThresholds, WanParams,
    },
    sim::{
        home::{self, HomeWan},
        link::Link,
        routeros::{Emulator, EmulatorConfig, LatencyProfile, MangleSpec, QueueSpec, User},
        world::World,
    },
    units::{BitRate, Delay},
};

/// User of the emulated router, unless another is given.
pub(super) const USER: &str = "wanctl";
/// Its password.
pub(super) const PASSWORD: &str = "wanctl";
/// Reflectors of each simulated WAN, from the range for documentation (RFC 5737).
const REFLECTORS: u8 = 6;

pub(super) async fn run(args: EmulateArgs) -> Result<(), Failure> {
    let household = home::household(args.seed);
    let listener = bind(args.listen).await?;
    let address = listener.local_addr().context("the listener has no address")?;
    let world = world(&household, Clock::start());
    let emulator = emulator(&household, &world, &args.user, &args.password, args.seed);
    say(format!("RouterOS emulator at http://{address} (REST under /rest)"))?;
    say(format!("  user      {}, password {}", args.user, args.password))?;
    for HomeWan { queues, link, .. } in &household {
        let nominal = link.nominal;
        say(format!("  queue     {} (simulated link of {})", queues.download, nominal.download))?;
        say(format!("  queue     {} (simulated link of {})", queues.upload, nominal.upload))?;
    }
    let stop = CancellationToken::new();
    if let Some(path) = &args.console {
        let shown = path.display();
        let socket = UnixListener::bind(path).with_context(|| format!("cannot bind {shown}"))?;
        tokio::spawn(emulator.clone().serve_console(socket, stop.clone()));
        say(format!("  console   {shown} (`wanctl emulate-console` in an sshd's ForceCommand)"))?;
    }
    say("Ctrl-C ends it.")?;
    let server = tokio::spawn(emulator.serve(listener, stop.clone()));
    tokio::select! {
        asked = asked_to_stop() => drop(asked?),
        ended = server => ended.context("the emulator died")?.context("the emulator failed")?,
    }
    stop.cancel();
    Ok(())
}

/// Sets the household's links going.
pub(super) fn world(household: &[HomeWan], clock: Clock) -> World {
    let link = |wan: &HomeWan| (wan.queues.clone(), Link::new(wan.link.clone()));
    World::new(clock, household.iter().map(link).collect())
}

/// Puts a router in front of the household's links.
pub(super) fn emulator(
    household: &[HomeWan],
    world: &World,
    user: &str,
    password: &str,
    seed: u64,
) -> Emulator {
    let queues = household.iter().flat_map(|wan| {
        let queue = |name: &str, parent: String, max_limit| QueueSpec {
            name: name.to_owned(),
            parent,
            queue_type: "cake".to_owned(),
            max_limit,
        };
        let nominal = wan.link.nominal;
        [
            queue(&wan.queues.download, "bridge".to_owned(), nominal.download),
            queue(&wan.queues.upload, format!("ether-{}", wan.name), nominal.upload),
        ]
    });
    let config = EmulatorConfig {
        identity: "emulated".to_owned(),
        users: vec![User::full(user, password)],
        queues: queues.collect(),
        mangle: vec![MangleSpec {
            chain: "prerouting".to_owned(),
            action: "mark-routing".to_owned(),
            comment: "wanctl: steer new latency-sensitive connections to lte".to_owned(),
            disabled: true,
        }],
        latency: LatencyProfile::Measured,
        seed,
        ..EmulatorConfig::default()
    };
    Emulator::new(config, Arc::new(world.clone()))
}

/// Configures wanctl for the household behind a router at `router_url`.
pub(super) fn config(household: &[HomeWan], router_url: &str) -> Config {
    Config {
        router: RouterConfig {
            url: router_url.to_owned(),
            transport: TransportChoice::Rest,
            credentials: Credentials {
                user: USER.to_owned(),
                password: Secret::new(PASSWORD.to_owned()),
            },
            statistics: None,
            pings: None,
            ssh: SshConfig {
                host: "127.0.0.1".to_owned(),
                port: 22,
                user: USER.to_owned(),
                key_file: None,
                known_hosts_file: None,
            },
            pace: Pace::default(),
            trust: Trust::System,
            request_timeout: Duration::from_secs(3),
            stats_interval: Duration::from_millis(100),
        },
        wans: (0..).zip(household).map(|(number, wan)| wan_config(number, wan)).collect(),
        control: ControlConfig {
            interval: Duration::from_millis(50),
            mode: Mode::Active,
            on_exit: OnExit::Keep,
        },
        history: HistoryConfig { path: None, raw_retention: Duration::from_hours(24) },
        http: HttpConfig { listen: ([127, 0, 0, 1], 9102).into() },
    }
}

fn wan_config(number: u8, wan: &HomeWan) -> WanConfig {
    let ms = Delay::from_millis_f64;
    let [yellow, soft_red, red] = wan.delay_ms.map(ms);
    let limits = |[floor, base, ceiling]: [f64; 3]| DirectionParams {
        limits: Limits {
            floor: BitRate::from_mbps(floor),
            base: BitRate::from_mbps(base),
            ceiling: BitRate::from_mbps(ceiling),
        },
        law: LawKind::Adaptive,
    };
    let reflectors = (1..=REFLECTORS).map(|host| IpAddr::from([192, 0, 2, number * 16 + host]));
    WanConfig {
        name: wan.name.to_owned(),
        probe: ProbeConfig {
            via: Via::Host,
            reflectors: reflectors.collect(),
            bind: Bind::Any,
            interval: Duration::from_millis(50),
            timeout: Duration::from_secs(1),
        },
        queues: PerDirection {
            download: QueueRef::Tree(wan.queues.download.clone()),
            upload: QueueRef::Tree(wan.queues.upload.clone()),
        },
        params: WanParams {
            evidence: EvidenceParams {
                reflectors: u16::from(REFLECTORS),
                stale_after: Duration::from_millis(1200),
                bloat_threshold: yellow,
            },
            thresholds: StateThresholds { yellow, soft_red, red },
            directions: PerDirection {
                download: limits(wan.download_mbps),
                upload: limits(wan.upload_mbps),
            },
        },
    }
}
