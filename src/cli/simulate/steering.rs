//! `wanctl simulate --steering`: two WANs, and what steering makes of them.

use std::time::Duration;

use anyhow::Context as _;

use super::SimulateArgs;
use crate::{
    cli::{Failure, output::say},
    sim::{
        standby::{Contest, of_recordings, run as run_one, suite, table},
        trace::{Column, LoadOptions, load},
    },
    steering::{FailoverParams, Preset},
};

pub(super) fn run(args: &SimulateArgs) -> Result<(), Failure> {
    let bin = Duration::from_millis(args.bin_ms);
    let recorded = args.trace.iter().map(|path| {
        let column = |number| load(path, &LoadOptions { bin, column: Column::Number(number) });
        let name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let (home, other) = (column(1)?, column(2).context("a second column is the other WAN")?);
        Ok(of_recordings(&name, home, other))
    });
    let mut settings = recorded.collect::<Result<Vec<_>, Failure>>()?;
    if settings.is_empty() {
        settings = suite();
    }
    if let Some(duration) = args.duration {
        for setting in &mut settings {
            setting.duration = duration;
        }
    }
    let presets =
        [("balanced", Preset::Balanced), ("v17", Preset::V17), ("hysteresis", Preset::Hysteresis)];
    let mut figures = Vec::new();
    for setting in &settings {
        for (name, preset) in presets {
            let contest =
                Contest { name, steer: preset.steer(), failover: FailoverParams::default() };
            figures.push(run_one(&contest, setting));
        }
    }
    Ok(say(table(&figures).trim_end())?)
}
