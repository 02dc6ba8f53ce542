//! Until when a certificate is valid.
//!
//! The library that speaks TLS does not say, and a whole ASN.1 library for one date would be
//! much; so this walks to that date and reads nothing else.

use wanctl_core::units::Timestamp;

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// The optional version in front of the serial number.
const VERSION: u8 = 0xa0;

/// Returns the end of the validity of an X.509 certificate in DER (RFC 5280, 4.1), if it is one.
pub(super) fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = value(der, SEQUENCE)?;
    let (fields, _) = value(certificate, SEQUENCE)?;
    let fields = value(fields, VERSION).map_or(fields, |(_, rest)| rest);
    let (_, fields) = value(fields, INTEGER)?;
    let (_signature, fields) = value(fields, SEQUENCE)?;
    let (_issuer, fields) = value(fields, SEQUENCE)?;
    let (validity, _) = value(fields, SEQUENCE)?;
    let (_, validity) = time(validity)?;
    time(validity).map(|(not_after, _)| not_after)
}

/// Reads a value of this type; returns it and what follows.
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // The length itself has this many bytes; no certificate needs more than four.
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

/// Reads a point in time; returns it and what follows.
fn time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (century, (text, rest)) = match value(der, GENERALIZED_TIME) {
        Some(found) => (None, found),
        None => (Some(()), value(der, UTC_TIME)?),
    };
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = match century {
        None => text.to_owned(),
        // Two digits of the year: RFC 5280 has them mean 1950 to 2049.
        Some(()) if text.get(..2)? < "50" => format!("20{text}"),
        Some(()) => format!("19{text}"),
    };
    let at = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", &text).ok()?;
    let micros = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond();
    Some((Timestamp::from_micros(micros), rest))
}
