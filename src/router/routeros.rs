//! MikroTik RouterOS 7.
//!
//! ```text
//! client (what rows mean: queues, findings) ──► transport (rows) ──► rest | ssh | auto
//! ```

#[cfg(feature = "ssh")]
mod auto;
mod client;
#[cfg(feature = "ssh")]
mod console;
mod encoding;
#[cfg(feature = "ssh")]
mod failover;
mod faults;
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
mod settings;
#[cfg(feature = "ssh")]
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
pub use settings::{
    Credentials, Secret, Settings, SshConfig, TlsTrust, TransportChoice, TransportFailoverParams,
};

/// The name of this kind in the configuration.
pub const KIND: &str = "routeros";
