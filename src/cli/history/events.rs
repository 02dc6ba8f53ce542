//! What happened, in order.

use std::io::Write;

use serde_json::{Value, json};
use wanctl_core::units::{BitRate, Delay};

use super::{Format, QueryContext, human};
use crate::{
    history::{EventFilter, RecordedEvent},
    router::visible,
};

pub(super) fn print(
    out: &mut dyn Write,
    asking: &QueryContext,
    format: Format,
    kinds: Vec<String>,
) -> Result<(), anyhow::Error> {
    let QueryContext { reader, question, wans, zone, .. } = asking;
    // One that is not about a WAN belongs to all of them, unless some are asked for.
    let wan = if let [wan] = &question.wans[..] { Some(wan.clone()) } else { None };
    let has_kinds = !kinds.is_empty();
    let filter = EventFilter { from: question.from, to: question.to, wan, kinds };
    let is_asked = |event: &RecordedEvent| match &event.wan {
        Some(wan) => wans.contains(wan),
        None => question.wans.is_empty(),
    };
    match format {
        Format::Csv => writeln!(out, "time,wan,kind,payload")?,
        Format::Json => write!(out, "[")?,
        Format::Table | Format::Openmetrics => {
            let span = human::span(question.from, question.to, zone);
            let note = if has_kinds { "" } else { ", without rate writes (--kind rate_written)" };
            writeln!(out, "events from {span}{note}")?;
        }
    }
    let mut before = "\n";
    for event in reader.events_of(filter) {
        let event = event?;
        if !is_asked(&event) {
            continue;
        }
        let at = human::zoned(event.at, zone);
        let utc = at.timestamp();
        match format {
            Format::Csv => {
                let payload = event.payload.to_string().replace('"', "\"\"");
                let wan = event.wan.unwrap_or_default();
                writeln!(out, "{utc},{wan},{},\"{payload}\"", event.kind)?;
            }
            Format::Json => {
                let RecordedEvent { wan, kind, payload, .. } = event;
                let reported =
                    json!({"time": utc.to_string(), "wan": wan, "kind": kind, "payload": payload});
                write!(out, "{before}{reported}")?;
                before = ",\n";
            }
            Format::Table | Format::Openmetrics => {
                let time = at.strftime("%F %T.%3f");
                let wan = visible(event.wan.as_deref().unwrap_or("-"));
                let reported = visible(&in_words(&event.payload));
                writeln!(out, "{time}  {wan:<10}  {:<20}  {reported}", visible(&event.kind))?;
            }
        }
    }
    if format == Format::Json {
        writeln!(out, "\n]")?;
    }
    Ok(())
}

/// Members of payloads that hold the values before and after.
const CHANGES: [(&str, &str); 3] =
    [("from", "to"), ("from_bps", "to_bps"), ("written_bps", "found_bps")];

/// Returns the details for people: what changed first, then the rest with their units.
fn in_words(payload: &Value) -> String {
    let Value::Object(members) = payload else { return payload.to_string() };
    let shown = |name: &str| members.get(name).map(|value| text(name, value));
    let changes = CHANGES.iter().filter_map(|(old, new)| {
        let (old, new) = shown(old).zip(shown(new))?;
        Some(format!("{old} → {new}"))
    });
    let first: Vec<String> = shown("direction").into_iter().chain(changes).collect();
    let is_reported = |name: &str| {
        let is_change = |(old, new): &(&str, &str)| {
            [*old, *new].contains(&name) && members.contains_key(*old) && members.contains_key(*new)
        };
        name == "direction" || CHANGES.iter().any(is_change)
    };
    let mut words = if first.is_empty() { Vec::new() } else { vec![first.join(" ")] };
    // A value that is null is absent; the one that means something is the end of an override.
    let is_shown =
        |name: &str, value: &Value| !is_reported(name) && (name == "to" || !value.is_null());
    for (name, value) in members.iter().filter(|(name, value)| is_shown(name, value)) {
        let unit = ["_us", "_bps"].iter().find_map(|unit| name.strip_suffix(unit));
        let label = unit.unwrap_or(name);
        words.push(format!("{} {}", label.replace('_', " "), text(name, value)));
    }
    words.join(", ")
}

fn text(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if name.ends_with("_us") => {
            Delay::from_micros(number.as_i64().unwrap_or(0)).to_string()
        }
        Value::Number(number) if name.ends_with("_bps") => {
            BitRate::from_bps(number.as_u64().unwrap_or(0)).to_string()
        }
        value => value.to_string(),
    }
}
