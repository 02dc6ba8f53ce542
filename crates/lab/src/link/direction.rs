//! One direction of a link: its capacity, its queues, and the connections that use it.

use fastrand::Rng;
use wanctl_core::{Direction, units::BitRate};

use super::{
    cake::Cake,
    fifo::Fifo,
    packet::{PAYLOAD_SHARE, Segments},
    spec::LinkSpec,
    supply,
};
use crate::{
    flow::{Flow, Source},
    traffic::{CongestionControl, Demand, MOST_FLOWS},
};

/// Connections of one demand are opened within this time, in seconds: equal flows that began at
/// the same moment would move in lockstep for ever.
const OPENING: f64 = 0.05;
/// Connections besides the greedy ones.
const OTHERS: usize = 3;

/// One direction. Download and upload differ in the order of shaper and buffer.
#[derive(Debug, Clone)]
pub(super) struct LinkDirection {
    pub(super) supply: supply::Source,
    pub(super) cake: Cake,
    pub(super) fifo: Fifo,
    pub(super) users: Users,
}

impl LinkDirection {
    pub(super) fn new(direction: Direction, spec: &LinkSpec) -> Self {
        let nominal = spec.nominal[direction];
        let seed = spec.seed.wrapping_mul(2) + u64::from(direction == Direction::Upload);
        let (own, displaced) = (&spec.traffic, &spec.displaced);
        let flows = own.most_flows(direction).saturating_add(displaced.most_flows(direction));
        let users = Users::new(flows.min(MOST_FLOWS));
        Self {
            supply: supply::Source::new(spec.supply[direction].clone(), nominal, seed),
            cake: Cake::new(users.places()),
            fifo: Fifo::new(spec.buffer[direction].bytes(nominal)),
            users,
        }
    }
}

/// The connections of one direction.
#[derive(Debug, Clone)]
pub(super) struct Users {
    /// The greedy flows, then a limited one, then that of the calls, then the web's.
    flows: Vec<Flow>,
    demand: Demand,
    /// Flows that have an application.
    open: usize,
    /// Payload that greedy flows delivered, in bytes.
    goodput: f64,
}

impl Users {
    /// Creates the ends of `greedy` connections and of three more.
    pub(super) fn new(greedy: u8) -> Self {
        let flows = vec![Flow::new(); usize::from(greedy) + OTHERS];
        Self { flows, demand: Demand::None, open: 0, goodput: 0.0 }
    }

    pub(super) fn places(&self) -> usize {
        self.flows.len()
    }

    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) fn is_greedy(&self) -> bool {
        self.demand.is_greedy()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    pub(super) fn goodput(&self) -> u64 {
        self.goodput as u64
    }

    fn greedy_places(&self) -> usize {
        self.flows.len() - OTHERS
    }

    /// Opens and closes the connections that this demand takes. Those that go on are not touched.
    pub(super) fn turn_to(&mut self, demand: Demand, now: f64, rng: &mut Rng) {
        let limited = self.greedy_places();
        let greedy = usize::from(demand.greedy_flows());
        let same_control = match (self.demand, demand) {
            (Demand::Greedy { control: before, .. }, Demand::Greedy { control, .. }) => {
                before == control
            }
            _ => false,
        };
        for (place, flow) in self.flows[..limited].iter_mut().enumerate() {
            if place >= greedy {
                flow.close();
            } else if let Demand::Greedy { control, .. } = demand
                && (flow.is_silent() || !same_control)
            {
                flow.open(Source::Greedy, control, now + rng.f64() * OPENING);
            }
        }
        let flow = &mut self.flows[limited];
        match demand {
            Demand::Limited(rate) => {
                let rate = rate.bytes_per_second();
                if let Source::Limited { rate: before, .. } = flow.source_mut() {
                    *before = rate;
                } else {
                    let source = Source::Limited { rate, waiting: 0.0 };
                    flow.open(source, CongestionControl::Cubic, now);
                }
            }
            Demand::None | Demand::Greedy { .. } => flow.close(),
        }
        self.demand = demand;
        self.count_open();
    }

    /// Sets the rate of the latency-sensitive connections; zero if there are none.
    pub(super) fn call(&mut self, rate: BitRate, now: f64) {
        let place = self.greedy_places() + 1;
        let Some(flow) = self.flows.get_mut(place) else { return };
        let rate = rate.bytes_per_second();
        match flow.source_mut() {
            _ if rate <= 0.0 => flow.close(),
            Source::Limited { rate: before, .. } => *before = rate,
            Source::Silent | Source::Greedy | Source::Transfer { .. } => {
                let source = Source::Limited { rate, waiting: 0.0 };
                flow.open(source, CongestionControl::Cubic, now);
            }
        }
        self.count_open();
    }

    /// Fetches `bytes` more by the web's connection.
    pub(super) fn fetch(&mut self, bytes: f64, now: f64) {
        let Some(flow) = self.flows.last_mut() else { return };
        match flow.source_mut() {
            Source::Transfer { remaining } if *remaining > 0.0 => *remaining += bytes,
            _ => {
                let source = Source::Transfer { remaining: bytes };
                flow.open(source, CongestionControl::Cubic, now);
            }
        }
        self.count_open();
    }

    fn count_open(&mut self) {
        self.open = self.flows.iter().filter(|flow| !flow.is_silent()).count();
    }

    /// Lets the flows send for `dt` seconds.
    pub(super) fn send(&mut self, now: f64, dt: f64, mut out: impl FnMut(Segments)) {
        if self.open == 0 {
            return;
        }
        for (place, flow) in self.flows.iter_mut().enumerate() {
            let place = u8::try_from(place).unwrap_or(u8::MAX);
            if let Some(segments) = flow.send(place, now, dt) {
                out(segments);
            }
        }
    }

    /// Hands segments to their receiver; returns what it acknowledges.
    pub(super) fn receive(&mut self, segments: Segments) -> Option<Segments> {
        let place = usize::from(segments.flow);
        if place < self.greedy_places() {
            self.goodput += segments.bytes * PAYLOAD_SHARE;
        }
        self.flows[place].receive(segments)
    }

    /// Returns the bytes sent, and those whose end its receivers or senders know.
    #[cfg(test)]
    pub(super) fn account(&self) -> (f64, f64) {
        self.flows
            .iter()
            .map(Flow::account)
            .fold((0.0, 0.0), |(sent, known), (s, acked, lost)| (sent + s, known + acked + lost))
    }

    #[cfg(test)]
    pub(super) fn flows(&self) -> &[Flow] {
        &self.flows
    }

    pub(super) fn on_ack(&mut self, news: Segments, now: f64) {
        self.flows[usize::from(news.flow)].on_ack(news, now);
    }
}
