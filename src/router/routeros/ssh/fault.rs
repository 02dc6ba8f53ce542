//! What the complaints of `ssh` mean.

use std::{error::Error as _, io};

use crate::router::{RouterFault, RouterText};

/// Reads why no connection came about; `user` is who would have logged in.
pub(super) fn of_connecting(error: &openssh::Error, user: &str) -> RouterFault {
    if let openssh::Error::Connect(cause) = error
        && cause.kind() == io::ErrorKind::NotFound
    {
        return RouterFault::Connect(
            "the program `ssh` cannot be started; install the package openssh-client".into(),
        );
    }
    of_words(&with_cause(error), user)
}

/// Reads why a command had no end.
pub(super) fn of_command(error: &openssh::Error) -> RouterFault {
    RouterFault::Reset(RouterText::words(&with_cause(error)))
}

fn of_words(words: &str, user: &str) -> RouterFault {
    let says = |phrase: &str| words.contains(phrase);
    if says("IDENTIFICATION HAS CHANGED") {
        // The new key's fingerprint is the one fact in its long warning.
        let is_fingerprint = |word: &&str| word.starts_with("SHA256:");
        let shown = words.split_ascii_whitespace().find(is_fingerprint).unwrap_or("unknown");
        let shown = shown.trim_end_matches('.');
        let reported = format!("its host key has changed; the fingerprint is now {shown}");
        RouterFault::Untrusted(reported.into())
    } else if says("Host key verification failed") || says("host key is known") {
        RouterFault::Untrusted("its host key is not among the known ones".into())
    } else if says("bad permissions") || says("invalid format") || says("not accessible") {
        RouterFault::Connect(format!("the key file cannot be used: {}", one_line(words)).into())
    } else if says("Permission denied (") || says("Too many authentication failures") {
        RouterFault::Unauthorized(user.into())
    } else {
        RouterFault::Connect(RouterText::words(&one_line(words)))
    }
}

fn with_cause(error: &openssh::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

fn one_line(words: &str) -> String {
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As OpenSSH 9.2 says it.
    const CHANGED: &str = "\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
The fingerprint for the RSA key sent by the remote host is\r
SHA256:vT5bNXzHR/XMLphNLuoNq3Jw8UVlYxUMjX2yOgsHvPY.\r
Please contact your system administrator.\r
Host key verification failed.";

    #[test]
    fn complaints_have_their_kinds() {
        for (words, kind) in [
            (CHANGED, "untrusted"),
            (
                "No RSA host key is known for [::1]:22 and you have requested strict checking.",
                "untrusted",
            ),
            ("Host key verification failed.", "untrusted"),
            ("ctl@192.0.2.1: Permission denied (publickey,password).", "unauthorized"),
            ("connect to host 192.0.2.1 port 22: Connection refused", "connect"),
            ("connect to host 192.0.2.1 port 22: Permission denied", "connect"),
            ("Could not resolve hostname gw: Name or service not known", "connect"),
            ("Load key \"k\": bad permissions\r\nu@h: Permission denied (publickey).", "connect"),
            (
                "Warning: Identity file k not accessible: No such file.\nu@h: Permission denied",
                "connect",
            ),
            ("kex_exchange_identification: Connection closed by remote host", "connect"),
            ("", "connect"),
        ] {
            assert_eq!(of_words(words, "ctl").kind(), kind, "{words}");
        }
    }

    #[test]
    fn a_changed_key_is_reported_by_its_fingerprint() {
        let reported = of_words(CHANGED, "ctl").to_string();
        assert!(
            reported.ends_with("now SHA256:vT5bNXzHR/XMLphNLuoNq3Jw8UVlYxUMjX2yOgsHvPY"),
            "{reported}"
        );
    }

    #[test]
    fn an_ssh_that_is_missing_is_named() {
        let error = openssh::Error::Connect(io::ErrorKind::NotFound.into());
        assert!(of_connecting(&error, "ctl").to_string().contains("openssh-client"));
    }
}
