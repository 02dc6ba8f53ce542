//! How RouterOS reads a value that is written, and how it shows it afterwards.
//!
//! What is read back is rarely the text that was written: `10M` becomes `10000000`, `yes` becomes
//! `true`, `90s` becomes `1m30s`. Clients that compare texts find that out here.

use std::{fmt::Write as _, time::Duration};

/// Units of time, largest first, with their length in microseconds.
const TIME_UNITS: [(&str, u64); 7] = [
    ("w", 604_800_000_000),
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

/// Reads a rate in bit/s: a whole number with an optional decimal multiple (`k`, `M`, `G`).
///
/// Fractions are refused: whether every version reads `1.5M` is not known, and a client must not
/// come to depend on it here.
pub(super) fn rate(text: &str) -> Option<u64> {
    let (digits, factor) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 1_000),
        (at, 'M') => (&text[..at], 1_000_000),
        (at, 'G') => (&text[..at], 1_000_000_000),
        _ => (text, 1),
    };
    whole(digits)?.checked_mul(factor)
}

/// Reads a number that consists of decimal digits only.
pub(super) fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

pub(super) fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    }
}

/// Returns the only two words in which a truth value is ever shown.
pub(super) const fn shown_flag(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Reads a time such as `1d7h44m20s` or `13ms205us`; a bare number counts seconds.
pub(super) fn time(text: &str) -> Option<Duration> {
    if let Some(seconds) = whole(text) {
        return Some(Duration::from_secs(seconds));
    }
    let mut rest = text;
    let mut micros = 0_u64;
    while !rest.is_empty() {
        let (digits, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, tail) =
            tail.split_at(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()));
        let (_, length) = TIME_UNITS.into_iter().find(|(name, _)| *name == unit)?;
        micros = micros.checked_add(whole(digits)?.checked_mul(length)?)?;
        rest = tail;
    }
    (!text.is_empty()).then(|| Duration::from_micros(micros))
}

/// Shows a time in the largest units that fit, as in `1d7h44m20s`; nothing at all is `0s`.
pub(super) fn shown_time(span: Duration) -> String {
    let mut micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (name, length) in TIME_UNITS {
        let count = micros / length;
        micros %= length;
        if count > 0 {
            let _ = write!(text, "{count}{name}");
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Shows a row's identifier: an asterisk and upper-case hexadecimal digits.
pub(super) fn shown_id(id: u32) -> String {
    format!("*{id:X}")
}

pub(super) fn id(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('*').filter(|digits| !digits.starts_with('+'))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_are_whole_numbers_with_decimal_multiples() {
        for (text, bps) in [
            ("0", Some(0)),
            ("10M", Some(10_000_000)),
            ("500k", Some(500_000)),
            ("2G", Some(2_000_000_000)),
            ("940000000", Some(940_000_000)),
            ("1.5G", None),
            ("-1", None),
            ("+1", None),
            ("M", None),
            ("", None),
            ("10 M", None),
            ("10Mbps", None),
            ("99999999999999999999", None),
            ("18446744073709551615G", None),
        ] {
            assert_eq!(rate(text), bps, "{text:?}");
        }
    }

    #[test]
    fn times_are_shown_in_the_largest_units() {
        for (text, shown) in [
            ("1d7h44m20s", Some("1d7h44m20s")),
            ("2w5d10h15m54s", Some("2w5d10h15m54s")),
            ("13ms205us", Some("13ms205us")),
            ("100ms", Some("100ms")),
            ("90s", Some("1m30s")),
            ("3600", Some("1h")),
            ("0s", Some("0s")),
            ("0", Some("0s")),
            ("", None),
            ("5", Some("5s")),
            ("5x", None),
            ("s", None),
            ("1s5", None),
            ("99999999999w", None),
        ] {
            assert_eq!(time(text).map(shown_time).as_deref(), shown, "{text:?}");
        }
    }

    #[test]
    fn identifiers_are_upper_case_hexadecimal() {
        assert_eq!(shown_id(0x100_000A), "*100000A");
        assert_eq!(id("*FFFFFFFA"), Some(0xFFFF_FFFA));
        assert_eq!(id("*0"), Some(0));
        for wrong in ["1", "*", "*+1", "*XYZ", "*1FFFFFFFF", ""] {
            assert_eq!(id(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn a_shown_time_is_read_back_unchanged(micros in 0_u64..10_000_000_000_000) {
            let span = Duration::from_micros(micros);
            prop_assert_eq!(time(&shown_time(span)), Some(span));
        }

        #[test]
        fn a_shown_rate_is_read_back_unchanged(bps: u64) {
            prop_assert_eq!(rate(&bps.to_string()), Some(bps));
        }

        #[test]
        fn no_text_brings_a_reader_down(text in "\\PC{0,12}") {
            let _ = (rate(&text), time(&text), flag(&text), id(&text));
        }
    }
}
