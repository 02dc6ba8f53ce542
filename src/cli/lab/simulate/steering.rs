//! `wanctl simulate --steering`: two WANs, and what steering makes of them.

use std::time::Duration;

use anyhow::Context as _;
use wanctl_core::{
    LawName,
    steering::{FailoverParams, Preset},
};
use wanctl_lab::{
    steering_benchmark::{Candidate, of_recordings, run as run_one, suite, table},
    trace::{Column, LoadOptions, load},
};

use super::{SimulateArgs, choose::unknown};
use crate::cli::{Failure, output::say};

pub(super) fn run(args: &SimulateArgs) -> Result<(), Failure> {
    let bin = Duration::from_millis(args.bin_ms);
    let recorded = args.trace.iter().map(|path| {
        let column = |number| load(path, &LoadOptions { bin, column: Column::Number(number) });
        let name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let (default_wan, other) = (
            column(1)?,
            column(2).context("steering needs a second column, the download of the alternate")?,
        );
        Ok(of_recordings(&name, default_wan, other))
    });
    let mut settings = recorded.collect::<Result<Vec<_>, Failure>>()?;
    if settings.is_empty() {
        settings = args.seed.iter().flat_map(|seed| suite(*seed)).collect();
    }
    if let Some(duration) = args.duration {
        for setting in &mut settings {
            setting.duration = duration;
        }
    }
    let presets =
        [("balanced", Preset::Balanced), ("v17", Preset::V17), ("hysteresis", Preset::Hysteresis)];
    let candidates = presets.map(|(name, preset)| Candidate {
        name,
        steer: preset.steer(),
        failover: FailoverParams::default(),
    });
    let laws = laws(args)?;
    let mut figures = Vec::new();
    for setting in &settings {
        for law in &laws {
            let mut setting = setting.clone().with_law(*law);
            if laws.len() > 1 {
                setting.name = format!("{}, {}", setting.name, law.name());
            }
            figures.extend(run_one(&candidates, &setting));
        }
    }
    Ok(say(table(&figures).trim_end())?)
}

/// Steering goes by the cycles of a controller, so that only laws of ours can be tried.
fn laws(args: &SimulateArgs) -> Result<Vec<LawName>, Failure> {
    let ours = LawName::ALL.map(LawName::name);
    let find = |name: &String| {
        let law = LawName::ALL.into_iter().find(|law| law.name() == name);
        law.ok_or_else(|| unknown("law", name, &ours))
    };
    let given = args.law.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    Ok(if given.is_empty() { vec![LawName::Adaptive] } else { given })
}
