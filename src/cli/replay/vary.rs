//! Other settings than those that were recorded.

use std::str::FromStr;

use wanctl_core::{
    Direction, DirectionParams, EvidenceParams, LawName, Limits, Params, StateThresholds,
    WanParams,
    units::{BitRate, Delay},
};

use crate::config::Config;

/// The keys that `--set` knows, but for the direction.
const KEYS: &str = "download.floor_mbps, download.base_mbps, download.ceiling_mbps, download.law, \
                    the same of upload, delay.yellow_ms, delay.soft_red_ms, delay.red_ms, and the \
                    numbers that `wanctl simulate --list` shows";

/// One value to decide by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Setting {
    Floor(Direction, BitRate),
    Base(Direction, BitRate),
    Ceiling(Direction, BitRate),
    Law(Option<Direction>, LawName),
    Yellow(Delay),
    SoftRed(Delay),
    Red(Delay),
    /// A tunable number of estimate or policy.
    Number(String, f64),
}

/// What is to be other than recorded.
#[derive(Debug)]
pub(super) struct Variation {
    pub(super) config: Option<Config>,
    pub(super) settings: Vec<Setting>,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
        if let Some(name) = key.strip_prefix("delay.") {
            let delay = Delay::from_millis_f64(positive(value)?);
            return match name {
                "yellow_ms" => Ok(Self::Yellow(delay)),
                "soft_red_ms" => Ok(Self::SoftRed(delay)),
                "red_ms" => Ok(Self::Red(delay)),
                _ => Err(unknown(key)),
            };
        }
        if Params::default().list().iter().any(|param| param.key == key) {
            let number = value.parse().map_err(|_| format!("expected a number, got `{value}`"))?;
            Params::default().set(key, number).map_err(|error| error.to_string())?;
            return Ok(Self::Number(key.to_owned(), number));
        }
        let known = |direction: &Direction| key.split('.').next() == Some(direction.name());
        let direction = Direction::ALL.into_iter().find(known).ok_or_else(|| unknown(key))?;
        let rate = || positive(value).map(BitRate::from_mbps);
        match key.split_once('.').map_or("", |(_, name)| name) {
            "floor_mbps" => Ok(Self::Floor(direction, rate()?)),
            "base_mbps" => Ok(Self::Base(direction, rate()?)),
            "ceiling_mbps" => Ok(Self::Ceiling(direction, rate()?)),
            "law" => Ok(Self::Law(Some(direction), kind(value)?)),
            _ => Err(unknown(key)),
        }
    }
}

fn unknown(key: &str) -> String {
    format!("`{key}` is not a key that --set accepts; known: {KEYS}")
}

fn positive(value: &str) -> Result<f64, String> {
    let number = value.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| format!("expected a number above 0, got `{value}`"))
}

fn kind(name: &str) -> Result<LawName, String> {
    LawName::ALL.into_iter().find(|law| law.name() == name).ok_or_else(|| {
        let known = LawName::ALL.map(|law| format!("`{}`", law.name())).join(" or ");
        format!("expected {known}, got `{name}`")
    })
}

/// Reads the value of `--law`.
pub(super) fn law(name: &str) -> Result<Setting, String> {
    kind(name).map(|kind| Setting::Law(None, kind))
}

impl Variation {
    /// Returns whether nothing is to be other than recorded.
    pub(super) fn is_none(&self) -> bool {
        self.config.is_none() && self.settings.is_empty()
    }

    /// Makes of a WAN's recorded parameters those to decide by: first what the configuration
    /// says, then the single settings in their order.
    pub(super) fn apply(&self, wan: &str, recorded: &WanParams) -> Result<WanParams, String> {
        let mut params = match &self.config {
            Some(config) => configured(config, wan, recorded)?,
            None => *recorded,
        };
        for setting in &self.settings {
            set(&mut params, setting).map_err(|what| format!("WAN {wan}: {what}"))?;
        }
        // After the limits, which they depend on.
        for (direction, DirectionParams { limits, law }) in params.directions.present_mut() {
            let wanted = self.settings.iter().rev().find_map(|setting| match setting {
                Setting::Law(which, name) if which.is_none_or(|which| which == direction) => {
                    Some(*name)
                }
                _ => None,
            });
            *law = match wanted {
                Some(name) if law.name() != name => name.default_law(direction, limits),
                _ => law.within(limits),
            };
        }
        check(&params).map_err(|what| format!("WAN {wan}: {what}"))?;
        Ok(params)
    }
}

/// The reflectors and their schedule stay as recorded: the samples are theirs.
fn configured(config: &Config, wan: &str, recorded: &WanParams) -> Result<WanParams, String> {
    let found = config.wans.iter().find(|known| known.name == wan).ok_or_else(|| {
        let known: Vec<&str> = config.wans.iter().map(|known| known.name.as_str()).collect();
        format!(
            "{} has no WAN {wan}, which was recorded; it has: {} (select one with --wan)",
            config.origin.file,
            known.join(", ")
        )
    })?;
    for direction in Direction::ALL {
        let is_shaped = |params: &WanParams| params.directions[direction].is_some();
        if is_shaped(&found.params) != is_shaped(recorded) {
            let (is, not) = if is_shaped(recorded) { ("is", "not") } else { ("is not", "is") };
            let name = direction.name();
            return Err(format!(
                "WAN {wan}: its {name} {is} shaped in the recording, but {not} in {}; use a \
                 configuration with the same directions",
                config.origin.file
            ));
        }
    }
    let queue_threshold = found.params.evidence.queue_threshold;
    Ok(WanParams {
        evidence: EvidenceParams { queue_threshold, ..recorded.evidence },
        ..found.params
    })
}

fn set(params: &mut WanParams, setting: &Setting) -> Result<(), String> {
    match *setting {
        Setting::Floor(direction, rate) => limits(params, direction)?.floor = rate,
        Setting::Base(direction, rate) => limits(params, direction)?.base = rate,
        Setting::Ceiling(direction, rate) => limits(params, direction)?.ceiling = rate,
        Setting::Law(..) => {}
        Setting::Yellow(delay) => {
            params.thresholds.yellow = delay;
            params.evidence.queue_threshold = delay;
        }
        Setting::SoftRed(delay) => params.thresholds.soft_red = delay,
        Setting::Red(delay) => params.thresholds.red = delay,
        Setting::Number(ref key, number) => {
            params.tuning.set(key, number).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn limits(params: &mut WanParams, direction: Direction) -> Result<&mut Limits, String> {
    let shaped = params.directions[direction].as_mut();
    let params = shaped.ok_or_else(|| format!("its {} is not shaped", direction.name()))?;
    Ok(&mut params.limits)
}

/// Says what of the whole is out of order.
fn check(params: &WanParams) -> Result<(), String> {
    let StateThresholds { yellow, soft_red, red } = params.thresholds;
    if !(yellow < soft_red && soft_red < red) {
        return Err(format!(
            "delay.yellow_ms ({}), soft_red_ms ({}) and red_ms ({}) must be in ascending order; \
             set the others too",
            yellow.millis(),
            soft_red.millis(),
            red.millis()
        ));
    }
    for (direction, DirectionParams { limits, .. }) in params.directions.present() {
        let Limits { floor, base, ceiling } = *limits;
        if !(floor <= base && base <= ceiling) {
            return Err(format!(
                "{}: floor_mbps ({}), base_mbps ({}) and ceiling_mbps ({}) must be in ascending \
                 order; set the others too",
                direction.name(),
                floor.mbps(),
                base.mbps(),
                ceiling.mbps()
            ));
        }
    }
    Ok(())
}
