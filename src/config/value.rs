//! Readers of scalars: from a node to a typed value, or to what is wrong with it.
//!
//! Readers of text do not repeat the text in their errors, because it may be a secret in the
//! wrong place; the others quote what they got.

use std::{net::IpAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

use wanctl_core::units::{BitRate, Delay};

use super::document::Node;

/// Highest rate that may be configured, in Mbit/s: far beyond what a software queue carries.
const MAX_MBPS: f64 = 100_000.0;
/// Highest threshold that may be configured, in ms.
const MAX_THRESHOLD_MS: f64 = 2000.0;
/// Characters of a value that a message quotes.
const QUOTED: usize = 40;

/// Reads text of 1 to `longest` characters that fits on a line.
pub(super) fn line(longest: usize) -> impl Fn(&Node) -> Result<String, String> {
    move |node| {
        let text = text(node)?;
        match text.chars().count() {
            0 => Err("must not be empty".to_owned()),
            length if length > longest => {
                Err(format!("has {length} characters, at most {longest} are allowed"))
            }
            _ if text.contains(char::is_control) => {
                Err("must not contain control characters".to_owned())
            }
            _ => Ok(text),
        }
    }
}

/// Reads any text.
pub(super) fn text(node: &Node) -> Result<String, String> {
    match node {
        Node::Text(text) => Ok(text.clone()),
        Node::Whole(_) | Node::Number(_) | Node::Flag(_) => {
            Err(format!("expected text, got {}; put it in quotes", node.kind()))
        }
        other => Err(format!("expected text, got {}", other.kind())),
    }
}

/// Reads the path of a file.
pub(super) fn path(node: &Node) -> Result<PathBuf, String> {
    line(4096)(node).map(PathBuf::from)
}

/// Reads `true` or `false`.
pub(super) fn flag(node: &Node) -> Result<bool, String> {
    match node {
        Node::Flag(flag) => Ok(*flag),
        other => Err(format!("expected true or false, got {}", quoted(other))),
    }
}

/// Reads one of some words.
pub(super) fn choice<T: Copy>(words: &[(&str, T)]) -> impl Fn(&Node) -> Result<T, String> {
    move |node| {
        let word = match node {
            Node::Text(text) => text.as_str(),
            _ => "",
        };
        words.iter().find(|(name, _)| *name == word).map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<String> = words.iter().map(|(name, _)| format!("`{name}`")).collect();
            format!("expected {}, got {}", names.join(" or "), quoted(node))
        })
    }
}

/// Reads a whole number of milliseconds.
pub(super) fn millis(range: RangeInclusive<u64>) -> impl Fn(&Node) -> Result<Duration, String> {
    let read = whole(range, "milliseconds");
    move |node| read(node).map(Duration::from_millis)
}

/// Reads a whole number of seconds.
pub(super) fn seconds(range: RangeInclusive<u64>) -> impl Fn(&Node) -> Result<Duration, String> {
    let read = whole(range, "seconds");
    move |node| read(node).map(Duration::from_secs)
}

/// Reads a whole number of days.
pub(super) fn days(range: RangeInclusive<u64>) -> impl Fn(&Node) -> Result<Duration, String> {
    let read = whole(range, "days");
    move |node| read(node).map(|days| Duration::from_hours(24 * days))
}

/// Reads a whole number of megabytes (10⁶ bytes), as bytes.
pub(super) fn megabytes(range: RangeInclusive<u64>) -> impl Fn(&Node) -> Result<u64, String> {
    let read = whole(range, "megabytes");
    move |node| read(node).map(|megabytes| megabytes * 1_000_000)
}

/// Reads a whole number of hours.
pub(super) fn hours(range: RangeInclusive<u64>) -> impl Fn(&Node) -> Result<Duration, String> {
    let read = whole(range, "hours");
    move |node| read(node).map(|hours| Duration::from_secs(hours * 3600))
}

/// Reads a whole number of something.
pub(super) fn whole(
    range: RangeInclusive<u64>,
    unit: &'static str,
) -> impl Fn(&Node) -> Result<u64, String> {
    move |node| {
        let number = match node {
            Node::Whole(number) => u64::try_from(*number).ok(),
            _ => None,
        };
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            let got = quoted(node);
            format!("expected a whole number of {unit} from {least} to {most}, got {got}")
        })
    }
}

/// Reads a rate in Mbit/s. Never zero, which a RouterOS queue would take for "unlimited".
pub(super) fn mbps(node: &Node) -> Result<BitRate, String> {
    number(node, MAX_MBPS)
        .map(BitRate::from_mbps)
        .filter(|rate| *rate > BitRate::ZERO)
        .ok_or_else(|| out_of_range("Mbit/s", MAX_MBPS, node))
}

/// Reads a delay threshold in milliseconds.
pub(super) fn threshold(node: &Node) -> Result<Delay, String> {
    number(node, MAX_THRESHOLD_MS)
        .map(Delay::from_millis_f64)
        .filter(|delay| *delay > Delay::ZERO)
        .ok_or_else(|| out_of_range("milliseconds", MAX_THRESHOLD_MS, node))
}

/// A number up to `most`; NaN and the infinities are none.
fn number(node: &Node, most: f64) -> Option<f64> {
    let number = match node {
        Node::Whole(number) => *number as f64,
        Node::Number(number) => *number,
        _ => return None,
    };
    (0.0..=most).contains(&number).then_some(number)
}

fn out_of_range(unit: &str, most: f64, node: &Node) -> String {
    format!("expected a number of {unit} above 0 and up to {most}, got {}", quoted(node))
}

/// Reads the IP address of one host.
pub(super) fn host_address(node: &Node) -> Result<IpAddr, String> {
    let Node::Text(text) = node else {
        return Err(format!("expected an IP address, got {}", quoted(node)));
    };
    let address: IpAddr =
        text.parse().map_err(|_| format!("expected an IP address, got {}", quoted(node)))?;
    // An IPv4 address written as IPv6 is the same host.
    let address = address.to_canonical();
    let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    if address.is_unspecified() || address.is_multicast() || is_broadcast {
        return Err(format!("{address} is not the address of a host"));
    }
    Ok(address)
}

/// Quotes a value in a message, shortened and on one line.
pub(super) fn quoted(node: &Node) -> String {
    match node {
        Node::Flag(flag) => format!("`{flag}`"),
        Node::Whole(number) => format!("`{number}`"),
        Node::Number(number) => format!("`{number}`"),
        Node::Text(text) => format!("`{}`", printable(text)),
        other => other.kind().to_owned(),
    }
}

/// Returns a text shortened and with its control characters escaped, so that a message stays one
/// line and a terminal obeys nothing in it.
pub(super) fn printable(text: &str) -> String {
    let more = if text.chars().count() > QUOTED { "…" } else { "" };
    let escape = |c: char| -> String {
        if c.is_control() { c.escape_default().to_string() } else { c.to_string() }
    };
    text.chars().take(QUOTED).map(escape).chain([more.to_owned()]).collect()
}
