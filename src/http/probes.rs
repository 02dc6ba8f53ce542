//! `/livez`, `/readyz` and `/health`: for service managers, load balancers and scripts.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::Served;
/// A probe wants to know how it is now, whatever stands in between.
const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// Says whether the control loops turn.
pub(super) async fn livez(State(served): State<Served>) -> Response {
    let health = (served.health.0)();
    let stuck = health
        .wans
        .iter()
        .flat_map(|wan| wan.control.reasons.iter().map(|reason| format!("{}: {reason}", wan.name)));
    probe(health.live, "the control loops run", &stuck.collect::<Vec<_>>())
}

/// Says whether the WANs are measured and the router answers, and if not, what is waited for.
pub(super) async fn readyz(State(served): State<Served>) -> Response {
    let health = (served.health.0)();
    probe(health.ready, "every WAN is measured, and the router answers", &health.not_ready_reasons)
}

/// Tells all that is known, whether it is good or bad: a status other than 200 would keep simple
/// clients from reading why.
pub(super) async fn health(State(served): State<Served>) -> Response {
    (NO_STORE, Json((served.health.0)())).into_response()
}

fn probe(good: bool, well: &str, reasons: &[String]) -> Response {
    if good {
        return (StatusCode::OK, NO_STORE, format!("{well}\n")).into_response();
    }
    let reasons = reasons.join("\n");
    (StatusCode::SERVICE_UNAVAILABLE, NO_STORE, format!("{reasons}\n")).into_response()
}
