//! Rows in JSON, as REST and the console write them.
//!
//! RouterOS writes every value as a text over REST, typed values on the console, and adds, drops and
//! renames properties from version to version. So anything that can stand for a text is taken for
//! one, and what cannot is left out. The size of an answer is bounded where it is read; here the
//! memory that its rows may take is.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{encoding, transport::Row};

/// Most rows of an answer. A large router has a few thousand rules.
pub(super) const MOST_ROWS: usize = 20_000;
/// Most properties of a row; the richest menu has some sixty.
const MOST_PROPERTIES: usize = 200;
/// Longest value that is kept, in bytes; a target of many networks is the longest that is needed.
const LONGEST_VALUE: usize = 16_384;

/// What of an answer is kept.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keep {
    /// Every property of every row; too many rows are an error.
    All,
    /// These properties of every row; too many rows are an error.
    Only(&'static [&'static str]),
    /// The ids of so many rows; the others are passed over.
    Ids(usize),
}

impl Keep {
    fn wants(self, property: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(properties) => properties.contains(&property),
            Self::Ids(_) => property == ".id",
        }
    }
}

/// What stands as the `error` of a refusal: a status, as a number or a text, or words.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Code {
    Status(u16),
    Words(String),
}

impl Code {
    /// Returns the status, if it is one.
    fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(*status),
            Self::Words(words) => words.trim().parse().ok(),
        }
    }
}

/// What REST says when it refuses; `detail` is missing on 401 and 404.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    /// The status, which no other web server puts there, or other words.
    pub(super) error: Code,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl Refusal {
    /// Reads a refusal, if the answer is one.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let text = encoding::decode(body);
        let refusal: Self = serde_json::from_str(&cleaned(&text)).ok()?;
        let has_words = refusal.detail.is_some()
            || refusal.message.is_some()
            || refusal.status().is_none()
                && matches!(&refusal.error, Code::Words(words) if !words.is_empty());
        has_words.then_some(refusal)
    }

    /// Returns the status that it names, if it does.
    pub(super) fn status(&self) -> Option<u16> {
        self.error.status()
    }

    /// Returns the most specific words of the answer.
    pub(super) fn words(self) -> String {
        let words =
            [self.detail, self.message].into_iter().flatten().find(|words| !words.is_empty());
        words.unwrap_or_else(|| match self.error {
            Code::Words(words) => words,
            Code::Status(_) => String::new(),
        })
    }
}

/// Reads the rows of an answer: a list of them, or one alone as singletons and changed rows come.
///
/// # Errors
/// What keeps it from being read.
pub(super) fn rows(body: &[u8], keep: Keep) -> Result<Vec<Row>, String> {
    let text = encoding::decode(body);
    let text = text.trim_start_matches('\u{feff}');
    let read = |text: &str| {
        let mut json = serde_json::Deserializer::from_str(text);
        let rows = Answer(keep).deserialize(&mut json)?;
        json.end()?;
        Ok(rows)
    };
    read(text).or_else(|first: serde_json::Error| {
        let cleaned = cleaned(text);
        if cleaned == text {
            return Err(first.to_string());
        }
        read(&cleaned).map_err(|_| first.to_string())
    })
}

/// Some versions send control characters inside strings unescaped, which JSON forbids; they are only
/// ever decoration in comments, so they are replaced by spaces.
fn cleaned(text: &str) -> Cow<'_, str> {
    let is_control = |sign: char| sign < ' ';
    if text.contains(is_control) { text.replace(is_control, " ").into() } else { text.into() }
}

/// A whole answer.
struct Answer(Keep);

impl<'de> DeserializeSeed<'de> for Answer {
    type Value = Vec<Row>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Vec<Row>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Answer {
    type Value = Vec<Row>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Row>, A::Error> {
        let mut rows = Vec::new();
        loop {
            let room = match self.0 {
                Keep::Ids(most) => rows.len() < most,
                Keep::All | Keep::Only(_) if rows.len() == MOST_ROWS => {
                    return Err(A::Error::custom(format_args!("more than {MOST_ROWS} rows")));
                }
                Keep::All | Keep::Only(_) => true,
            };
            if room {
                let Some(row) = list.next_element_seed(OneRow(self.0))? else { return Ok(rows) };
                rows.push(row);
            } else if list.next_element::<IgnoredAny>()?.is_none() {
                return Ok(rows);
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<Row>, A::Error> {
        Ok(vec![OneRow(self.0).visit_map(map)?])
    }
}

/// One row of an answer.
struct OneRow(Keep);

impl<'de> DeserializeSeed<'de> for OneRow {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Row, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneRow {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let mut row = Row::default();
        while let Some(property) = map.next_key::<Cow<'de, str>>()? {
            if !self.0.wants(&property) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if row.0.len() == MOST_PROPERTIES {
                let reported = format_args!("a row of more than {MOST_PROPERTIES} properties");
                return Err(A::Error::custom(reported));
            }
            if let Some(value) = map.next_value_seed(Text)? {
                row.0.insert(property.into_owned(), value);
            }
        }
        Ok(row)
    }
}

/// A value as the text that REST would show; none if nothing can stand for one.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<String>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Option<String>, E> {
        Ok(Some(flag.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<String>, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<String>, E> {
        Ok(Some(number.to_string()))
    }

    /// `5.000000` is a whole number that was serialised with care, and is written without its zeros.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Option<String>, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<String>, E> {
        Ok((text.len() <= LONGEST_VALUE).then(|| text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<String>, A::Error> {
        let mut joined = String::new();
        while let Some(value) = list.next_element_seed(Self)? {
            let Some(value) = value.filter(|_| joined.len() <= LONGEST_VALUE) else { continue };
            if !joined.is_empty() {
                joined.push(',');
            }
            joined.push_str(&value);
        }
        Ok((joined.len() <= LONGEST_VALUE).then_some(joined))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<String>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(body: &[u8]) -> Vec<Row> {
        rows(body, Keep::All).unwrap()
    }

    #[test]
    fn singletons_come_bare_or_in_an_array() {
        for body in
            [&br#"{"name":"gw"}"#[..], br#"[{"name":"gw"}]"#, b"\xef\xbb\xbf{\"name\":\"gw\"}"]
        {
            assert_eq!(all(body)[0].text("name"), Some("gw"));
        }
        assert!(all(b"[]").is_empty());
    }

    #[test]
    fn whatever_can_stand_for_a_text_is_one() {
        let row = &all(br#"[{"a":"x","b":5,"c":-5,"d":5.000000,"e":true,"f":null,"g":{"x":[1]},"h":["p","q",7]}]"#)[0];
        let of = |property| row.text(property);
        assert_eq!(
            [of("a"), of("b"), of("c"), of("d")],
            [Some("x"), Some("5"), Some("-5"), Some("5")]
        );
        assert_eq!([of("e"), of("f"), of("g"), of("h")], [Some("true"), None, None, Some("p,q,7")]);
    }

    #[test]
    fn control_characters_and_foreign_letters_do_no_harm() {
        let row = &all(b"[{\"name\":\"Gr\xf6\xdfe\",\"comment\":\"two\nlines caf\xe9\"}]")[0];
        assert_eq!(row.text("name"), Some("Größe"));
        assert_eq!(row.text("comment"), Some("two lines café"));
    }

    #[test]
    fn rows_and_their_properties_are_bounded() {
        let many = format!("[{}{{}}]", "{},".repeat(MOST_ROWS));
        assert!(rows(many.as_bytes(), Keep::All).unwrap_err().contains("more than 20000 rows"));
        assert_eq!(rows(many.as_bytes(), Keep::Ids(7)).unwrap().len(), 7);
        let pairs: Vec<String> = (0..=MOST_PROPERTIES).map(|at| format!("\"{at}\":1")).collect();
        let wide = format!("{{{}}}", pairs.join(","));
        assert!(rows(wide.as_bytes(), Keep::All).unwrap_err().contains("more than 200 properties"));
        assert_eq!(rows(wide.as_bytes(), Keep::Only(&["7"])).unwrap()[0].0.len(), 1);
        let deep = format!("[{{\"a\":{}", "[".repeat(200_000));
        assert!(rows(deep.as_bytes(), Keep::All).is_err());
    }

    #[test]
    fn only_what_routeros_says_is_a_refusal() {
        let words =
            |body: &[u8]| Refusal::read(body).map(|refusal| (refusal.status(), refusal.words()));
        assert_eq!(
            words(br#"{"error":401,"message":"Unauthorized"}"#),
            Some((Some(401), "Unauthorized".into()))
        );
        let body = br#"{"detail":"no such item","error":400,"message":"Bad Request"}"#;
        assert_eq!(words(body), Some((Some(400), "no such item".into())));
        let text = br#"{"error":"400","message":"Bad Request"}"#;
        assert_eq!(words(text), Some((Some(400), "Bad Request".into())));
        assert_eq!(words(br#"{"error":"boom"}"#), Some((None, "boom".into())));
        for body in [
            &br#"{"message":"no route"}"#[..],
            br#"{"error":400}"#,
            br#"{"error":""}"#,
            b"[]",
            b"",
            b"<html>",
        ] {
            assert_eq!(words(body), None);
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = rows(&body, Keep::All);
            let _ = Refusal::read(&body);
        }
    }
}
