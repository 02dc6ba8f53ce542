//! What is not known for certain about RouterOS, or differs between versions, as switches.
//!
//! Each says whether its default was *confirmed* (by MikroTik's documentation or by a measurement
//! that somebody published) or *inferred*. A client that is meant to work with every router has to
//! work with every setting.

use std::time::Duration;

/// The switches; the default is the likelier answer to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question with two answers")]
pub struct Quirks {
    /// Whether a connection carries more than one request. Documented, and contradicted by one
    /// measurement of 7.22; default yes.
    pub keep_alive: bool,
    /// Whether the requests of one user wait for each other. Confirmed for the latest versions,
    /// inferred for all of 7.x; default yes.
    pub user_order: bool,
    /// Whether aborted requests, each followed by one on a new connection, make the web server
    /// reset everything for a while. Confirmed on 7.21.5; default yes.
    pub abort_hazard: bool,
    /// Whether `+` in a query string means a space. The symptom that says no is confirmed, its
    /// cause inferred; default no.
    pub plus_is_space: bool,
    /// Whether a list that is asked for with `.proplist` carries `.id` unasked. The manual shows
    /// that it does not, one report on 7.23 that it does; default no, which is harder on clients.
    pub unasked_id: bool,
    /// Whether a group needs the policy `web` for REST. One report, of 7.24.4; default no.
    pub needs_web_policy: bool,
    /// Whether drops of a CAKE leaf are counted. Confirmed that they are not on two boards;
    /// unknown before 7.20 and on x86; default no.
    pub cake_drops: bool,
    /// Whether drops of the queues under an interface show in its `tx-queue-drop`. Unknown;
    /// default no.
    pub interface_drops: bool,
    /// Whether objects without an identifier come as a list of one. They did in 7.1 betas; default
    /// no.
    pub singletons_as_lists: bool,
    /// Whether answers over REST are in Windows-1252, as texts typed in `WinBox` are stored.
    /// Confirmed for such texts; default no, since those that came over REST are UTF-8.
    pub windows_1252: bool,
    /// What a POST to a menu without a verb does.
    pub bare_post: BarePost,
    /// Status of the answer to a command that does not exist.
    pub unknown_command: UnknownCommand,
    /// When the counters of a queue start again.
    pub counter_reset: CounterReset,
    /// Unit in which the rate of a queue is shown.
    pub rate_unit: RateUnit,
    /// What is left of a change that was refused.
    pub refused_change: RefusedChange,
    /// How changes reach the flash.
    pub flash: FlashWrites,
    /// The `status` of a ping that was lost. The field is confirmed, its text inferred from the
    /// console; default `timeout`.
    pub lost_probe: &'static str,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            keep_alive: true,
            user_order: true,
            abort_hazard: true,
            plus_is_space: false,
            unasked_id: false,
            needs_web_policy: false,
            cake_drops: false,
            interface_drops: false,
            singletons_as_lists: false,
            windows_1252: false,
            bare_post: BarePost::Ignored,
            unknown_command: UnknownCommand::BadRequest,
            counter_reset: CounterReset::OnQueueChange,
            rate_unit: RateUnit::Bits,
            refused_change: RefusedChange::LeavesNothing,
            flash: FlashWrites::EachSet,
            lost_probe: "timeout",
        }
    }
}

/// What a POST to a menu without a verb does. Both are confirmed, each on one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarePost {
    /// Nothing, with success; 7.23.2.
    Ignored,
    /// It is refused: `no such command`; 7.21.3.
    Refused,
}

/// Status of the answer to a command that does not exist. Both are confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownCommand {
    /// 400, since about 7.20.
    BadRequest,
    /// 406, in older versions.
    NotAcceptable,
}

/// When the counters of a queue start again. All inferred: nobody published a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterReset {
    /// Never, but for a reboot.
    Never,
    /// When the leaf is rebuilt: with another type or parent, or on switching it off or on.
    OnQueueChange,
    /// With every change, a new limit included.
    OnEverySet,
}

/// Unit in which the rate of a queue is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateUnit {
    /// Bits per second: inferred from console output that prints the unit.
    Bits,
    /// Bytes per second: what the manual says.
    Bytes,
}

/// What is left of a change that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedChange {
    /// Nothing; inferred for queues.
    LeavesNothing,
    /// Every property that could be read; confirmed for users, where a new password came into
    /// force although another property was refused.
    LeavesWhatWasGood,
}

/// How changes reach the flash. Nobody published how much each costs; all inferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlashWrites {
    /// One sector for each.
    EachSet,
    /// One sector for all of them within this time.
    Coalesced(Duration),
}
