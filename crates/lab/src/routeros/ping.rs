//! `/ping`: probes that the router itself sends.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use super::{call::Arguments, errors::Refusal, schema::Values, values};

/// How long the router waits for an answer before it calls a probe lost, if `interval` is no
/// longer.
const LOST_AFTER: Duration = Duration::from_secs(1);
/// Pace of the probes when the request names none.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);
/// Round-trip time when nobody gave another.
const DEFAULT_RTT: Duration = Duration::from_millis(10);

/// Where the router's own pings go: an address in, a round-trip time out, or `None` for a loss.
#[derive(Clone)]
pub struct Pinger(Arc<dyn Fn(IpAddr) -> Option<Duration> + Send + Sync>);

impl Pinger {
    /// Builds a pinger that asks `round_trip` at the moment of each probe.
    pub fn new(round_trip: impl Fn(IpAddr) -> Option<Duration> + Send + Sync + 'static) -> Self {
        Self(Arc::new(round_trip))
    }

    /// Sends one probe to `address`.
    pub(super) fn round_trip(&self, address: IpAddr) -> Option<Duration> {
        (self.0)(address)
    }

    /// Builds a pinger for which everyone answers after `round_trip`.
    #[must_use]
    pub fn fixed(round_trip: Duration) -> Self {
        Self::new(move |_| Some(round_trip))
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

/// Arguments that change nothing here.
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

/// Sends the probes that `arguments` ask for, and returns one object for each.
///
/// Takes as long as a real router: the pauses between the probes, and the last answer. Without a
/// count it goes on until its caller gives up. `lost_probe` is the status of a lost one.
///
/// # Errors
/// Refuses a missing or unreadable address, and paces outside of 10 ms to 5 s.
pub(super) async fn ping(
    pinger: &Pinger,
    mut arguments: Arguments,
    lost_probe: &str,
) -> Result<Vec<Values>, Refusal> {
    let host = arguments.take("address").ok_or_else(|| Refusal::bad("missing =address="))?;
    let address: IpAddr = host.parse().map_err(|_| Refusal::invalid_value("address"))?;
    let count = match arguments.take("count") {
        Some(text) => values::whole(&text).ok_or_else(|| Refusal::invalid_value("count"))?,
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
    let mut tally = Tally::default();
    let mut probes = Vec::new();
    for seq in 0..count {
        let lost_after = interval.max(LOST_AFTER);
        let round_trip = (pinger.0)(address).filter(|span| *span <= lost_after);
        let is_last = seq + 1 == count;
        let wait = if is_last { round_trip.unwrap_or(lost_after) } else { interval };
        probes.push(tally.row(&host, &size, round_trip, lost_probe));
        tokio::time::sleep(wait).await;
    }
    Ok(probes)
}

fn read_interval(text: &str) -> Result<Duration, Refusal> {
    let invalid = || Refusal::bad("invalid time value for argument interval");
    let interval = values::time(text).ok_or_else(invalid)?;
    let is_allowed = (Duration::from_millis(10)..=Duration::from_secs(5)).contains(&interval);
    let refusal = "value of interval is out of range (00:00:00.010 .. 00:00:05)";
    is_allowed.then_some(interval).ok_or_else(|| Refusal::bad(refusal))
}

/// What the probes so far add up to; every answer carries it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    sent: u32,
    round_trips: Vec<Duration>,
}

impl Tally {
    /// Counts a probe and returns its row. `lost` is the status of a lost one.
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
        let mut row = self.show();
        row.extend([("host", host.to_owned()), ("seq", seq)]);
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

    fn show(&self) -> Values {
        let received = u32::try_from(self.round_trips.len()).unwrap_or(u32::MAX);
        let loss = 100 * (self.sent - received) / self.sent.max(1);
        let mut shown = Values::from([
            ("packet-loss", loss.to_string()),
            ("received", received.to_string()),
            ("sent", self.sent.to_string()),
        ]);
        let (least, most) = (self.round_trips.iter().min(), self.round_trips.iter().max());
        if let Some((least, most)) = least.zip(most) {
            let mean = self.round_trips.iter().sum::<Duration>() / received.max(1);
            for (name, span) in [("min-rtt", *least), ("avg-rtt", mean), ("max-rtt", *most)] {
                shown.insert(name, values::shown_time(span));
            }
        }
        shown
    }
}
