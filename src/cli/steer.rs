//! `wanctl steer`: the operator's word to a running daemon.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::{Failure, duration, output::say};
use crate::{
    https::{self, SystemAuthorities, body_within},
    router::visible,
};

/// The exit code if the daemon refuses the order.
const REFUSED: u8 = 3;
/// The daemon waits for the router for up to three seconds.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest answer that is read, in bytes; a sentence is meant.
const LARGEST_ANSWER: usize = 64 << 10;

#[derive(Debug, Args)]
pub(super) struct SteerArgs {
    /// WAN of new latency-sensitive connections: `default`, `alternate`, the name of a WAN, or
    /// `auto` to clear the override.
    to: String,
    /// Duration of the override, for example `30m` or `2h`; at most a day.
    #[arg(long = "for", value_parser = duration, value_name = "TIME", default_value = "30m")]
    lasts: Duration,
    /// Address of the daemon, which must have `http.allow_steer`.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9102")]
    url: String,
}

pub(super) async fn run(args: SteerArgs) -> Result<(), Failure> {
    let SteerArgs { to, lasts, url } = args;
    let address = format!("{}/-/steer", url.trim_end_matches('/'));
    let mut address =
        reqwest::Url::parse(&address).with_context(|| format!("`{url}` is not a URL"))?;
    address
        .query_pairs_mut()
        .append_pair("to", &to)
        .append_pair("for_s", &lasts.as_secs().to_string());
    // Even a client that will speak plain HTTP asks for one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().timeout(TIMEOUT);
    let client =
        https::trust(builder, SystemAuthorities::default()).map_err(anyhow::Error::msg)?.build()?;
    let asking = || format!("cannot reach {url}: check that wanctl runs there");
    let answer = client.post(address).send().await.with_context(asking)?;
    let status = answer.status();
    let body = body_within(answer, LARGEST_ANSWER).await.with_context(asking)?;
    let body = body.ok_or_else(|| {
        anyhow!(
            "the response of {url} is not that of wanctl: more than {} KiB",
            LARGEST_ANSWER >> 10
        )
    })?;
    // Whoever answers there may not be wanctl, and a terminal obeys what it is sent.
    let text = visible(&String::from_utf8_lossy(&body));
    if status.is_client_error() {
        let error = anyhow!("refused by {url}: {text}");
        return Err(Failure { code: REFUSED, error });
    }
    if !status.is_success() {
        return Err(anyhow!("{url}: {status}: {text}").into());
    }
    Ok(say(&text)?)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// Returns what is said about a server that refuses with this text.
    async fn about(text: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = format!("HTTP/1.1 400 no\r\ncontent-length: {}\r\n\r\n{text}", text.len());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            // A client that has read enough leaves.
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        let args = SteerArgs { to: "auto".into(), lasts: Duration::from_secs(1), url };
        let failure = run(args).await.unwrap_err();
        server.await.unwrap();
        format!("{:#}", failure.error)
    }

    #[tokio::test]
    async fn what_a_stranger_answers_is_bounded_and_escaped() {
        let said = about("no\u{1b}[2J\nok: forged\u{202e}\n").await;
        assert!(said.ends_with(r": no\u{1b}[2J\nok: forged\u{202e}"), "{said}");
        let said = about(&"x".repeat(LARGEST_ANSWER)).await;
        assert!(said.starts_with("refused by"), "{said}");
        let said = about(&"x".repeat(LARGEST_ANSWER + 1)).await;
        assert!(said.ends_with("is not that of wanctl: more than 64 KiB"), "{said}");
    }
}
