//! The commands without rows: `/ping`, `/interface/monitor-traffic` and `/execute`.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use super::{
    Emulator, User,
    commands::CommandReply,
    log::RequestEffect,
    menus::Values,
    request::{ApiError, Arguments},
    values,
};

/// How long the router waits for a reply to a probe, if `interval` is no longer.
pub(super) const LOST_AFTER: Duration = Duration::from_secs(1);
/// Time between two probes when the request has none.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);
/// Round-trip time of the default pinger.
const DEFAULT_RTT: Duration = Duration::from_millis(10);
/// Time between two sections of a monitor's answer.
const SECTION: Duration = Duration::from_secs(1);
/// The job that a script becomes when its output is not waited for.
const JOB: &str = "*B546";

/// Where the router's own pings go: an address in, a round-trip time out, or `None` for a loss.
#[derive(Clone)]
pub struct Pinger(Arc<dyn Fn(IpAddr) -> Option<Duration> + Send + Sync>);

impl Pinger {
    /// Builds a pinger that calls `round_trip` at the moment of each probe.
    pub fn new(round_trip: impl Fn(IpAddr) -> Option<Duration> + Send + Sync + 'static) -> Self {
        Self(Arc::new(round_trip))
    }

    /// Builds a pinger for which every address replies after `round_trip`.
    #[must_use]
    pub fn fixed(round_trip: Duration) -> Self {
        Self::new(move |_| Some(round_trip))
    }

    /// Sends one probe to `address`.
    pub(super) fn round_trip(&self, address: IpAddr) -> Option<Duration> {
        (self.0)(address)
    }
}

impl Default for Pinger {
    fn default() -> Self {
        Self::fixed(DEFAULT_RTT)
    }
}

impl fmt::Debug for Pinger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pinger").finish_non_exhaustive()
    }
}

/// Arguments of a ping that change nothing here.
const WITHOUT_EFFECT: [&str; 9] = [
    "arp-ping",
    "do-not-fragment",
    "dscp",
    "interface",
    "proplist",
    "src-address",
    "ttl",
    "vrf",
    ".proplist",
];

/// Sends the probes that `arguments` describe, and returns one object for each; `lost_probe` is the
/// status of a lost one. Takes as long as a real router, and without a count never ends.
pub(super) async fn ping(
    pinger: &Pinger,
    mut arguments: Arguments,
    lost_probe: &str,
) -> Result<Vec<Values>, ApiError> {
    let host = arguments.take("address").ok_or_else(|| ApiError::missing("address"))?;
    let address: IpAddr = host.parse().map_err(|_| ApiError::invalid_value("address"))?;
    let count = match arguments.take("count") {
        Some(text) => values::whole(&text).ok_or_else(|| ApiError::invalid_value("count"))?,
        None => u64::MAX,
    };
    let interval = match arguments.take("interval") {
        Some(text) => read_interval(&text)?,
        None => DEFAULT_INTERVAL,
    };
    let size = arguments.take("size").unwrap_or_else(|| "56".to_owned());
    for name in WITHOUT_EFFECT {
        arguments.take(name);
    }
    arguments.require_empty()?;
    let mut tally = PingTally::default();
    let mut probes = Vec::new();
    for seq in 0..count {
        let lost_after = interval.max(LOST_AFTER);
        let round_trip = pinger.round_trip(address).filter(|span| *span <= lost_after);
        let is_last = seq + 1 == count;
        let wait = if is_last { round_trip.unwrap_or(lost_after) } else { interval };
        probes.push(tally.row(&host, &size, round_trip, lost_probe));
        tokio::time::sleep(wait).await;
    }
    Ok(probes)
}

fn read_interval(text: &str) -> Result<Duration, ApiError> {
    let interval = values::time(text).ok_or_else(|| ApiError::invalid_time("interval"))?;
    let is_allowed = (Duration::from_millis(10)..=Duration::from_secs(5)).contains(&interval);
    let refusal = "value of interval is out of range (00:00:00.010 .. 00:00:05)";
    is_allowed.then_some(interval).ok_or_else(|| ApiError::bad(refusal))
}

/// The sums over the probes so far, which every answer carries.
#[derive(Debug, Default)]
pub(super) struct PingTally {
    sent: u32,
    round_trips: Vec<Duration>,
}

impl PingTally {
    /// Counts a probe and returns its row; `lost` is the status of a lost one.
    pub(super) fn row(
        &mut self,
        host: &str,
        size: &str,
        round_trip: Option<Duration>,
        lost: &str,
    ) -> Values {
        let seq = self.sent.to_string();
        self.sent += 1;
        self.round_trips.extend(round_trip);
        let received = u32::try_from(self.round_trips.len()).unwrap_or(u32::MAX);
        let percent = 100 * (self.sent - received) / self.sent.max(1);
        let mut row = Values::from([
            ("host", host.to_owned()),
            ("seq", seq),
            ("packet-loss", percent.to_string()),
            ("received", received.to_string()),
            ("sent", self.sent.to_string()),
        ]);
        let (min, max) = (self.round_trips.iter().min(), self.round_trips.iter().max());
        if let Some((min, max)) = min.zip(max) {
            let mean = self.round_trips.iter().sum::<Duration>() / received.max(1);
            for (name, span) in [("min-rtt", *min), ("avg-rtt", mean), ("max-rtt", *max)] {
                row.insert(name, values::shown_time(span));
            }
        }
        match round_trip {
            Some(span) => row.extend([
                ("size", size.to_owned()),
                ("time", values::shown_time(span)),
                ("ttl", "64".to_owned()),
            ]),
            None => row.extend([("status", lost.to_owned())]),
        }
        row
    }
}

/// Watches the interfaces that `arguments` name. With `once` it answers immediately; with
/// `duration`, with a section for each second; with neither, and with `once` set to `false`, it goes
/// on until the web server closes the session.
pub(super) async fn monitor(
    emulator: &Emulator,
    user: &User,
    mut arguments: Arguments,
) -> Result<Vec<Values>, ApiError> {
    let names = arguments.take_list("interface", Some(','));
    let names = names.ok_or_else(|| ApiError::missing("interface"))?;
    let is_once = arguments.take("once").is_some_and(|value| value != "false");
    let span = match arguments.take("duration") {
        Some(text) => Some(values::time(&text).ok_or_else(|| ApiError::invalid_time("duration"))?),
        None => None,
    };
    arguments.require_empty()?;
    let read = |section: Option<u64>| -> Result<Vec<Values>, ApiError> {
        let mut no_effects: Vec<RequestEffect> = Vec::new();
        let mut rows = Vec::new();
        for name in &names {
            let mut row =
                emulator.operate(user, &mut no_effects, |session| session.traffic(name))?;
            row.extend(section.map(|number| (".section", number.to_string())));
            rows.push(row);
        }
        Ok(rows)
    };
    if is_once {
        return read(None);
    }
    let mut sections = read(Some(0))?;
    for section in 1..=span.map_or(u64::MAX, |span| span.as_secs()) {
        tokio::time::sleep(SECTION).await;
        let mut rows = read(Some(section))?;
        // Without an end they are never sent.
        if span.is_some() {
            sections.append(&mut rows);
        }
    }
    Ok(sections)
}

/// Runs the script in `arguments`: `:put`, `:log` and `:error` with plain texts; any other command
/// is one that this router does not have. An error in a script comes with status 200, its text in
/// the place of the output. Without the key `as-string`, the script becomes a job.
pub(super) fn execute(mut arguments: Arguments) -> Result<CommandReply, ApiError> {
    let script = arguments.take("script").ok_or_else(|| ApiError::missing("script"))?;
    // The presence of the key counts, even with the value `false`.
    let has_output = arguments.take("as-string").is_some();
    arguments.require_empty()?;
    Ok(CommandReply::Returned(if has_output { run(&script) } else { JOB.to_owned() }))
}

fn run(script: &str) -> String {
    let mut output = Vec::new();
    for (column, statement) in statements(script) {
        let (command, rest) = statement.split_once(' ').unwrap_or((statement, ""));
        let rest = rest.trim();
        let quoted = rest.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let text = quoted.unwrap_or(rest);
        match command {
            ":put" => output.push(text.to_owned()),
            ":log" => {}
            ":error" => {
                output.push(format!("{text} (:error; line 1)"));
                break;
            }
            _ => {
                let path = command.trim_start_matches([':', '/']);
                let word = path.split('/').next().unwrap_or(path);
                let column = column + command.len() - path.len();
                output.push(format!("bad command name {word} (line 1 column {column})"));
                break;
            }
        }
    }
    output.join("\n")
}

/// Splits a script at the semicolons outside of texts, and returns the column of each part.
fn statements(script: &str) -> Vec<(usize, &str)> {
    let (mut parts, mut start, mut in_text) = (Vec::new(), 0, false);
    for (at, sign) in script.char_indices().chain([(script.len(), ';')]) {
        match sign {
            '"' => in_text = !in_text,
            ';' if !in_text || at == script.len() => {
                let part = &script[start..at];
                let column = start + part.len() - part.trim_start().len() + 1;
                parts.push((column, part.trim()));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.retain(|(_, part)| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_scripts_answer_and_others_do_not_exist() {
        for (script, output) in [
            (":put hello", "hello"),
            (":put \"a; b\"; :put c", "a; b\nc"),
            (":log info \"x\"; :put OK-1", "OK-1"),
            (":error \"something\"; :put OK-1", "something (:error; line 1)"),
            (":put a; /system/reboot", "a\nbad command name system (line 1 column 10)"),
            ("ttt", "bad command name ttt (line 1 column 1)"),
            ("/ttt", "bad command name ttt (line 1 column 2)"),
            ("", ""),
            (";;", ""),
            ("\"", "bad command name \" (line 1 column 1)"),
        ] {
            assert_eq!(run(script), output, "{script}");
        }
    }
}
