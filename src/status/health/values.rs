//! What each part knows at this moment: measured and counted, not what the configuration says.

use serde::{Deserialize, Serialize};

use crate::status::{Code, OverrideStatus};

/// How a WAN's delay is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasurementValues {
    /// `starting`, `healthy`, `reduced`, `collapsed`, `stalled`, `bypass` or `cannot_send`.
    pub state: Code,
    /// The probe method in use; null if it is not known.
    pub method: Option<Code>,
    /// Reflectors whose last reply is fresh.
    pub reflectors_fresh: u16,
    /// All reflectors in turn.
    pub reflectors: usize,
    /// Median round-trip time in ms.
    pub rtt_ms: Option<f64>,
    /// Median baseline in ms.
    pub baseline_ms: Option<f64>,
    /// Median delay over the baseline in ms.
    pub delta_ms: Option<f64>,
    /// Median jitter in ms.
    pub jitter_ms: Option<f64>,
    /// Seconds since the last reply of any reflector.
    pub last_reply_age_seconds: Option<f64>,
}

/// The loop of a WAN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlValues {
    /// Cycles decided since the start.
    pub cycles: u64,
    /// Seconds since the newest.
    pub last_cycle_age_seconds: f64,
    /// How late the newest started after its tick, in ms.
    pub lateness_ms: f64,
    /// For how long the one before was busy, in ms.
    pub busy_ms: f64,
    /// Cycles that were busy for longer than the interval.
    pub overruns: u64,
    /// Ticks that were dropped.
    pub skipped_ticks: u64,
    /// Congestion state of the download, `unknown` while nothing is measured; left out, like all of
    /// a direction, if it is not shaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_state: Option<Code>,
    /// Reason code of the newest decision about the download.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_reason: Option<Code>,
    /// Congestion state of the upload, `unknown` while nothing is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_state: Option<Code>,
    /// Reason code of the newest decision about the upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_reason: Option<Code>,
}

/// How far the router follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActuatorValues {
    /// The download, if it is shaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download: Option<DirectionRates>,
    /// The upload, if it is shaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload: Option<DirectionRates>,
}

/// How far the router follows in one direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectionRates {
    /// Desired rate in Mbit/s.
    pub desired_mbps: f64,
    /// Rate that the router enforces in Mbit/s, if known.
    pub observed_mbps: Option<f64>,
    /// For how many seconds it has not followed; null if it has.
    pub pending_seconds: Option<f64>,
    /// Rate writes that the router confirmed.
    pub writes: u64,
}

/// The router.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouterValues {
    /// Whether the last request succeeded; null before the first.
    pub up: Option<bool>,
    /// The transport in use: `rest` or `ssh`.
    pub transport: Option<Code>,
    /// Seconds since a request last succeeded.
    pub last_success_age_seconds: Option<f64>,
    /// Its name, as it says.
    pub identity: Option<String>,
    /// Its model.
    pub board: Option<String>,
    /// The version of its operating system.
    pub version: Option<String>,
    /// Load of its processors, 0 to 100 percent.
    pub cpu_percent: Option<u64>,
}

/// The history.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HistoryValues {
    /// Cycles written since the start.
    pub rows_written: u64,
    /// Events written since the start.
    pub events_written: u64,
    /// Cycles and events that were lost because the queue was full.
    pub dropped: u64,
    /// Cycles and events that wait to be written.
    pub queued: u64,
    /// Attempts to write that failed.
    pub failures: u64,
    /// Seconds since rows were last committed.
    pub last_commit_age_seconds: Option<f64>,
    /// Size of the database and its log in bytes.
    pub size_bytes: u64,
}

/// Steering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SteeringValues {
    /// `off`, `observe` or `active`.
    pub mode: Code,
    /// `default`, `confirming`, `steered`, `recovering` or `override`.
    pub state: Code,
    /// Seconds since it was entered.
    pub state_seconds: f64,
    /// The WAN of new latency-sensitive connections.
    pub sensitive: String,
    /// The WAN of everything else.
    pub default_route: String,
    /// The score of the default route, 0 to 100.
    pub score: u8,
    /// What the operator has ordered, until it runs out.
    #[serde(rename = "override")]
    pub steer_override: Option<OverrideStatus>,
}

/// The configuration in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigValues {
    /// SHA-256 of its file.
    pub sha256: String,
    /// Seconds since it was taken.
    pub age_seconds: f64,
}

/// The wall clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClockValues {
    /// Unix time in seconds.
    pub unix_seconds: f64,
    /// How often it was set by more than a second since the start.
    pub steps: u64,
    /// By how many seconds it was last set.
    pub last_step_seconds: Option<f64>,
    /// Seconds since then.
    pub last_step_age_seconds: Option<f64>,
}

/// What is known of the HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpValues {
    /// Whether it listens. Who reads this over HTTP sees `true`; the other answer is for the log.
    pub listening: bool,
}
