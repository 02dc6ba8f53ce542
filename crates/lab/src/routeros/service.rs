//! From HTTP to commands: admission, the queue of each user, delays, answers.

use std::time::Duration;

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use wanctl_core::units::MonoTime;

use super::{
    Emulator, Policy, UnknownCommand, User,
    commands::CommandReply,
    faults::ServerMode,
    listener::Peer,
    lock,
    log::{CONTROL_PATHS, RequestEffect, RequestRecord, control},
    menus::{Place, find_place},
    request::{ApiError, ApiRequest, credentials},
    tools::{execute, monitor, ping},
};

/// The start of the path of every command.
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
    let keep_alive = emulator.0.quirks.keep_alive;
    let mut response = respond(emulator, request).await;
    if !keep_alive {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Answers one request; [`answer`] adds what concerns the connection.
pub(super) async fn respond(emulator: Emulator, request: Request) -> Response {
    let arrived = emulator.now();
    let (parts, body) = request.into_parts();
    if emulator.0.is_controlled && parts.uri.path().starts_with(CONTROL_PATHS) {
        return control(&emulator, &parts, body).await;
    }
    match parts.method {
        Method::HEAD => return ApiError::bare(StatusCode::NOT_IMPLEMENTED).into_response(),
        Method::OPTIONS => return ApiError::unavailable().into_response(),
        _ => {}
    }
    if !parts.uri.path().starts_with(REST) {
        return web_page(parts.uri.path());
    }
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return ApiError::bare(StatusCode::PAYLOAD_TOO_LARGE).into_response();
    };
    // A task of its own: a request whose client went away is carried out all the same, and the
    // user's next requests wait for it.
    let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| *peer);
    let mut client = Client { emulator: emulator.clone(), peer, is_served: false };
    let work = tokio::spawn(async move { carry_out(&emulator, &parts, &body, arrived).await });
    let response = work.await;
    client.is_served = true;
    if peer.is_some_and(|peer| client.emulator.complete_on(peer.connection)) {
        // The answer to an aborted request, not to this client's credentials.
        return ApiError::unauthorised().into_response();
    }
    response.unwrap_or_else(|_| ApiError::bare(StatusCode::INTERNAL_SERVER_ERROR).into_response())
}

/// A client that waits for an answer; dropped unserved, it has gone away.
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

/// Answers outside of REST. A web server can show its front page before it takes commands.
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
            limited.unwrap_or_else(|_| Err(ApiError::session_closed()))
        }
        Err(busy) => Err(busy),
    };
    let outcome = match emulator.0.quirks.unknown_command {
        UnknownCommand::BadRequest => outcome,
        UnknownCommand::NotAcceptable => outcome.map_err(ApiError::into_older_words),
    };
    let response = outcome.map_or_else(IntoResponse::into_response, IntoResponse::into_response);
    let response = with_host(response, parts);
    let response = if emulator.0.quirks.windows_1252 { as_typed(response).await } else { response };
    lock(&emulator.0.log).push(RequestRecord {
        at: arrived.since_start(),
        took: emulator.now().since(arrived),
        user: credentials(&parts.headers).map(|(name, _)| name).unwrap_or_default(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        status: response.status().as_u16(),
        effects,
    });
    emulator.hold_back().await;
    response
}

/// Encodes an answer as `WinBox` stores texts. Characters outside of Windows-1252 stay UTF-8.
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
    effects: &mut Vec<RequestEffect>,
) -> Result<CommandReply, ApiError> {
    let reboots = emulator.finish_boot();
    let (user, turn) = match emulator.admit(&parts.headers) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            emulator.stall().await;
            tokio::time::sleep(emulator.0.latency.of_failed_login()).await;
            return Err(refusal);
        }
    };
    let _turn = if emulator.0.quirks.user_order { Some(turn.lock().await) } else { None };
    tokio::time::sleep(emulator.draw_latency()).await;
    emulator.stall().await;
    if emulator.finish_boot() != reboots {
        return Err(ApiError::session_closed());
    }
    match emulator.server_mode() {
        ServerMode::Unauthorised => return Err(ApiError::unauthorised()),
        ServerMode::Confused => {
            return Ok(CommandReply::One(
                emulator.with_world(|world, now| world.system.resource(now)),
            ));
        }
        ServerMode::Normal => {}
    }
    let path = parts.uri.path().strip_prefix(REST).unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let plus_is_space = emulator.0.quirks.plus_is_space;
    let (method, headers) = (parts.method.clone(), &parts.headers);
    let request = ApiRequest::read(method, path, query, plus_is_space, headers, body)?;
    let segments = request.segments.clone();
    let (place, rest) = find_place(&segments)?;
    let is_command = request.method == Method::POST && rest.is_empty();
    match place {
        Place::Ping if is_command => {
            user.require(Policy::Test)?;
            let lost_probe = emulator.0.quirks.lost_probe;
            ping(&emulator.0.pinger, request.arguments, lost_probe).await.map(CommandReply::List)
        }
        Place::Monitor if is_command => {
            monitor(emulator, user, request.arguments).await.map(CommandReply::List)
        }
        Place::Execute if is_command => {
            user.require(Policy::Write)?;
            execute(request.arguments)
        }
        Place::Ping | Place::Monitor | Place::Execute => Err(ApiError::bad("no such command")),
        Place::Menu(menu) => {
            emulator.operate(user, effects, |session| session.on_menu(menu, rest, request))
        }
        Place::Single(single) => {
            emulator.operate(user, effects, |session| session.on_single(single, rest, request))
        }
    }
}

/// Returns the position in `users` of the user whom the request's credentials prove, if the group
/// may use REST; in some versions the group also `needs_web`.
pub(super) fn login(
    users: &[User],
    headers: &HeaderMap,
    needs_web: bool,
) -> Result<usize, ApiError> {
    let (name, password) = credentials(headers).ok_or_else(ApiError::unauthorised)?;
    let is_known = |user: &User| user.name == name && user.password == password;
    let is_let_in = |user: &User| is_known(user) && user.may(Policy::RestApi);
    let index = users.iter().position(is_let_in).ok_or_else(ApiError::unauthorised)?;
    if users[index].may(Policy::Api) && (users[index].may(Policy::Web) || !needs_web) {
        Ok(index)
    } else {
        Err(ApiError::forbidden("std failure: not allowed (9)"))
    }
}
