//! Refuses requests for another host, against DNS rebinding: if `evil.example` resolves to this
//! address, a browser takes its pages and this server for the same origin, but sends that name in
//! `Host`.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::Source;

/// What scrapers and service managers request, which have names of their own for this server.
const SCRAPED: [&str; 3] = ["/metrics", "/livez", "/readyz"];
/// Domains that public DNS cannot hold, so that no page from outside has such a name.
const PRIVATE: [&str; 8] =
    ["cluster.local", "home.arpa", "internal", "lan", "local", "localdomain", "svc", "test"];

/// Returns whether the configuration lists a host; in lower case, without a port.
pub type HostSource = Source<dyn Fn(&str) -> bool + Send + Sync>;

/// Status and text of a refusal.
type Refusal = (StatusCode, &'static str);

/// Passes on the requests for this server.
pub(super) async fn refuse_others(
    State(listed): State<HostSource>,
    request: Request,
    next: Next,
) -> Response {
    let own = rustix::system::uname();
    let own = own.nodename().to_string_lossy().to_ascii_lowercase();
    let is_ours = |host: &str| host == own || (listed.0)(host);
    match check(request.uri(), request.headers(), is_ours) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn check(uri: &Uri, headers: &HeaderMap, is_ours: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    let unclear = |text| Err((StatusCode::BAD_REQUEST, text));
    let mut hosts = headers.get_all(header::HOST).into_iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return unclear("refused: there are two Host headers\n");
    }
    // HTTP/1.0 has no `Host`; no browser speaks it.
    let Some(host) = host else { return Ok(()) };
    let invalid = unclear("refused: the Host header is not a host and a port\n");
    let Some(authority) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else {
        return invalid;
    };
    if uri.authority().is_some_and(|target| *target != authority) {
        return unclear("refused: the target and the Host header differ\n");
    }
    let name = authority.host().to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    if name.is_empty() || authority.as_str().contains('@') {
        return invalid;
    }
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_local = name == "localhost" || name.ends_with(".localhost");
    let is_private = SCRAPED.contains(&uri.path()) && is_private(name);
    if bare.parse::<IpAddr>().is_ok() || is_local || is_private || is_ours(name) {
        return Ok(());
    }
    let text = "refused: this server does not accept that host name; use its address, or add the \
                name to http.hosts\n";
    Err((StatusCode::MISDIRECTED_REQUEST, text))
}

/// Returns whether a name cannot be one of public DNS.
fn is_private(name: &str) -> bool {
    let ends_in = |end: &str| name.strip_suffix(end).is_some_and(|rest| rest.ends_with('.'));
    !name.contains('.') || PRIVATE.into_iter().any(ends_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(target: &str, hosts: &[&str]) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        check(&target.parse().unwrap(), &headers, |name| {
            ["gateway", "wanctl.example.org"].contains(&name)
        })
    }

    #[test]
    fn addresses_localhost_the_own_name_and_listed_names_are_ours() {
        for host in [
            "127.0.0.1:9102",
            "192.168.88.2",
            "[::1]:9102",
            "[fd00::1]",
            "localhost:9102",
            "LOCALHOST",
            "wanctl.localhost",
            "gateway:9102",
            "Gateway",
            "wanctl.example.org.",
            "wanctl.example.org:443",
        ] {
            for path in ["/", "/status", "/-/steer", "/metrics"] {
                assert_eq!(ask(path, &[host]), Ok(()), "{host}{path}");
            }
        }
        assert_eq!(ask("/-/steer", &[]), Ok(()), "HTTP/1.0");
        assert_eq!(ask("http://gateway:9102/status", &["gateway:9102"]), Ok(()));
    }

    #[test]
    fn any_other_name_is_not() {
        for host in [
            "evil.example",
            "evil.example:9102",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "gateway.evil.example",
            "notlocalhost",
            "1.1.1.1.nip.io",
            "evil.lan",
            "wanctl",
            "xn--e1a4c.example",
        ] {
            for path in ["/", "/status", "/events", "/-/steer", "/-/reload", "/metrics/history"] {
                assert!(
                    matches!(ask(path, &[host]), Err((StatusCode::MISDIRECTED_REQUEST, _))),
                    "{host}{path}"
                );
            }
        }
        for path in SCRAPED {
            assert!(
                matches!(ask(path, &["evil.example"]), Err((StatusCode::MISDIRECTED_REQUEST, _))),
                "{path}"
            );
        }
    }

    #[test]
    fn scrapers_may_use_names_that_public_dns_cannot_hold() {
        for host in [
            "wanctl:9102",
            "wanctl.monitoring.svc:9102",
            "w.m.svc.cluster.local",
            "gw.lan",
            "gw.home.arpa",
        ] {
            for path in SCRAPED {
                assert_eq!(ask(path, &[host]), Ok(()), "{host}{path}");
            }
        }
        assert!(ask("/metrics", &["notlan"]).is_ok(), "a name of one label");
        assert!(ask("/metrics", &["evil.notlan"]).is_err());
    }

    #[test]
    fn a_request_that_names_two_hosts_is_refused() {
        let unclear = |target: &str, hosts: &[&str]| {
            assert!(
                matches!(ask(target, hosts), Err((StatusCode::BAD_REQUEST, _))),
                "{target} {hosts:?}"
            );
        };
        unclear("/", &["127.0.0.1", "127.0.0.1"]);
        unclear("/", &["127.0.0.1", "evil.example"]);
        unclear("http://evil.example/", &["127.0.0.1"]);
        unclear("http://127.0.0.1/", &["127.0.0.1:9102"]);
        for host in ["", "a b", "user@127.0.0.1", ":9102", "127.0.0.1/x", "[::1"] {
            unclear("/", &[host]);
        }
    }
}
