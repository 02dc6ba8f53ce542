//! `wanctl status`: how a running daemon is, in a terminal or for a script.

mod draw;
mod response;
mod screen;
mod words;

use std::{
    env,
    io::{IsTerminal as _, stdout},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};

use self::{
    draw::{Style, draw, fit, wrapped},
    response::Status,
    screen::Screen,
};
use super::{
    EXIT_UNFULFILLED, Failure, duration,
    output::say,
    signals::{Hangup, Signals},
};
use crate::{
    https::{self, SystemAuthorities, body_within},
    status::Level,
};

/// The daemon answers from memory.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 2 << 20;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 if the requirement is met, 3 if the daemon answers and it is not \
                  met, 1 if the daemon does not answer."
)]
pub(super) struct StatusArgs {
    /// Address of the daemon; with a password: http://USER:PASSWORD@HOST:PORT.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9102")]
    url: String,
    /// Repeat until Ctrl-C, also while the daemon does not answer.
    #[arg(long)]
    watch: bool,
    /// Interval of --watch.
    #[arg(long, value_parser = duration, value_name = "TIME", default_value = "1s")]
    every: Duration,
    /// `json` prints the response of the daemon unchanged; with --watch one line each time.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Requirement for exit code 0.
    #[arg(long, value_enum, default_value = "live")]
    require: Requirement,
    /// Accept any certificate of the daemon, for a self-signed one on this host.
    #[arg(long)]
    insecure: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Requirement {
    /// The control loops run.
    Live,
    /// Every WAN is measured and the router answers.
    Ready,
    /// No part has a problem.
    Ok,
}

pub(super) async fn run(args: StatusArgs) -> Result<(), Failure> {
    let source = Source::new(&args)?;
    if args.watch {
        return watch(&args, &source).await;
    }
    let text = source.ask().await?;
    let status = Status::parse(&text).with_context(|| source.name())?;
    match args.format {
        Format::Json => say(&text)?,
        Format::Text => say(draw(&status, source.style()))?,
    }
    args.require.check(&status)
}

/// Shows the status until a signal comes.
async fn watch(args: &StatusArgs, source: &Source) -> Result<(), Failure> {
    let mut signals = Signals::listen(Hangup::Stops)?;
    let mut resized = signal(SignalKind::window_change())?;
    let on_screen = args.format == Format::Text && stdout().is_terminal();
    let mut screen = if on_screen { Some(Screen::open()?) } else { None };
    loop {
        let answer = tokio::select! {
            _ = signals.next() => return Ok(()),
            answer = source.ask() => answer,
        };
        let answer = match (answer, args.format) {
            (Ok(text), Format::Text) => {
                Status::parse(&text).map(Some).with_context(|| source.name())
            }
            (Ok(text), Format::Json) => match Status::parse(&text).with_context(|| source.name()) {
                Ok(_) => {
                    say(text.replace(['\n', '\r'], " "))?;
                    Ok(None)
                }
                Err(error) => Err(error),
            },
            (Err(error), _) => Err(error),
        };
        match (answer, &mut screen) {
            (Ok(Some(status)), Some(screen)) => {
                let size = Screen::size();
                screen.show(&fit(&status, source.style(), size), size)?;
            }
            (Ok(Some(status)), None) => say(format!("{}\n", draw(&status, source.style())))?,
            (Ok(None), _) => {}
            (Err(error), Some(screen)) => {
                let text = format!("{error:#}\n\nTrying again.");
                let size = Screen::size();
                screen.show(&wrapped(&text, size), size)?;
            }
            (Err(error), None) => super::output::complain(&error),
        }
        tokio::select! {
            _ = signals.next() => return Ok(()),
            _ = resized.recv(), if screen.is_some() => {}
            () = sleep(args.every.max(Duration::from_millis(100))) => {}
        }
    }
}

impl Requirement {
    fn check(self, status: &Status) -> Result<(), Failure> {
        let health = &status.health;
        let error = match self {
            Self::Live if !health.live => anyhow!("a control loop does not run"),
            Self::Ready if !health.ready => {
                anyhow!("not ready: {}", health.not_ready_reasons.join("; "))
            }
            Self::Ok if health.status != Level::Ok => {
                anyhow!("the daemon is {}", health.status.name())
            }
            Self::Live | Self::Ready | Self::Ok => return Ok(()),
        };
        Err(Failure { code: EXIT_UNFULFILLED, error })
    }
}

/// Whom to ask.
#[derive(Debug)]
struct Source {
    client: reqwest::Client,
    address: reqwest::Url,
    /// The address without a password, for people.
    url: String,
}

impl Source {
    fn new(args: &StatusArgs) -> Result<Self, Failure> {
        let mut shown = reqwest::Url::parse(&args.url)
            .with_context(|| format!("`{}` is not a URL (try http://127.0.0.1:9102)", args.url))?;
        let address = reqwest::Url::parse(&format!("{}/status", args.url.trim_end_matches('/')))
            .with_context(|| format!("`{}` is not a URL", args.url))?;
        // What cannot have a password has none to hide.
        let _ = shown.set_password(None).and_then(|()| shown.set_username(""));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder().no_proxy().timeout(TIMEOUT);
        let builder = if args.insecure {
            builder.tls_danger_accept_invalid_certs(true)
        } else {
            https::trust(builder, SystemAuthorities::default()).map_err(anyhow::Error::msg)?
        };
        let client = builder.build()?;
        Ok(Self { client, address, url: shown.as_str().trim_end_matches('/').to_owned() })
    }

    fn name(&self) -> String {
        format!(
            "the response of {} is not that of wanctl: check whether another program or version \
             listens there",
            self.url
        )
    }

    fn style(&self) -> Style<'_> {
        Style { url: &self.url, coloured: is_coloured() }
    }

    /// Returns the daemon's answer.
    async fn ask(&self) -> anyhow::Result<String> {
        let answer = self.client.get(self.address.clone()).send().await;
        let answer = answer.map_err(|error| self.no_answer(&error))?;
        match answer.status().as_u16() {
            200 => {
                let body = body_within(answer, LARGEST_ANSWER).await;
                let body = body.map_err(|error| self.no_answer(&error))?.ok_or_else(|| {
                    let mib = LARGEST_ANSWER >> 20;
                    anyhow!("the response is larger than {mib} MiB").context(self.name())
                })?;
                String::from_utf8(body).with_context(|| self.name())
            }
            401 => Err(anyhow!(
                "{} needs a user and a password: --url http://USER:PASSWORD@HOST:PORT",
                self.url
            )),
            _ => Err(anyhow!("the status is {}", answer.status()).context(self.name())),
        }
    }

    fn no_answer(&self, error: &reqwest::Error) -> anyhow::Error {
        let url = &self.url;
        if error.is_timeout() {
            return anyhow!("{url} does not answer within {} s", TIMEOUT.as_secs());
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        anyhow!(
            "cannot reach {url}: {cause}: check that wanctl runs there (`http.listen` in its \
             configuration; --url selects another)"
        )
    }
}

/// Colours are for terminals, and for those who want them (<https://no-color.org>).
fn is_coloured() -> bool {
    stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
