//! `wanctl emulate-router` and `wanctl emulate-console`: an emulated router in front of the demo network.

use std::{
    env,
    io::{self, Write as _},
    net::{Shutdown, SocketAddr},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::Arc,
};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use wanctl_lab::{
    demo_wans::{self, DemoWan},
    routeros::{
        CertificateShape, Emulator, EmulatorConfig, LatencyProfile, RouterCertificate,
        ScheduledFault,
    },
};

use super::{
    super::{
        Failure,
        output::say,
        run::bind,
        signals::{Hangup, Signals},
    },
    demo_network::{PASSWORD, USER, router, world},
};
use crate::clock::Clock;

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
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// For an SSH server's `ForceCommand`, which passes login and command in the environment.
#[derive(Debug, Args)]
pub(in crate::cli) struct EmulateConsoleArgs {
    /// Socket of the emulated router's console.
    #[arg(long, value_name = "SOCKET")]
    at: PathBuf,
}

/// Passes the command line that the SSH server was asked for to the emulated router, and its answer
/// back. Like RouterOS it exits with success whatever the answer is.
pub(super) fn run_console(args: &EmulateConsoleArgs) -> Result<(), Failure> {
    let login = env::var("USER").context("no `USER` in the environment")?;
    let command = env::var("SSH_ORIGINAL_COMMAND").unwrap_or_default();
    let socket = args.at.display();
    let mut router =
        UnixStream::connect(&args.at).with_context(|| format!("cannot connect to {socket}"))?;
    write!(router, "{login}\n{command}")?;
    router.shutdown(Shutdown::Write)?;
    io::copy(&mut router, &mut io::stdout().lock())?;
    Ok(())
}
