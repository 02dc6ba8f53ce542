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
    /// Why new latency-sensitive connections use their WAN.
    SteerReason, 18 {
        Off: "off", "off: no decision is made";
        SwitchesUnknown: "switches_unknown", "hold: the router's switches have not been read yet";
        Healthy: "healthy", "default: the score is below the threshold";
        Stale: "stale", "hold: no fresh cycle, so no evidence";
        Confirming: "confirming", "wait: the score is at the threshold, but not for long enough";
        Blocked: "blocked", "hold: the score is at the threshold, but the blocker forbids a change";
        Steer: "steer", "move: the score is at the threshold, and an alternate is eligible";
        AnswersAgain: "answers_again", "hold: the dead WAN answers again, but is not proven up yet";
        DefaultRouteDown: "default_route_down", "move: the WAN is dead, and another one is healthy";
        NotRecovered: "not_recovered", "stay: the WAN has not recovered";
        HoldDown: "hold_down", "stay: the hold-down is not over";
        Recovering: "recovering", "stay: the WAN has not been recovered for long enough yet";
        Return: "return", "return: the WAN has recovered";
        AlternateDown: "alternate_down", "leave the alternate: it is dead";
        AlternateWorse: "alternate_worse", "leave the alternate: its score is higher";
        AllDown: "all_down", "hold: no WAN is known to work";
        Override: "override", "override: the operator's choice until its time is over";
        FollowDefaultRoute: "follow_default_route", "follow: the default route has moved";
    }
}

codes! {
    /// Why the default route is on its WAN.
    FailoverReason, 14 {
        Off: "off", "off: no decision is made";
        SwitchesUnknown: "switches_unknown", "hold: the router's switches have not been read yet";
        Healthy: "healthy", "default: the default WAN is not dead";
        Stale: "stale", "hold: no fresh cycle, so no evidence";
        NoneCanSend: "none_can_send", "hold: no WAN can send a probe: a fault of this host";
        AnswersAgain: "answers_again", "hold: the dead WAN answers again, but is not proven up yet";
        NoReplies: "no_replies", "move: no reflector answers, and another WAN is known to work";
        CannotSend: "cannot_send", "move: no probe can be sent, and another WAN is known to work";
        AllDown: "all_down", "hold: the WAN is dead, and no other WAN is known to work";
        Blocked: "blocked", "hold: the WAN is dead, but the blocker forbids a change";
        FailedOver: "failed_over", "stay: no more preferred WAN has been alive for long enough";
        HoldDown: "hold_down", "stay: the hold-down is not over";
        Failback: "failback", "return: a more preferred WAN has been alive for long enough";
        FailbackBlocked: "failback_blocked", "stay: a failback is due, but the blocker forbids it";
    }
}

codes! {
    /// What prevents a decision from being applied.
    Blocker, 21 {
        Sustain: "sustain", "it has not lasted for long enough";
        FlapPenalty: "flap_penalty", "the flap penalty raises the threshold";
        HoldDown: "hold_down", "the hold-down is not over";
        RecoverySustain: "recovery_sustain", "the recovery has not lasted for long enough";
        FlapDamping: "flap_damping", "flap damping: the WAN must stay recovered for longer";
        FailbackDelay: "failback_delay", "the WAN has not been alive for long enough";
        ActionLimit: "action_limit", "the maximum changes per hour are reached";
        Pending: "pending", "the router has not confirmed the last change yet";
        InDoubt: "in_doubt", "the result of the last write is unknown";
        SwitchesUnknown: "switches_unknown", "the router's switches have not been read yet";
        NoSwitch: "no_switch", "no rule or route is configured for the WAN";
        SwitchRefused: "switch_refused", "the WAN's rule or route on the router cannot be used";
        AlternateStale: "alternate_stale", "the alternate has no fresh cycle";
        AlternateDown: "alternate_down", "the alternate is dead";
        AlternateUnverified: "alternate_unverified", "the alternate is not verified healthy";
        AlternateCongested: "alternate_congested", "the alternate is congested";
        AlternateLoaded: "alternate_loaded", "the alternate has no headroom";
        AlternateLoadUnknown: "alternate_load_unknown", "the load of the alternate is not known";
        AlternateMetered: "alternate_metered", "the alternate is metered";
        AlternateNotBetter: "alternate_not_better", "its round-trip time is not shorter";
        OverrideRefused: "override_refused", "the WAN of the override is dead or has no usable \
                          rule";
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
