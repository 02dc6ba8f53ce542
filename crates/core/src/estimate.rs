//! What the samples of one WAN say: delay, load, attribution and the state of the measurement.
//!
//! An estimate knows samples and no policy; a policy knows the estimate and no sample.

pub(crate) mod attribution;
pub(crate) mod baseline;
pub(crate) mod bypass;
pub(crate) mod capacity;
pub(crate) mod counters;
mod cut_response;
pub(crate) mod delay_split;
mod delivery;
mod estimator;
pub(crate) mod evidence;
pub(crate) mod load;
pub(crate) mod measurement;
pub(crate) mod noise;
mod observation;
mod path_offset;
pub(crate) mod plateau;
pub(crate) mod reflector_liveness;
pub(crate) mod replies;
pub(crate) mod send_status;
pub(crate) mod shaper_limited;
pub(crate) mod state;

pub(crate) use capacity::{Capacity, logarithm};
pub(crate) use cut_response::Response;
pub(crate) use estimator::{Estimate, Estimator, StandingQueue};
pub use evidence::EvidenceParams;
pub use load::{Load, LoadClass};
pub use measurement::{Measurement, MeasurementState, ProbeMethod, ReflectorView};
pub(crate) use observation::{Applied, Disregard, DrainPlan, Enforcement, Observation};
pub use send_status::SendStatus;
pub use state::{CongestionState, StateThresholds};
