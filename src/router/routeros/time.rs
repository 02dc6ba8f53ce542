//! Times as RouterOS writes them: `2w5d10h15m54s`, `100ms`, `13ms205us`.

use std::time::Duration;

use super::road::Row;
use crate::{router::RouterText, units::Delay};

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
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at_checked(digits)?;
        let number: u64 = number.parse().ok()?;
        let (unit, factor) = UNITS.iter().find(|(unit, _)| behind.starts_with(unit))?;
        micros = micros.checked_add(number.checked_mul(*factor)?)?;
        rest = behind.get(unit.len()..)?;
    }
    (!text.is_empty()).then(|| Duration::from_micros(micros))
}

/// Returns the round-trip time in the rows that the one probe of a ping came to; a lost probe has a
/// `status` and no `time`.
///
/// # Errors
/// A sentence if the time makes no sense.
pub(super) fn of_reply(replies: &[Row]) -> Result<Option<Delay>, String> {
    let reply = replies.first().filter(|reply| reply.text("time").is_some());
    let time = |reply: &Row| {
        let span = reply.span("time").map(Delay::from);
        span.ok_or_else(|| {
            let text = RouterText::words(reply.text("time").unwrap_or_default());
            format!("`time` is `{text}`, not a time")
        })
    };
    reply.map(time).transpose()
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
        ] {
            assert_eq!(parse(text), Some(Duration::from_micros(micros)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "5", "s", "1x", "1h 2m", "-1s", "99999999999999999999w", "timeout"] {
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
