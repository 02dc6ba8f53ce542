//! MikroTik RouterOS 7.
//!
//! ```text
//! client (what rows mean: queues, survey) ──► road (print, set, ping) ──► rest | ssh
//! ```

mod client;
mod idle;
mod json;
mod queues;
mod rest;
mod road;
mod rules;
mod survey;
mod time;
mod tls;

pub use client::RouterOs;
pub use road::PingFrom;
pub use rules::RuleTable;
