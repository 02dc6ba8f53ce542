//! MikroTik RouterOS 7.
//!
//! ```text
//! client (what rows mean: queues, survey) ──► road (print, set, ping) ──► rest | ssh | auto
//! ```

mod auto;
mod client;
mod connections;
mod console;
mod encoding;
mod failover;
mod findings;
#[cfg(fuzzing)]
pub mod fuzzed;
mod idle;
mod inspect;
mod json;
mod network;
mod pinged;
mod queues;
mod rate;
mod rest;
mod rules;
mod ssh;
mod target;
mod target_sides;
mod time;
mod tls;
mod topology;
mod transport;
mod transports;

/// Largest answer that is read, in bytes: some 5,000 rules, which is more than any request asks for.
/// What a router sends beyond it is left unread, however much that is.
const LARGEST_ANSWER: usize = 2 << 20;

pub use client::RouterOs;
pub use failover::TransportFailoverParams;
pub use inspect::{QueueShape, UserPolicies};
pub use pinged::Pinged;
pub use transport::PingFrom;
