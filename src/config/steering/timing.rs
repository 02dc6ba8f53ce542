//! Reads `steering.steer` and `steering.failover`, when the two decisions are taken.

use std::time::Duration;

use wanctl_core::steering::{
    ActionLimits, AssessmentParams, FailoverParams, FlapParams, Recovery, SteerParams, Weights,
};

use crate::config::{document::Node, read::Table, report::Read, value};

/// Most changes within an hour that may be allowed: one a minute.
const MAX_ACTIONS: u64 = 60;

/// Reads `steering.steer` on top of a preset.
pub(super) fn steer(table: &mut Table<'_>, preset: SteerParams) -> Read<SteerParams> {
    let weights = table.table("weights", |table| weights(table, preset.weights));
    let assessment = table.table("assessment", |table| assessment(table, preset.assessment));
    let threshold = table.or("score_threshold", points(1), preset.threshold);
    let sustain = table.or("sustain_ms", value::millis(0..=60_000), preset.sustain);
    let Recovery { score, delta, sustain: recovered, .. } = preset.recovery;
    let score = table.or("recovery_score", points(0), score);
    let delta = table.or("recovery_delta_ms", value::threshold, delta);
    let recovered = table.or("recovery_sustain_s", value::seconds(0..=3600), recovered);
    let hold_down = table.or("hold_down_s", value::seconds(0..=3600), preset.hold_down);
    let headroom = table.optional("headroom_percent", value::whole(1..=100, "percent"));
    let gain = table.optional("gain_ms", value::threshold);
    let allow_metered = table.or("allow_metered", value::flag, preset.allow_metered);
    let flap_damping = table.or("flap_damping_s", value::seconds(0..=3600), preset.flap_damping);
    let actions = actions(table, preset.actions);
    let flap = table.table("flap", |table| flap(table, preset.flap));

    let (threshold, score, weights) = (threshold?, score?, weights?);
    if score >= threshold {
        let message = format!("{score} must be below `score_threshold`, which is {threshold}");
        return Err(table.fail("recovery_score", message));
    }
    let highest = highest(&weights);
    if highest < u16::from(threshold) {
        let message = format!(
            "{threshold} can never be reached: the sum of the weights is at most {highest}"
        );
        return Err(table.fail("score_threshold", message));
    }
    let (hold_down, flap) = (hold_down?, flap?);
    if hold_down >= flap.window {
        let (hold_down, window) = (hold_down.as_secs(), flap.window.as_secs());
        let message = format!("{hold_down} must be below `flap.window_s`, which is {window}");
        return Err(table.fail("hold_down_s", message));
    }
    Ok(SteerParams {
        weights,
        assessment: assessment?,
        threshold,
        sustain: sustain?,
        recovery: Recovery { score, delta: delta?, sustain: recovered?, ..preset.recovery },
        hold_down,
        headroom: headroom?.map_or(preset.headroom, |percent| percent as f64 / 100.0),
        gain: gain?.or(preset.gain),
        allow_metered: allow_metered?,
        flap_damping: flap_damping?,
        actions: actions?,
        flap,
    })
}

/// Reads `steering.failover`.
pub(super) fn failover(table: &mut Table<'_>) -> Read<FailoverParams> {
    let defaults = FailoverParams::default();
    let dead_after = table.or("dead_after_ms", value::millis(1000..=60_000), defaults.dead_after);
    let quorum = table.optional("quorum", value::whole(1..=64, "reflectors"));
    let recovery = table.or("recovery_s", value::seconds(1..=600), defaults.recovery);
    let hold_down = table.or("hold_down_s", value::seconds(0..=86_400), defaults.hold_down);
    let failback = table.or("failback_s", value::seconds(0..=86_400), defaults.failback);
    let flap_damping = table.or("flap_damping_s", value::seconds(0..=3600), defaults.flap_damping);
    let actions = actions(table, defaults.actions);
    let quorum = quorum?.and_then(|quorum| u16::try_from(quorum).ok());
    Ok(FailoverParams {
        dead_after: dead_after?,
        quorum: quorum.unwrap_or(defaults.quorum),
        recovery: recovery?,
        hold_down: hold_down?,
        failback: failback?,
        flap_damping: flap_damping?,
        actions: actions?,
    })
}

/// Reads points from `least` to 100.
fn points(least: u64) -> impl Fn(&Node) -> Result<u8, String> {
    let read = value::whole(least..=100, "points");
    move |node| read(node).map(|points| u8::try_from(points).unwrap_or(100))
}

fn actions(table: &mut Table<'_>, defaults: ActionLimits) -> Read<ActionLimits> {
    // One away and one back is the least that does anything.
    let changes = table.optional("actions_per_hour", value::whole(2..=MAX_ACTIONS, "changes"))?;
    let changes = changes.and_then(|changes| u32::try_from(changes).ok());
    Ok(ActionLimits { per_hour: changes.unwrap_or(defaults.per_hour) })
}

fn flap(table: &mut Table<'_>, defaults: FlapParams) -> Read<FlapParams> {
    let window = table.or("window_s", value::seconds(10..=3600), defaults.window);
    let changes = table.optional("changes", value::whole(1..=MAX_ACTIONS, "changes"));
    let penalty = table.or("penalty_s", value::seconds(0..=3600), defaults.penalty);
    let points = table.or("points", points(0), defaults.points);
    let changes = changes?.and_then(|changes| u32::try_from(changes).ok());
    Ok(FlapParams {
        window: window?,
        changes: changes.unwrap_or(defaults.changes),
        penalty: penalty?,
        points: points?,
    })
}

fn weights(table: &mut Table<'_>, defaults: Weights) -> Read<Weights> {
    let mut weight = |key: &'static str, defaults: u8| table.or(key, points(0), defaults);
    let state_red = weight("state_red", defaults.state_red);
    let state_soft_red = weight("state_soft_red", defaults.state_soft_red);
    let state_yellow = weight("state_yellow", defaults.state_yellow);
    let delta_severe = weight("delta_severe", defaults.delta_severe);
    let delta_high = weight("delta_high", defaults.delta_high);
    let drops_rising = weight("drops_rising", defaults.drops_rising);
    let backlog = weight("backlog", defaults.backlog);
    let at_floor = weight("at_floor", defaults.at_floor);
    let collapsed = weight("collapsed", defaults.collapsed);
    let assessed_red = weight("assessed_red", defaults.assessed_red);
    let assessed_yellow = weight("assessed_yellow", defaults.assessed_yellow);
    Ok(Weights {
        state_red: state_red?,
        state_soft_red: state_soft_red?,
        state_yellow: state_yellow?,
        delta_severe: delta_severe?,
        delta_high: delta_high?,
        drops_rising: drops_rising?,
        backlog: backlog?,
        at_floor: at_floor?,
        collapsed: collapsed?,
        assessed_red: assessed_red?,
        assessed_yellow: assessed_yellow?,
    })
}

/// Returns the highest score there can be; of contributors that exclude each other one counts.
fn highest(weights: &Weights) -> u16 {
    let state = weights.state_red.max(weights.state_soft_red).max(weights.state_yellow);
    let delta = weights.delta_severe.max(weights.delta_high);
    let assessed = weights.assessed_red.max(weights.assessed_yellow);
    let others = [weights.drops_rising, weights.backlog, weights.at_floor, weights.collapsed];
    [state, delta, assessed].into_iter().chain(others).map(u16::from).sum()
}

fn assessment(table: &mut Table<'_>, defaults: AssessmentParams) -> Read<AssessmentParams> {
    let yellow = table.or("yellow_ms", value::threshold, defaults.yellow);
    let red = table.or("red_ms", value::threshold, defaults.red);
    let red_alone = table.or("red_alone_ms", value::threshold, defaults.red_alone);
    let packets = || value::whole(1..=100_000, "packets");
    let drops = table.or("drops", packets(), defaults.drops);
    let backlog_yellow = table.or("backlog_yellow", packets(), defaults.backlog_yellow);
    let backlog_red = table.or("backlog_red", packets(), defaults.backlog_red);
    let smoothing = table.or("smoothing_ms", value::millis(0..=5000), defaults.smoothing);
    let (yellow, red, red_alone) = (yellow?, red?, red_alone?);
    if red < yellow {
        let (red, yellow) = (red.millis(), yellow.millis());
        let message = format!("{red} must not be below `yellow_ms`, which is {yellow}");
        return Err(table.fail("red_ms", message));
    }
    if red_alone < red {
        let (red_alone, red) = (red_alone.millis(), red.millis());
        let message = format!("{red_alone} must not be below `red_ms`, which is {red}");
        return Err(table.fail("red_alone_ms", message));
    }
    let (backlog_yellow, backlog_red) = (backlog_yellow?, backlog_red?);
    if backlog_red < backlog_yellow {
        let message =
            format!("{backlog_red} must not be below `backlog_yellow`, which is {backlog_yellow}");
        return Err(table.fail("backlog_red", message));
    }
    Ok(AssessmentParams {
        yellow,
        red,
        red_alone,
        drops: drops?,
        backlog_yellow,
        backlog_red,
        smoothing: smoothing?.max(Duration::from_millis(1)),
    })
}
