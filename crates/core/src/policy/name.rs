//! The laws by their names, wherever a person chooses one.

use super::{LawKind, Limits, WhilePending, ZoneParams};
use crate::Direction;

/// A law without what shapes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LawName {
    /// [`LawKind::Adaptive`].
    Adaptive,
    /// [`LawKind::Zone`].
    Zone,
    /// [`LawKind::Fixed`].
    Fixed,
}

impl LawName {
    /// All laws, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Adaptive, Self::Zone, Self::Fixed];

    /// Returns the name used in the configuration and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Adaptive => "adaptive",
            Self::Zone => "zone",
            Self::Fixed => "fixed",
        }
    }

    /// Returns the law as it is in a direction with these limits when nothing else is said.
    #[must_use]
    pub fn default_law(self, direction: Direction, limits: &Limits) -> LawKind {
        match self {
            Self::Adaptive => LawKind::Adaptive,
            Self::Zone => LawKind::Zone(ZoneParams::defaults(direction, limits)),
            Self::Fixed => LawKind::Fixed,
        }
    }
}

impl LawKind {
    /// Returns what the policy does while its last decision is not in force.
    pub(crate) const fn while_pending(&self) -> WhilePending {
        match self {
            Self::Adaptive => WhilePending::DecideWhenOverdue,
            Self::Zone(_) => WhilePending::Hold,
            Self::Fixed => WhilePending::Decide,
        }
    }

    /// Returns the law's name.
    #[must_use]
    pub const fn name(&self) -> LawName {
        match self {
            Self::Adaptive => LawName::Adaptive,
            Self::Zone(_) => LawName::Zone,
            Self::Fixed => LawName::Fixed,
        }
    }

    /// Returns the law for other limits: what of its parameters lies between limits is brought
    /// between these.
    #[must_use]
    pub fn within(self, limits: &Limits) -> Self {
        match self {
            Self::Zone(zone) => {
                Self::Zone(ZoneParams { floors: zone.floors.within(limits), ..zone })
            }
            Self::Adaptive | Self::Fixed => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ZoneFloors, units::BitRate};

    fn mbps(rate: f64) -> BitRate {
        BitRate::from_mbps(rate)
    }

    #[test]
    fn floors_stay_in_order_within_other_limits() {
        let limits = Limits { floor: mbps(10.0), base: mbps(60.0), ceiling: mbps(100.0) };
        let LawKind::Zone(usual) = LawName::Zone.default_law(Direction::Download, &limits) else {
            panic!("zone is zone");
        };
        let floors = ZoneFloors { green: mbps(80.0), yellow: mbps(40.0), ..usual.floors };
        let law = LawKind::Zone(ZoneParams { floors, ..usual });
        assert_eq!(law.within(&limits), law);
        let narrow = Limits { floor: mbps(50.0), base: mbps(60.0), ceiling: mbps(70.0) };
        let LawKind::Zone(zone) = law.within(&narrow) else { panic!("the law is the same") };
        let ZoneFloors { green, yellow, soft_red, red } = zone.floors;
        assert_eq!((red, yellow, green), (mbps(50.0), mbps(50.0), mbps(70.0)));
        assert_eq!(soft_red, Some(mbps(50.0)));
    }

    #[test]
    fn an_upload_has_three_states() {
        let limits = Limits { floor: mbps(1.0), base: mbps(5.0), ceiling: mbps(10.0) };
        let LawKind::Zone(zone) = LawName::Zone.default_law(Direction::Upload, &limits) else {
            panic!("zone is zone");
        };
        assert_eq!(zone.floors.soft_red, None);
        assert_eq!(LawKind::Zone(zone).name(), LawName::Zone);
    }
}
