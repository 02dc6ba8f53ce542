//! From HTTP to commands: admission, the queue of each user, delays, answers.

use std::time::Duration;

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Response},
};

use super::{
    Emulator,
    auth::{self, Policy},
    call::Call,
    commands::{Reply, Session},
    errors::Refusal,
    faults::Mood,
    log::{CallRecord, Effect},
    ping::ping,
    place::{self, Place},
};
use crate::units::MonoTime;

/// What the path of every command begins with.
const REST: &str = "/rest/";
/// Largest body that is read, in bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// How long a request may take before the router closes its session.
const SESSION_LIMIT: Duration = Duration::from_mins(1);

/// Builds the web server of `emulator`.
pub(super) fn router(emulator: Emulator) -> Router {
    Router::new().fallback(answer).with_state(emulator)
}

async fn answer(State(emulator): State<Emulator>, request: Request) -> Response {
    let keep_alive = emulator.keeps_alive();
    let mut response = respond(emulator, request).await;
    if !keep_alive {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Answers one request; everything but what concerns the connection.
pub(super) async fn respond(emulator: Emulator, request: Request) -> Response {
    let arrived = emulator.now();
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::HEAD => return Refusal::bare(StatusCode::NOT_IMPLEMENTED).into_response(),
        Method::OPTIONS => return Refusal::unavailable().into_response(),
        _ => {}
    }
    if !parts.uri.path().starts_with(REST) {
        return web_page(parts.uri.path());
    }
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return Refusal::bare(StatusCode::PAYLOAD_TOO_LARGE).into_response();
    };
    // A task of its own: a request whose client went away is carried out all the same, and keeps
    // that user's next requests waiting.
    let work = tokio::spawn(async move { carry_out(&emulator, &parts, &body, arrived).await });
    work.await.unwrap_or_else(|_| Refusal::bare(StatusCode::INTERNAL_SERVER_ERROR).into_response())
}

/// Answers outside of REST; a web server that shows its front page is not yet ready for commands.
fn web_page(path: &str) -> Response {
    if path == "/" {
        Html("<!DOCTYPE html><title>RouterOS</title>").into_response()
    } else {
        (StatusCode::NOT_FOUND, Html("<!DOCTYPE html><title>Not Found</title>")).into_response()
    }
}

async fn carry_out(
    emulator: &Emulator,
    parts: &Parts,
    body: &Bytes,
    arrived: MonoTime,
) -> Response {
    let mut effects = Vec::new();
    let outcome = match emulator.handler() {
        Ok(_handler) => {
            let work = process(emulator, parts, body, &mut effects);
            let limited = tokio::time::timeout(SESSION_LIMIT, work).await;
            limited.unwrap_or_else(|_| Err(Refusal::session_closed()))
        }
        Err(busy) => Err(busy),
    };
    let response = outcome.map_or_else(IntoResponse::into_response, IntoResponse::into_response);
    let response = with_host(response, parts);
    emulator.record(CallRecord {
        at: arrived.since_start(),
        took: emulator.now().since(arrived),
        user: auth::claimed_name(&parts.headers).unwrap_or_default(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        status: response.status().as_u16(),
        effects,
    });
    response
}

/// Completes the location of a new row, which RouterOS gives with the host that was asked.
fn with_host(mut response: Response, parts: &Parts) -> Response {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let path = response.headers().get(header::LOCATION).and_then(|path| path.to_str().ok());
    let whole = host.zip(path).map(|(host, path)| format!("http://{host}{path}"));
    if let Some(location) = whole.and_then(|whole| HeaderValue::from_str(&whole).ok()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

async fn process(
    emulator: &Emulator,
    parts: &Parts,
    body: &Bytes,
    effects: &mut Vec<Effect>,
) -> Result<Reply, Refusal> {
    let reboots = emulator.settle();
    let (user, turn) = match emulator.admit(&parts.headers) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            emulator.stall().await;
            tokio::time::sleep(emulator.failed_login()).await;
            return Err(refusal);
        }
    };
    let _turn = turn.lock().await;
    tokio::time::sleep(emulator.draw_latency()).await;
    emulator.stall().await;
    if emulator.settle() != reboots {
        return Err(Refusal::session_closed());
    }
    match emulator.mood() {
        Mood::Unauthorised => return Err(Refusal::unauthorised()),
        Mood::Confused => {
            return Ok(Reply::One(emulator.with_world(|world, now| world.resource(now))));
        }
        Mood::Sound => {}
    }
    let path = parts.uri.path().strip_prefix(REST).unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let call = Call::read(parts.method.clone(), path, query, &parts.headers, body)?;
    let segments = call.segments.clone();
    let (place, rest) = place::find(&segments)?;
    match place {
        Place::Ping if call.method == Method::POST && rest.is_empty() => {
            user.require(Policy::Test)?;
            ping(emulator.pinger(), call.arguments).await.map(Reply::List)
        }
        Place::Ping => Err(Refusal::bad("no such command")),
        Place::Menu(menu) => emulator.with_world(|world, now| {
            Session { world, user, now, effects }.on_menu(menu, rest, call)
        }),
        Place::Single(single) => emulator.with_world(|world, now| {
            Session { world, user, now, effects }.on_single(single, rest, call)
        }),
    }
}
