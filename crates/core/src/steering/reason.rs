//! Why things are as they are, as stable codes and in plain words.

/// Declares an enum of codes, each with the words for people.
macro_rules! codes {
    (
        $(#[$about:meta])* $name:ident, $count:literal {
            $($variant:ident: $code:literal, $words:literal;)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = $words] $variant,)+
        }

        impl $name {
            /// All values, in the order in which they are shown.
            pub const ALL: [Self; $count] = [$(Self::$variant,)+];

            /// Returns the code used in labels and in the history.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// Returns the same in plain words, for people.
            #[must_use]
            pub const fn explain(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)+
                }
            }
        }
    };
}

codes! {
    /// Why new latency-sensitive connections go where they go.
    SteerReason, 18 {
        Off: "off", "off: nothing is decided";
        SwitchesUnknown: "switches_unknown", "hold: the router's switches have not been seen yet";
        Healthy: "healthy", "default: its score is below the threshold";
        Stale: "stale", "hold: nothing is measured now, so there is no evidence";
        Confirming: "confirming", "wait: its score is above the threshold, but not for long enough yet";
        Blocked: "blocked", "hold: its score has been above the threshold for long enough, but the blocker forbids a change";
        Steer: "steer", "move: its score is above the threshold, and an alternate is eligible";
        AnswersAgain: "answers_again", "hold: the dead WAN answers again, but is not proven up yet";
        DefaultRouteDown: "default_route_down", "move: the WAN is dead, and another one is verified healthy";
        NotRecovered: "not_recovered", "stay away: it has not recovered";
        HoldDown: "hold_down", "stay away: the hold-down has not run out";
        Recovering: "recovering", "stay away: it has recovered, but not for long enough yet";
        Return: "return", "return: it has recovered";
        AlternateDown: "alternate_down", "leave the alternate: it is dead";
        AlternateWorse: "alternate_worse", "leave the alternate: its score is higher";
        AllDown: "all_down", "hold: there is no WAN that is known to work";
        Override: "override", "the operator's override, until it expires";
        FollowDefaultRoute: "follow_default_route", "follow: the default route has moved";
    }
}

codes! {
    /// Why everything else goes where it goes.
    FailoverReason, 14 {
        Off: "off", "off: nothing is decided";
        SwitchesUnknown: "switches_unknown", "hold: the router's switches have not been seen yet";
        Healthy: "healthy", "default: it is not dead";
        Stale: "stale", "hold: no fresh cycle, so no evidence";
        NoneCanSend: "none_can_send", "hold: no WAN can send a probe, so the fault is on this side";
        AnswersAgain: "answers_again", "hold: the dead WAN answers again, but is not proven up yet";
        NoReplies: "no_replies", "move: no target answers, and another WAN is known to work";
        CannotSend: "cannot_send", "move: no probe can be sent, and another WAN is known to work";
        AllDown: "all_down", "hold: the WAN is dead, and no other WAN is known to work";
        Blocked: "blocked", "hold: the WAN is dead, but the blocker forbids a change";
        FailedOver: "failed_over", "stay: no more preferred WAN has been alive for long enough";
        HoldDown: "hold_down", "stay: the hold-down has not run out";
        Failback: "failback", "return: a more preferred WAN has been alive for long enough";
        FailbackBlocked: "failback_blocked", "stay: a return is due, but the blocker forbids it";
    }
}

codes! {
    /// What keeps a decision from being acted upon.
    Blocker, 21 {
        Sustain: "sustain", "it has not lasted for long enough";
        FlapPenalty: "flap_penalty", "the threshold is raised because of flapping";
        HoldDown: "hold_down", "the hold-down has not run out";
        RecoverySustain: "recovery_sustain", "the recovery has not lasted for long enough";
        FlapDamping: "flap_damping", "flap damping: it has not been healthy for longer than the last times";
        FailbackDelay: "failback_delay", "the WAN has not been alive for long enough";
        ActionLimit: "action_limit", "the limit of changes within an hour is reached";
        Pending: "pending", "the router has not yet followed the last change";
        InDoubt: "in_doubt", "what became of the last change is not known";
        SwitchesUnknown: "switches_unknown", "the router's switches have not been seen yet";
        NoSwitch: "no_switch", "no rule or route is configured for it";
        SwitchRefused: "switch_refused", "its rule or route on the router cannot be used";
        AlternateStale: "alternate_stale", "the other WAN has no fresh cycle";
        AlternateDown: "alternate_down", "the other WAN is dead";
        AlternateUnverified: "alternate_unverified", "the other WAN is not verified healthy";
        AlternateCongested: "alternate_congested", "the other WAN is congested itself";
        AlternateLoaded: "alternate_loaded", "the other WAN has no headroom";
        AlternateLoadUnknown: "alternate_load_unknown", "the other WAN's load is not known";
        AlternateMetered: "alternate_metered", "the other WAN costs money";
        AlternateNotBetter: "alternate_not_better", "the other WAN's round trip is not shorter";
        OverrideRefused: "override_refused", "the WAN of the override is dead or has no usable rule";
    }
}

impl FailoverReason {
    /// The reasons for which everything is moved.
    #[must_use]
    pub const fn moves(self) -> bool {
        matches!(self, Self::NoReplies | Self::CannotSend | Self::Failback)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Contributor, SteerState};
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_documented() {
        let steering = include_str!("../../../../docs/steering.md");
        let configuration = include_str!("../../../../docs/configuration.md");
        let codes = SteerReason::ALL.map(SteerReason::code).into_iter();
        let codes = codes.chain(FailoverReason::ALL.map(FailoverReason::code));
        let codes = codes.chain(Blocker::ALL.map(Blocker::code));
        for code in codes.chain(SteerState::ALL.map(SteerState::name)) {
            assert!(steering.contains(&format!("`{code}`")), "{code}");
        }
        for code in Contributor::ALL.map(Contributor::code) {
            assert!(configuration.contains(&format!("| `{code}` |")), "{code}");
        }
    }

    #[test]
    fn codes_are_unique_and_fit_for_labels() {
        let steer = SteerReason::ALL.map(SteerReason::code).to_vec();
        let failover = FailoverReason::ALL.map(FailoverReason::code).to_vec();
        let blockers = Blocker::ALL.map(Blocker::code).to_vec();
        for codes in [steer, failover, blockers] {
            assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
            let fits = |code: &&str| code.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            assert!(codes.iter().all(fits), "{codes:?}");
        }
    }
}
