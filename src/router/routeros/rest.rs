//! The REST road.
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
    Credentials, LARGEST_ANSWER, Settings,
    json::Keep,
    pinged, tls,
    transport::{MOST_FOUND, Menu, Row, RowId, RowTransport, interval},
};
use crate::{
    https::body_within,
    router::{PingFrom, Pinged, RouterError, RouterFault, RouterText, Transport},
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
    /// Prepares a road; nothing is sent yet.
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
    async fn request(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
        keep: Keep,
    ) -> Result<Option<Vec<Row>>, RouterError> {
        let _turn = self.turn.lock().await;
        let mut request = self
            .http
            .request(method, format!("{}/rest{path}", self.url))
            .basic_auth(&self.credentials.user, Some(self.credentials.password.expose()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let exchange = async {
            let response = request.send().await.map_err(|e| self.transport_fault(&e))?;
            let status = response.status().as_u16();
            let location = response.headers().get(LOCATION).cloned();
            let body = self.body(response).await?;
            let location = location.as_ref().and_then(|place| place.to_str().ok());
            RestResponse { status, location, body: &body }.rows(&self.credentials.user, keep)
        };
        exchange.await.map_err(|fault: RouterFault| fault.at(&self.url, operation))
    }

    /// As [`RestTransport::call`], where an answer has to hold rows, if only an empty list of them.
    async fn rows(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
        keep: Keep,
    ) -> Result<Vec<Row>, RouterError> {
        let rows = self.request(operation, method, path, body, keep).await?;
        rows.ok_or_else(|| {
            RouterFault::Unparsable("the answer is empty".into()).at(&self.url, operation)
        })
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

    fn print<'a>(
        &'a self,
        menu: Menu,
        properties: &'static [&'static str],
    ) -> BoxFuture<'a, Result<Vec<Row>, RouterError>> {
        Box::pin(async move {
            let operation = "reading";
            if menu.is_singleton() {
                return self.rows(operation, Method::GET, menu.path(), None, Keep::All).await;
            }
            let path = format!("{}/print", menu.path());
            let body = json!({ ".proplist": properties });
            self.rows(operation, Method::POST, &path, Some(&body), Keep::Only(properties)).await
        })
    }

    fn set<'a>(
        &'a self,
        menu: Menu,
        id: &'a RowId,
        property: &'static str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<Row, RouterError>> {
        Box::pin(async move {
            // The id goes into the path as it is: RouterOS does not decode `%2A`.
            let path = format!("{}/{id}", menu.path());
            let body = json!({ property: value });
            let rows =
                self.request("writing", Method::PATCH, &path, Some(&body), Keep::All).await?;
            Ok(rows.unwrap_or_default().into_iter().next().unwrap_or_default())
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
            self.rows("reading", Method::POST, &path, Some(&body), Keep::Ids(MOST_FOUND)).await
        })
    }

    fn remove<'a>(
        &'a self,
        menu: Menu,
        ids: &'a [RowId],
    ) -> BoxFuture<'a, Result<(), RouterError>> {
        Box::pin(async move {
            let path = format!("{}/remove", menu.path());
            let ids: Vec<&str> = ids.iter().map(RowId::as_str).collect();
            let body = json!({ ".id": ids.join(",") });
            let none = Keep::Ids(0);
            self.request("removing", Method::POST, &path, Some(&body), none).await.map(drop)
        })
    }

    fn ping<'a>(
        &'a self,
        address: IpAddr,
        from: &'a PingFrom,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Pinged, RouterError>> {
        Box::pin(async move {
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
            let operation = "pinging";
            let replies =
                self.rows(operation, Method::POST, "/ping", Some(&body), Keep::All).await?;
            pinged::read(address, &replies)
                .map_err(|cause| RouterFault::Unparsable(cause.into()).at(&self.url, operation))
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
