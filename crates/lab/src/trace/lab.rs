//! `seconds mbit_down mbit_up [rtt_ms [loss_pct]]`, each line held until the next, with comments.

use std::time::Duration;

use wanctl_core::PerDirection;

use super::file::{Flaw, Recording, Timeline, lines, mbps, quoted, traces};

/// The longest plausible base round-trip time in milliseconds.
const LONGEST_RTT_MS: f64 = 10_000.0;

pub(super) fn parse(text: &str) -> Result<Recording, Flaw> {
    let mut timeline = Timeline::new();
    let mut base_rtt_steps: Vec<(Duration, Duration)> = Vec::new();
    for (number, line) in lines(text).filter(|(_, line)| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (seconds, down, up, rest) = match fields[..] {
            // A header without the mark of a comment.
            [first, ..] if timeline.points.is_empty() && first.parse::<f64>().is_err() => {
                let is_word = first.starts_with(|c: char| c.is_alphabetic());
                if is_word {
                    continue;
                }
                return Err(Flaw::at(number, expected(line)));
            }
            [seconds, down, up, ref rest @ ..] if rest.len() <= 2 => (seconds, down, up, rest),
            _ => return Err(Flaw::at(number, expected(line))),
        };
        let rates =
            PerDirection { download: Some(mbps(number, down)?), upload: Some(mbps(number, up)?) };
        timeline.push(number, seconds, rates)?;
        if let ([rtt, ..], Some((at, _))) = (rest, timeline.points.last()) {
            let rtt = base_rtt(number, rtt)?;
            if base_rtt_steps.last().is_none_or(|(_, before)| *before != rtt) {
                base_rtt_steps.push((*at, rtt));
            }
        }
        if let [_, loss] = rest
            && loss.parse() != Ok(0.0)
        {
            let text = format!("loss of {} %; only 0 can be simulated", quoted(loss));
            return Err(Flaw::at(number, text));
        }
    }
    let (download, upload) = traces(&timeline)?;
    Ok(Recording { download, upload, base_rtt_steps })
}

fn expected(line: &str) -> String {
    format!("{} here; expected `seconds mbit_down mbit_up [rtt_ms [loss_pct]]`", quoted(line))
}

fn base_rtt(line: usize, field: &str) -> Result<Duration, Flaw> {
    let millis = field.parse::<f64>().ok().filter(|ms| (0.0..=LONGEST_RTT_MS).contains(ms));
    millis.map(|millis| Duration::from_secs_f64(millis / 1e3)).ok_or_else(|| {
        let text = format!("{} here; expected ms from 0 to {LONGEST_RTT_MS}", quoted(field));
        Flaw::at(line, text)
    })
}
