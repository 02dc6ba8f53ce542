//! Recordings: everything that the controllers saw and decided, one JSON object a line, and the
//! re-deciding of it.
//!
//! ```text
//! control loop ── Tape ──► bounded queue ──► thread "recording" ──► FILE.jsonl
//!                (try_send)  full: counted,     flushed each second
//!                            reported as a gap
//! FILE.jsonl ──► Lines ──► Replay ──► control::Wan, anew ──► Outcome: what differs
//! ```
//!
//! A control core that reads no clock decides the same from the same inputs, so a recording that is
//! replayed with the settings it was made with gives the same decisions, to the bit. What is
//! written down is therefore exact: nanoseconds, microseconds and bits per second, and factors with
//! all the digits that distinguish them from their neighbours.
//!
//! Invariants:
//! - **A recording never delays control.** What the queue cannot hold is dropped, counted, and
//!   written into the recording as a gap.
//! - **A recording stays below its size.** When it is full it says so and ends; control goes on.
//! - **No text makes reading panic**, and every complaint names the line.
//!
//! The lines hold the core's own types, which derive `Serialize` and `Deserialize`.

mod compare;
mod line;
mod read;
mod replay;
mod tape;
#[cfg(test)]
mod tests;
mod write;

pub use compare::{Comparison, Difference, Rates, ReplayCounts};
pub use read::{Lines, ReadError, ReadFault};
pub use replay::{Outcome, ReplayError, WanOutcome, replay};
pub use tape::{Beginning, Tape};
pub use write::{Recording, RecordingError};
