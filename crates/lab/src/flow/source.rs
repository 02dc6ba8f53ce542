//! What an application has for its connection to send.

/// Seconds of its rate that a limited application lets pile up before it skips some: a stream
/// that stalled does not make up for it without end.
const TIMEOUT: f64 = 0.5;

/// An application.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Source {
    /// It sends nothing.
    Silent,
    /// It always has more.
    Greedy,
    /// It makes so many bytes per second, of which so many wait.
    Limited { rate: f64, waiting: f64 },
    /// It has so many bytes to send.
    Transfer { left: f64 },
}

impl Source {
    /// Returns how many bytes it would send if it might, `dt` seconds later.
    pub(super) fn wants(&mut self, dt: f64) -> f64 {
        match self {
            Self::Silent => 0.0,
            Self::Greedy => f64::MAX,
            Self::Limited { rate, waiting } => {
                *waiting = (*waiting + *rate * dt).min(*rate * TIMEOUT);
                *waiting
            }
            Self::Transfer { left } => *left,
        }
    }

    /// So many bytes of it were sent.
    pub(super) fn took(&mut self, bytes: f64) {
        match self {
            Self::Silent | Self::Greedy => {}
            Self::Limited { waiting, .. } => *waiting = (*waiting - bytes).max(0.0),
            Self::Transfer { left } => *left = (*left - bytes).max(0.0),
        }
    }
}
