//! Orders come from people and their scripts, not from whatever page a browser has open: any page may
//! post to any address, and would even send the password that the browser remembers.

use axum::{
    extract::Request,
    http::{
        HeaderMap, StatusCode, header,
        uri::{Authority, Uri},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Refuses requests that a browser sends for a page of another origin (RFC 6454, section 7).
pub(super) async fn refuse_strangers(request: Request, next: Next) -> Response {
    if is_stranger(request.headers()) {
        let text = "refused: a page of another origin sent this\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    next.run(request).await
}

/// Returns whether there is an origin, and it is not this server. `null` is one as well.
fn is_stranger(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let authority = origin.as_ref().and_then(Uri::authority).map(Authority::as_str);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    authority.is_none() || authority != host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "127.0.0.1:9102".parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        !is_stranger(&headers)
    }

    #[test]
    fn scripts_and_the_own_page_may_ask_and_other_pages_may_not() {
        assert!(asks(None), "curl, wanctl");
        assert!(asks(Some("http://127.0.0.1:9102")));
        assert!(!asks(Some("https://example.org")));
        assert!(!asks(Some("http://127.0.0.1:8080")), "another server of this machine");
        assert!(!asks(Some("null")), "a page without an origin");
    }
}
