//! What calls felt, by each strategy, and what it cost.

use std::{fmt::Write as _, time::Duration};

use super::Setting;
use crate::{
    sim::closed_loop::CYCLE,
    units::{Delay, MonoTime},
};

/// A packet that takes longer is of no use to a conversation.
const USELESS: Delay = Delay::from_micros(400_000);
/// The oracle chooses anew this often.
const FORESIGHT: u64 = 20;

/// A reckoned delay beyond this was reckoned by a capacity of next to nothing.
const HELD_BACK: Delay = Delay::from_micros(60_000_000);
/// Milliseconds between two packets of the judge, and of a cycle.
const A_PACKET: u64 = 20;
const CYCLE_MS: u64 = 50;

#[derive(Debug, Clone, Copy, Default)]
struct Dark {
    is_now: bool,
    since: u64,
    held: u64,
}

/// How calls are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Always over the home.
    Home,
    /// As steering says.
    Steered,
    /// Each second, all of them, over the WAN that turns out to be better: nobody can.
    Oracle,
}

/// A packet of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet {
    /// Number of the cycle in which it was sent.
    sent: u64,
    /// Its round-trip time, unless it was lost.
    delay: Option<Delay>,
}

impl Packet {
    pub(super) fn arrived(now: MonoTime, delay: Delay) -> Self {
        let took = Duration::from_micros(u64::try_from(delay.micros()).unwrap_or(0));
        let sent = now.since_start().saturating_sub(took);
        Self { sent: cycle_of(sent), delay: Some(delay) }
    }

    pub(super) fn lost(now: MonoTime) -> Self {
        Self { sent: cycle_of(now.since_start()), delay: None }
    }

    fn cost(&self) -> f64 {
        self.delay.map_or(USELESS, |delay| delay.min(USELESS)).millis()
    }
}

fn cycle_of(at: Duration) -> u64 {
    u64::try_from(at.as_micros() / CYCLE.as_micros()).unwrap_or(u64::MAX)
}

/// What came of one run.
#[derive(Debug, Clone)]
pub struct Figures {
    name: &'static str,
    setting: String,
    packets: [Vec<Packet>; 2],
    /// The cycle in which each link last went dark, and packets that came out of its buffer since.
    dark: [Dark; 2],
    /// Calls on each WAN, by cycle.
    calls: Vec<[u32; 2]>,
    /// Cycles in which new calls took the other WAN.
    away: u64,
    moves: Vec<(MonoTime, usize)>,
    failovers: u32,
    oracle: Vec<usize>,
}

impl Figures {
    pub(super) fn new(name: &'static str, setting: &Setting) -> Self {
        Self {
            name,
            setting: setting.name.clone(),
            packets: [Vec::new(), Vec::new()],
            dark: [Dark::default(); 2],
            calls: vec![[0, 0]],
            away: 0,
            moves: Vec::new(),
            failovers: 0,
            oracle: Vec::new(),
        }
    }

    /// Takes note of whether a link carries anything at all.
    pub(super) fn lights(&mut self, wan: usize, now: MonoTime, is_dark: bool) {
        let Some(dark) = self.dark.get_mut(wan) else { return };
        if is_dark && !dark.is_now {
            *dark = Dark { since: cycle_of(now.since_start()), ..Dark::default() };
        }
        dark.is_now = is_dark;
    }

    pub(super) fn packet(&mut self, wan: usize, mut packet: Packet) {
        // What a link that carries nothing holds back has no delay to speak of. It comes out in
        // the order in which it went in, fifty a second from when the link went dark.
        if packet.delay.is_some_and(|delay| delay > HELD_BACK)
            && let Some(dark) = self.dark.get_mut(wan)
        {
            packet.sent = dark.since + dark.held * A_PACKET / CYCLE_MS;
            dark.held += 1;
        }
        if let Some(packets) = self.packets.get_mut(wan) {
            packets.push(packet);
        }
    }

    pub(super) fn decided(&mut self, now: MonoTime, moved: Option<usize>, failed_over: bool) {
        self.moves.extend(moved.map(|to| (now, to)));
        self.failovers += u32::from(failed_over);
    }

    pub(super) fn cycle(&mut self, _now: MonoTime, calls: [u32; 2], way: usize) {
        self.calls.push(calls);
        self.away += u64::from(way != 0);
    }

    /// Looks back, and finds the better WAN of each second.
    pub(super) fn finish(&mut self) {
        let seconds = self.calls.len() as u64 / FORESIGHT + 1;
        let mut costs = vec![[(0.0, 0_u32); 2]; usize::try_from(seconds).unwrap_or(0)];
        for (wan, packets) in self.packets.iter().enumerate() {
            for packet in packets {
                let second = usize::try_from(packet.sent / FORESIGHT).unwrap_or(usize::MAX);
                if let Some(cost) = costs.get_mut(second) {
                    cost[wan].0 += packet.cost();
                    cost[wan].1 += 1;
                }
            }
        }
        let mean = |(sum, count): (f64, u32)| if count == 0 { 1e9 } else { sum / f64::from(count) };
        self.oracle =
            costs.iter().map(|[home, other]| usize::from(mean(*other) < mean(*home))).collect();
    }

    /// Returns the changes of WAN with their times.
    #[must_use]
    pub fn moves(&self) -> &[(MonoTime, usize)] {
        &self.moves
    }

    /// Returns how often calls alone were moved, there or back.
    #[must_use]
    pub fn steers(&self) -> u32 {
        u32::try_from(self.moves.len()).unwrap_or(u32::MAX).saturating_sub(self.failovers)
    }

    /// Returns how often everything was moved.
    #[must_use]
    pub fn failovers(&self) -> u32 {
        self.failovers
    }

    /// Returns the minutes for which new calls took the other WAN.
    #[must_use]
    pub fn minutes_away(&self) -> f64 {
        CYCLE.as_secs_f64() * self.away as f64 / 60.0
    }

    /// Returns the delay that 95 % of a call's packets stay below, lost ones counted as useless,
    /// in ms, and the share of packets that are lost or useless.
    #[must_use]
    pub fn felt(&self, strategy: Strategy) -> (f64, f64) {
        let mut felt: Vec<(f64, u64)> = Vec::new();
        for (wan, packets) in self.packets.iter().enumerate() {
            for packet in packets {
                let cycle = usize::try_from(packet.sent).unwrap_or(usize::MAX);
                let weight = match strategy {
                    Strategy::Home => u32::from(wan == 0),
                    Strategy::Steered => self.calls.get(cycle).map_or(0, |calls| calls[wan]),
                    Strategy::Oracle => {
                        let second = cycle / usize::try_from(FORESIGHT).unwrap_or(1);
                        u32::from(self.oracle.get(second) == Some(&wan))
                    }
                };
                felt.push((packet.cost(), u64::from(weight)));
            }
        }
        felt.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all: u64 = felt.iter().map(|(_, weight)| weight).sum();
        let useless: u64 = felt
            .iter()
            .filter(|(cost, _)| *cost >= USELESS.millis())
            .map(|(_, weight)| weight)
            .sum();
        let mut left = all * 95 / 100;
        let p95 = felt.iter().find(|(_, weight)| {
            let is_there = left < *weight;
            left = left.saturating_sub(*weight);
            is_there
        });
        (p95.map_or(0.0, |(cost, _)| *cost), useless as f64 / all.max(1) as f64)
    }
}

/// Lays the figures out for people.
#[must_use]
pub fn table(all: &[Figures]) -> String {
    let mut text = format!(
        "{:<20} {:<11} {:>17} {:>6} {:>22} {:>6} {:>6} {:>9} {:>8}\n",
        "setting",
        "preset",
        "p95 ms",
        "share",
        "useless %",
        "share",
        "steers",
        "failovers",
        "min away"
    );
    for figures in all {
        let [home, steered, best] = [Strategy::Home, Strategy::Steered, Strategy::Oracle]
            .map(|strategy| figures.felt(strategy));
        let p95 = [home, steered, best].map(|(p95, _)| format!("{p95:.0}")).join(" / ");
        let useless =
            [home, steered, best].map(|(_, share)| format!("{:.2}", 100.0 * share)).join(" / ");
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "{:<20} {:<11} {p95:>17} {:>6} {useless:>22} {:>6} {:>6} {:>9} {:>8.1}",
            figures.setting,
            figures.name,
            gained([home.0, steered.0, best.0], 2.0),
            gained([home.1, steered.1, best.1], 0.001),
            figures.steers(),
            figures.failovers(),
            figures.minutes_away()
        );
    }
    text
}

/// Says which share of what the oracle gains over `home` steering gains, in percent; nothing if
/// that is less than `least`.
fn gained([home, steered, best]: [f64; 3], least: f64) -> String {
    let gain = home - best;
    if gain < least { "-".to_owned() } else { format!("{:.0} %", 100.0 * (home - steered) / gain) }
}
