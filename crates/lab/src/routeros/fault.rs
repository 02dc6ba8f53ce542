//! What can go wrong, as text: `reboot=5s` now, or `30s:reboot=5s` half a minute after the start.

use std::{fmt, str::FromStr, time::Duration};

use thiserror::Error;
use wanctl_core::units::BitRate;

use super::values;

/// Something that goes wrong, from the moment it is injected.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Requests are accepted and not answered for this long; then they are carried out, even if
    /// their client has gone away.
    Hang(Duration),
    /// Every request is answered with 401 for this long, whatever its credentials.
    Unauthorised(Duration),
    /// Answers take this many times as long, for this long.
    Slow(f64, Duration),
    /// Requests are carried out at once, and answered only when this time is over: a client that
    /// gives up has written all the same.
    Silence(Duration),
    /// Existing connections are reset, and for this long every new one.
    Reset(Duration),
    /// The web server's sessions are all in use for this long: new connections are closed.
    SessionsFull(Duration),
    /// The router restarts. Connections are reset while it is down; then, for as long again but
    /// three seconds at most, it answers first 401 and then another menu's data. Counters and
    /// uptime restart; limits and rules persist.
    Reboot {
        /// Time without any answer.
        down: Duration,
    },
    /// The limit of a queue is changed outside wanctl.
    Drift {
        /// Name of the queue.
        queue: String,
        /// Limit that is set.
        limit: BitRate,
    },
    /// A queue is removed and added again: same name, new identifier, fresh counters.
    Recreate {
        /// Name of the queue.
        queue: String,
    },
}

/// A fault that begins some time after the emulator was built.
///
/// Written as `AFTER:KIND=VALUES`, for example `30s:reboot=5s`.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledFault {
    /// Time from the start of the emulator to the start of the fault.
    pub after: Duration,
    /// What goes wrong.
    pub fault: Fault,
}

/// Why a text is no fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` {problem}")]
pub struct FaultSyntaxError {
    text: String,
    problem: &'static str,
}

impl FaultSyntaxError {
    fn new(text: &str, problem: &'static str) -> Self {
        Self { text: text.to_owned(), problem }
    }
}

const NO_TIME: &str = "does not say when: write AFTER:FAULT, for example 30s:reboot=5s";
/// The problem of an unknown fault, with every form of a fault.
const KINDS: &str = "is not a fault; faults are hang=TIME, silence=TIME, unauthorised=TIME, slow=FACTOR,TIME, reset=TIME, \
                     sessions-full=TIME, reboot=TIME, drift=QUEUE,RATE and recreate=QUEUE";

impl Fault {
    /// Returns the name of the queue that this happens to, if it happens to one.
    #[must_use]
    pub fn queue(&self) -> Option<&str> {
        match self {
            Self::Drift { queue, .. } | Self::Recreate { queue } => Some(queue),
            _ => None,
        }
    }
}

impl FromStr for ScheduledFault {
    type Err = FaultSyntaxError;

    fn from_str(text: &str) -> Result<Self, FaultSyntaxError> {
        let parts = text.split_once(':');
        let (after, fault) = parts.ok_or_else(|| FaultSyntaxError::new(text, NO_TIME))?;
        Ok(Self { after: time(after)?, fault: fault.parse()? })
    }
}

impl FromStr for Fault {
    type Err = FaultSyntaxError;

    fn from_str(text: &str) -> Result<Self, FaultSyntaxError> {
        let strange = || FaultSyntaxError::new(text, KINDS);
        let (kind, values) = text.split_once('=').ok_or_else(strange)?;
        // The last comma counts: names of queues may have some of their own.
        let pair = || values.rsplit_once(',').ok_or_else(strange);
        Ok(match kind {
            "hang" => Self::Hang(time(values)?),
            "silence" => Self::Silence(time(values)?),
            "unauthorised" => Self::Unauthorised(time(values)?),
            "slow" => {
                let (factor, span) = pair()?;
                Self::Slow(read_factor(factor)?, time(span)?)
            }
            "reset" => Self::Reset(time(values)?),
            "sessions-full" => Self::SessionsFull(time(values)?),
            "reboot" => Self::Reboot { down: time(values)? },
            "drift" => {
                let (queue, limit) = pair()?;
                Self::Drift { queue: queue.to_owned(), limit: rate(limit)? }
            }
            "recreate" if !values.is_empty() => Self::Recreate { queue: values.to_owned() },
            _ => return Err(strange()),
        })
    }
}

fn time(text: &str) -> Result<Duration, FaultSyntaxError> {
    values::time(text)
        .ok_or_else(|| FaultSyntaxError::new(text, "is not a time such as 500ms, 30s or 1m30s"))
}

fn rate(text: &str) -> Result<BitRate, FaultSyntaxError> {
    let bps = values::rate(text)
        .ok_or_else(|| FaultSyntaxError::new(text, "is not a rate such as 100M or 2500k"))?;
    Ok(BitRate::from_bps(bps))
}

fn read_factor(text: &str) -> Result<f64, FaultSyntaxError> {
    let factor = text.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor >= 1.0);
    factor.ok_or_else(|| FaultSyntaxError::new(text, "is not a factor such as 8"))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |span: &Duration| values::shown_time(*span);
        match self {
            Self::Hang(span) => write!(f, "hang={}", shown(span)),
            Self::Silence(span) => write!(f, "silence={}", shown(span)),
            Self::Unauthorised(span) => write!(f, "unauthorised={}", shown(span)),
            Self::Slow(factor, span) => write!(f, "slow={factor},{}", shown(span)),
            Self::Reset(span) => write!(f, "reset={}", shown(span)),
            Self::SessionsFull(span) => write!(f, "sessions-full={}", shown(span)),
            Self::Reboot { down } => write!(f, "reboot={}", shown(down)),
            Self::Drift { queue, limit } => write!(f, "drift={queue},{}", limit.bps()),
            Self::Recreate { queue } => write!(f, "recreate={queue}"),
        }
    }
}

impl fmt::Display for ScheduledFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", values::shown_time(self.after), self.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_and_shown() {
        for (text, shown) in [
            ("30s:reboot=5s", "30s:reboot=5s"),
            ("90s:hang=500ms", "1m30s:hang=500ms"),
            ("0s:silence=2s", "0s:silence=2s"),
            ("1m:unauthorised=10", "1m:unauthorised=10s"),
            ("1m:slow=2.5,30s", "1m:slow=2.5,30s"),
            ("1s:reset=0s", "1s:reset=0s"),
            ("1s:sessions-full=3s", "1s:sessions-full=3s"),
            ("60s:drift=cable-download,100M", "1m:drift=cable-download,100000000"),
            ("1s:drift=a,b=c,1k", "1s:drift=a,b=c,1000"),
            ("1s:recreate=cable-download", "1s:recreate=cable-download"),
        ] {
            let fault: ScheduledFault = text.parse().unwrap();
            assert_eq!(fault.to_string(), shown);
            assert_eq!(shown.parse(), Ok(fault));
        }
    }

    #[test]
    fn what_is_wrong_with_a_fault_is_said() {
        let kinds = format!("` {KINDS}");
        for (text, said) in [
            ("reboot=5s", "`reboot=5s` does not say when"),
            ("soon:reboot=5s", "`soon` is not a time"),
            ("1s:reboot=soon", "`soon` is not a time"),
            ("1s:explode=5s", &*kinds),
            ("1s:reboot", &*kinds),
            ("1s:drift=dl", &*kinds),
            ("1s:recreate=", &*kinds),
            ("1s:drift=dl,fast", "`fast` is not a rate"),
            ("1s:slow=0.5,1s", "`0.5` is not a factor"),
        ] {
            let error = text.parse::<ScheduledFault>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
