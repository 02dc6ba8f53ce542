//! Spells values of the console as REST does: plain integers, `true`, `1d2h3ms`.

use std::{fmt::Write as _, time::Duration};

use super::super::{rate, time};

/// Rates in bit/s.
const RATES: [&str; 4] = ["max-limit", "limit-at", "burst-limit", "cake-bandwidth"];
const TIMES: [&str; 6] = ["uptime", "time", "avg-rtt", "min-rtt", "max-rtt", "burst-time"];
const FLAGS: [&str; 5] = ["disabled", "invalid", "dynamic", "inactive", "active"];

/// Returns the value of `property` as REST spells it; one that cannot be read stays as it is, and
/// is found unreadable where it is used.
pub(super) fn as_over_rest(property: &str, text: &str) -> String {
    let known = if RATES.contains(&property) {
        pair(text, |text| rate::parse(text).map(|bps| bps.to_string()))
    } else if TIMES.contains(&property) {
        pair(text, span)
    } else if FLAGS.contains(&property) {
        match text {
            "yes" => Some("true".to_owned()),
            "no" => Some("false".to_owned()),
            _ => None,
        }
    } else {
        None
    };
    known.unwrap_or_else(|| text.to_owned())
}

/// Spells both halves of a simple queue's value, or the only one of a queue tree's.
fn pair(text: &str, spell: fn(&str) -> Option<String>) -> Option<String> {
    match text.split_once('/') {
        Some((first, second)) => Some(format!("{}/{}", spell(first)?, spell(second)?)),
        None => spell(text),
    }
}

/// Reads the console's clocks, `1w2d03:04:05.006007`; REST's own spans stay as they are.
fn span(text: &str) -> Option<String> {
    let Some((hours, rest)) = text.split_once(':') else {
        return time::parse(text).map(|_| text.to_owned());
    };
    let (minutes, seconds) = rest.split_once(':')?;
    // In front of the hours stand weeks and days, each with its unit.
    let digits = hours.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    let (days, hours) = hours.split_at_checked(digits)?;
    let days = if days.is_empty() { Duration::ZERO } else { time::parse(days)? };
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let micros: u64 = match fraction.len() {
        0..=6 => format!("{fraction:0<6}").parse().ok()?,
        _ => return None,
    };
    let mut whole: u64 = 0;
    for part in [hours, minutes, seconds] {
        whole = whole.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    let clock = Duration::from_secs(whole).checked_add(Duration::from_micros(micros))?;
    days.checked_add(clock).map(shown)
}

/// Writes a span in the largest units that fit.
fn shown(span: Duration) -> String {
    const UNITS: [(&str, u128); 7] = [
        ("w", 604_800_000_000),
        ("d", 86_400_000_000),
        ("h", 3_600_000_000),
        ("m", 60_000_000),
        ("s", 1_000_000),
        ("ms", 1_000),
        ("us", 1),
    ];
    let mut micros = span.as_micros();
    let mut text = String::new();
    for (unit, length) in UNITS {
        if micros >= length {
            // Writing to a String cannot fail.
            let _ = write!(text, "{}{unit}", micros / length);
            micros %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_lose_their_units() {
        for (console, rest) in [
            ("800M", "800000000"),
            ("10M/20M", "10000000/20000000"),
            ("0", "0"),
            ("1.5G", "1500000000"),
            ("12.345k", "12345"),
            ("2.0Mbps/15.0Mbps", "2000000/15000000"),
            ("0bps", "0"),
            ("940000000", "940000000"),
            // Unreadable: left for the reader to complain of.
            ("1.2345k", "1.2345k"),
            ("fast", "fast"),
            ("M", "M"),
            ("10M/", "10M/"),
            ("-5", "-5"),
            ("99999999999999999999", "99999999999999999999"),
        ] {
            assert_eq!(as_over_rest("max-limit", console), rest, "{console}");
        }
        assert_eq!(as_over_rest("name", "800M"), "800M", "names are nobody's business");
    }

    #[test]
    fn clocks_become_spans() {
        for (console, rest) in [
            ("1d07:44:20", "1d7h44m20s"),
            ("2w5d10:15:54", "2w5d10h15m54s"),
            ("00:00:00.013205", "13ms205us"),
            ("00:00:00.5", "500ms"),
            ("00:00:00", "0s"),
            ("13ms205us", "13ms205us"),
            ("12:60", "12:60"),
            ("a:b:c", "a:b:c"),
            ("timeout", "timeout"),
        ] {
            assert_eq!(as_over_rest("time", console), rest, "{console}");
        }
    }

    #[test]
    fn flags_are_true_or_false() {
        for (console, rest) in [("yes", "true"), ("no", "false"), ("true", "true"), ("", "")] {
            assert_eq!(as_over_rest("disabled", console), rest);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,24}", clock in "[0-9wdhms:./kMG]{0,24}") {
            for text in [&text, &clock] {
                let _ = (as_over_rest("max-limit", text), as_over_rest("uptime", text));
            }
        }

        #[test]
        fn whole_rates_stay_what_they_are(bps: u64) {
            prop_assert_eq!(as_over_rest("max-limit", &bps.to_string()), bps.to_string());
        }

        #[test]
        fn a_span_that_is_shown_is_read_as_itself(micros in 0_u64..u64::MAX / 2) {
            let span = Duration::from_micros(micros);
            prop_assert_eq!(time::parse(&shown(span)), Some(span));
        }
    }
}
