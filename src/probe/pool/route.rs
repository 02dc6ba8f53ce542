//! Which reflectors there is a route to, and who stands in for those without one.

use std::cmp::Reverse;

use wanctl_core::{ReflectorId, units::MonoTime};

use super::{FIT, Member, Pool, PoolEvent, ReplacementReason, Role};

impl Pool {
    /// Takes note of whom there is a route to, and replaces active reflectors without one by others
    /// as far as there are any. If there is a route to nobody, everything stays as it is.
    pub fn route(
        &mut self,
        reaches: impl Fn(ReflectorId) -> bool,
        now: MonoTime,
    ) -> Vec<PoolEvent> {
        let reachable: Vec<bool> =
            (0..).take(self.members.len()).map(|id| reaches(ReflectorId(id))).collect();
        let is_cut_off = !reachable.contains(&true);
        for (member, is_reachable) in self.members.iter_mut().zip(reachable) {
            member.is_reachable = is_reachable || is_cut_off;
            if !is_reachable {
                member.unanswered = 0;
            }
        }
        let mut events = Vec::new();
        let lost = |pool: &Self, id: &ReflectorId| {
            pool.member(*id).is_some_and(|member| !member.is_reachable)
        };
        for reflector in self.active.clone() {
            let Some(by) = lost(self, &reflector).then(|| self.stand_in()).flatten() else {
                continue;
            };
            let fault = ReplacementReason::NoRoute;
            self.replace(reflector, by, fault, now);
            events.push(PoolEvent::Replaced { reflector, by, fault });
        }
        events
    }

    /// The best of those that wait and to whom there is a route: not of the reserve, with the
    /// longest row of answers, rested.
    fn stand_in(&self) -> Option<ReflectorId> {
        let rank = |member: &Member| match member.role {
            Role::Waiting { until } if member.is_reachable => {
                Some((member.is_reserve, member.is_dead(), Reverse(member.streak.min(FIT)), until))
            }
            Role::Waiting { .. } | Role::Active { .. } => None,
        };
        let ranked = (0..).map(ReflectorId).zip(&self.members);
        ranked.filter_map(|(id, member)| Some((rank(member)?, id))).min().map(|(_, id)| id)
    }
}
