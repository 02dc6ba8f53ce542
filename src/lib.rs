//! wanctl keeps latency low on links whose capacity moves (cable, DSL, LTE/5G, Starlink): it
//! measures delay 20 times a second, decides, and moves the shaper rates of a router's CAKE
//! queues. Everything it sees and decides is a Prometheus metric and a row in its own history.
//!
//! The map of the house, in the direction in which data flows:
//!
//! ```text
//! probe ──────► RttSample ──┐
//!                           ├─► control::Wan ─► Cycle ─► telemetry  (/metrics)
//! actuator ◄─► router       │      │                 ├─► history    (SQLite)
//!    │    └───► ShaperSample┘      │                 └─► status ─► http  (/, /health)
//!    └─────────◄── desired rates ◄─┘
//! ```
//!
//! - [`units`]: rates, delays and times; no bare number crosses a module.
//! - [`control`]: the pure core. Samples and a time in, a decision with its reason out.
//! - [`steering`]: the second half of the core. The cycles of all WANs in, where traffic goes out.
//! - [`files`]: reading files that are regular and bounded.
//! - `https`: what HTTPS clients share: trust in a server, bounded bodies.
//! - [`config`]: YAML in, a valid [`config::Config`] out.
//! - [`probe`], [`router`], [`actuator`]: measuring delay, talking to a router, keeping it at what
//!   is desired.
//! - `plot`: charts over time, for the terminal and as SVG or PNG (feature `plot`).
//! - [`catalogue`]: where metrics are declared, by whatever feeds them.
//! - [`history`], [`telemetry`], [`status`], [`http`]: telling.
//! - [`recording`]: what the controllers saw and decided, written down, and decided again.
//! - [`daemon`]: the composition root, the only place that spawns long-lived tasks.
//! - [`sim`]: links and a router that exist only in memory, for the demo and the tests.
//! - [`cli`]: the commands.
//!
//! The invariants, and what is deliberately absent, are in `docs/architecture.md`.

#![cfg_attr(
    not(feature = "backend"),
    allow(
        unreachable_code,
        unused_variables,
        reason = "without any kind of router, nothing follows a connection to one"
    )
)]

pub mod actuator;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod digest;
pub mod files;
pub mod history;
pub mod http;
#[cfg(feature = "https")]
pub mod https;
#[cfg(feature = "plot")]
pub mod plot;
pub mod probe;
pub mod recording;
pub mod router;
pub mod status;
pub mod telemetry;
