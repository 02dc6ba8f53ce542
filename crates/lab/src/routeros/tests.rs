//! The emulator on the wire: a real client on a real socket.

mod aborts;
mod control;
mod faults;
mod quirks;
mod reading;
mod refusals;
mod routing;
mod simple;
mod tls;
mod users;
mod writing;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{body::Body, extract::Request};
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use wanctl_core::units::BitRate;

use super::{
    Emulator, EmulatorConfig, LatencyProfile, MangleSpec, Pinger, Policy, QueueSpec, RequestRecord,
    RouterCertificate, User, lock, service,
};
use crate::plant::{Plant, PlantReading};

/// A plant that moves nothing and has the readings of the test.
#[derive(Debug, Default)]
struct TestPlant {
    limits: Mutex<BTreeMap<String, BitRate>>,
    readings: Mutex<BTreeMap<String, PlantReading>>,
}

impl TestPlant {
    fn show(&self, queue: &str, bytes: u64) {
        let reading = PlantReading {
            bytes,
            packets: bytes / 1000,
            dropped: 7,
            backlog_bytes: 3000,
            backlog_packets: 2,
        };
        lock(&self.readings).insert(queue.to_owned(), reading);
    }

    fn limit_mbps(&self, queue: &str) -> Option<f64> {
        lock(&self.limits).get(queue).map(|limit| limit.mbps())
    }
}

impl Plant for TestPlant {
    fn set_limit(&self, queue: &str, limit: BitRate) {
        lock(&self.limits).insert(queue.to_owned(), limit);
    }

    fn reading(&self, queue: &str) -> PlantReading {
        lock(&self.readings).get(queue).copied().unwrap_or_default()
    }
}

/// A served router with a client. The server stops when the rig is dropped.
struct Rig {
    emulator: Emulator,
    plant: Arc<TestPlant>,
    client: reqwest::Client,
    base: String,
    _stop: DropGuard,
}

fn queue(name: &str, queue_type: &str, mbps: f64) -> QueueSpec {
    QueueSpec {
        name: name.into(),
        parent: "bridge1".into(),
        queue_type: queue_type.into(),
        max_limit: BitRate::from_mbps(mbps),
        bucket_size: "0.1".to_owned(),
    }
}

fn rule(comment: &str, disabled: bool) -> MangleSpec {
    MangleSpec {
        chain: "prerouting".into(),
        action: "mark-routing".into(),
        comment: comment.into(),
        disabled,
        ..MangleSpec::default()
    }
}

fn limited(name: &str, policies: &[Policy]) -> User {
    User { policies: policies.to_vec(), ..User::full(name, "secret") }
}

fn config() -> EmulatorConfig {
    use Policy::{Api, Read, RestApi, Write};
    EmulatorConfig {
        users: vec![
            User::full("ctl", "secret"),
            User::full("mon", "secret"),
            limited("reader", &[Api, RestApi, Read]),
            limited("writer", &[Api, RestApi, Write]),
            limited("shell", &[Api, Read, Write]),
            limited("half", &[RestApi, Read, Write]),
        ],
        queues: vec![queue("dl", "cake-dl", 100.0), queue("ul", "default-small", 20.0)],
        mangle: vec![rule("steer: calls", true), rule("steer: games", false)],
        latency: LatencyProfile::None,
        pinger: Pinger::fixed(Duration::from_micros(1453)),
        ..EmulatorConfig::default()
    }
}

impl Rig {
    async fn new() -> Self {
        Self::with(config()).await
    }

    async fn with(config: EmulatorConfig) -> Self {
        Self::served(config, None).await
    }

    /// Serves HTTPS; the client accepts every certificate.
    async fn secure(config: EmulatorConfig, certificate: RouterCertificate) -> Self {
        Self::served(config, Some(certificate)).await
    }

    async fn served(config: EmulatorConfig, certificate: Option<RouterCertificate>) -> Self {
        // Fails when another test was first, which is as good.
        rustls::crypto::ring::default_provider().install_default().ok();
        let plant = Arc::new(TestPlant::default());
        let emulator = Emulator::new(config, plant.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if certificate.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let (served, stopped) = (emulator.clone(), stop.clone());
        tokio::spawn(async move {
            match certificate {
                Some(certificate) => served.serve_tls(listener, &certificate, stopped).await,
                None => served.serve(listener, stopped).await,
            }
        });
        let builder = reqwest::Client::builder().no_proxy();
        let client = builder.tls_danger_accept_invalid_certs(true).build().unwrap();
        Self { emulator, plant, client, base, _stop: stop.drop_guard() }
    }

    fn request(&self, user: &str, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", self.base);
        self.client.request(method, url).basic_auth(user, Some("secret"))
    }

    /// Sends a request of `user`; an empty `body` is none.
    async fn send_as(&self, user: &str, method: &str, path: &str, body: &str) -> Response {
        let mut request = self.request(user, method, path);
        if !body.is_empty() {
            request = request.header("Content-Type", "application/json").body(body.to_owned());
        }
        request.send().await.unwrap()
    }

    /// Sends a request of the controller, and returns the status and the JSON of the answer.
    async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        read(self.send_as("ctl", method, path, body).await).await
    }

    async fn get(&self, path: &str) -> Value {
        let (status, value) = self.call("GET", path, "").await;
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    async fn post(&self, path: &str, body: &str) -> Value {
        let (status, value) = self.call("POST", path, body).await;
        assert_eq!(status, 200, "{path} {body}: {value}");
        value
    }

    fn last_call(&self) -> RequestRecord {
        self.emulator.log().pop().unwrap()
    }
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// Builds a request of the controller that needs no socket, for tests in virtual time.
fn direct(method: &str, path: &str, body: &str) -> Request {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("Authorization", "Basic Y3RsOnNlY3JldA==");
    request.header("Content-Type", "application/json").body(Body::from(body.to_owned())).unwrap()
}

/// Sends a request without a socket, and returns the JSON of the answer.
async fn ask(emulator: &Emulator, method: &str, path: &str, body: &str) -> Value {
    let response = service::respond(emulator.clone(), direct(method, path, body)).await;
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// Returns the names of an object's properties.
fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}
