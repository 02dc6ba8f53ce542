//! The value of `--metrics` and `metrics=`: from names to fields.

use wanctl_core::{CongestionState, Direction, MeasurementState, ProbeMethod};

use super::{FIELDS, Field};

/// Names of `/metrics`, and after them of `wanctl-history` 1.7, each without `wanctl_`.
const ALIASES: [(&str, &str); 31] = [
    ("rtt_seconds", "rtt"),
    ("rtt_inflation_seconds", "delta"),
    ("rtt_delta_seconds", "delta"),
    ("rtt_baseline_seconds", "baseline"),
    ("rtt_jitter_seconds", "jitter"),
    ("rtt_noise_seconds", "noise"),
    ("link_capacity_estimate_bytes_per_second", "capacity"),
    ("probe_method", "method"),
    ("measurement_state", "measurement"),
    ("measurement_state_time_seconds", "measurement"),
    ("reflector_probes", "probes_sent"),
    ("reflector_probe_failures", "probes_lost"),
    ("cycle_overruns", "overruns"),
    ("cycle_ticks_skipped", "skipped"),
    ("cycle_start_lag_seconds", "lateness"),
    ("controller_state", "state"),
    ("controller_state_time_seconds", "state"),
    ("shaper_rate_bytes_per_second", "desired"),
    ("shaper_rate_observed_bytes_per_second", "observed"),
    ("shaper_delivery_rate_bytes_per_second", "delivery"),
    ("shaper_backlog_bytes", "backlog"),
    ("shaper_sent_bytes", "bytes"),
    ("shaper_sent_packets", "packets"),
    ("shaper_dropped_packets", "drops"),
    ("shaper_rate_changes", "cuts,raises"),
    ("shaper_rate_writes", "writes"),
    ("rtt_ms", "rtt"),
    ("rtt_baseline_ms", "baseline"),
    ("rtt_delta_ms", "delta"),
    ("rate_download_mbps", "download_desired"),
    ("rate_upload_mbps", "upload_desired"),
];

/// Returns the fields that a list such as `delta_p95,download,wanctl_rtt_seconds` means, each
/// once, in the order in which they are named. A name may lack its unit, its statistic or its
/// direction and then means all that there are.
///
/// # Errors
/// A sentence that names the word that means nothing, and one that was perhaps meant.
pub(in crate::history) fn choose(list: &str) -> Result<Vec<&'static Field>, String> {
    let mut chosen: Vec<&'static Field> = Vec::new();
    for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        for field in meant(word)? {
            if !chosen.contains(&field) {
                chosen.push(field);
            }
        }
    }
    if chosen.is_empty() { Err("no metric is named".to_owned()) } else { Ok(chosen) }
}

fn meant(word: &str) -> Result<Vec<&'static Field>, String> {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "all" => return Ok(FIELDS.iter().collect()),
        "usual" => return Ok(Field::default_columns()),
        _ => {}
    }
    let bare = lower.strip_prefix("wanctl_").unwrap_or(&lower);
    if bare.starts_with("steering") {
        return Err(format!("`{word}` is kept as events: ask for the events instead"));
    }
    let bare = bare.strip_suffix("_total").unwrap_or(bare);
    let alias = ALIASES.iter().find(|(alias, _)| *alias == bare);
    let words = alias.map_or(bare, |(_, words)| words).split(',');
    let found: Vec<_> =
        words.flat_map(|word| FIELDS.iter().filter(move |field| field.is_meant(word))).collect();
    if found.is_empty() { Err(unknown(word, bare)) } else { Ok(found) }
}

impl Field {
    /// Returns whether `word` is its name with or without the direction, or a whole-word beginning of
    /// it, or asks for the times in all states of something, of which this is one.
    fn is_meant(&self, word: &str) -> bool {
        let (direction, rest) = self.split();
        let prefix = direction.map_or("", Direction::name);
        let state = rest.strip_suffix("_ms").unwrap_or_default();
        let is_state = match word.strip_prefix(prefix).unwrap_or(word).trim_start_matches('_') {
            "state" => CongestionState::ALL.iter().any(|known| known.name() == state),
            "measurement" => MeasurementState::ALL.iter().any(|known| known.name() == state),
            "method" => ProbeMethod::ALL.iter().any(|known| known.name() == state),
            _ => false,
        };
        is_state || begins(&self.name, word) || begins(rest, word)
    }
}

fn begins(name: &str, word: &str) -> bool {
    name.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

fn unknown(word: &str, bare: &str) -> String {
    let names = FIELDS.iter().flat_map(|field| [field.name.as_str(), field.topic().1]);
    let near = names
        .map(|name| (strsim::jaro_winkler(name, bare), name))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let hint = near.map_or_else(
        || {
            "there are rtt, delta, baseline, jitter, state, measurement, desired, observed, \
             delivery, bytes and more; `all` means all"
                .to_owned()
        },
        |(_, name)| format!("did you mean `{name}`?"),
    );
    format!("there is no metric `{}`; {hint}", word.escape_debug())
}
