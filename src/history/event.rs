//! Events: what is kept for longer than single cycles.

mod steering;

use std::time::Duration;

use serde::{Serialize, Serializer};

pub use steering::SteeringInputs;

use wanctl_core::{
    CongestionState, Direction, MeasurementState, Reason,
    units::{BitRate, Delay},
};

use super::code::Coded;

/// Something that happened once: the variant becomes `event.kind`, the fields become the JSON of
/// `event.payload`, in base units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The daemon started.
    Start {
        /// Version of wanctl.
        version: String,
        /// `active` or `observe`.
        mode: &'static str,
    },
    /// The daemon ended in good order.
    Stop {
        /// Why, in plain words.
        reason: String,
    },
    /// A configuration came into force.
    ConfigLoaded {
        /// The file.
        path: String,
        /// A hash of its content, to distinguish configurations.
        hash: String,
    },
    /// A configuration came into force while the daemon was running.
    ConfigReloaded {
        /// The file.
        path: String,
        /// The hash of its content before.
        from: String,
        /// The hash of its content now.
        to: String,
        /// The keys that changed and took effect.
        changed: Vec<String>,
        /// The keys that take effect after a restart.
        restart: Vec<String>,
    },
    /// A direction's congestion state changed. The writer derives this from the cycles.
    StateChanged {
        /// The direction.
        direction: Direction,
        /// The state before.
        #[serde(serialize_with = "as_label")]
        from: CongestionState,
        /// The state now.
        #[serde(serialize_with = "as_label")]
        to: CongestionState,
        /// Delay over the baseline at that moment.
        #[serde(rename = "delta_us")]
        delta: Option<Delay>,
        /// The rate desired from then on.
        #[serde(rename = "desired_bps")]
        desired: BitRate,
        /// Why that rate.
        #[serde(serialize_with = "as_label")]
        reason: Reason,
    },
    /// The trust in the probes changed. The writer derives this from the cycles.
    MeasurementChanged {
        /// The state before.
        #[serde(serialize_with = "as_label")]
        from: MeasurementState,
        /// The state now.
        #[serde(serialize_with = "as_label")]
        to: MeasurementState,
        /// Reflectors whose last reply was fresh at that moment.
        fresh: u16,
    },
    /// The router confirmed a new limit. The writer derives this from the cycles.
    RateWritten {
        /// The direction.
        direction: Direction,
        /// The limit that was written before.
        #[serde(rename = "from_bps")]
        from: Option<BitRate>,
        /// The limit now.
        #[serde(rename = "to_bps")]
        to: Option<BitRate>,
        /// Why the desired rate last changed before.
        #[serde(serialize_with = "as_label")]
        reason: Reason,
    },
    /// Somebody else changed a limit on the router. The writer derives this from the cycles.
    LimitDrifted {
        /// The direction.
        direction: Direction,
        /// The limit that wanctl had written.
        #[serde(rename = "written_bps")]
        written: Option<BitRate>,
        /// The limit that was found.
        #[serde(rename = "found_bps")]
        found: Option<BitRate>,
    },
    /// No reflector of the WAN answers any more. The writer derives this from the cycles.
    ProbesLost {
        /// `collapsed` (traffic flows) or `stalled`.
        #[serde(serialize_with = "as_label")]
        state: MeasurementState,
    },
    /// Reflectors answer again. The writer derives this from the cycles.
    ProbesRecovered {
        /// How long none did.
        #[serde(rename = "outage_us", serialize_with = "as_span")]
        outage: Duration,
    },
    /// Another reflector takes the turns of one.
    ReflectorReplaced {
        /// The address of the one that takes turns no more.
        reflector: String,
        /// The address of the one that takes turns instead.
        by: String,
        /// Why: `loss`, `delay` or `rotation`.
        fault: &'static str,
    },
    /// A reflector that had been replaced answers well and may take turns again.
    ReflectorReturned {
        /// Its address.
        reflector: String,
    },
    /// The wall clock was set. The writer derives this from the cycles.
    ClockStepped {
        /// How far, forwards or (negative) backwards.
        #[serde(rename = "by_us")]
        by: Delay,
    },
    /// The router stopped answering.
    RouterUnreachable {
        /// The name of the router.
        router: String,
        /// The first error.
        error: String,
    },
    /// The router answers again.
    RouterRecovered {
        /// The name of the router.
        router: String,
        /// How long it did not.
        #[serde(rename = "outage_us", serialize_with = "as_span")]
        outage: Duration,
    },
    /// The requests to the router use another transport.
    TransportChanged {
        /// The name of the router.
        router: String,
        /// The transport before: `rest` or `ssh`.
        from: &'static str,
        /// The transport now.
        to: &'static str,
    },
    /// Steering came into another state.
    SteeringStateChanged {
        /// The state before.
        from: &'static str,
        /// The state now.
        to: &'static str,
        /// What it went by.
        #[serde(flatten)]
        inputs: Box<SteeringInputs>,
    },
    /// New latency-sensitive connections take another WAN, or would if steering acted.
    Steered {
        /// The WAN before.
        from: String,
        /// The WAN now.
        to: String,
        /// What it went by.
        #[serde(flatten)]
        inputs: Box<SteeringInputs>,
    },
    /// Everything else takes another WAN, or would if steering acted.
    FailedOver {
        /// The WAN before.
        from: String,
        /// The WAN now.
        to: String,
        /// What it went by.
        #[serde(flatten)]
        inputs: Box<SteeringInputs>,
    },
    /// The operator chose the WAN of new latency-sensitive connections, or let go of it.
    SteerOverride {
        /// The WAN; none for the automatic decision.
        to: Option<String>,
        /// For how long.
        #[serde(rename = "for_us", serialize_with = "as_span")]
        lasts: Duration,
    },
    /// A rule or route of the router was seen to be otherwise than before.
    SwitchChanged {
        /// The WAN it belongs to.
        switch_wan: String,
        /// What it is for: `steer_rule`, `steer_rule6`, `failover_route` or `failover_rule`.
        switch: &'static str,
        /// Whether it is enabled now.
        enabled: bool,
    },
    /// The history file was corrupt or had another schema: it was renamed and a new one begun. The
    /// writer records this.
    HistoryArchived {
        /// The file's new name.
        archived_as: String,
    },
}

impl Event {
    /// The kinds of all events: the values of `event.kind`.
    pub const KINDS: [&str; 22] = [
        "start",
        "stop",
        "config_loaded",
        "config_reloaded",
        "state_changed",
        "measurement_changed",
        "rate_written",
        "limit_drifted",
        "probes_lost",
        "probes_recovered",
        "reflector_replaced",
        "reflector_returned",
        "clock_stepped",
        "router_unreachable",
        "router_recovered",
        "transport_changed",
        "steering_state_changed",
        "steered",
        "failed_over",
        "steer_override",
        "switch_changed",
        "history_archived",
    ];

    /// Returns the kind, and the JSON object of the payload.
    pub(super) fn stored(&self) -> (String, String) {
        let text =
            serde_json::to_string(self).expect("numbers and strings under string keys are JSON");
        // As serde tags it: {"kind":{...}}.
        let (kind, payload) = text.split_once("\":").unwrap_or_default();
        let kind = kind.trim_start_matches("{\"").to_owned();
        debug_assert!(Self::KINDS.contains(&kind.as_str()), "{kind} is not among the kinds");
        (kind, payload.strip_suffix('}').unwrap_or_default().to_owned())
    }
}

fn as_label<T: Coded, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.label())
}

fn as_span<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(Delay::from(*value).micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_name_their_units_and_spell_states_out() {
        let event = Event::StateChanged {
            direction: Direction::Upload,
            from: CongestionState::Green,
            to: CongestionState::SoftRed,
            delta: Some(Delay::from_micros(61_000)),
            desired: BitRate::from_mbps(17.5),
            reason: Reason::CutQueue,
        };
        let (kind, payload) = event.stored();
        assert_eq!(kind, "state_changed");
        assert_eq!(
            payload,
            r#"{"direction":"upload","from":"green","to":"soft_red","delta_us":61000,"#.to_owned()
                + r#""desired_bps":17500000,"reason":"cut_queue"}"#
        );
        let router = "attic".to_owned();
        let event = Event::RouterRecovered { router, outage: Duration::from_secs(3) };
        assert_eq!(event.stored().1, r#"{"router":"attic","outage_us":3000000}"#);
    }
}
