//! What of `/status` the terminal shows.

use std::{collections::BTreeMap, mem};

use anyhow::bail;
use serde::Deserialize;
use serde_json::Value;

use crate::router::visible;

/// The shape of health that is understood.
const SCHEMA: u32 = 2;

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) health: Health,
    pub(super) wans: Vec<Wan>,
    pub(super) steering: Option<Steering>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Health {
    schema_version: u32,
    pub(super) version: String,
    pub(super) status: String,
    pub(super) live: bool,
    pub(super) ready: bool,
    pub(super) not_ready_reasons: Vec<String>,
    pub(super) mode: String,
    pub(super) uptime_seconds: f64,
    pub(super) parts: Parts,
    pub(super) routers: Vec<RouterHealth>,
    pub(super) wans: Vec<WanHealth>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Parts {
    pub(super) history: Part<Option<History>>,
    pub(super) steering: Part<serde::de::IgnoredAny>,
    pub(super) config: Part<Config>,
    pub(super) clock: Part<Clock>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RouterHealth {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) part: Part<Router>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WanHealth {
    pub(super) name: String,
    pub(super) measurement: Part<serde::de::IgnoredAny>,
    pub(super) control: Part<serde::de::IgnoredAny>,
    pub(super) actuator: Part<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Part<V> {
    pub(super) status: String,
    pub(super) reasons: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) values: V,
}

#[derive(Debug, Deserialize)]
pub(super) struct Router {
    pub(super) transport: Option<String>,
    pub(super) last_success_age_seconds: Option<f64>,
    pub(super) identity: Option<String>,
    pub(super) version: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct History {
    pub(super) rows_written: u64,
    pub(super) last_commit_age_seconds: Option<f64>,
    pub(super) size_bytes: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Config {
    pub(super) sha256: String,
    pub(super) age_seconds: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Clock {
    pub(super) steps: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Wan {
    pub(super) name: String,
    pub(super) reflectors_fresh: [usize; 2],
    pub(super) rtt_ms: Option<f64>,
    pub(super) baseline_ms: Option<f64>,
    pub(super) delta_ms: Option<f64>,
    pub(super) jitter_ms: Option<f64>,
    pub(super) download: Option<Direction>,
    pub(super) upload: Option<Direction>,
    pub(super) notes: Vec<Note>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Direction {
    pub(super) state: String,
    pub(super) state_seconds: Option<f64>,
    pub(super) desired_mbps: f64,
    pub(super) delivery_mbps: Option<f64>,
    pub(super) why: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Note {
    pub(super) time: f64,
    pub(super) direction: Option<String>,
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Steering {
    pub(super) mode: String,
    pub(super) state: String,
    pub(super) sensitive: String,
    pub(super) default_route: String,
    pub(super) score: u8,
    pub(super) threshold: u16,
    #[serde(rename = "override")]
    pub(super) steer_override: Option<Override>,
    pub(super) steer: DecisionStatus,
    pub(super) failover: DecisionStatus,
}

#[derive(Debug, Deserialize)]
pub(super) struct Override {
    pub(super) to: String,
    pub(super) until: f64,
    pub(super) why: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct DecisionStatus {
    pub(super) why: String,
    pub(super) blocker_text: Option<String>,
    pub(super) timers: BTreeMap<String, f64>,
}

impl Status {
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut answer: Value = serde_json::from_str(text)?;
        clean(&mut answer);
        let status: Self = serde_json::from_value(answer)?;
        let version = status.health.schema_version;
        if version != SCHEMA {
            bail!("its health has schema version {version}, this program reads version {SCHEMA}");
        }
        Ok(status)
    }
}

/// Escapes everything in the texts that a terminal would obey.
fn clean(answer: &mut Value) {
    match answer {
        Value::String(text) => *text = visible(text),
        Value::Array(values) => values.iter_mut().for_each(clean),
        Value::Object(entries) => {
            let cleaned = mem::take(entries).into_iter().map(|(key, mut value)| {
                clean(&mut value);
                (visible(&key), value)
            });
            *entries = cleaned.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
