//! The JSON that RouterOS speaks over REST.

use serde::{Deserialize, de::DeserializeOwned};

/// A singleton comes as an object, on early 7.x as an array of one; a list always as an array.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> From<OneOrMany<T>> for Vec<T> {
    fn from(rows: OneOrMany<T>) -> Self {
        match rows {
            OneOrMany::Many(rows) => rows,
            OneOrMany::One(row) => vec![row],
        }
    }
}

/// The body of an error answer; `detail` is missing on 401 and 404.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    detail: String,
    #[serde(default)]
    message: String,
}

impl Refusal {
    /// Returns the most telling words of the answer.
    pub(super) fn words(self) -> String {
        if self.detail.is_empty() { self.message } else { self.detail }
    }
}

/// Parses an answer. Some versions send control characters inside strings unescaped, which JSON
/// forbids; they are only ever decoration in comments, so they are replaced by spaces.
///
/// # Errors
/// What the parser says of the answer as it came.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).or_else(|first| {
        let cleaned: Vec<u8> =
            body.iter().map(|byte| if *byte < 0x20 { b' ' } else { *byte }).collect();
        // Text inside RouterOS is Windows-1252; what is not UTF-8 is not a name of ours.
        serde_json::from_str(&String::from_utf8_lossy(&cleaned)).map_err(|_| first.to_string())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::road::Row, *};

    fn rows(body: &[u8]) -> Vec<Row> {
        parse::<OneOrMany<Row>>(body).unwrap().into()
    }

    #[test]
    fn singletons_come_bare_or_in_an_array() {
        for body in [&br#"{"name":"gw"}"#[..], br#"[{"name":"gw"}]"#] {
            assert_eq!(rows(body)[0].text("name"), Some("gw"));
        }
        assert!(rows(b"[]").is_empty());
    }

    #[test]
    fn control_characters_and_foreign_letters_in_a_comment_do_no_harm() {
        let body = b"[{\"name\":\"dl\",\"comment\":\"two\nlines caf\xe9\"}]";
        assert_eq!(rows(body)[0].text("name"), Some("dl"));
    }

    #[test]
    fn an_error_without_detail_still_has_words() {
        let refusal: Refusal = parse(br#"{"error":401,"message":"Unauthorized"}"#).unwrap();
        assert_eq!(refusal.words(), "Unauthorized");
        let refusal: Refusal =
            parse(br#"{"detail":"no such item","error":400,"message":"Bad Request"}"#).unwrap();
        assert_eq!(refusal.words(), "no such item");
    }

    proptest! {
        #[test]
        fn no_answer_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse::<OneOrMany<Row>>(&body);
            let _ = parse::<Refusal>(&body);
        }
    }
}
