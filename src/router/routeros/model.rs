//! The JSON that RouterOS speaks: every value a string, absent when it is not set.

use serde::Deserialize;

use crate::{control::QueueReading, router::QueueRow, units::BitRate};

/// Properties asked of a queue; `.id` comes only if it is named.
pub(super) const QUEUE_PROPERTIES: [&str; 10] = [
    ".id",
    "name",
    "max-limit",
    "bytes",
    "packets",
    "dropped",
    "queued-bytes",
    "queued-packets",
    "disabled",
    "invalid",
];

/// One row of `/queue/tree`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct QueueTree {
    #[serde(rename = ".id")]
    pub(super) id: String,
    pub(super) name: String,
    max_limit: String,
    #[serde(default)]
    bytes: Option<String>,
    #[serde(default)]
    packets: Option<String>,
    #[serde(default)]
    dropped: Option<String>,
    #[serde(default)]
    queued_bytes: Option<String>,
    #[serde(default)]
    queued_packets: Option<String>,
    #[serde(default)]
    disabled: Option<String>,
    #[serde(default)]
    invalid: Option<String>,
}

impl QueueTree {
    /// Returns the limit, or says what is wrong with it.
    pub(super) fn limit(&self) -> Result<BitRate, String> {
        number("max-limit", &self.max_limit).map(BitRate::from_bps)
    }

    /// Turns the row into a reading, or says which value is not a number.
    pub(super) fn row(self) -> Result<QueueRow, String> {
        let counter = |name, value: &Option<String>| {
            value.as_deref().map_or(Ok(0), |value| number(name, value))
        };
        let is = |value: &Option<String>| value.as_deref() == Some("true");
        let reading = QueueReading {
            bytes: counter("bytes", &self.bytes)?,
            packets: counter("packets", &self.packets)?,
            dropped: counter("dropped", &self.dropped)?,
            backlog_bytes: counter("queued-bytes", &self.queued_bytes)?,
            backlog_packets: counter("queued-packets", &self.queued_packets)?,
            limit: self.limit()?,
        };
        let active = !is(&self.disabled) && !is(&self.invalid);
        Ok(QueueRow { name: self.name, reading, active })
    }
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("`{name}` is `{value}`, not a whole number"))
}

/// `/system/resource`, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Resource {
    pub(super) version: String,
    #[serde(default)]
    pub(super) board_name: String,
}

/// `/system/identity`.
#[derive(Debug, Deserialize)]
pub(super) struct Identity {
    pub(super) name: String,
}

/// A singleton comes as an object, on early 7.x as an array of one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Singleton<T> {
    Object(T),
    List([T; 1]),
}

impl<T> Singleton<T> {
    pub(super) fn into_inner(self) -> T {
        match self {
            Self::Object(inner) | Self::List([inner]) => inner,
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
pub(super) fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).or_else(|first| {
        let cleaned: Vec<u8> =
            body.iter().map(|byte| if *byte < 0x20 { b' ' } else { *byte }).collect();
        // Text inside RouterOS is Windows-1252; what is not UTF-8 is not a name of ours.
        serde_json::from_str(&String::from_utf8_lossy(&cleaned)).map_err(|_| first.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_row_of_strings_becomes_numbers() {
        let body = br#"[{".id":"*1000000","name":"dl","max-limit":"940000000","bytes":"272603902153",
            "packets":"184614358","dropped":"0","queued-bytes":"1500","queued-packets":"1","disabled":"false",
            "invalid":"false"}]"#;
        let rows: Vec<QueueTree> = parse(body).unwrap();
        let row = rows.into_iter().next().unwrap().row().unwrap();
        assert_eq!(row.reading.limit, BitRate::from_mbps(940.0));
        assert_eq!(row.reading.bytes, 272_603_902_153);
        assert!(row.active);
    }

    #[test]
    fn missing_counters_are_zero_and_missing_flags_false() {
        let rows: Vec<QueueTree> = parse(br#"[{".id":"*1","name":"dl","max-limit":"0"}]"#).unwrap();
        let row = rows.into_iter().next().unwrap().row().unwrap();
        assert_eq!(row.reading, QueueReading::default());
        assert!(row.active);
    }

    #[test]
    fn a_value_that_is_no_number_is_named() {
        let rows: Vec<QueueTree> =
            parse(br#"[{".id":"*1","name":"dl","max-limit":"10M"}]"#).unwrap();
        let error = rows.into_iter().next().unwrap().row().unwrap_err();
        assert_eq!(error, "`max-limit` is `10M`, not a whole number");
    }

    #[test]
    fn control_characters_and_foreign_letters_in_a_comment_do_no_harm() {
        let body = b"[{\".id\":\"*1\",\"name\":\"dl\",\"max-limit\":\"5\",\"comment\":\"two\nlines caf\xe9\"}]";
        let rows: Vec<QueueTree> = parse(body).unwrap();
        assert_eq!(rows.first().unwrap().name, "dl");
    }

    #[test]
    fn singletons_come_bare_or_in_an_array() {
        for body in [&br#"{"name":"gw"}"#[..], br#"[{"name":"gw"}]"#] {
            let identity: Singleton<Identity> = parse(body).unwrap();
            assert_eq!(identity.into_inner().name, "gw");
        }
    }
}
