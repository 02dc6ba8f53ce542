//! The live page: three files built into the program, nothing fetched from elsewhere.

use axum::{
    http::{HeaderName, header},
    response::IntoResponse,
};

/// Nothing but what this server serves may be loaded or contacted.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

pub(super) async fn html() -> impl IntoResponse {
    file("text/html; charset=utf-8", include_str!("page/page.html"))
}

pub(super) async fn script() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", include_str!("page/page.js"))
}

pub(super) async fn style() -> impl IntoResponse {
    file("text/css; charset=utf-8", include_str!("page/page.css"))
}

fn file(kind: &'static str, body: &'static str) -> impl IntoResponse {
    const NO_SNIFF: HeaderName = header::X_CONTENT_TYPE_OPTIONS;
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (NO_SNIFF, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, body)
}
