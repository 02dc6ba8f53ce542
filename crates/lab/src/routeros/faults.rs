//! What can go wrong, by command.

use std::time::Duration;

use wanctl_core::units::{BitRate, MonoTime};

/// Longest time after a boot in which the web server answers nonsense.
const LONGEST_CONFUSION: Duration = Duration::from_secs(3);

/// Something that goes wrong, from the moment it is injected.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Requests are taken and not answered for this long; then they are carried out, whether or
    /// not their client still waits.
    Hang(Duration),
    /// Every request is answered with 401 for this long, whatever its credentials.
    Unauthorised(Duration),
    /// Answers take this many times as long, for this long.
    Slow(f64, Duration),
    /// Requests are carried out at once, and answered only when this time is over: a client that
    /// gives up has written all the same.
    Silence(Duration),
    /// Connections are reset: those that stand, and for this long every new one.
    Reset(Duration),
    /// The web server's sessions are all taken for this long: new connections are closed unheard.
    SessionsFull(Duration),
    /// The router restarts. Connections are reset while it is down; then, for as long again but
    /// three seconds at most, it answers first 401 and then another menu's data. Counters and
    /// uptime restart; limits and rules persist.
    Reboot {
        /// Time without any answer.
        down: Duration,
    },
    /// Somebody else sets the limit of a queue.
    Drift {
        /// Name of the queue.
        queue: String,
        /// Limit that is set.
        limit: BitRate,
    },
    /// Somebody removes a queue and adds it again: same name, new identifier, fresh counters.
    Recreate {
        /// Name of the queue.
        queue: String,
    },
}

impl Fault {
    /// Returns the name of the queue that this happens to, if it happens to one.
    #[must_use]
    pub fn queue(&self) -> Option<&str> {
        match self {
            Self::Drift { queue, .. } | Self::Recreate { queue } => Some(queue),
            Self::Hang(_)
            | Self::Silence(_)
            | Self::Unauthorised(_)
            | Self::Slow(..)
            | Self::Reset(_)
            | Self::SessionsFull(_)
            | Self::Reboot { .. } => None,
        }
    }
}

/// How the web server behaves towards a request that would otherwise be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// As it should.
    Sound,
    /// Nobody is let in.
    Unauthorised,
    /// The answer is another menu's.
    Confused,
}

/// What is wrong, and until when.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    hang: MonoTime,
    silence: MonoTime,
    sessions_full: MonoTime,
    unauthorised: MonoTime,
    reset: MonoTime,
    slow: MonoTime,
    slowdown: f64,
    boot: Option<Boot>,
    reboots: u32,
}

#[derive(Debug, Clone, Copy)]
struct Boot {
    up: MonoTime,
    lets_in: MonoTime,
    sound: MonoTime,
    is_done: bool,
}

impl Troubles {
    /// Lets `fault` begin at `now`. Faults of rows and counters are not this type's business.
    pub(super) fn begin(&mut self, fault: &Fault, now: MonoTime) {
        match fault {
            Fault::Hang(span) => self.hang = now + *span,
            Fault::Silence(span) => self.silence = now + *span,
            Fault::SessionsFull(span) => self.sessions_full = now + *span,
            Fault::Unauthorised(span) => self.unauthorised = now + *span,
            Fault::Slow(factor, span) => (self.slowdown, self.slow) = (*factor, now + *span),
            Fault::Reset(span) => self.reset = now + *span,
            Fault::Reboot { down } => {
                let (up, confusion) = (now + *down, (*down).min(LONGEST_CONFUSION));
                let (lets_in, sound) = (up + confusion / 2, up + confusion);
                self.boot = Some(Boot { up, lets_in, sound, is_done: false });
                self.reboots += 1;
            }
            Fault::Drift { .. } | Fault::Recreate { .. } => {}
        }
    }

    /// Returns how often the router went down; a request from before does not survive it.
    pub(super) const fn reboots(&self) -> u32 {
        self.reboots
    }

    /// Tells whether a connection can be made and kept.
    pub(super) fn is_reachable(&self, now: MonoTime) -> bool {
        now >= self.reset && self.boot.is_none_or(|boot| now >= boot.up)
    }

    /// Returns how long requests still have to wait.
    pub(super) const fn stall(&self, now: MonoTime) -> Duration {
        self.hang.since(now)
    }

    /// Returns how long answers are still held back.
    pub(super) const fn silence(&self, now: MonoTime) -> Duration {
        self.silence.since(now)
    }

    /// Tells whether every session is taken.
    pub(super) fn is_full(&self, now: MonoTime) -> bool {
        now < self.sessions_full
    }

    /// Returns by how much answers are slowed down.
    pub(super) fn slowdown(&self, now: MonoTime) -> f64 {
        if now < self.slow { self.slowdown } else { 1.0 }
    }

    /// Returns how requests are treated.
    pub(super) fn mood(&self, now: MonoTime) -> Mood {
        match self.boot {
            _ if now < self.unauthorised => Mood::Unauthorised,
            Some(boot) if now < boot.lets_in => Mood::Unauthorised,
            Some(boot) if now < boot.sound => Mood::Confused,
            Some(_) | None => Mood::Sound,
        }
    }

    /// Returns, once for each reboot, the moment at which the router came up again.
    pub(super) fn take_boot(&mut self, now: MonoTime) -> Option<MonoTime> {
        let boot = self.boot.as_mut().filter(|boot| !boot.is_done && now >= boot.up)?;
        boot.is_done = true;
        Some(boot.up)
    }
}
