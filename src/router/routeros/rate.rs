//! Rates as RouterOS writes them: `500000` over REST, `940M` or `1.5Gbps` for people.

/// Reads a rate in bit/s without floating point; `None` if it is none.
pub(super) fn parse(text: &str) -> Option<u64> {
    let text = text.strip_suffix("bps").unwrap_or(text);
    let (number, zeros) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (text.get(..at)?, 3),
        (at, 'M') => (text.get(..at)?, 6),
        (at, 'G') => (text.get(..at)?, 9),
        (at, 'T') => (text.get(..at)?, 12),
        _ => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > zeros {
        return None;
    }
    format!("{whole}{fraction:0<zeros$}").parse().ok()
}
