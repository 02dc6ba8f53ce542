//! The REST road to RouterOS.
//!
//! RouterOS executes the requests of one user one after the other and takes an aborted request
//! badly, so there is one request under way at a time, and each is waited for.

use std::{collections::BTreeMap, error::Error as _, time::Duration};

use futures_util::future::BoxFuture;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{
    model::{self, Identity, QUEUE_PROPERTIES, QueueTree, Refusal, Resource, Singleton},
    tls,
};
use crate::{
    config::RouterConfig,
    router::{QueueRow, Router, RouterError, RouterFacts},
    units::BitRate,
};

/// How long the TCP and TLS handshakes may take.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1500);
/// RouterOS's words for a PATCH by a user without the `write` policy; they mislead.
const NO_WRITE_POLICY: &str = "missing or invalid resource identifier";

/// A client of one router's REST API.
#[derive(Debug)]
pub struct RestClient {
    http: Client,
    url: String,
    user: String,
    password: crate::config::Secret,
    timeout: Duration,
    /// Row ids by queue name, as last read. Holding the lock is the right to make a request.
    ids: Mutex<BTreeMap<String, String>>,
}

impl RestClient {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// A sentence if the configured certificates cannot be used.
    pub fn new(config: &RouterConfig) -> Result<Self, String> {
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
            user: config.user.clone(),
            password: config.password.clone(),
            timeout: config.request_timeout,
            ids: Mutex::default(),
        })
    }

    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<T, RouterError> {
        self.call(operation, Method::GET, path, None).await
    }

    /// Makes one request and waits for its answer.
    async fn call<T: serde::de::DeserializeOwned>(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, RouterError> {
        let mut request = self
            .http
            .request(method, format!("{}/rest{path}", self.url))
            .basic_auth(&self.user, Some(self.password.expose()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|e| self.transport(operation, &e))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|e| self.transport(operation, &e))?;
        if !status.is_success() {
            return Err(self.refusal(operation, status, &body));
        }
        model::parse(&body).map_err(|cause| self.unparsable(operation, cause))
    }

    fn transport(&self, operation: &'static str, error: &reqwest::Error) -> RouterError {
        let (url, cause) = (self.url.clone(), with_causes(error));
        if error.is_timeout() && !error.is_connect() {
            RouterError::Timeout { url, operation, after: self.timeout }
        } else if cause.contains("certificate") || cause.contains("fingerprint") {
            RouterError::Tls { url, cause }
        } else if error.is_connect() {
            RouterError::Connect { url, cause }
        } else {
            RouterError::Broken { url, operation, cause }
        }
    }

    /// Reads an error answer by its text: the same trouble comes with different statuses.
    fn refusal(&self, operation: &'static str, status: StatusCode, body: &[u8]) -> RouterError {
        let detail = model::parse::<Refusal>(body).unwrap_or_default().words();
        let url = self.url.clone();
        if status == StatusCode::UNAUTHORIZED {
            RouterError::Unauthorized { url, user: self.user.clone() }
        } else if detail.contains("not enough permissions") || detail.contains("not allowed") {
            RouterError::Forbidden { url, operation, detail }
        } else if detail == NO_WRITE_POLICY {
            let detail = format!("{detail} (RouterOS says this to users without policy `write`)");
            RouterError::Forbidden { url, operation, detail }
        } else {
            RouterError::Rejected { url, operation, status: status.as_u16(), detail }
        }
    }

    fn unparsable(&self, operation: &'static str, cause: String) -> RouterError {
        RouterError::Unparsable { url: self.url.clone(), operation, cause }
    }

    /// Reads all queue trees and remembers their ids.
    async fn print_queues(
        &self,
        ids: &mut BTreeMap<String, String>,
    ) -> Result<Vec<QueueRow>, RouterError> {
        const OPERATION: &str = "reading the queues";
        let body = json!({ ".proplist": QUEUE_PROPERTIES });
        let rows: Vec<QueueTree> =
            self.call(OPERATION, Method::POST, "/queue/tree/print", Some(&body)).await?;
        *ids = rows.iter().map(|row| (row.name.clone(), row.id.clone())).collect();
        let rows: Result<_, _> = rows.into_iter().map(QueueTree::row).collect();
        rows.map_err(|cause| self.unparsable(OPERATION, cause))
    }

    async fn patch_limit(&self, id: &str, limit: BitRate) -> Result<BitRate, RouterError> {
        const OPERATION: &str = "setting max-limit";
        // The id goes into the path as it is: RouterOS does not decode `%2A`.
        let path = format!("/queue/tree/{id}");
        let body = json!({ "max-limit": limit.bps().to_string() });
        let row: QueueTree = self.call(OPERATION, Method::PATCH, &path, Some(&body)).await?;
        row.limit().map_err(|cause| self.unparsable(OPERATION, cause))
    }

    fn no_such_queue(&self, queue: &str) -> RouterError {
        RouterError::NoSuchQueue { url: self.url.clone(), queue: queue.to_owned() }
    }
}

impl Router for RestClient {
    fn facts(&self) -> BoxFuture<'_, Result<RouterFacts, RouterError>> {
        Box::pin(async {
            let _turn = self.ids.lock().await;
            let resource: Singleton<Resource> =
                self.get("reading system resource", "/system/resource").await?;
            let identity: Singleton<Identity> =
                self.get("reading system identity", "/system/identity").await?;
            let Resource { version, board_name: board } = resource.into_inner();
            Ok(RouterFacts { identity: identity.into_inner().name, board, version })
        })
    }

    fn read_queues(&self) -> BoxFuture<'_, Result<Vec<QueueRow>, RouterError>> {
        Box::pin(async {
            let mut ids = self.ids.lock().await;
            self.print_queues(&mut ids).await
        })
    }

    fn set_limit<'a>(
        &'a self,
        queue: &'a str,
        limit: BitRate,
    ) -> BoxFuture<'a, Result<BitRate, RouterError>> {
        Box::pin(async move {
            let mut ids = self.ids.lock().await;
            if let Some(id) = ids.get(queue) {
                match self.patch_limit(id, limit).await {
                    // The row was removed and made anew: look its id up once.
                    Err(error) if is_missing(&error) => {}
                    answer => return answer,
                }
            }
            self.print_queues(&mut ids).await?;
            let id = ids.get(queue).ok_or_else(|| self.no_such_queue(queue))?;
            self.patch_limit(id, limit).await
        })
    }
}

/// Retries a request once when the connection died under it, which is what happens when the router
/// closes an idle connection at the very moment of use. Setting a rate twice is setting it once.
fn once_more(url: &str) -> reqwest::retry::Builder {
    let host = url.split("://").last().unwrap_or_default().to_owned();
    let host = host.rsplit_once(':').map_or(host.as_str(), |(host, _)| host).to_owned();
    reqwest::retry::for_host(host).no_budget().max_retries_per_request(1).classify_fn(|attempt| {
        let died = attempt
            .error()
            .and_then(|error| error.downcast_ref::<reqwest::Error>())
            .is_some_and(|error| !error.is_timeout() && !error.is_connect());
        if died { attempt.retryable() } else { attempt.success() }
    })
}

fn is_missing(error: &RouterError) -> bool {
    matches!(error, RouterError::Rejected { status, detail, .. }
        if *status == 404 || detail.contains("no such item"))
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
