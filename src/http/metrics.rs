//! `GET /metrics`: the page in the format and the encoding that the scraper prefers.

use std::io::Write as _;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use flate2::{Compression, write::GzEncoder};

use super::Served;
use crate::telemetry::{Format, encode};

pub(super) async fn metrics(State(served): State<Served>, headers: HeaderMap) -> Response {
    let format = Format::negotiate(&list(&headers, header::ACCEPT));
    let page = match encode(&served.catalogue, format) {
        Ok(page) => page.into_bytes(),
        Err(error) => {
            return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response();
        }
    };
    let about = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::VARY, "Accept, Accept-Encoding"),
        // What was true then is not true now.
        (header::CACHE_CONTROL, "no-store"),
    ];
    let packed = takes_gzip(&list(&headers, header::ACCEPT_ENCODING)).then(|| gzip(&page));
    match packed {
        Some(Ok(packed)) => (about, [(header::CONTENT_ENCODING, "gzip")], packed).into_response(),
        Some(Err(_)) | None => (about, page).into_response(),
    }
}

/// Joins the values of a header that may be given several times.
fn list(headers: &HeaderMap, name: header::HeaderName) -> String {
    let values: Vec<&str> =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}

/// Returns whether an `Accept-Encoding` header allows gzip. `*` does not: whoever writes it by hand
/// wants to read the answer.
fn takes_gzip(accept: &str) -> bool {
    accept.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let quality = parts.find_map(|part| part.strip_prefix("q="));
        named && quality.is_none_or(|quality| quality.parse::<f64>().is_ok_and(|q| q > 0.0))
    })
}

/// Fast rather than small: a page shrinks to a tenth either way.
fn gzip(page: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::with_capacity(page.len() / 8), Compression::fast());
    packer.write_all(page)?;
    packer.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn gzip_only_for_those_who_take_it() {
        for (accept, takes) in [
            ("", false),
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000, identity", false),
            ("*", false),
            ("br", false),
        ] {
            assert_eq!(takes_gzip(accept), takes, "{accept}");
        }
    }

    #[test]
    fn what_was_packed_can_be_unpacked() {
        let page = "wanctl_up 1\n".repeat(1000);
        let packed = gzip(page.as_bytes()).unwrap();
        assert!(packed.len() < page.len() / 10);
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, page);
    }
}
