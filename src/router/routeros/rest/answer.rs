//! What an answer over HTTP means. Pure: status, headers and body in, rows or a fault out.

use super::super::{
    faults::fault_of_words,
    json::{self, Keep, Refusal},
    transport::Row,
};
use crate::router::{RouterFault, RouterText};

/// An answer as it came.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct RestResponse<'a> {
    pub(in super::super) status: u16,
    /// Where it points to, if it is a redirection.
    pub(in super::super) location: Option<&'a str>,
    pub(in super::super) body: &'a [u8],
}

impl RestResponse<'_> {
    /// Returns the rows of the answer to a request by `user`; none at all if it is empty.
    ///
    /// RouterOS answers the same trouble with different statuses, and some with a success, so its
    /// words are read before its status.
    ///
    /// # Errors
    /// What the router complains of, and [`RouterFault::NotRouterOs`] if something else answers.
    pub(in super::super) fn rows(
        self,
        user: &str,
        keep: Keep,
    ) -> Result<Option<Vec<Row>>, RouterFault> {
        let Self { status, body, .. } = self;
        if let 300..=399 = status {
            return Err(self.redirection());
        }
        let body = body.trim_ascii();
        let refusal = Refusal::read(body);
        if let 200..=299 = status {
            if let Some(refusal) = refusal {
                let named = refusal.status().unwrap_or(status);
                return Err(fault_of(named, user, &refusal.words()));
            }
            if body.is_empty() {
                return Ok(None);
            }
            if is_page(body) {
                return Err(RouterFault::NotRouterOs(page(status, body)));
            }
            let rows = json::rows(body, keep);
            return rows.map(Some).map_err(|cause| RouterFault::Unparsable(cause.into()));
        }
        match refusal {
            Some(refusal) => Err(fault_of(status, user, &refusal.words())),
            None => Err(foreign(status, user, body)),
        }
    }

    fn redirection(self) -> RouterFault {
        let status = self.status;
        let to = self.location.map_or_else(|| RouterText::words("nowhere"), RouterText::words);
        RouterFault::NotRouterOs(
            format!("it answers {status} and sends to {to}; if that is the router, put it into router.url")
                .into(),
        )
    }
}

/// Makes a fault of a refusal in RouterOS's own form.
fn fault_of(status: u16, user: &str, words: &str) -> RouterFault {
    let reported = || RouterText::from(format!("{status} {}", RouterText::words(words)));
    match status {
        401 => RouterFault::Unauthorized(user.into()),
        404 => RouterFault::NotFound(reported()),
        429 | 503 => RouterFault::Overloaded(reported()),
        _ => fault_of_words(words),
    }
}

/// Makes a fault of an answer that RouterOS's REST server does not give.
fn foreign(status: u16, user: &str, body: &[u8]) -> RouterFault {
    match status {
        401 => RouterFault::Unauthorized(user.into()),
        // RouterOS says this in a page of its own.
        403 => RouterFault::Policy("403: REST is switched off under /ip/service/webserver".into()),
        429 | 503 => RouterFault::Overloaded(page(status, body)),
        _ => RouterFault::NotRouterOs(page(status, body)),
    }
}

fn is_page(body: &[u8]) -> bool {
    body.starts_with(b"<")
}

/// Describes an answer that is no JSON by its title or its first words.
fn page(status: u16, body: &[u8]) -> RouterText {
    let start = body.get(..4096).unwrap_or(body);
    let text = super::super::encoding::decode(start);
    if body.is_empty() {
        return format!("it answers {status} without a word").into();
    }
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|open| {
        let from = open + lower.get(open..)?.find('>')? + 1;
        let to = from + lower.get(from..)?.find('<')?;
        text.get(from..to)
    });
    let what = match (title, is_page(body)) {
        (Some(title), _) => format!("with a web page titled `{}`", RouterText::words(title)),
        (None, true) => "with a web page".to_owned(),
        (None, false) => format!("with `{}`", RouterText::words(&text)),
    };
    format!("it answers {status} {what}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, location: Option<&str>, body: &str) -> RouterFault {
        let answer = RestResponse { status, location, body: body.as_bytes() };
        answer.rows("ctl", Keep::All).unwrap_err()
    }

    #[test]
    fn every_answer_that_is_none_is_reported_in_plain_words() {
        for (status, body, kind, words) in [
            (
                404,
                "<html><head><title>404 nginx</title>",
                "not_routeros",
                "404 with a web page titled `404 nginx`",
            ),
            (404, r#"{"message":"no route"}"#, "not_routeros", "no route"),
            (404, r#"{"error":404,"message":"Not Found"}"#, "not_found", "404 Not Found"),
            (404, "", "not_routeros", "404 without a word"),
            (200, "<!DOCTYPE html><html>login", "not_routeros", "200 with a web page"),
            (502, "<h1>Bad gateway\u{1b}[2J", "not_routeros", "502 with a web page"),
            (
                200,
                r#"{"detail":"failure: already have such name","error":400,"message":"Bad Request"}"#,
                "rejected",
                "already have such name",
            ),
            (200, r#"{"error":401,"message":"Unauthorized"}"#, "unauthorized", "ctl"),
            (200, r#"{"error":"401","message":"Unauthorized"}"#, "unauthorized", "ctl"),
            (200, r#"{"error":"boom"}"#, "rejected", "boom"),
            (200, "[{", "unparsable", "EOF"),
            (
                400,
                r#"{"detail":"no such item","error":400,"message":"Bad Request"}"#,
                "not_found",
                "no such item",
            ),
            (400, "oops\u{202e}", "not_routeros", r"oops\u{202e}"),
            (401, "<html>", "unauthorized", "ctl"),
            (403, "<html>", "policy", "switched off"),
            (503, "busy", "overloaded", "503 with `busy`"),
            (
                500,
                r#"{"detail":"std failure: not allowed (9)","error":500,"message":"Internal Server Error"}"#,
                "policy",
                "not allowed",
            ),
        ] {
            let fault = fault(status, None, body);
            assert_eq!(fault.kind(), kind, "{status} {body}");
            assert!(fault.to_string().contains(words), "{fault}");
        }
    }

    #[test]
    fn a_redirection_names_where_it_leads() {
        let reported = fault(301, Some("https://192.0.2.1/rest/queue/tree/print"), "").to_string();
        assert!(reported.contains("301 and sends to https://192.0.2.1/rest"), "{reported}");
        assert!(fault(302, None, "").to_string().contains("nowhere"));
    }

    #[test]
    fn an_empty_answer_has_no_rows_and_an_empty_list_has_none_in_it() {
        let rows = |status, body: &str| {
            RestResponse { status, location: None, body: body.as_bytes() }
                .rows("ctl", Keep::All)
                .unwrap()
        };
        assert_eq!(rows(204, ""), None);
        assert_eq!(rows(200, " \r\n"), None);
        assert_eq!(rows(200, "[]"), Some(Vec::new()));
        assert_eq!(rows(200, r#"{"name":"gw"}"#).unwrap().len(), 1);
    }
}
