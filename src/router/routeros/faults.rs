//! What RouterOS says when it refuses, and what a person can do about it.

use crate::router::{RouterFault, RouterText};

/// Reads a refusal; its words are the same over every transport, and the statuses differ.
pub(super) fn fault_of_words(words: &str) -> RouterFault {
    let text = || RouterText::words(words);
    let says = |phrase: &str| words.contains(phrase);
    if says("not enough permissions") || says("not allowed (9)") {
        RouterFault::Policy(text())
    } else if says("missing or invalid resource identifier") {
        let words = text();
        RouterFault::Policy(RouterText::from(format!(
            "{words} (RouterOS says this to users whose group lacks the policy `write`)"
        )))
    } else if says("no such item") || says("no such command prefix") {
        RouterFault::NotFound(text())
    } else if says("unknown parameter")
        || says("bad parameter")
        || says("no such command")
        || says("expected end of command")
        || says("bad command name")
    {
        RouterFault::UnknownParameter(text())
    } else if says("Session closed") {
        RouterFault::Overloaded(text())
    } else {
        RouterFault::Rejected(text())
    }
}

/// Returns what a person can do about a fault.
pub(super) const fn remedy(fault: &RouterFault) -> &'static str {
    match fault {
        RouterFault::Connect(_) => {
            "check router.url, that the router is on, and that /ip/service has www-ssl, www or \
             ssh enabled, with a certificate where it needs one, and open to this host"
        }
        RouterFault::Untrusted(_) => {
            "look on the router itself which certificate it has (/certificate/print detail); if \
             it is the one named here, put its fingerprint into router.fingerprint_sha256 (or its \
             host key into router.ssh.known_hosts_file); if not, somebody else answers"
        }
        RouterFault::Timeout(_) | RouterFault::Reset(_) => {
            "wanctl keeps trying; if it stays, look at the router's CPU load and its log"
        }
        RouterFault::Unauthorized(_) => {
            "check router.user and its password, and that the user's group has the policies \
             api, rest-api, read and write (ssh for the second transport); just after a boot a router \
             says this for a while"
        }
        RouterFault::Policy(_) => {
            "give the user's group the policies api, rest-api, read and write, and test for \
             pings from the router"
        }
        RouterFault::NotFound(_) => {
            "create it on the router, or correct its name in the configuration"
        }
        RouterFault::Ambiguous(_) => "give each its own name or comment on the router",
        RouterFault::Unfit(_) => "correct it on the router or in the configuration",
        RouterFault::UnknownParameter(_) => {
            "compare the RouterOS version with the supported ones (7.16 and later)"
        }
        RouterFault::Overloaded(_) => {
            "the router has too many requests at once: raise router.stats_interval_ms, or look \
             who else asks it"
        }
        RouterFault::Rejected(_) => "see the router's log",
        RouterFault::NotRouterOs(_) => {
            "let router.url be the address of the router's own web server: /ip/service shows \
             the ports of www-ssl and www, /ip/service/webserver whether they serve REST"
        }
        RouterFault::Booting(_) | RouterFault::Unparsable(_) => {
            "wanctl keeps trying; if it stays, check that router.url leads to RouterOS 7"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_router_decide_the_kind() {
        for (words, kind) in [
            ("not enough permissions (9)", "policy"),
            ("std failure: not allowed (9)", "policy"),
            ("missing or invalid resource identifier", "policy"),
            ("no such item (4)", "not_found"),
            ("unknown parameter max-limt", "unknown_parameter"),
            ("no such command or directory (tre)", "unknown_parameter"),
            ("Session closed", "overloaded"),
            ("failure: already have such entry", "rejected"),
        ] {
            assert_eq!(fault_of_words(words).kind(), kind, "{words}");
        }
    }
}
