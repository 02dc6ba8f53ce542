//! The REST road.
//!
//! RouterOS executes the requests of one user one after the other and takes an aborted request
//! badly, so there is one request under way at a time, and each is waited for.

use std::{error::Error as _, net::IpAddr, time::Duration};

use futures_util::future::BoxFuture;
use reqwest::{Client, Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{
    json::{self, OneOrMany, Refusal},
    road::{Menu, PingFrom, Road, Row},
    time, tls,
};
use crate::{
    config::{Credentials, RouterConfig},
    router::{RouterError, RouterFault, Transport, fault_of_words},
    units::Delay,
};

/// How long the TCP and TLS handshakes may take.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1500);

/// REST as one user of a router.
#[derive(Debug)]
pub(super) struct RestRoad {
    http: Client,
    url: String,
    credentials: Credentials,
    timeout: Duration,
    /// Held during a request: the queue of this user's requests.
    turn: Mutex<()>,
}

impl RestRoad {
    /// Prepares a road; nothing is sent yet.
    ///
    /// # Errors
    /// A sentence if the configured certificates cannot be used.
    pub(super) fn new(config: &RouterConfig, credentials: &Credentials) -> Result<Self, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(config.request_timeout)
            .pool_max_idle_per_host(1)
            .redirect(reqwest::redirect::Policy::none())
            .retry(once_more(&config.url));
        let builder = tls::trust(builder, &config.trust)?;
        Ok(Self {
            http: builder.build().map_err(|e| with_causes(&e))?,
            url: config.url.clone(),
            credentials: credentials.clone(),
            timeout: config.request_timeout,
            turn: Mutex::default(),
        })
    }

    /// Makes one request and waits for its answer.
    async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, RouterError> {
        let _turn = self.turn.lock().await;
        let at = |fault: RouterFault| fault.at(&self.url, operation);
        let mut request = self
            .http
            .request(method, format!("{}/rest{path}", self.url))
            .basic_auth(&self.credentials.user, Some(self.credentials.password.expose()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|e| at(self.transport_fault(&e)))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|e| at(self.transport_fault(&e)))?;
        if !status.is_success() {
            return Err(at(self.refusal(status, &body)));
        }
        json::parse(&body).map_err(|cause| at(RouterFault::Unparsable(cause)))
    }

    fn transport_fault(&self, error: &reqwest::Error) -> RouterFault {
        let cause = with_causes(error);
        if error.is_timeout() && !error.is_connect() {
            RouterFault::Timeout(self.timeout)
        } else if cause.contains("certificate") || cause.contains("fingerprint") {
            RouterFault::Untrusted(cause)
        } else if error.is_connect() {
            RouterFault::Connect(cause)
        } else if cause.contains("invalid HTTP version") {
            RouterFault::Connect("that port does not speak HTTP; use https:// for TLS".to_owned())
        } else {
            RouterFault::Reset(cause)
        }
    }

    /// Reads an error answer by its text: the same trouble comes with different statuses.
    fn refusal(&self, status: StatusCode, body: &[u8]) -> RouterFault {
        let words = json::parse::<Refusal>(body).unwrap_or_default().words();
        match status {
            StatusCode::UNAUTHORIZED => RouterFault::Unauthorized(self.credentials.user.clone()),
            StatusCode::NOT_FOUND => RouterFault::NotFound(format!("{status} {words}")),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                RouterFault::Overloaded(format!("{status} {words}"))
            }
            StatusCode::FORBIDDEN => RouterFault::Policy(
                "403: REST is switched off under /ip/service/webserver".to_owned(),
            ),
            _ => fault_of_words(&words),
        }
    }
}

impl Road for RestRoad {
    fn transport(&self) -> Transport {
        Transport::Rest
    }

    fn target(&self) -> String {
        self.url.clone()
    }

    fn print<'a>(
        &'a self,
        menu: Menu,
        properties: &'static [&'static str],
    ) -> BoxFuture<'a, Result<Vec<Row>, RouterError>> {
        Box::pin(async move {
            let operation = "reading";
            let rows: OneOrMany<Row> = if menu.is_singleton() {
                self.call(operation, Method::GET, menu.path(), None).await?
            } else {
                let path = format!("{}/print", menu.path());
                let body = json!({ ".proplist": properties });
                self.call(operation, Method::POST, &path, Some(&body)).await?
            };
            Ok(rows.into())
        })
    }

    fn set<'a>(
        &'a self,
        menu: Menu,
        id: &'a str,
        property: &'static str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<Row, RouterError>> {
        Box::pin(async move {
            // The id goes into the path as it is: RouterOS does not decode `%2A`.
            let path = format!("{}/{id}", menu.path());
            let body = json!({ property: value });
            self.call("writing", Method::PATCH, &path, Some(&body)).await
        })
    }

    fn find<'a>(
        &'a self,
        menu: Menu,
        property: &'static str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Row>, RouterError>> {
        Box::pin(async move {
            let path = format!("{}/print", menu.path());
            let query = format!("={property}={value}");
            let body = json!({ ".proplist": [".id"], ".query": [query] });
            let rows: OneOrMany<Row> =
                self.call("reading", Method::POST, &path, Some(&body)).await?;
            Ok(rows.into())
        })
    }

    fn remove<'a>(
        &'a self,
        menu: Menu,
        ids: &'a [String],
    ) -> BoxFuture<'a, Result<(), RouterError>> {
        Box::pin(async move {
            let path = format!("{}/remove", menu.path());
            let body = json!({ ".id": ids.join(",") });
            let _: Value = self.call("removing", Method::POST, &path, Some(&body)).await?;
            Ok(())
        })
    }

    fn ping<'a>(
        &'a self,
        address: IpAddr,
        from: &'a PingFrom,
    ) -> BoxFuture<'a, Result<Option<Delay>, RouterError>> {
        Box::pin(async move {
            let mut body = json!({ "address": address.to_string(), "count": "1" });
            if let Some(source) = from.source {
                body["src-address"] = source.to_string().into();
            }
            if let Some(interface) = &from.interface {
                body["interface"] = interface.as_str().into();
            }
            let operation = "pinging";
            let replies: OneOrMany<Row> =
                self.call(operation, Method::POST, "/ping", Some(&body)).await?;
            let replies: Vec<Row> = replies.into();
            time::of_reply(&replies)
                .map_err(|cause| RouterFault::Unparsable(cause).at(&self.url, operation))
        })
    }
}

/// Retries a request once when the connection died under it, which is what happens when the router
/// closes an idle connection at the very moment of use. Setting a rate twice is setting it once.
fn once_more(url: &str) -> reqwest::retry::Builder {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let retry = reqwest::retry::for_host(host.unwrap_or_default());
    retry.no_budget().max_retries_per_request(1).classify_fn(|attempt| {
        let died = attempt
            .error()
            .and_then(|error| error.downcast_ref::<reqwest::Error>())
            .is_some_and(|error| !error.is_timeout() && !error.is_connect());
        if died { attempt.retryable() } else { attempt.success() }
    })
}

/// Joins an error's causes: the outermost text alone rarely says what went wrong.
fn with_causes(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&words);
        }
        cause = inner.source();
    }
    if text.is_empty() { error.to_string() } else { text }
}
