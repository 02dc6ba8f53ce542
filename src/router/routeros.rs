//! MikroTik RouterOS 7.
//!
//! ```text
//! client (what rows mean: queues, survey) ──► road (print, set, ping) ──► rest | ssh | auto
//! ```

mod auto;
mod client;
mod connections;
mod console;
mod failover;
#[cfg(fuzzing)]
pub mod fuzzed;
mod idle;
mod json;
mod queues;
mod rest;
mod road;
mod roads;
mod rules;
mod ssh;
mod survey;
mod time;
mod tls;

pub use client::RouterOs;
pub use failover::Patience;
pub use road::PingFrom;
