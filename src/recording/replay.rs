//! Deciding again what was recorded.
//!
//! The samples are those that the recorded rates brought about; what other rates would have done
//! to the delay nobody knows. As long as a direction decides as it was recorded, it also sees the
//! router follow as recorded; once it has parted, the router is taken to follow each rate by the
//! next cycle.

use std::{collections::BTreeMap, io::BufRead, time::Duration};

use wanctl_core::{
    Actuation, Direction, PerDirection, ShaperSample, Wan, WanParams,
    units::{BitRate, MonoTime},
};

use super::{
    compare::Comparison,
    line::{Begin, CycleLine, DecidedLine, Line, ParamsChange},
    read::{Lines, ReadError, ReadFault},
};

/// What came of a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The version of the wanctl that recorded.
    pub version: String,
    /// Each WAN that was replayed.
    pub wans: Vec<WanOutcome>,
    /// The line that is cut short at the end, as a crash leaves it.
    pub torn: Option<u64>,
    /// Why the recording ends: `stopped`, `full`, or `None` if it does not say.
    pub end: Option<String>,
}

impl Outcome {
    /// Returns whether every decision comes out as it was recorded.
    #[must_use]
    pub fn is_identical(&self) -> bool {
        let same = |wan: &WanOutcome| wan.directions.present().all(|(_, c)| c.differing == 0);
        self.wans.iter().all(same)
    }
}

/// What came of one WAN's replay.
#[derive(Debug, Clone, PartialEq)]
pub struct WanOutcome {
    /// The WAN.
    pub name: String,
    /// Cycles that were decided again.
    pub cycles: u64,
    /// Cycles that are not in the recording; after the first of them nothing need be identical.
    pub missing: u64,
    /// The time that the recording covers.
    pub span: Duration,
    /// The comparison for each direction that is shaped.
    pub directions: PerDirection<Option<Comparison>>,
}

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The recording is not in order.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The settings do not go with what was recorded.
    #[error("{0}")]
    Settings(String),
    /// The recording has no such WAN.
    #[error("the recording has no WAN {name}; it has: {}", known.join(", "))]
    UnknownWan {
        /// The name that was asked for.
        name: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// Nothing was recorded.
    #[error("the recording has no cycles")]
    Nothing,
}

/// Replays `lines`, of one WAN if `only` names it. `vary` makes of a WAN's recorded parameters
/// those to decide by, or says why that cannot be.
///
/// # Errors
/// [`ReplayError`].
pub fn replay<R: BufRead>(
    mut lines: Lines<R>,
    only: Option<&str>,
    vary: impl Fn(&str, &WanParams) -> Result<WanParams, String>,
) -> Result<Outcome, ReplayError> {
    let vary = |name: &str, params: &_| vary(name, params).map_err(ReplayError::Settings);
    let mut players: BTreeMap<usize, Player> = BTreeMap::new();
    // Whoever is not asked for: known, and passed over.
    let mut others: BTreeMap<usize, String> = BTreeMap::new();
    let mut end = None;
    while let Some(line) = lines.next_line()? {
        let number = lines.number();
        let (wan, line) = match line {
            Line::Begin(begin) if only.is_some_and(|only| begin.name != only) => {
                others.insert(begin.wan, begin.name);
                continue;
            }
            Line::Begin(begin) => {
                let params = vary(&begin.name, &begin.params)?;
                players.insert(begin.wan, Player::new(*begin, &params));
                continue;
            }
            Line::End(last) => {
                end = Some(last.reason.into_owned());
                continue;
            }
            Line::Change(change) => (change.wan, ReplayedDecision::Change(change)),
            Line::Cycle(cycle) => (cycle.wan, ReplayedDecision::Cycle(cycle)),
            Line::Gap(gap) => (gap.wan, ReplayedDecision::Gap(gap.cycles)),
        };
        if others.contains_key(&wan) {
            continue;
        }
        let unknown = || lines.fail(ReadFault::UnknownWan(wan));
        let player = players.get_mut(&wan).ok_or_else(unknown)?;
        match line {
            ReplayedDecision::Change(change) => {
                let params = vary(&player.name, &change.params)?;
                player.change(&change, &params);
            }
            ReplayedDecision::Cycle(cycle) => player.cycle(number, &cycle),
            ReplayedDecision::Gap(cycles) => player.missing += cycles,
        }
    }
    if let (Some(name), true) = (only, players.is_empty()) {
        let known = others.into_values().collect();
        return Err(ReplayError::UnknownWan { name: name.to_owned(), known });
    }
    let wans: Vec<_> = players.into_values().map(Player::outcome).collect();
    if wans.iter().all(|wan| wan.cycles == 0) {
        return Err(ReplayError::Nothing);
    }
    let (version, torn) = (lines.version().to_owned(), lines.torn());
    Ok(Outcome { version, wans, torn, end })
}

/// What a line says of a WAN that has begun.
enum ReplayedDecision {
    Change(Box<ParamsChange>),
    Cycle(Box<CycleLine>),
    Gap(u64),
}

/// One WAN's controller, deciding again.
struct Player {
    name: String,
    wan: Wan,
    params: WanParams,
    observe_mode: bool,
    began: MonoTime,
    last: MonoTime,
    shaper: Option<ShaperSample>,
    actuation: PerDirection<Actuation>,
    /// The rates that are decided otherwise than recorded, as of the last cycle.
    parted: PerDirection<Option<BitRate>>,
    cycles: u64,
    missing: u64,
    compared: PerDirection<Option<Comparison>>,
}

impl Player {
    fn new(beginning: Begin, params: &WanParams) -> Self {
        let began = beginning.at;
        let mut wan = Wan::new(params, began);
        if let Some(line) = &beginning.memory {
            wan.restore(&line.memory, line.age);
        }
        wan.set_observing(beginning.observe_mode);
        Self {
            name: beginning.name,
            wan,
            params: *params,
            observe_mode: beginning.observe_mode,
            began,
            last: began,
            shaper: None,
            actuation: PerDirection::default(),
            parted: PerDirection::default(),
            cycles: 0,
            missing: 0,
            compared: params.directions.map_present(|_, _| Comparison::default()),
        }
    }

    fn change(&mut self, change: &ParamsChange, params: &WanParams) {
        self.wan.reconfigure(&self.params, params, change.at);
        self.wan.set_observing(change.observe_mode);
        self.params = *params;
        self.observe_mode = change.observe_mode;
    }

    /// Does what the control loop does, in its order.
    fn cycle(&mut self, line: u64, cycle: &CycleLine) {
        for sample in &cycle.rtt {
            self.wan.on_rtt(sample);
        }
        self.shaper = cycle.shaper.or(self.shaper);
        if let Some(sample) = &self.shaper {
            self.wan.on_shaper(sample);
        }
        self.actuation = cycle.actuation.unwrap_or(self.actuation);
        self.wan.on_actuation(PerDirection::build(|direction| self.followed(direction)));
        let decision = self.wan.decide(cycle.at);
        let replayed = DecidedLine::of(&decision);
        let after = cycle.at.since(self.began);
        self.cycles += 1;
        self.last = cycle.at;
        for (direction, recorded, replayed) in [
            (Direction::Download, &cycle.decided.download, &replayed.download),
            (Direction::Upload, &cycle.decided.upload, &replayed.upload),
        ] {
            let (Some(recorded), Some(replayed), Some(compared)) =
                (recorded, replayed, &mut self.compared[direction])
            else {
                continue;
            };
            compared.add(line, after, recorded, replayed);
            let is_same = recorded.desired_bps == replayed.desired_bps;
            let desired = BitRate::from_bps(replayed.desired_bps);
            self.parted[direction] = (!is_same).then_some(desired);
        }
    }

    fn followed(&self, direction: Direction) -> Actuation {
        let recorded = self.actuation[direction];
        match self.parted[direction] {
            Some(rate) if !self.observe_mode => Actuation {
                written: Some(rate),
                observed: Some(rate),
                pending_since: None,
                writes: recorded.writes,
            },
            Some(_) | None => recorded,
        }
    }

    fn outcome(self) -> WanOutcome {
        let Self { name, cycles, missing, compared: directions, began, last, .. } = self;
        WanOutcome { name, cycles, missing, span: last.since(began), directions }
    }
}
