//! What the samples of one WAN say: delay, load, attribution and the state of the measurement.
//!
//! An estimate knows samples and no policy; a policy knows the estimate and no sample.

pub(crate) mod asymmetry;
pub(crate) mod baseline;
pub(crate) mod blame;
pub(crate) mod bypass;
pub(crate) mod counters;
pub(crate) mod evenness;
pub(crate) mod evidence;
pub(crate) mod load;
pub(crate) mod measurement;
pub(crate) mod noise;
pub(crate) mod replies;
pub(crate) mod sending;
pub(crate) mod silence;
pub(crate) mod state;
pub(crate) mod waiting;

pub use evidence::EvidenceParams;
pub use load::{Load, LoadClass};
pub use measurement::{Measurement, MeasurementState, ProbeMethod, ReflectorView};
pub use sending::Sending;
pub use state::{CongestionState, StateThresholds};
