//! `wanctl steer`: the operator's word to a running daemon.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::{Failure, duration, output::say};
use crate::tls::trust_system;

/// The exit code if the daemon refuses the order.
const REFUSED: u8 = 3;
/// The daemon waits for the router for up to three seconds.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct SteerArgs {
    /// Where new latency-sensitive connections go: `primary`, `alternate`, the name of a WAN, or
    /// `auto` to let the daemon decide again.
    to: String,
    /// How long, for example `30m` or `2h`; at most a day. Then the daemon decides again.
    #[arg(long = "for", value_parser = duration, value_name = "TIME", default_value = "30m")]
    lasts: Duration,
    /// Where the daemon listens. It must have `http.allow_steer`.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9102")]
    url: String,
}

pub(super) async fn run(args: SteerArgs) -> Result<(), Failure> {
    let SteerArgs { to, lasts, url } = args;
    let address = format!("{}/-/steer", url.trim_end_matches('/'));
    let mut address =
        reqwest::Url::parse(&address).with_context(|| format!("`{url}` is no URL"))?;
    address
        .query_pairs_mut()
        .append_pair("to", &to)
        .append_pair("for_s", &lasts.as_secs().to_string());
    // Even a client that will speak plain HTTP asks for one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().timeout(TIMEOUT);
    let client = trust_system(builder).map_err(anyhow::Error::msg)?.build()?;
    let asking = || format!("cannot ask {url} (does wanctl run there?)");
    let answer = client.post(address).send().await.with_context(asking)?;
    let status = answer.status();
    let text = answer.text().await.with_context(asking)?;
    let text = text.trim_end();
    if status.is_client_error() {
        let error = anyhow!("refused by {url}: {text}");
        return Err(Failure { code: REFUSED, error });
    }
    if !status.is_success() {
        return Err(anyhow!("{url}: {status}: {text}").into());
    }
    Ok(say(text)?)
}
