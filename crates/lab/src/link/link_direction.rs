//! One direction of a link.

use wanctl_core::Direction;

use super::{
    cake::Cake,
    fifo::Fifo,
    spec::{LinkSpec, Source},
    users::Users,
};
use crate::traffic::MOST_FLOWS;

/// One direction. Download and upload differ in the order of shaper and buffer.
#[derive(Debug, Clone)]
pub(super) struct LinkDirection {
    pub(super) supply: Source,
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
            supply: Source::new(spec.supply[direction].clone(), nominal, seed),
            cake: Cake::new(users.places(), spec.ecn),
            fifo: Fifo::new(spec.buffer[direction].bytes(nominal), spec.discipline),
            users,
        }
    }
}
