//! `wanctl demo`: the real controller, over real HTTP, in real time, on simulated WANs.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::Args;
use tokio::{net::TcpListener, time::interval};
use tokio_util::sync::CancellationToken;
use wanctl_core::{CongestionState, Direction};
use wanctl_lab::demo_wans;

use super::{
    super::{
        Failure, duration,
        output::say,
        record::RecordArgs,
        run::bind,
        signals::{Hangup, Signals},
        web::WebArgs,
    },
    demo_network,
};
use crate::{
    clock::Clock,
    config::{Config, HistoryConfig, HttpConfig},
    daemon::{Daemon, Parts},
    http::Listening,
    probe::simulated,
    status::{SteeringStatus, SteeringValues, Tally, WanView},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct DemoArgs {
    /// End after this time, for example `30s` or `5m`; default: run until Ctrl-C.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    duration: Option<Duration>,
    /// Address of the live page and /metrics.
    #[arg(long, default_value = "127.0.0.1:9102", value_name = "ADDR")]
    listen: SocketAddr,
    /// Directory of the history; default: a temporary directory.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Seed of the simulated links.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    web: WebArgs,
    #[command(flatten)]
    record: RecordArgs,
}

const SECOND: Duration = Duration::from_secs(1);

pub(super) async fn run(args: DemoArgs) -> Result<(), Failure> {
    let mut signals = Signals::listen(Hangup::Stops)?;
    let web = args.web.open()?;
    let wans = demo_wans::troubled(args.seed);
    let http = bind(args.listen).await?;
    let listen = http.local_addr().context("the listener has no address")?;
    let (directory, given) = data_directory(args.data_dir)?;
    let history = directory.join("history.db");

    let router = TcpListener::bind("127.0.0.1:0").await.context("no loopback port is free")?;
    let router_url = format!("http://{}", router.local_addr().context("no loopback address")?);
    let clock = Clock::start();
    let world = demo_network::world(&wans, clock);
    let emulator = demo_network::emulator(
        &wans,
        &world,
        demo_network::USER,
        demo_network::PASSWORD,
        args.seed,
    );
    let stop_router = CancellationToken::new();
    tokio::spawn(emulator.serve(router, stop_router.clone()));

    let mut config = demo_network::config(&wans, &router_url);
    config.steering = Some(demo_network::steering(&config));
    config.history = HistoryConfig { path: Some(history.clone()), ..config.history };
    config.http = HttpConfig { listen, ..config.http };
    announce(&config, &router_url, (web.scheme(), &history, given))?;

    let routers = config.open_routers().map_err(anyhow::Error::msg)?;
    let probers = (0..wans.len()).map(|link| simulated::prober(&world, link)).collect();
    let recording = args.record.open()?;
    let parts = Parts {
        config,
        routers,
        probers,
        clock,
        listening: Listening::Bound(http),
        web,
        source: None,
        recording,
    };
    let daemon = Daemon::start(parts).context("cannot start")?;

    let watched = watch(&daemon, clock, args.duration, &mut signals).await;
    signals.enter("stopping the demo");
    let board = daemon.board().clone();
    daemon.stop("the demo ended").await;
    stop_router.cancel();
    for (name, tally) in board.tallies() {
        summarise(&name, &tally)?;
    }
    say(format!("history stored; query it with: wanctl-history --db {}", history.display()))?;
    Ok(watched?)
}

/// Prints a line a second until the time is up, a signal comes or something breaks.
async fn watch(
    daemon: &Daemon,
    clock: Clock,
    duration: Option<Duration>,
    signals: &mut Signals,
) -> anyhow::Result<()> {
    let mut seconds = interval(SECOND);
    let end = async {
        match duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(end);
    let board = daemon.board().clone();
    loop {
        tokio::select! {
            () = &mut end => return Ok(()),
            _ = signals.next() => return Ok(()),
            _ = seconds.tick() => {
                let elapsed = clock.now().since_start().as_secs();
                if elapsed == 0 {
                    continue;
                }
                let wans: Vec<String> = board.views().iter().map(line).collect();
                let route = daemon.steering().view().map(|reported| routes(&reported)).unwrap_or_default();
                say(format!("{elapsed:>4} s  {}{route}", wans.join("  |  ")))?;
            }
        }
    }
}

fn announce(
    config: &Config,
    router: &str,
    (scheme, history, given): (&str, &std::path::Path, bool),
) -> anyhow::Result<()> {
    let listen = config.http.listen;
    say("wanctl demo: two simulated WANs with varying capacity, an emulated RouterOS router,")?;
    say("and the real controller with 20 decisions per second.")?;
    say("")?;
    say(format!("  live page   {scheme}://{listen}/"))?;
    say(format!("  metrics     {scheme}://{listen}/metrics"))?;
    let kept = if given { "" } else { " (a temporary directory; set another with --data-dir)" };
    say(format!("  history     {}{kept}", history.display()))?;
    say(format!("  router      {router} (user {})", demo_network::USER))?;
    say("")?;
    say("After 38 s cable has a tenth of its capacity, and new connections are steered to lte;")?;
    say("after 105 s cable is dead for 15 s, and all traffic fails over to lte.")?;
    say("")?;
    say("Each line: delivery rate of shaper rate in Mbit/s, state, added delay. Ctrl-C ends it.")?;
    say("")?;
    Ok(())
}

/// The directory of the history, and whether the user chose it.
fn data_directory(given: Option<PathBuf>) -> anyhow::Result<(PathBuf, bool)> {
    let chosen = given.is_some();
    let directory = given.unwrap_or_else(|| {
        std::env::temp_dir().join(format!("wanctl-demo-{}", std::process::id()))
    });
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    Ok((directory, chosen))
}

/// Says which WAN takes what, unless the first takes everything.
fn routes(reported: &SteeringStatus) -> String {
    let SteeringStatus { values: SteeringValues { sensitive, default_route, .. }, wans, .. } =
        reported;
    let default_wan = wans.first().map_or("", |wan| wan.name.as_str());
    if default_route != default_wan {
        format!("  |  default route on {default_route}")
    } else if sensitive != default_route {
        format!("  |  latency-sensitive connections on {sensitive}")
    } else {
        String::new()
    }
}

fn line(wan: &WanView) -> String {
    let direction = |arrow: &str, view: &Option<crate::status::DirectionView>| {
        view.as_ref().map_or_else(String::new, |view| {
            let delivery = view.delivery_mbps.unwrap_or(0.0);
            format!("{arrow} {delivery:5.1} of {:5.1} {:<8}", view.desired_mbps, view.state)
        })
    };
    let delay =
        wan.delta_ms.map_or_else(|| "  no replies".to_owned(), |ms| format!("{ms:+5.0} ms"));
    format!(
        "{:<5} {} {} {delay}",
        wan.name,
        direction("down", &wan.download),
        direction("up", &wan.upload)
    )
}

fn summarise(name: &str, tally: &Tally) -> std::io::Result<()> {
    let ms =
        |quantile| tally.delay_quantile(quantile).map_or_else(|| "-".to_owned(), |d| d.to_string());
    say("")?;
    say(format!(
        "{name}: {} cycles, {} overruns, {} ticks skipped, {} writes; added delay p50 {}, p95 {}",
        tally.cycles,
        tally.overruns,
        tally.skipped,
        tally.writes,
        ms(0.5),
        ms(0.95)
    ))?;
    for direction in Direction::ALL {
        let times = tally.time_in_state[direction];
        let (mut unknown, mut measured) = (Duration::ZERO, Vec::new());
        for (state, time) in CongestionState::ALL.into_iter().zip(times) {
            match state {
                CongestionState::Unknown => unknown = time,
                state => measured.push((state, time.as_secs_f64())),
            }
        }
        let total: f64 = measured.iter().map(|(_, seconds)| seconds).sum();
        let shares = measured.into_iter().map(|(state, seconds)| {
            format!("{} {:.1} %", state.name(), 100.0 * seconds / total.max(1e-9))
        });
        say(format!(
            "  {:<8} {}; unknown for {:.1} s",
            direction.name(),
            shares.collect::<Vec<_>>().join(", "),
            unknown.as_secs_f64()
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_network_is_a_valid_configuration() {
        let wans = demo_wans::demo_wans(1);
        let config = demo_network::config(&wans, "http://127.0.0.1:1");
        for wan in &config.wans {
            for (_, direction) in wan.params.directions.each() {
                let limits = direction.unwrap().limits;
                assert!(limits.floor <= limits.base && limits.base <= limits.ceiling);
            }
        }
    }
}
