//! REST as a transport.
//!
//! RouterOS executes the requests of one user one after the other and takes an aborted request
//! badly, so there is one request in flight at a time, and each is waited for.

pub(super) mod answer;

use std::{error::Error as _, net::IpAddr, time::Duration};

use futures_util::future::BoxFuture;
use reqwest::{Client, Method, Response, header::LOCATION};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{
    Credentials, LARGEST_ANSWER, Settings, tls,
    transport::{Request, Row, RowId, RowTransport, interval},
};
use crate::{
    https::body_within,
    router::{PingFrom, Reply, RouterFault, RouterText, Transport},
};
use answer::RestResponse;

/// How long the TCP and TLS handshakes may take.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1500);

/// REST as one user of a router.
#[derive(Debug)]
pub(super) struct RestTransport {
    http: Client,
    url: String,
    credentials: Credentials,
    timeout: Duration,
    /// Held during a request: the queue of this user's requests.
    turn: Mutex<()>,
}

impl RestTransport {
    /// Prepares the transport; nothing is sent yet.
    ///
    /// # Errors
    /// A sentence if the configured certificates cannot be used.
    pub(super) fn new(settings: &Settings, credentials: &Credentials) -> Result<Self, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(settings.request_timeout)
            .pool_max_idle_per_host(1)
            .redirect(reqwest::redirect::Policy::none())
            .retry(once_more(&settings.url));
        let builder = tls::trust(builder, &settings.url, &settings.trust)?;
        Ok(Self {
            http: builder.build().map_err(|e| with_causes(&e))?,
            url: settings.url.clone(),
            credentials: credentials.clone(),
            timeout: settings.request_timeout,
            turn: Mutex::default(),
        })
    }

    /// Makes one request and returns the rows of its answer; `None` if that is empty.
    async fn exchange(&self, request: Request<'_>) -> Result<Option<Vec<Row>>, RouterFault> {
        let Call { method, path, body } = Call::of(request);
        let _turn = self.turn.lock().await;
        let mut http = self
            .http
            .request(method, format!("{}/rest{path}", self.url))
            .basic_auth(&self.credentials.user, Some(self.credentials.password.expose()));
        if let Some(body) = body {
            http = http.json(&body);
        }
        let response = http.send().await.map_err(|e| self.transport_fault(&e))?;
        let status = response.status().as_u16();
        let location = response.headers().get(LOCATION).cloned();
        let body = self.body(response).await?;
        let location = location.as_ref().and_then(|place| place.to_str().ok());
        let response = RestResponse { status, location, body: &body };
        response.rows(&self.credentials.user, request.keep())
    }

    /// Reads the body of an answer as it comes, and no more of it than can be meant.
    async fn body(&self, response: Response) -> Result<Vec<u8>, RouterFault> {
        let body = body_within(response, LARGEST_ANSWER).await;
        body.map_err(|e| self.transport_fault(&e))?.ok_or_else(|| {
            let mib = LARGEST_ANSWER >> 20;
            let reported = format!("it is larger than {mib} MiB, and the rest was not read");
            RouterFault::Unparsable(reported.into())
        })
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
            RouterFault::Connect("that port does not speak HTTP; use https:// for TLS".into())
        } else {
            RouterFault::Reset(cause)
        }
    }
}

impl RowTransport for RestTransport {
    fn transport(&self) -> Transport {
        Transport::Rest
    }

    fn target(&self) -> String {
        self.url.clone()
    }

    fn check_alive(&self) -> Option<BoxFuture<'static, bool>> {
        // The start page of WebFig, or whatever refuses it: any answer will do.
        let answer = self.http.get(&self.url).send();
        Some(Box::pin(async move { answer.await.is_ok() }))
    }

    fn request<'a>(&'a self, request: Request<'a>) -> Reply<'a, Vec<Row>> {
        Box::pin(async move {
            let rows = self.exchange(request).await;
            let rows = rows.and_then(|rows| match (rows, request) {
                (Some(rows), _) => Ok(rows),
                // A write may be answered with nothing.
                (None, Request::Set { .. } | Request::Remove { .. }) => Ok(Vec::new()),
                (None, _) => Err(RouterFault::Unparsable("the answer is empty".into())),
            });
            rows.map_err(|fault| fault.at(&self.url, request.operation()))
        })
    }
}

/// A request as REST has it.
struct Call {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Call {
    fn of(request: Request<'_>) -> Self {
        let post = |path, body| Self { method: Method::POST, path, body: Some(body) };
        match request {
            Request::Print(menu, _) if menu.is_singleton() => {
                Self { method: Method::GET, path: menu.path().to_owned(), body: None }
            }
            Request::Print(menu, properties) => {
                post(format!("{}/print", menu.path()), json!({ ".proplist": properties }))
            }
            // The id goes into the path as it is: RouterOS does not decode `%2A`.
            Request::Set { menu, id, property, value } => Self {
                method: Method::PATCH,
                path: format!("{}/{id}", menu.path()),
                body: Some(json!({ property: value })),
            },
            Request::Find { menu, property, value } => {
                let query = format!("={property}={value}");
                let body = json!({ ".proplist": [".id"], ".query": [query] });
                post(format!("{}/print", menu.path()), body)
            }
            Request::Remove { menu, ids } => {
                let ids: Vec<&str> = ids.iter().map(RowId::as_str).collect();
                post(format!("{}/remove", menu.path()), json!({ ".id": ids.join(",") }))
            }
            Request::Ping(address, from, wait) => {
                post("/ping".to_owned(), ping(address, from, wait))
            }
        }
    }
}

fn ping(address: IpAddr, from: &PingFrom, wait: Duration) -> Value {
    let mut body = json!({ "address": address.to_string(), "count": "1" });
    if let Some(source) = from.source {
        body["src-address"] = source.to_string().into();
    }
    if let Some(interface) = &from.interface {
        body["interface"] = interface.as_str().into();
    }
    if let Some(interval) = interval(wait) {
        body["interval"] = interval.into();
    }
    body
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
fn with_causes(error: &reqwest::Error) -> RouterText {
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
    if text.is_empty() { error.to_string().into() } else { text.into() }
}
