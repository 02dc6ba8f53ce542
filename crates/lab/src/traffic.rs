//! Demand of simulated users over time.

use std::{collections::VecDeque, time::Duration};

use wanctl_core::{Direction, units::BitRate};

pub use super::flow::CongestionControl;

/// A demand without end: file transfers that take what they get.
pub const GREEDY: BitRate = BitRate::from_bps(u64::MAX);

/// Most greedy flows that one direction can have.
pub const MOST_FLOWS: u8 = 32;

/// Flows behind a demand for [`GREEDY`].
const TYPICAL_FLOWS: u8 = 4;

/// What users ask for in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Nothing.
    None,
    /// One connection that carries at most this rate, such as a video.
    Limited(BitRate),
    /// Connections that take what they get.
    Greedy {
        /// How many, at most [`MOST_FLOWS`].
        flows: u8,
        /// How they adapt.
        control: CongestionControl,
    },
}

impl From<BitRate> for Demand {
    /// Zero is no demand, [`GREEDY`] four Cubic flows, anything else a limited rate.
    fn from(rate: BitRate) -> Self {
        match rate {
            BitRate::ZERO => Self::None,
            GREEDY => Self::Greedy { flows: TYPICAL_FLOWS, control: CongestionControl::Cubic },
            rate => Self::Limited(rate),
        }
    }
}

impl Demand {
    pub(crate) const fn is_greedy(self) -> bool {
        matches!(self, Self::Greedy { flows: 1.., .. })
    }

    /// Joins two demands: flows add up, and so do rates; greedy flows displace a limited rate.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, demand) | (demand, Self::None) => demand,
            (Self::Greedy { flows, control }, Self::Greedy { flows: more, .. }) => {
                Self::Greedy { flows: flows.saturating_add(more).min(MOST_FLOWS), control }
            }
            (greedy @ Self::Greedy { .. }, Self::Limited(_))
            | (Self::Limited(_), greedy @ Self::Greedy { .. }) => greedy,
            (Self::Limited(one), Self::Limited(two)) => {
                Self::Limited(BitRate::from_bps(one.bps().saturating_add(two.bps())))
            }
        }
    }

    pub(super) fn greedy_flows(self) -> u8 {
        match self {
            Self::Greedy { flows, .. } => flows.min(MOST_FLOWS),
            Self::None | Self::Limited(_) => 0,
        }
    }
}

/// What a WAN's users ask for in one phase.
#[derive(Debug, Clone, Copy)]
pub struct Phase {
    /// How long it lasts.
    pub lasts: Duration,
    /// Demand for download.
    pub download: Demand,
    /// Demand for upload.
    pub upload: Demand,
}

impl Phase {
    pub(super) fn demand(&self, direction: Direction) -> Demand {
        match direction {
            Direction::Download => self.download,
            Direction::Upload => self.upload,
        }
    }
}

/// Somebody who browses the web: now and then a burst of download, besides everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Web {
    /// Mean time from one page to the next; the times are exponentially distributed.
    pub(crate) every: Duration,
    /// Mean bytes of a page; the sizes are exponentially distributed.
    pub(crate) bytes: u32,
}

/// A programme of phases that repeats.
#[derive(Debug, Clone)]
pub struct Traffic {
    phases: Vec<Phase>,
    web: Option<Web>,
}

impl Traffic {
    /// Creates a programme; an empty one asks for nothing.
    #[must_use]
    pub fn new(phases: Vec<Phase>) -> Self {
        let phases = phases.into_iter().filter(|phase| !phase.lasts.is_zero()).collect();
        Self { phases, web: None }
    }

    pub(crate) fn with_web(self, web: Web) -> Self {
        Self { web: Some(web), ..self }
    }

    pub(super) fn web(&self) -> Option<Web> {
        self.web
    }

    /// Returns the most greedy flows that any phase has in `direction`.
    pub(super) fn most_flows(&self, direction: Direction) -> u8 {
        let flows = self.phases.iter().map(|phase| phase.demand(direction).greedy_flows());
        flows.max().unwrap_or(0)
    }
}

/// A place in a programme, which moves on with time.
#[derive(Debug, Clone)]
pub(super) struct Programme {
    traffic: Traffic,
    next: usize,
    /// When the present phase is over.
    until: Duration,
}

impl Programme {
    pub(super) fn new(traffic: Traffic) -> Self {
        Self { traffic, next: 0, until: Duration::ZERO }
    }

    /// Returns the phase that began by `now`, if one did since the last call.
    pub(super) fn advance(&mut self, now: Duration) -> Option<Phase> {
        let mut begun = None;
        while now >= self.until
            && let Some(phase) = self.traffic.phases.get(self.next)
        {
            begun = Some(*phase);
            self.next = (self.next + 1) % self.traffic.phases.len();
            self.until += phase.lasts;
        }
        begun
    }
}

/// Latency-sensitive connections that begin one after the other and last equally long. Each uses
/// the link that is chosen when it begins.
#[derive(Debug, Clone)]
pub(crate) struct SensitiveConnections {
    every: Duration,
    lasts: Duration,
    next: Duration,
    /// When each ends, and its link; the oldest first.
    open: VecDeque<(Duration, usize)>,
}

impl SensitiveConnections {
    /// Begins a connection once in `every`, which lasts for `lasts`.
    pub(crate) fn new(every: Duration, lasts: Duration) -> Self {
        Self {
            every: every.max(Duration::from_millis(1)),
            lasts,
            next: every,
            open: VecDeque::new(),
        }
    }

    /// Moves on to `now`; new connections use the link with the number `link`, if there is one.
    pub(crate) fn advance(&mut self, now: Duration, link: Option<usize>) {
        while self.next <= now {
            if let Some(link) = link {
                self.open.push_back((self.next + self.lasts, link));
            }
            self.next += self.every;
        }
        while self.open.front().is_some_and(|(until, _)| *until <= now) {
            self.open.pop_front();
        }
    }

    pub(crate) fn on(&self, link: usize) -> u32 {
        u32::try_from(self.open.iter().filter(|(_, on)| *on == link).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_each_other_and_repeat() {
        let phase = |seconds, rate| Phase {
            lasts: Duration::from_secs(seconds),
            download: BitRate::from_bps(rate).into(),
            upload: Demand::None,
        };
        let mut programme = Programme::new(Traffic::new(vec![phase(2, 7), phase(1, 9)]));
        let mut at =
            |millis| programme.advance(Duration::from_millis(millis)).map(|phase| phase.download);
        let limited = |rate| Some(Demand::Limited(BitRate::from_bps(rate)));
        assert_eq!([at(0), at(1999), at(2000)], [limited(7), None, limited(9)]);
        assert_eq!([at(2500), at(3000), at(8000)], [None, limited(7), limited(9)]);
    }

    #[test]
    fn a_demand_without_end_is_greedy_and_none_is_none() {
        assert!(Demand::from(GREEDY).is_greedy());
        assert_eq!(Demand::from(BitRate::ZERO), Demand::None);
        assert!(Programme::new(Traffic::new(Vec::new())).advance(Duration::ZERO).is_none());
    }

    #[test]
    fn a_connection_keeps_the_link_that_was_chosen_when_it_began() {
        let second = Duration::from_secs;
        let mut calls = SensitiveConnections::new(second(1), second(5));
        calls.advance(second(10), Some(0));
        assert_eq!((calls.on(0), calls.on(1)), (5, 0));
        calls.advance(second(12), Some(1));
        assert_eq!((calls.on(0), calls.on(1)), (3, 2));
        calls.advance(second(20), Some(1));
        assert_eq!((calls.on(0), calls.on(1)), (0, 5));
        calls.advance(second(30), None);
        assert_eq!((calls.on(0), calls.on(1)), (0, 0));
    }
}
