//! Refuses requests for a host that this is not, against DNS rebinding: a page of `evil.example`
//! whose name is made to resolve to this address is of the same origin as this server, for the
//! browser, and would pass the check of the origin. It cannot change the name in `Host`.

use std::{fmt, net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

/// What scrapers and service managers ask for, which know this server by a name of their own.
const SCRAPED: [&str; 3] = ["/metrics", "/livez", "/readyz"];
/// The ends of names that public DNS cannot hold: a page from outside cannot have one.
const PRIVATE: [&str; 8] =
    ["cluster.local", "home.arpa", "internal", "lan", "local", "localdomain", "svc", "test"];

/// A function that tells whether the configuration lists a host; in lower case, without a port.
#[derive(Clone)]
pub struct HostSource(pub Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl fmt::Debug for HostSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostSource")
    }
}

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
enum HostRefusal {
    /// It does not say for whom it is, or says so in two ways.
    Unclear(&'static str),
    /// It is for somebody else.
    Misdirected(String),
}

/// Passes on the requests that are for this server.
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
        Err(HostRefusal::Unclear(text)) => (StatusCode::BAD_REQUEST, text).into_response(),
        Err(HostRefusal::Misdirected(text)) => {
            (StatusCode::MISDIRECTED_REQUEST, text).into_response()
        }
    }
}

fn check(
    uri: &Uri,
    headers: &HeaderMap,
    is_ours: impl Fn(&str) -> bool,
) -> Result<(), HostRefusal> {
    let mut hosts = headers.get_all(header::HOST).into_iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(HostRefusal::Unclear("refused: there are two Host headers\n"));
    }
    // HTTP/1.0 has no `Host`; whoever speaks that is no browser.
    let Some(host) = host else { return Ok(()) };
    let unclear = HostRefusal::Unclear("refused: the Host header is not a host and a port\n");
    let Some(authority) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else {
        return Err(unclear);
    };
    if uri.authority().is_some_and(|target| *target != authority) {
        return Err(HostRefusal::Unclear("refused: the target and the Host header differ\n"));
    }
    let name = authority.host().to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    if name.is_empty() || authority.as_str().contains('@') {
        return Err(unclear);
    }
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_local = name == "localhost" || name.ends_with(".localhost");
    let is_private = SCRAPED.contains(&uri.path()) && is_private(name);
    if bare.parse::<IpAddr>().is_ok() || is_local || is_private || is_ours(name) {
        return Ok(());
    }
    Err(HostRefusal::Misdirected(
        "refused: this server does not accept that host name; use its address, or add the name to \
         http.hosts\n"
            .to_owned(),
    ))
}

/// Returns whether a name cannot be one of public DNS.
fn is_private(name: &str) -> bool {
    let ends_in = |end: &str| name.strip_suffix(end).is_some_and(|rest| rest.ends_with('.'));
    !name.contains('.') || PRIVATE.into_iter().any(ends_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(target: &str, hosts: &[&str]) -> Result<(), HostRefusal> {
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
                    matches!(ask(path, &[host]), Err(HostRefusal::Misdirected(_))),
                    "{host}{path}"
                );
            }
        }
        for path in SCRAPED {
            assert!(
                matches!(ask(path, &["evil.example"]), Err(HostRefusal::Misdirected(_))),
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
                matches!(ask(target, hosts), Err(HostRefusal::Unclear(_))),
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
