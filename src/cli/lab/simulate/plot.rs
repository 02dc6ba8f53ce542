//! `wanctl simulate --plot`: capacity, shaper rate and delay over time, for each law.

use std::time::Duration;

use wanctl_core::{CongestionState, Direction, PerDirection, units::Delay};
use wanctl_lab::law_benchmark::{Outcome, Record, RecordedCycle, Scenario};

use crate::plot::{
    PICTURE_COLUMNS, Panel, PictureFile, Plot, PlotError, Shape, Tone, Values, round_values,
};

/// Delays are drawn on a logarithmic scale between these, in ms.
const DELAYS_MS: (f64, f64) = (1.0, 10_000.0);
/// An added delay that calls and games tolerate, in ms.
const TOLERABLE_MS: f64 = 30.0;

/// Draws the laws of a scenario.
pub(super) fn write(
    file: &PictureFile,
    scenario: &Scenario,
    outcomes: &[Outcome],
) -> Result<(), PlotError> {
    let runs: Vec<(&str, &Record)> = outcomes
        .iter()
        .filter_map(|Outcome { row, record }| Some((row.law.as_str(), record.as_ref()?)))
        .collect();
    file.write(&plots(&format!("{}, seed {}", scenario.name, scenario.link.seed), &runs))
}

/// `lte.svg` for one scenario of several: `lte-step-100ms-1.svg`, after its name and seed.
pub(super) fn beside(file: &PictureFile, scenario: &Scenario) -> PictureFile {
    let [stem, extension] = [file.path().file_stem(), file.path().extension()]
        .map(|part| part.unwrap_or_default().to_string_lossy());
    let name = scenario.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let name = format!("{stem}-{name}-{}.{extension}", scenario.link.seed);
    file.at(file.path().with_file_name(name))
}

fn plots(title: &str, runs: &[(&str, &Record)]) -> Vec<Plot> {
    let end = runs.iter().map(|(_, record)| record.duration()).max().unwrap_or_default();
    let seconds = end.as_secs_f64();
    let marks = round_values(0.0, seconds, 10).0.into_iter();
    let times = marks.map(|at| (at / seconds.max(1e-9), format!("{at} s"))).collect::<Vec<_>>();
    // Laws are compared on one scale.
    let highest = PerDirection::build(|direction| {
        let moments = runs.iter().flat_map(|(_, record)| &record.cycles);
        let rates = moments.flat_map(|moment| [moment.capacity, moment.enforced]);
        rates.map(|rate| rate[direction].mbps()).fold(0.1, f64::max)
    });
    let plot = |(law, record): &(&str, &Record)| {
        let values = |of: &dyn Fn(&RecordedCycle) -> Option<f64>| values(&record.cycles, end, of);
        let mut panels: Vec<Panel> = Direction::ALL
            .into_iter()
            .map(|direction| {
                let rate = values(&|moment| Some(moment.enforced[direction].mbps()));
                let capacity = values(&|moment| Some(moment.capacity[direction].mbps()));
                let range = (0.0, highest[direction] * 1.05);
                let capacity = Shape { is_area: true, ..line("capacity", Tone::Soft, capacity) };
                let shapes = vec![capacity, line("shaper", Tone::Main, rate)];
                let title = format!("{}, Mbit/s", direction.name());
                Panel { title, shapes, states: None, range, is_log: false }
            })
            .collect();
        let delay = values(&|moment| moment.worst.map(Delay::millis));
        let tolerable = vec![Some(TOLERABLE_MS); PICTURE_COLUMNS];
        panels.push(Panel {
            title: "added delay, ms".to_owned(),
            shapes: vec![
                line("30 ms", Tone::State(CongestionState::Green), tolerable),
                line("delay", Tone::State(CongestionState::SoftRed), delay),
            ],
            states: None,
            range: DELAYS_MS,
            is_log: true,
        });
        Plot { title: format!("{title}: {law}"), panels, times: times.clone() }
    };
    runs.iter().map(plot).collect()
}

fn line(label: &'static str, tone: Tone, values: Values) -> Shape {
    Shape { label, tone, is_area: false, values }
}

/// Returns the highest value of the moments in each column; a moment lasts until the next one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn values(
    moments: &[RecordedCycle],
    end: Duration,
    of: impl Fn(&RecordedCycle) -> Option<f64>,
) -> Values {
    let column = |at: Duration| {
        let share = at.as_secs_f64() / end.as_secs_f64().max(1e-9);
        ((share * PICTURE_COLUMNS as f64) as usize).min(PICTURE_COLUMNS)
    };
    let mut values = vec![None; PICTURE_COLUMNS];
    for (place, moment) in moments.iter().enumerate() {
        let first = column(moment.at);
        let next = moments.get(place + 1).map_or(end, |next| next.at);
        for slot in values.iter_mut().take(column(next).max(first + 1)).skip(first) {
            *slot = [*slot, of(moment)].into_iter().flatten().reduce(f64::max);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use wanctl_core::units::{BitRate, MonoTime};
    use wanctl_lab::closed_loop::Step;

    use super::*;

    #[test]
    fn a_plot_has_every_law_and_no_spike_is_lost() {
        let mut record = Record::default();
        for n in 1..=20_000_u64 {
            let spike = if n == 12_345 { 900.0 } else { 5.0 };
            let rate = PerDirection::build(|_| BitRate::from_mbps(20.0));
            record.push(&Step {
                now: MonoTime::from_millis(50 * n),
                controller: &(),
                desired: rate,
                enforced: rate,
                writes: PerDirection::default(),
                capacity: rate,
                queue_delay: PerDirection::default(),
                monitor_delays: &[Delay::from_millis_f64(spike)],
                monitor_lost: 0,
                goodput: PerDirection::default(),
                wanted: PerDirection::default(),
            });
        }
        let plots = plots("step", &[("adaptive", &record), ("fixed", &record)]);
        let titles: Vec<&str> = plots.iter().map(|plot| plot.title.as_str()).collect();
        assert_eq!(titles, ["step: adaptive", "step: fixed"]);
        let delay = &plots[0].panels[2].shapes[1].values;
        assert_eq!(delay.iter().flatten().copied().fold(0.0, f64::max).to_string(), "900");
        assert!(delay[1..].iter().all(Option::is_some));
        assert!(super::plots("nothing", &[("fixed", &Record::default())])[0].panels.len() == 3);
    }
}
