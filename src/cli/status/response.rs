//! What of `/status` the terminal shows.

use std::mem;

use anyhow::bail;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    router::visible,
    status::{Health, SCHEMA, SteeringStatus, WanView},
};

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) health: Health,
    pub(super) wans: Vec<WanView>,
    pub(super) steering: Option<SteeringStatus>,
}

impl Status {
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut answer: Value = serde_json::from_str(text)?;
        let version = answer["health"]["schema_version"].as_u64();
        if let Some(version) = version.filter(|version| *version != u64::from(SCHEMA)) {
            bail!("its health has schema version {version}, this program reads version {SCHEMA}");
        }
        clean(&mut answer);
        Ok(serde_json::from_value(answer)?)
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
