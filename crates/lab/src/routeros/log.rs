//! The log of requests and their effects, and what the emulator offers beside REST: `POST
//! /emulator/fault` and `GET /emulator/log`. No router has these; they are served without a
//! password, and only if the configuration says so.

use std::{collections::VecDeque, time::Duration};

use axum::{
    Json,
    body::Body,
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use wanctl_core::units::BitRate;

use super::{Emulator, Fault, service::BODY_LIMIT};

/// Something that a request changed, or wrote although it was so already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RequestEffect {
    /// A queue's `max-limit` was written.
    Limit {
        /// Name of the queue, as the plant knows it: a simple queue has two.
        queue: String,
        /// Limit before.
        #[serde(serialize_with = "bps")]
        from: BitRate,
        /// Limit after.
        #[serde(serialize_with = "bps")]
        to: BitRate,
    },
    /// A mangle rule was enabled or disabled.
    Rule {
        /// Comment of the rule.
        comment: String,
        /// Whether the rule is in force now.
        enabled: bool,
    },
    /// Another property was written.
    Property {
        /// Path of the menu, such as `queue/tree`.
        menu: &'static str,
        /// Identifier of the row, such as `*1000000`.
        id: String,
        /// Name of the property.
        property: &'static str,
        /// Value after, as RouterOS shows it.
        to: String,
    },
    /// A row was added.
    Added {
        /// Path of the menu.
        menu: &'static str,
        /// Identifier of the row.
        id: String,
    },
    /// A row was removed.
    Removed {
        /// Path of the menu.
        menu: &'static str,
        /// Identifier of the row.
        id: String,
    },
    /// A row was moved.
    Moved {
        /// Path of the menu.
        menu: &'static str,
        /// Identifier of the row.
        id: String,
    },
    /// A row's counters were set to zero.
    CountersReset {
        /// Path of the menu.
        menu: &'static str,
        /// Identifier of the row.
        id: String,
    },
}

/// One request, from its arrival to its answer. In JSON times are seconds and rates bit/s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestRecord {
    /// When it arrived, counted from the start of the emulator.
    #[serde(serialize_with = "seconds")]
    pub at: Duration,
    /// How long it took, the time in the user's queue included.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
    /// Name of the user as claimed; empty without credentials.
    pub user: String,
    /// HTTP method, or `SSH` for the console.
    pub method: String,
    /// Path as sent, without the query; on the console the command line.
    pub path: String,
    /// Status of the answer, which on the console is always 0. The client may have gone away before
    /// it.
    pub status: u16,
    /// What the request wrote, in order.
    pub effects: Vec<RequestEffect>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn bps<S: Serializer>(rate: &BitRate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(rate.bps())
}

fn seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_secs_f64())
}

/// The latest requests, oldest first.
#[derive(Debug)]
pub(super) struct RequestLog {
    requests: VecDeque<RequestRecord>,
    capacity: usize,
}

impl RequestLog {
    /// Builds a log of at most `capacity` requests.
    pub(super) const fn new(capacity: usize) -> Self {
        Self { requests: VecDeque::new(), capacity }
    }

    /// Adds `record`, and forgets the oldest when there are too many.
    pub(super) fn push(&mut self, record: RequestRecord) {
        self.requests.push_back(record);
        while self.requests.len() > self.capacity {
            self.requests.pop_front();
        }
    }

    pub(super) fn to_vec(&self) -> Vec<RequestRecord> {
        self.requests.iter().cloned().collect()
    }
}

/// The start of the paths beside REST.
pub(super) const CONTROL_PATHS: &str = "/emulator/";

/// The body of `POST /emulator/fault`: `{"fault":"reboot=5s"}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultOrder {
    fault: String,
}

/// Answers a request below [`CONTROL_PATHS`].
pub(super) async fn control(emulator: &Emulator, parts: &Parts, body: Body) -> Response {
    let (status, answer) = match (&parts.method, parts.uri.path().strip_prefix(CONTROL_PATHS)) {
        (&Method::POST, Some("fault")) => {
            let body = axum::body::to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
            match read_order(emulator, &body) {
                Ok(fault) => {
                    let injected = fault.to_string();
                    emulator.inject(fault);
                    (StatusCode::OK, json!({ "injected": injected }))
                }
                Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error })),
            }
        }
        (&Method::GET, Some("log")) => (StatusCode::OK, json!(emulator.log())),
        _ => {
            let error = "there is only POST /emulator/fault and GET /emulator/log";
            (StatusCode::NOT_FOUND, json!({ "error": error }))
        }
    };
    (status, Json(answer)).into_response()
}

fn read_order(emulator: &Emulator, body: &[u8]) -> Result<Fault, String> {
    let order: FaultOrder = serde_json::from_slice(body)
        .map_err(|error| format!("the body must be like {{\"fault\":\"reboot=5s\"}}: {error}"))?;
    let fault: Fault = order.fault.parse().map_err(|error| format!("{error}"))?;
    match fault.queue() {
        Some(queue) if !emulator.has_queue(queue) => Err(format!("there is no queue `{queue}`")),
        Some(_) | None => Ok(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_requests_are_forgotten() {
        let mut log = RequestLog::new(3);
        for n in 0..8 {
            log.push(RequestRecord {
                at: Duration::from_secs(n),
                took: Duration::ZERO,
                user: String::new(),
                method: "GET".into(),
                path: "/rest/queue/tree".into(),
                status: 200,
                effects: vec![],
            });
        }
        let requests = log.to_vec();
        assert_eq!((requests.len(), requests[0].at), (3, Duration::from_secs(5)));
    }
}
