//! From HTTP to commands: admission, the queue of each user, delays, answers.

use std::time::Duration;

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use wanctl_core::units::MonoTime;

use super::{
    Emulator,
    auth::Policy,
    call::Call,
    commands::Reply,
    control,
    errors::Refusal,
    execute::execute,
    faults::Mood,
    listener::Peer,
    log::{CallRecord, Effect},
    monitor::monitor,
    ping::ping,
    place::Place,
    quirks::UnknownCommand,
};
use crate::routeros::{auth, place};

/// What the path of every command begins with.
const REST: &str = "/rest/";
/// Largest body that is read, in bytes.
pub(super) const BODY_LIMIT: usize = 64 * 1024;
/// How long a request may take before the router closes its session.
const SESSION_LIMIT: Duration = Duration::from_mins(1);

/// Builds the web server of `emulator`.
pub(super) fn router(emulator: Emulator) -> Router {
    Router::new().fallback(answer).with_state(emulator)
}

async fn answer(State(emulator): State<Emulator>, request: Request) -> Response {
    let keep_alive = emulator.quirks().keep_alive;
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
    if emulator.is_controlled() && parts.uri.path().starts_with(control::PATHS) {
        return control::answer(&emulator, &parts, body).await;
    }
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
    let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| *peer);
    let mut client = Client { emulator: emulator.clone(), peer, is_served: false };
    let work = tokio::spawn(async move { carry_out(&emulator, &parts, &body, arrived).await });
    let response = work.await;
    client.is_served = true;
    if peer.is_some_and(|peer| client.emulator.complete_on(peer.connection)) {
        // Not this client's credentials: what an aborted request was answered with.
        return Refusal::unauthorised().into_response();
    }
    response.unwrap_or_else(|_| Refusal::bare(StatusCode::INTERNAL_SERVER_ERROR).into_response())
}

/// Somebody who waits for an answer. Dropped unserved, they have gone away.
struct Client {
    emulator: Emulator,
    peer: Option<Peer>,
    is_served: bool,
}

impl Drop for Client {
    fn drop(&mut self) {
        if let (Some(peer), false) = (self.peer, self.is_served) {
            self.emulator.abort_on(peer.connection);
        }
    }
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
    let outcome = match emulator.quirks().unknown_command {
        UnknownCommand::BadRequest => outcome,
        UnknownCommand::NotAcceptable => outcome.map_err(Refusal::into_older_words),
    };
    let response = outcome.map_or_else(IntoResponse::into_response, IntoResponse::into_response);
    let response = with_host(response, parts);
    let response = if emulator.quirks().windows_1252 { as_typed(response).await } else { response };
    emulator.record(CallRecord {
        at: arrived.since_start(),
        took: emulator.now().since(arrived),
        user: auth::claimed_name(&parts.headers).unwrap_or_default(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        status: response.status().as_u16(),
        effects,
    });
    emulator.hold_back().await;
    response
}

/// Encodes an answer as texts typed in `WinBox` are stored. What Windows-1252 lacks stays UTF-8.
async fn as_typed(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return head.into_response() };
    let mut typed = Vec::with_capacity(body.len());
    for letter in String::from_utf8_lossy(&body).chars() {
        match u8::try_from(letter) {
            Ok(byte @ (..0x80 | 0xa0..)) => typed.push(byte),
            _ => typed.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    head.headers.remove(header::CONTENT_LENGTH);
    (head, typed).into_response()
}

/// Completes the location of a new row, which RouterOS gives with the host that was asked.
fn with_host(mut response: Response, parts: &Parts) -> Response {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let path = response.headers().get(header::LOCATION).and_then(|path| path.to_str().ok());
    let peer = parts.extensions.get::<ConnectInfo<Peer>>();
    let is_secure = peer.is_some_and(|ConnectInfo(peer)| peer.is_secure);
    let scheme = if is_secure { "https" } else { "http" };
    let whole = host.zip(path).map(|(host, path)| format!("{scheme}://{host}{path}"));
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
    let _turn = if emulator.quirks().user_order { Some(turn.lock().await) } else { None };
    tokio::time::sleep(emulator.draw_latency()).await;
    emulator.stall().await;
    if emulator.settle() != reboots {
        return Err(Refusal::session_closed());
    }
    match emulator.mood() {
        Mood::Unauthorised => return Err(Refusal::unauthorised()),
        Mood::Confused => {
            return Ok(Reply::One(emulator.with_world(|world, now| world.system.resource(now))));
        }
        Mood::Sound => {}
    }
    let path = parts.uri.path().strip_prefix(REST).unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let plus_is_space = emulator.quirks().plus_is_space;
    let call = Call::read(parts.method.clone(), path, query, plus_is_space, &parts.headers, body)?;
    let segments = call.segments.clone();
    let (place, rest) = place::find(&segments)?;
    match place {
        Place::Ping if call.method == Method::POST && rest.is_empty() => {
            user.require(Policy::Test)?;
            let lost_probe = emulator.quirks().lost_probe;
            ping(emulator.pinger(), call.arguments, lost_probe).await.map(Reply::List)
        }
        Place::Monitor if call.method == Method::POST && rest.is_empty() => {
            monitor(emulator, user, call.arguments).await.map(Reply::List)
        }
        Place::Execute if call.method == Method::POST && rest.is_empty() => {
            user.require(Policy::Write)?;
            execute(call.arguments)
        }
        Place::Ping | Place::Monitor | Place::Execute => Err(Refusal::bad("no such command")),
        Place::Menu(menu) => {
            emulator.operate(user, effects, |session| session.on_menu(menu, rest, call))
        }
        Place::Single(single) => {
            emulator.operate(user, effects, |session| session.on_single(single, rest, call))
        }
    }
}
