//! Why things are as they are, as stable codes and in plain words.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// Declares an enum whose codes are the names of its variants, each with the words for people.
macro_rules! codes {
    ($(#[$about:meta])* $name:ident { $($variant:ident: $words:literal;)+ }) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            IntoStaticStr, VariantArray,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $name {
            $(#[doc = $words] $variant,)+
        }

        named!($name::code);

        impl $name {
            /// Returns the explanation for people.
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
    SteerReason {
        Off: "off: no decision is made";
        SwitchesUnknown: "hold: the router's switches have not been read yet";
        Healthy: "default: the score is below the threshold";
        Stale: "hold: no fresh cycle, so no evidence";
        Confirming: "wait: the score is at the threshold, but not for long enough";
        Blocked: "hold: the score is at the threshold, but the blocker forbids a change";
        Steer: "move: the score is at the threshold, and an alternate is eligible";
        AnswersAgain: "hold: the dead WAN answers again, but is not proven up yet";
        DefaultRouteDown: "move: the WAN is dead, and another one is healthy";
        NotRecovered: "stay: the WAN has not recovered";
        HoldDown: "stay: the hold-down is not over";
        Recovering: "stay: the WAN has not been recovered for long enough yet";
        Return: "return: the WAN has recovered";
        AlternateDown: "leave the alternate: it is dead";
        AlternateWorse: "leave the alternate: its score is higher";
        AllDown: "hold: no WAN is known to work";
        Override: "override: the operator's choice until its time is over";
        FollowDefaultRoute: "follow: the default route has moved";
    }
}

codes! {
    /// Why the default route is on its WAN.
    FailoverReason {
        Off: "off: no decision is made";
        SwitchesUnknown: "hold: the router's switches have not been read yet";
        Healthy: "default: the default WAN is not dead";
        Stale: "hold: no fresh cycle, so no evidence";
        NoneCanSend: "hold: no WAN can send a probe: a fault of this host";
        AnswersAgain: "hold: the dead WAN answers again, but is not proven up yet";
        NoReplies: "move: no reflector answers, and another WAN is known to work";
        CannotSend: "move: no probe can be sent, and another WAN is known to work";
        AllDown: "hold: the WAN is dead, and no other WAN is known to work";
        Blocked: "hold: the WAN is dead, but the blocker forbids a change";
        FailedOver: "stay: no more preferred WAN has been alive for long enough";
        HoldDown: "stay: the hold-down is not over";
        Failback: "return: a more preferred WAN has been alive for long enough";
        FailbackBlocked: "stay: a failback is due, but the blocker forbids it";
    }
}

codes! {
    /// What prevents a decision from being applied.
    Blocker {
        Sustain: "it has not lasted for long enough";
        FlapPenalty: "the flap penalty raises the threshold";
        HoldDown: "the hold-down is not over";
        RecoverySustain: "the recovery has not lasted for long enough";
        FlapDamping: "flap damping: the WAN must stay recovered for longer";
        FailbackDelay: "the WAN has not been alive for long enough";
        ActionLimit: "the maximum changes per hour are reached";
        Pending: "the router has not confirmed the last change yet";
        InDoubt: "the result of the last write is unknown";
        SwitchesUnknown: "the router's switches have not been read yet";
        NoSwitch: "no rule or route is configured for the WAN";
        SwitchRefused: "the WAN's rule or route on the router cannot be used";
        AlternateStale: "the alternate has no fresh cycle";
        AlternateDown: "the alternate is dead";
        AlternateUnverified: "the alternate is not verified healthy";
        AlternateCongested: "the alternate is congested";
        AlternateLoaded: "the alternate has no headroom";
        AlternateLoadUnknown: "the load of the alternate is not known";
        AlternateMetered: "the alternate is metered";
        AlternateNotBetter: "its round-trip time is not shorter";
        OverrideRefused: "the WAN of the override is dead or has no usable \
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

    use super::*;

    #[test]
    fn every_code_is_documented() {
        let steering = include_str!("../../../../docs/steering.md");
        let configuration = include_str!("../../../../docs/configuration.md");
        let codes = SteerReason::ALL.iter().map(|reason| reason.code());
        let codes = codes.chain(FailoverReason::ALL.iter().map(|reason| reason.code()));
        let codes = codes.chain(Blocker::ALL.iter().map(|blocker| blocker.code()));
        for code in codes.chain(SteerState::ALL.iter().map(|state| state.name())) {
            assert!(steering.contains(&format!("`{code}`")), "{code}");
        }
        for code in Contributor::ALL.iter().map(|contributor| contributor.code()) {
            assert!(configuration.contains(&format!("| `{code}` |")), "{code}");
        }
    }
}
