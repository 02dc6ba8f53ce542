//! What a sparse flow feels: the ends of the judge's packets, and of the probes.

use wanctl_core::units::Delay;

use super::{packet::SparsePacket, probes::Probes};

/// What the judge's packets felt.
#[derive(Debug, Clone, Default)]
pub(crate) struct LatencyMonitor {
    /// Delays over the base, in the order of arrival.
    pub(crate) added: Vec<Delay>,
    pub(crate) lost: u32,
}

/// A sparse packet is back at home.
pub(super) fn arrive(
    probes: &mut Probes,
    monitor: &mut Option<LatencyMonitor>,
    ride: SparsePacket,
) {
    let delay = |seconds: f64| Delay::from_millis_f64(seconds * 1e3);
    match (ride.probe, monitor) {
        (Some(number), _) => {
            probes.on_reply(number, delay(ride.waited + ride.further), delay(ride.up));
        }
        (None, Some(monitor)) => monitor.added.push(delay(ride.waited)),
        (None, None) => {}
    }
}

/// A sparse packet was dropped. A probe shows that by its silence.
pub(super) fn lose(monitor: &mut Option<LatencyMonitor>, ride: SparsePacket) {
    if let (None, Some(monitor)) = (ride.probe, monitor) {
        monitor.lost += 1;
    }
}
