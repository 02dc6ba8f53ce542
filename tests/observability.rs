//! What Grafana and Prometheus are given: the dashboards, which are written here where they are
//! readable, the alerts, and the demo stack; checked for what those programs would swallow in silence.
//!
//! `UPDATE_EXPECT=1 cargo test --test observability` writes the files of the dashboards.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

#[path = "observability"]
mod observability {
    mod alerts;
    mod dashboards;
    mod names;
    mod stack;
}
