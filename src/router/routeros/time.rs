//! Times as RouterOS writes them: `2w5d10h15m54s`, `100ms`, `13ms205us`, and on its console
//! `1d02:03:04.500` as well.

use std::time::Duration;

/// Units from long to short, in microseconds; `ms` stands before `m` and `s`, or it would be
/// read as minutes.
const UNITS: [(&str, u64); 7] = [
    ("w", 604_800_000_000),
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("ms", 1_000),
    ("us", 1),
    ("m", 60_000_000),
    ("s", 1_000_000),
];

/// Parses a span; `None` if it is not one.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut micros: u64 = 0;
    while !rest.is_empty() {
        if rest.contains(':') && !rest.contains(char::is_alphabetic) {
            micros = micros.checked_add(clock(rest)?)?;
            break;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at_checked(digits)?;
        let number: u64 = number.parse().ok()?;
        let (unit, factor) = UNITS.iter().find(|(unit, _)| behind.starts_with(unit))?;
        micros = micros.checked_add(number.checked_mul(*factor)?)?;
        rest = behind.get(unit.len()..)?;
    }
    (!text.is_empty()).then(|| Duration::from_micros(micros))
}

/// Parses the rest of a span as a clock shows it: `00:00:01`, `00:00:00.012345`.
fn clock(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let number = |digits: &str| {
        let is_number =
            (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| digits.parse::<u64>().ok()).flatten()
    };
    let micros = number(&format!("{fraction:0<6}"))?;
    let seconds = (number(hours)? * 60 + number(minutes)?) * 60 + number(seconds)?;
    Some(seconds * 1_000_000 + micros)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_spans() {
        for (text, micros) in [
            ("453us", 453),
            ("13ms205us", 13_205),
            ("100ms", 100_000),
            ("1m", 60_000_000),
            ("1d7h44m20s", 114_260_000_000),
            ("2w5d10h15m54s", 1_678_554_000_000),
            ("0s", 0),
            ("00:00:00.012345", 12_345),
            ("00:00:01", 1_000_000),
            ("1d02:03:04.5", 93_784_500_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_micros(micros)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in [
            "",
            "5",
            "s",
            "1x",
            "1h 2m",
            "-1s",
            "99999999999999999999w",
            "timeout",
            "1:2",
            "a:b:c",
            "1:2:3:4",
            "1:2:3.1234567",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_written_is_read(w in 0_u64..9, d in 0_u64..7, h in 0_u64..24, ms in 0_u64..1000, us in 0_u64..1000) {
            let span = parse(&format!("{w}w{d}d{h}h{ms}ms{us}us"));
            let micros = ((w * 7 + d) * 24 + h) * 3_600_000_000 + ms * 1000 + us;
            prop_assert_eq!(span, Some(Duration::from_micros(micros)));
        }
    }
}
