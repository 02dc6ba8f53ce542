//! Probes in flight, which end as a reply or as lost at the timeout, and the latency monitor.

use std::{collections::VecDeque, time::Duration};

use wanctl_core::{
    ProbeOutcome,
    units::{Delay, MonoTime},
};

use super::packet::SparsePacket;

/// An outcome that is not read this long after its timeout is forgotten.
const FORGET: Duration = Duration::from_secs(10);

/// The end of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probed {
    /// The probe's number, as sending it returned.
    pub number: u64,
    /// When its outcome became known.
    pub at: MonoTime,
    /// What became of it: a reply that came too late is lost.
    pub outcome: ProbeOutcome,
    /// How long it took to the reflector; zero if it was lost.
    pub up: Delay,
}

#[derive(Debug, Clone)]
struct Pending {
    number: u64,
    sent: MonoTime,
    deadline: MonoTime,
    end: Option<Probed>,
}

/// The probes whose end has not been read.
#[derive(Debug, Clone, Default)]
pub(super) struct Probes {
    sent: u64,
    pending: VecDeque<Pending>,
}

impl Probes {
    pub(super) fn send(&mut self, now: MonoTime, timeout: Duration) -> u64 {
        while self.pending.front().is_some_and(|probe| now.since(probe.deadline) > FORGET) {
            self.pending.pop_front();
        }
        self.sent += 1;
        let (number, deadline) = (self.sent, now + timeout);
        self.pending.push_back(Pending { number, sent: now, deadline, end: None });
        number
    }

    /// The reply is there, or will be, after the round-trip time `rtt`, of which the way to the
    /// reflector took `up`.
    pub(super) fn on_reply(&mut self, number: u64, rtt: Delay, up: Delay) {
        let Some(probe) = self.pending.iter_mut().find(|probe| probe.number == number) else {
            return;
        };
        let after = Duration::from_micros(u64::try_from(rtt.micros()).unwrap_or(0));
        let at = probe.sent + after;
        if at < probe.deadline {
            probe.end = Some(Probed { number, at, outcome: ProbeOutcome::Reply(rtt), up });
        }
    }

    /// Takes the end of one probe, if it is known at `now`.
    pub(super) fn take(&mut self, number: u64, now: MonoTime) -> Option<Probed> {
        let place = self.pending.iter().position(|probe| probe.number == number)?;
        let probed = ended(&self.pending[place], now)?;
        self.pending.remove(place);
        Some(probed)
    }

    /// Moves the ends that are known at `now` to `into`, in the order in which they became known.
    pub(super) fn drain(&mut self, now: MonoTime, into: &mut Vec<Probed>) {
        let before = into.len();
        self.pending.retain(|probe| {
            let end = ended(probe, now);
            into.extend(end);
            end.is_none()
        });
        into[before..].sort_by_key(|probed| (probed.at, probed.number));
    }
}

fn ended(probe: &Pending, now: MonoTime) -> Option<Probed> {
    let lost = || Probed {
        number: probe.number,
        at: probe.deadline,
        outcome: ProbeOutcome::Lost,
        up: Delay::ZERO,
    };
    let end = probe.end.unwrap_or_else(lost);
    (end.at <= now).then_some(end)
}

/// What the packets of the monitor measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct LatencyMonitor {
    /// Delays over the base, in the order of arrival.
    pub(crate) added: Vec<Delay>,
    pub(crate) lost: u32,
}

pub(super) fn arrive(
    probes: &mut Probes,
    monitor: &mut Option<LatencyMonitor>,
    packet: SparsePacket,
) {
    let delay = |seconds: f64| Delay::from_millis_f64(seconds * 1e3);
    match (packet.probe, monitor) {
        (Some(number), _) => {
            probes.on_reply(number, delay(packet.waited + packet.further), delay(packet.up));
        }
        (None, Some(monitor)) => monitor.added.push(delay(packet.waited)),
        (None, None) => {}
    }
}

pub(super) fn lose(monitor: &mut Option<LatencyMonitor>, packet: SparsePacket) {
    if let (None, Some(monitor)) = (packet.probe, monitor) {
        monitor.lost += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_probe_ends_when_its_reply_is_there_or_its_time_is_up() {
        let mut probes = Probes::default();
        let [early, late, never] = [0; 3].map(|_| probes.send(MonoTime::ZERO, SECOND));
        probes.on_reply(early, Delay::from_millis_f64(300.0), Delay::ZERO);
        probes.on_reply(late, Delay::from_millis_f64(1000.0), Delay::ZERO);
        assert_eq!(probes.take(early, MonoTime::from_millis(299)), None, "not there yet");
        let mut ends = Vec::new();
        probes.drain(MonoTime::from_millis(300), &mut ends);
        assert_eq!(ends.len(), 1);
        assert_eq!(ends[0].outcome, ProbeOutcome::Reply(Delay::from_millis_f64(300.0)));
        probes.drain(MonoTime::from_millis(1000), &mut ends);
        let lost = |number| Probed {
            number,
            at: MonoTime::from_millis(1000),
            outcome: ProbeOutcome::Lost,
            up: Delay::ZERO,
        };
        assert_eq!(ends[1..], [lost(late), lost(never)]);
    }

    #[test]
    fn outcomes_that_are_never_read_are_forgotten() {
        let mut probes = Probes::default();
        for number in 0..1000 {
            probes.send(MonoTime::from_millis(number * 50), SECOND);
        }
        assert!(probes.pending.len() < 250, "{} pending", probes.pending.len());
    }
}
