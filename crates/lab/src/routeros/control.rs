//! What the emulator offers beside REST, for whoever steers a test by hand: `POST
//! /emulator/fault` and `GET /emulator/log`. No router has these; they are served only when the
//! configuration says so, and to everybody who can connect.

use axum::{
    Json,
    body::Body,
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CallRecord, Effect, Emulator, Fault, service::BODY_LIMIT};

/// What the paths of these begin with.
pub(super) const PATHS: &str = "/emulator/";

/// The body of `POST /emulator/fault`: `{"fault":"reboot=5s"}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    fault: String,
}

/// Answers a request below [`PATHS`].
pub(super) async fn answer(emulator: &Emulator, parts: &Parts, body: Body) -> Response {
    match (&parts.method, parts.uri.path().strip_prefix(PATHS)) {
        (&Method::POST, Some("fault")) => {
            let body = axum::body::to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
            match order(emulator, &body) {
                Ok(fault) => {
                    let shown = fault.to_string();
                    emulator.inject(fault);
                    Json(json!({ "injected": shown })).into_response()
                }
                Err(error) => complain(StatusCode::BAD_REQUEST, &error),
            }
        }
        (&Method::GET, Some("log")) => {
            Json(emulator.log().iter().map(shown).collect::<Vec<_>>()).into_response()
        }
        _ => complain(
            StatusCode::NOT_FOUND,
            "there is only POST /emulator/fault and GET /emulator/log",
        ),
    }
}

fn order(emulator: &Emulator, body: &[u8]) -> Result<Fault, String> {
    let order: Order = serde_json::from_slice(body)
        .map_err(|error| format!("the body must be like {{\"fault\":\"reboot=5s\"}}: {error}"))?;
    let fault: Fault = order.fault.parse().map_err(|error| format!("{error}"))?;
    match fault.queue() {
        Some(queue) if !emulator.has_queue(queue) => Err(format!("there is no queue `{queue}`")),
        Some(_) | None => Ok(fault),
    }
}

fn complain(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

/// Shows a call; times are seconds, rates bit/s.
fn shown(call: &CallRecord) -> Value {
    let CallRecord { at, took, user, method, path, status, effects } = call;
    json!({
        "at": at.as_secs_f64(),
        "took": took.as_secs_f64(),
        "user": user,
        "method": method,
        "path": path,
        "status": status,
        "effects": effects.iter().map(shown_effect).collect::<Vec<_>>(),
    })
}

fn shown_effect(effect: &Effect) -> Value {
    let on_row = |kind: &str, menu: &str, id: &str| json!({"kind": kind, "menu": menu, "id": id});
    match effect {
        Effect::Limit { queue, from, to } => {
            json!({"kind": "limit", "queue": queue, "from": from.bps(), "to": to.bps()})
        }
        Effect::Rule { comment, enabled } => {
            json!({"kind": "rule", "comment": comment, "enabled": enabled})
        }
        Effect::Property { menu, id, property, to } => json!({
            "kind": "property", "menu": menu, "id": id, "property": property, "to": to
        }),
        Effect::Added { menu, id } => on_row("added", menu, id),
        Effect::Removed { menu, id } => on_row("removed", menu, id),
        Effect::Moved { menu, id } => on_row("moved", menu, id),
        Effect::CountersReset { menu, id } => on_row("counters-reset", menu, id),
    }
}
