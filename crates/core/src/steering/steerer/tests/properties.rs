//! What must hold for any weather, any router and any operator.

use proptest::prelude::*;

use super::*;
use crate::steering::{RouteActuation, SwitchReport, fixture::TestWan};

const WANS: usize = 3;
const HOUR: Duration = Duration::from_hours(1);
/// Large steps, so that a case lasts for hours.
const STEP: Duration = Duration::from_millis(250);

/// Something that lasts for a while.
#[derive(Debug, Clone)]
struct Spell {
    steps: u32,
    conditions: [WanConditions; WANS],
    /// Which WANs deliver cycles at all.
    delivered: [bool; WANS],
    router: RouterBehaviour,
    operator: Option<(usize, u64)>,
    /// The daemon is started anew before.
    restarts: bool,
}

#[derive(Debug, Clone, Copy)]
enum RouterBehaviour {
    Obeys,
    Silent,
    Pending,
    Doubtful,
}

fn conditions() -> impl Strategy<Value = WanConditions> {
    let state = prop::sample::select(CongestionState::ALL.to_vec());
    let kind = (state, 0.0..300.0, 5.0..400.0, prop::bool::weighted(0.75), 0.0..1.0, any::<bool>());
    let any_kind = kind.prop_map(|(state, delta_ms, rtt_ms, answers, share, at_floor)| {
        WanConditions { state, delta_ms, rtt_ms, answers, sends: true, share, at_floor }
    });
    prop_oneof![
        3 => Just(HEALTHY),
        2 => Just(CONGESTED),
        1 => Just(DEAD),
        1 => Just(WanConditions::UNSENT),
        3 => any_kind,
    ]
}

fn spell() -> impl Strategy<Value = Spell> {
    let delivered = prop::array::uniform3(prop::bool::weighted(0.95));
    let router = prop_oneof![
        6 => Just(RouterBehaviour::Obeys),
        1 => Just(RouterBehaviour::Silent),
        1 => Just(RouterBehaviour::Pending),
        1 => Just(RouterBehaviour::Doubtful),
    ];
    let operator = prop::option::weighted(0.05, (0..WANS + 1, 1..120_u64));
    let restarts = prop::bool::weighted(0.05);
    (1..400_u32, prop::array::uniform3(conditions()), delivered, router, operator, restarts)
        .prop_map(|(steps, conditions, delivered, router, operator, restarts)| Spell {
            steps,
            conditions,
            delivered,
            router,
            operator,
            restarts,
        })
}

/// WANs that die and return in any order, alone or together, with restarts of the daemon.
fn outages() -> impl Strategy<Value = Vec<Spell>> {
    let conditions =
        prop_oneof![5 => Just(HEALTHY), 4 => Just(DEAD), 1 => Just(WanConditions::UNSENT)];
    // From a flap to longer than it takes to be proven up.
    let steps = prop_oneof![3 => 1..16_u32, 2 => 16..80_u32];
    let spell = (steps, prop::array::uniform3(conditions), prop::bool::weighted(0.05)).prop_map(
        |(steps, conditions, restarts)| Spell {
            steps,
            conditions,
            delivered: [true; WANS],
            router: RouterBehaviour::Obeys,
            operator: None,
            restarts,
        },
    );
    prop::collection::vec(spell, 1..120)
}

/// The world, and what it has seen of the decisions.
struct Model {
    steering: Steering,
    now: MonoTime,
    wans: [TestWan; WANS],
    /// When a target of each WAN was last seen to answer.
    answered: [Option<MonoTime>; WANS],
    last: Option<SteeringDecision>,
    moves: Vec<(MonoTime, bool)>,
    operator_spoke: bool,
}

impl Model {
    fn params() -> SteeringParams {
        let mut params = params(WANS);
        params.steer.actions.per_hour = 4;
        params.steer.hold_down = seconds(5.0);
        params.failover.actions.per_hour = 5;
        params.failover.hold_down = seconds(5.0);
        params.failover.failback = seconds(15.0);
        params
    }

    fn new() -> Self {
        Self {
            steering: Steering::new(Self::params(), MonoTime::ZERO),
            now: MonoTime::ZERO,
            wans: [0, 1, 2].map(TestWan::new),
            answered: [None; WANS],
            last: None,
            moves: Vec::new(),
            operator_spoke: false,
        }
    }

    fn live(&mut self, spell: &Spell) -> Result<(), TestCaseError> {
        if let Some((to, ttl)) = spell.operator {
            let until = self.now + Duration::from_secs(ttl);
            self.steering.on_override(Some(SteerOverride { to: Rank(to), until }));
            self.operator_spoke = true;
        }
        if spell.restarts {
            let memory = self.steering.memory(self.now);
            self.steering = Steering::new(Self::params(), self.now);
            self.steering.restore(&memory, Duration::ZERO, self.now);
        }
        for step in 0..spell.steps {
            self.now = self.now + STEP;
            for (n, wan) in self.wans.iter_mut().enumerate() {
                if spell.delivered[n] {
                    if spell.conditions[n].answers {
                        self.answered[n] = Some(self.now);
                    }
                    self.steering.on_cycle(&wan.cycle(self.now, spell.conditions[n]));
                }
            }
            self.report(spell.router);
            let twin = (step % 32 == 0).then(|| self.steering.clone());
            let decision = self.steering.decide(self.now);
            if let Some(mut twin) = twin {
                let again = twin.decide(self.now);
                prop_assert_eq!(&decision, &again, "equal inputs, equal decisions");
            }
            self.check(&decision, spell)?;
            self.check_outage(&decision, spell)?;
            self.last = Some(decision);
        }
        Ok(())
    }

    fn report(&mut self, behaviour: RouterBehaviour) {
        let mut actuation = applied(&self.steering, self.last.as_ref(), self.now);
        let since = self.now;
        let change: fn(&mut SwitchReport, MonoTime) = match behaviour {
            RouterBehaviour::Obeys => |_, _| {},
            RouterBehaviour::Silent => return,
            RouterBehaviour::Pending => |report, now| report.pending_since = Some(now),
            RouterBehaviour::Doubtful => |report, now| {
                (report.pending_since, report.in_doubt) = (Some(now), true);
            },
        };
        actuation.switches.iter_mut().for_each(|report| change(report, since));
        self.steering.on_actuation(actuation);
    }

    fn check(&mut self, decision: &SteeringDecision, spell: &Spell) -> Result<(), TestCaseError> {
        let by_operator = decision.steer.reason == SteerReason::Override;
        if let Some(Move { to, .. }) = decision.failover.moved {
            Self::healthy(decision, to, FailoverReason::Failback != decision.failover.reason)?;
            prop_assert!(decision.failover.reason.moves());
            self.moves.push((self.now, true));
        }
        if let Some(Move { to, .. }) = decision.steer.moved
            && decision.steer.reason != SteerReason::FollowDefaultRoute
        {
            // With everything else is no move to a WAN that everything else has left.
            let is_dead = decision.wans[to.0].reach == Reach::Down;
            let answers = self.answers(to) && to == decision.target.default_route;
            prop_assert!(!is_dead || answers, "moved to a dead WAN");
            if !by_operator {
                if to != decision.target.default_route {
                    Self::healthy(decision, to, false)?;
                }
                self.moves.push((self.now, false));
            }
        }
        // Doubt is said, and nothing is improved meanwhile.
        if matches!(spell.router, RouterBehaviour::Doubtful) {
            prop_assert_eq!(decision.in_doubt.len(), self.steering.switches().len());
            let improvements =
                [SteerReason::Steer, SteerReason::Return, SteerReason::AlternateWorse];
            prop_assert!(!improvements.contains(&decision.steer.reason));
            prop_assert_ne!(decision.failover.reason, FailoverReason::Failback);
        }
        if by_operator {
            let runs = decision.steer.timers.iter().any(|timer| timer.kind == TimerKind::Override);
            prop_assert!(runs, "the operator's word has run out");
        }
        for (of_default_route, most) in [(true, 5), (false, 4)] {
            if of_default_route || !self.operator_spoke {
                let moves = self.moves.iter().filter(|(at, default_route)| {
                    *default_route == of_default_route && self.now.since(*at) < HOUR
                });
                prop_assert!(moves.count() <= most, "too many changes within an hour");
            }
        }
        let RouteTarget { sensitive, default_route } = decision.target;
        prop_assert!(sensitive.0 < WANS && default_route.0 < WANS);
        prop_assert!(decision.acts || decision.orders.is_empty());
        Ok(())
    }

    /// Shorter than replies and cycles count as fresh.
    fn answers(&self, rank: Rank) -> bool {
        self.answered[rank.0].is_some_and(|at| self.now.since(at) < seconds(0.9))
    }

    /// The default WAN is not left while it answers, and a dead WAN is left for a default WAN that does.
    fn check_outage(
        &self,
        decision: &SteeringDecision,
        spell: &Spell,
    ) -> Result<(), TestCaseError> {
        if let Some(Move { from: DEFAULT, to }) = decision.failover.moved {
            prop_assert!(!self.answers(DEFAULT), "the default WAN answers and was left for {to}");
        }
        let is_in_need = decision.steer.reason == SteerReason::DefaultRouteDown;
        prop_assert!(!is_in_need || !self.answers(decision.target.default_route));
        let (default_route, answers) = (decision.target.default_route, spell.conditions[0].answers);
        if decision.acts && default_route != DEFAULT && answers && spell.delivered[0] {
            let reach = decision.wans[default_route.0].reach;
            prop_assert_ne!(reach, Reach::Down, "on a dead WAN although the default WAN answers");
        }
        Ok(())
    }

    /// What is moved to is verified healthy, or is the default WAN.
    fn healthy(decision: &SteeringDecision, to: Rank, in_need: bool) -> Result<(), TestCaseError> {
        let wan = &decision.wans[to.0];
        prop_assert!(!wan.stale, "moved to a WAN of which nothing is known");
        if !(in_need && to == DEFAULT) {
            prop_assert_eq!(wan.reach, Reach::Up, "moved to a WAN that is not proven up");
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_happens_the_invariants_hold(spells in prop::collection::vec(spell(), 1..64)) {
        let mut model = Model::new();
        for spell in &spells {
            model.live(spell)?;
        }
    }

    #[test]
    fn after_a_common_outage_traffic_is_on_the_default_wan_if_it_answers(spells in outages()) {
        let mut model = Model::new();
        for spell in &spells {
            model.live(spell)?;
        }
    }

    #[test]
    fn no_report_of_a_router_makes_it_panic(
        reports in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()), 0..12),
        age in any::<u64>(),
    ) {
        let mut steering = Steering::new(params(WANS), MonoTime::ZERO);
        steering.restore(&SteeringMemory::default(), Duration::from_secs(age), MonoTime::ZERO);
        let switches = steering.switches().to_vec();
        let report = |(switch, (seen, enabled, in_doubt, refused)): (&Switch, &(bool, bool, bool, bool))| {
            SwitchReport {
                switch: *switch,
                seen: seen.then_some((*enabled, MonoTime::ZERO)),
                pending_since: None,
                in_doubt: *in_doubt,
                refused: *refused,
            }
        };
        let actuation = RouteActuation { switches: switches.iter().zip(&reports).map(report).collect() };
        steering.on_actuation(actuation);
        let decision = steering.decide(MonoTime::ZERO);
        prop_assert!(decision.target.default_route.0 < WANS && decision.target.sensitive.0 < WANS);
    }
}
