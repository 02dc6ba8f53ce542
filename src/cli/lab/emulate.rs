//! `wanctl emulate-router`, and the demo network that it and the demo share.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use wanctl_core::{
    DirectionParams, EvidenceParams, LawKind, Limits, Params, PerDirection, StateThresholds,
    WanParams,
    units::{BitRate, Delay},
};
use wanctl_lab::{
    demo_wans::{self, DemoWan},
    link::Link,
    routeros::{
        CertificateShape, Emulator, EmulatorConfig, LatencyProfile, QueueSpec, RouterCertificate,
        ScheduledFault, User,
    },
    world::World,
};

use super::{
    super::{
        Failure,
        output::say,
        run::bind,
        signals::{Hangup, Signals},
    },
    demo_network,
};
use crate::{
    clock::Clock,
    config::{
        Config, ControlConfig, HistoryConfig, HttpConfig, Mode, OnExit, Origin, RouterConfig,
        WanConfig,
    },
    probe::ProbeConfig,
    router::{
        Connection, QueueRef,
        routeros::{Credentials, Settings},
    },
};

/// User of the emulated router, unless another is given.
pub(super) const USER: &str = "wanctl";
/// Password of the RouterOS user.
pub(super) const PASSWORD: &str = "wanctl";
/// Reflectors of each simulated WAN, from the range for documentation (RFC 5737).
const REFLECTORS: u8 = 6;

#[derive(Debug, Args)]
pub(in crate::cli) struct EmulateArgs {
    /// Address of the REST API.
    #[arg(long, default_value = "127.0.0.1:8728", value_name = "ADDR")]
    listen: SocketAddr,
    /// Socket of the console for `emulate-console`; default: no console.
    #[arg(long, value_name = "SOCKET")]
    console: Option<PathBuf>,
    /// Name of the RouterOS user.
    #[arg(long, default_value = USER)]
    user: String,
    /// Password of the RouterOS user.
    #[arg(long, default_value = PASSWORD)]
    password: String,
    /// Serve HTTPS with a self-signed certificate that is created at the start.
    #[arg(long)]
    tls: bool,
    /// Form of the certificate.
    #[arg(long, value_enum, default_value = "modern", requires = "tls")]
    certificate: Certificate,
    /// Response times.
    #[arg(long, value_enum, default_value = "measured")]
    latency: Latency,
    /// Inject a fault after a time, for example `30s:reboot=5s` or `60s:drift=cable-download,100M`;
    /// repeatable.
    #[arg(long, value_name = "AFTER:FAULT")]
    fault: Vec<ScheduledFault>,
    /// Serve POST /emulator/fault and GET /emulator/log, without a password.
    #[arg(long)]
    control: bool,
    /// Seed of the links and latencies.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Certificate {
    /// With subject alternative names, not a certificate authority.
    Modern,
    /// Marked as a certificate authority.
    Authority,
    /// Without subject alternative names.
    Nameless,
    /// A certificate authority without subject alternative names.
    NamelessAuthority,
}

impl From<Certificate> for CertificateShape {
    fn from(shape: Certificate) -> Self {
        match shape {
            Certificate::Modern => Self::Modern,
            Certificate::Authority => Self::Authority,
            Certificate::Nameless => Self::Nameless,
            Certificate::NamelessAuthority => Self::NamelessAuthority,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Latency {
    /// As measured on a router of the RB5009 class.
    Measured,
    /// No latency.
    None,
}

impl From<Latency> for LatencyProfile {
    fn from(latency: Latency) -> Self {
        match latency {
            Latency::Measured => Self::Measured,
            Latency::None => Self::None,
        }
    }
}

pub(super) async fn run(args: EmulateArgs) -> Result<(), Failure> {
    let wans = demo_wans::demo_wans(args.seed);
    let listener = bind(args.listen).await?;
    let address = listener.local_addr().context("the listener has no address")?;
    let world = world(&wans, Clock::start());
    let config = EmulatorConfig {
        latency: args.latency.into(),
        faults: args.fault.clone(),
        control: args.control,
        ..router(&wans, &args.user, &args.password, args.seed)
    };
    let emulator = Emulator::new(config, Arc::new(world));
    for scheduled in &args.fault {
        if let Some(queue) = scheduled.fault.queue().filter(|queue| !emulator.has_queue(queue)) {
            return Err(anyhow!("--fault {scheduled}: there is no queue `{queue}`").into());
        }
    }
    let certificate = if args.tls {
        let hosts = [address.ip().to_string(), "localhost".to_owned()];
        Some(RouterCertificate::new(args.certificate.into(), &hosts)?)
    } else {
        None
    };
    announce(&args, address, certificate.as_ref(), &wans)?;
    let stop = CancellationToken::new();
    if let Some(path) = &args.console {
        let socket = UnixListener::bind(path);
        let socket = socket.with_context(|| format!("cannot bind {}", path.display()))?;
        tokio::spawn(emulator.clone().serve_console(socket, stop.clone()));
    }
    let stopped = stop.clone();
    let server = tokio::spawn(async move {
        match certificate {
            Some(certificate) => emulator.serve_tls(listener, &certificate, stopped).await,
            None => emulator.serve(listener, stopped).await,
        }
    });
    let mut signals = Signals::listen(Hangup::Stops)?;
    tokio::select! {
        _ = signals.next() => {}
        ended = server => ended.context("the emulator panicked")?.context("the emulator failed")?,
    }
    stop.cancel();
    Ok(())
}

fn announce(
    args: &EmulateArgs,
    address: SocketAddr,
    certificate: Option<&RouterCertificate>,
    wans: &[DemoWan],
) -> Result<(), Failure> {
    let scheme = if certificate.is_some() { "https" } else { "http" };
    say(format!("RouterOS emulator at {scheme}://{address} (REST under /rest)"))?;
    say(format!("  user      {}, password {}", args.user, args.password))?;
    if let Some(certificate) = certificate {
        say(format!("  sha256    {}", hex(&certificate.fingerprint())))?;
    }
    for DemoWan { queues, link, .. } in wans {
        let nominal = link.nominal;
        say(format!("  queue     {} (simulated link of {})", queues.download, nominal.download))?;
        say(format!("  queue     {} (simulated link of {})", queues.upload, nominal.upload))?;
    }
    for scheduled in &args.fault {
        say(format!("  fault     {scheduled}"))?;
    }
    if let Some(path) = &args.console {
        let shown = path.display();
        say(format!("  console   {shown} (`wanctl emulate-console` in an sshd's ForceCommand)"))?;
    }
    if args.control {
        say("  control   POST /emulator/fault, GET /emulator/log")?;
    }
    Ok(say("Ctrl-C ends the emulator.")?)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

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
fn router(wans: &[DemoWan], user: &str, password: &str, seed: u64) -> EmulatorConfig {
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
    demo_network::with_routes(plain, wans)
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
        router: 0,
        metered: false,
        probe: ProbeConfig::of(reflectors.collect()),
        queues: PerDirection {
            download: Some(QueueRef::Tree(wan.queues.download.clone())),
            upload: Some(QueueRef::Tree(wan.queues.upload.clone())),
        },
        params: WanParams {
            evidence: EvidenceParams {
                reflectors: u16::from(REFLECTORS),
                probe_interval: Duration::from_millis(50),
                stale_after: Duration::from_millis(1200),
                queue_threshold: yellow,
            },
            thresholds: StateThresholds { yellow, soft_red, red },
            directions: PerDirection {
                download: Some(limits(wan.download_mbps)),
                upload: Some(limits(wan.upload_mbps)),
            },
            tuning: Params::default(),
        },
    }
}
