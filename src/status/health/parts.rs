//! The assessment of each part.

use std::time::Duration;

use wanctl_core::{
    Cycle, DirectionCycle, MeasurementState, PerDirection,
    units::{BitRate, Delay, MonoTime, Timestamp},
};

use super::{
    ActuatorValues, ClockValues, ConfigValues, ControlValues, DirectionRates, HealthInputs,
    HistoryValues, HttpValues, Level, MeasurementValues, Part, ProbingInputs, RouterStanding,
    RouterValues, SteeringValues, is_turning,
};
use crate::{
    actuator::RouterReport,
    status::{LoopCounts, time_of},
};

/// A rate that the router has not followed for this long is worth reporting.
const PENDING_LONG: Duration = Duration::from_secs(5);
/// A rate that decays is always a little ahead of the last write.
const ENFORCED_WITHIN: f64 = 0.05;
/// Rows are committed about once a second; when none were for this long, something is wrong.
const COMMIT_LATE: Duration = Duration::from_secs(30);
/// For so long a step of the wall clock is reported: whoever looks at the last hour's records then
/// should know.
const STEP_REPORTED_FOR: Duration = Duration::from_mins(10);

pub(super) fn measurement(
    cycle: Option<&Cycle>,
    probing: Option<&ProbingInputs>,
    now: MonoTime,
) -> Part<Option<MeasurementValues>> {
    let ProbingInputs { method, mut notes, reflectors } = probing.cloned().unwrap_or_default();
    let Some(cycle) = cycle else {
        return Part::assess(Level::Degraded, Vec::new(), None).with_notes(notes);
    };
    let reported = &cycle.measurement;
    let of = cycle.reflectors.iter().filter(|reflector| reflector.was_probed()).count();
    let reason = match reported.state {
        MeasurementState::Healthy => None,
        MeasurementState::Starting => Some("no reflector has answered yet".to_owned()),
        MeasurementState::Reduced => Some(format!(
            "only {} of {of} reflectors answer: check or replace the others",
            reported.fresh
        )),
        MeasurementState::Collapsed => {
            Some("no reflector answers although traffic flows: congestion is likely".to_owned())
        }
        MeasurementState::Bypass => Some(
            "the link is full, but the delay is that of an idle link: the probes bypass the queue"
                .to_owned(),
        ),
        MeasurementState::CannotSend => {
            let lasted = cycle.at.since(reported.cannot_send_since.unwrap_or(cycle.at));
            Some(format!(
                "no probe can be sent since {}: check the device, the source address and the route \
                 of this WAN",
                time_of(cycle.wall.before(lasted))
            ))
        }
        MeasurementState::Stalled => Some(
            "no reflector answers and no traffic flows: check that the link is up and that the \
             probes use it"
                .to_owned(),
        ),
    };
    let mut reasons: Vec<String> = reason.into_iter().collect();
    if let Some((finding, is_most)) = dead_reflectors(cycle, &reflectors) {
        if is_most { reasons.push(finding) } else { notes.push(finding) }
    }
    if reported.provisional {
        let finding = "the baseline is provisional: it was learned under load and may contain a \
                       queue, so no rate is raised until the link is idle or shorter replies arrive";
        notes.push(finding.to_owned());
    }
    let ms = |delay: Option<Delay>| delay.map(Delay::millis);
    let values = MeasurementValues {
        state: reported.state.name().into(),
        method: method.map(Into::into),
        reflectors_fresh: reported.fresh,
        reflectors: of,
        rtt_ms: ms(reported.rtt),
        baseline_ms: ms(reported.baseline),
        delta_ms: ms(reported.delta),
        jitter_ms: ms(reported.jitter),
        // As of the newest cycle, which may be old itself.
        last_reply_age_seconds: reported.age.map(|age| (age + now.since(cycle.at)).as_secs_f64()),
    };
    Part::assess(Level::Degraded, reasons, Some(values)).with_notes(notes)
}

/// Names the dead reflectors, if any, and returns whether they are at least half of those
/// that are asked.
fn dead_reflectors(cycle: &Cycle, names: &[String]) -> Option<(String, bool)> {
    let views = || cycle.reflectors.iter().zip(names);
    let dead = || views().filter_map(|(view, name)| Some((view.dead_since?, name.as_str())));
    let last = dead().map(|(since, _)| since).max()?;
    let names: Vec<&str> = dead().map(|(_, name)| name).collect();
    let (count, alive) = (names.len(), views().filter(|(view, _)| view.fresh).count());
    let silent = cycle.at.since(last).as_secs();
    let lasted = if silent < 60 { format!("{silent} s") } else { format!("{} min", silent / 60) };
    let finding = format!(
        "{count} of {} reflectors have not answered for at least {lasted} and are not counted: {}; \
         replace them in `reflectors`",
        count + alive,
        names.join(", ")
    );
    Some((finding, count >= alive))
}

pub(super) fn control(
    cycle: Option<&Cycle>,
    missed: Option<&LoopCounts>,
    now: MonoTime,
) -> Part<Option<ControlValues>> {
    let standing_still = (!is_turning(cycle, now)).then(|| match cycle {
        Some(cycle) => {
            format!("the control loop has not run for {:.0} s", now.since(cycle.at).as_secs_f64())
        }
        None => "the control loop has never run".to_owned(),
    });
    let values = cycle.zip(missed).map(|(cycle, missed)| {
        let states = cycle.directions.map_present(|_, reported| reported.state.name().into());
        let reasons = cycle.directions.map_present(|_, reported| reported.reason.code().into());
        ControlValues {
            cycles: cycle.number,
            last_cycle_age_seconds: now.since(cycle.at).as_secs_f64(),
            lateness_ms: cycle.timing.lateness.as_secs_f64() * 1e3,
            busy_ms: cycle.timing.busy.as_secs_f64() * 1e3,
            overruns: missed.overruns,
            skipped_ticks: missed.skipped,
            download_state: states.download,
            download_reason: reasons.download,
            upload_state: states.upload,
            upload_reason: reasons.upload,
        }
    });
    Part::assess(Level::Failing, standing_still.into_iter().collect(), values)
}

pub(super) fn actuator(
    cycle: Option<&Cycle>,
    router: Option<&RouterReport>,
    place: usize,
    now: MonoTime,
) -> Part<Option<ActuatorValues>> {
    let Some(cycle) = cycle else { return Part::assess(Level::Degraded, Vec::new(), None) };
    let pending =
        |reported: &DirectionCycle| reported.actuation.pending_since.map(|since| now.since(since));
    let late = cycle.directions.present().filter_map(|(direction, reported)| {
        let pending = pending(reported).filter(|pending| *pending > PENDING_LONG)?;
        let DirectionCycle { desired, actuation, .. } = reported;
        let share = actuation.observed.and_then(|observed| observed.fraction_of(*desired));
        if share.is_some_and(|share| (share - 1.0).abs() <= ENFORCED_WITHIN) {
            return None;
        }
        let (name, seconds) = (direction.name(), pending.as_secs_f64());
        Some(format!("the router has not enforced the {name} rate for {seconds:.0} s"))
    });
    let PerDirection { download, upload } = cycle.directions.map_present(|_, reported| {
        let DirectionCycle { desired, actuation, .. } = reported;
        DirectionRates {
            desired_mbps: desired.mbps(),
            observed_mbps: actuation.observed.map(BitRate::mbps),
            pending_seconds: pending(reported).map(|pending| pending.as_secs_f64()),
            writes: actuation.writes,
        }
    });
    let values = ActuatorValues { download, upload };
    let overridden: Vec<String> = router
        .iter()
        .flat_map(|router| &router.overridden)
        .filter(|overridden| overridden.wan == place)
        .map(|overridden| overridden.what.clone())
        .collect();
    if router.is_some_and(|router| router.up == Some(true)) {
        Part::assess(Level::Degraded, overridden.into_iter().chain(late).collect(), Some(values))
    } else {
        // A router that does not answer is reported once, by its own part.
        Part::assess(Level::Degraded, Vec::new(), Some(values)).with_notes(late.collect())
    }
}

pub(super) fn router(
    inputs: &HealthInputs,
    RouterStanding { name, report, .. }: &RouterStanding,
) -> Part<RouterValues> {
    let facts = report.facts.as_ref();
    let values = RouterValues {
        up: report.up,
        transport: report.transport_name().map(Into::into),
        last_success_age_seconds: report.last_success.map(|at| age(inputs.wall, at)),
        identity: facts.map(|facts| facts.identity.to_string()),
        board: facts.map(|facts| facts.board.to_string()),
        version: facts.map(|facts| facts.version.to_string()),
        cpu_percent: facts.and_then(|facts| facts.cpu_percent),
    };
    let reminders = inputs.config.reminders.get(name).cloned().unwrap_or_default();
    let notes = [reminders, report.warnings()].concat();
    Part::assess(Level::Degraded, report.problems(), values).with_notes(notes)
}

pub(super) fn history(inputs: &HealthInputs) -> Part<Option<HistoryValues>> {
    let Some(standing) = &inputs.history else { return Part::off() };
    let values = HistoryValues {
        last_commit_age_seconds: standing.last_commit.map(|at| age(inputs.wall, at)),
        ..standing.values.clone()
    };
    let mut reasons: Vec<String> = standing.failure.iter().cloned().collect();
    // Before the first commit it counts from the start.
    let quiet = values.last_commit_age_seconds.unwrap_or(inputs.now.since_start().as_secs_f64());
    let late = Some(quiet).filter(|age| *age > COMMIT_LATE.as_secs_f64());
    if let Some(late) = late
        && reasons.is_empty()
    {
        reasons.push(format!("no row was written for {late:.0} s: check the disk"));
    }
    let mut notes = Vec::new();
    if values.dropped > 0 {
        let dropped = values.dropped;
        notes.push(format!("{dropped} cycles and events were lost since the start"));
    }
    Part::assess(Level::Degraded, reasons, Some(values)).with_notes(notes)
}

pub(super) fn steering(inputs: &HealthInputs) -> Part<Option<SteeringValues>> {
    let Some(status) = inputs.steering.view() else { return Part::off() };
    let (reasons, notes) = inputs
        .steering
        .problems_and_notes(inputs.switch_problems.clone(), inputs.now)
        .unwrap_or_default();
    Part::assess(Level::Degraded, reasons, Some(status.values)).with_notes(notes)
}

pub(super) fn config(inputs: &HealthInputs) -> Part<ConfigValues> {
    let standing = &inputs.config;
    let values = ConfigValues {
        sha256: standing.sha256.clone(),
        age_seconds: age(inputs.wall, standing.taken),
    };
    let refused = standing.reload_failure.iter().cloned().collect();
    Part::assess(Level::Degraded, refused, values).with_notes(standing.awaits_restart.clone())
}

pub(super) fn clock(inputs: &HealthInputs) -> Part<ClockValues> {
    let last = inputs.clock.last();
    let since = last.map(|(at, _)| inputs.now.since(at));
    let values = ClockValues {
        unix_seconds: inputs.wall.seconds(),
        steps: inputs.clock.steps(),
        last_step_seconds: last.map(|(_, seconds)| seconds),
        last_step_age_seconds: since.map(|since| since.as_secs_f64()),
    };
    let reported =
        last.zip(since).filter(|(_, since)| *since < STEP_REPORTED_FOR).map(|((_, by), since)| {
            let minutes = since.as_secs() / 60;
            format!(
                "the wall clock was set by {by:+.0} s {minutes} min ago: records have a gap or \
                 overlap there"
            )
        });
    Part::assess(Level::Degraded, reported.into_iter().collect(), values)
}

pub(super) fn http(inputs: &HealthInputs) -> Part<HttpValues> {
    let listen_error = &inputs.listen_error;
    let values = HttpValues { listening: listen_error.is_none() };
    Part::assess(Level::Degraded, listen_error.iter().cloned().collect(), values)
}

/// Seconds from `then` to `now`; none if the clock was set back in between.
fn age(now: Timestamp, then: Timestamp) -> f64 {
    (now.seconds() - then.seconds()).max(0.0)
}
