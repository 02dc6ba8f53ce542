//! The small integers that stand for enumerations in the database: the one place that knows them.
//!
//! A code is for ever: rows written years ago carry it. A new variant takes the next free number,
//! and the number of a variant that is gone is never given again. Every open writes the pairs
//! into the table `code`, so that any SQLite tool can join names to numbers.

use wanctl_core::{CongestionState, LoadClass, MeasurementState, Phase, ProbeMethod, Reason};

/// An enumeration that is stored as a small integer.
pub(super) trait Coded: Copy + 'static {
    /// The value of `code.kind` for this enumeration.
    const KIND: &'static str;
    /// All variants.
    const VARIANTS: &'static [Self];

    /// Returns the number that stands for the variant.
    fn to_code(self) -> i64;

    /// Returns the variant's name, as in labels.
    fn label(self) -> &'static str;

    /// Returns the variant that `code` stands for, if this wanctl knows it.
    fn from_code(code: i64) -> Option<Self> {
        Self::VARIANTS.iter().copied().find(|variant| variant.to_code() == code)
    }
}

macro_rules! coded {
    ($type:ident, $kind:literal, $name:ident, { $($variant:ident = $code:literal),+ $(,)? }) => {
        impl Coded for $type {
            const KIND: &'static str = $kind;
            const VARIANTS: &'static [Self] = &[$(Self::$variant),+];

            fn to_code(self) -> i64 {
                match self { $(Self::$variant => $code),+ }
            }

            fn label(self) -> &'static str {
                self.$name()
            }
        }
    };
}

coded!(MeasurementState, "measurement", name, {
    Starting = 0, Healthy = 1, Reduced = 2, Collapsed = 3, Stalled = 4, Bypass = 5,
    CannotSend = 6,
});

coded!(CongestionState, "state", name, {
    Green = 0, Yellow = 1, SoftRed = 2, Red = 3, Unknown = 4,
});

coded!(ProbeMethod, "method", name, {
    IcmpEcho = 0, TcpConnect = 1, RouterPing = 2, IcmpTimestamp = 3,
});

coded!(LoadClass, "load", name, {
    Unknown = 0, Idle = 1, Low = 2, High = 3,
});

coded!(Reason, "reason", code, {
    CutQueue = 0, CutCollapsed = 1, RaiseShaperLimited = 2, DecayUp = 3, DecayDown = 4,
    HoldRefractory = 5, HoldNotAttributed = 6, HoldDelay = 7, HoldApplicationLimited = 8,
    HoldCeiling = 9, HoldFloor = 10, HoldLoadUnknown = 11, HoldStalled = 12, HoldCollapsed = 13,
    HoldStarting = 14, Fixed = 15, HoldPending = 16, HoldInsufficientEvidence = 17,
    CutBypass = 18, RaiseRollback = 19, HoldBypass = 20, CutCrossDirection = 21,
    HoldCannotSend = 22,
});

coded!(Phase, "phase", name, {
    Startup = 0, Cruise = 1, Probe = 2, Drain = 3, Decay = 4, NoSignal = 5,
});

/// Returns every `(kind, value, name)` of the table `code`.
pub(super) fn table() -> impl Iterator<Item = (&'static str, i64, &'static str)> {
    pairs::<MeasurementState>()
        .chain(pairs::<CongestionState>())
        .chain(pairs::<LoadClass>())
        .chain(pairs::<ProbeMethod>())
        .chain(pairs::<Reason>())
        .chain(pairs::<Phase>())
}

fn pairs<T: Coded>() -> impl Iterator<Item = (&'static str, i64, &'static str)> {
    T::VARIANTS.iter().map(|variant| (T::KIND, variant.to_code(), variant.label()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_variants_share_a_code_or_a_name() {
        let all: Vec<_> = table().collect();
        let codes: BTreeSet<_> = all.iter().map(|(kind, value, _)| (kind, value)).collect();
        let names: BTreeSet<_> = all.iter().map(|(kind, _, name)| (kind, name)).collect();
        assert_eq!((codes.len(), names.len()), (all.len(), all.len()));
    }

    #[test]
    fn codes_lead_back_to_their_variants() {
        for state in CongestionState::ALL {
            assert_eq!(CongestionState::from_code(state.to_code()), Some(state));
        }
        assert_eq!(CongestionState::from_code(99), None);
    }

    /// The document is the promise: a code that moves breaks everyone's queries.
    #[test]
    fn the_documented_codes_are_the_codes() {
        let document = include_str!("../../docs/history.md");
        for (kind, value, name) in table() {
            let line = format!("| `{kind}` | {value} | `{name}` |");
            assert!(document.contains(&line), "docs/history.md lacks: {line}");
        }
    }
}
