//! The status as text for people.

use std::fmt::Write as _;

use super::{
    answer::{Decided, Direction, Note, Part, Status, Steering, Wan},
    words::{Paint, Tone, bar, bytes, delay, rate, span, time_of_day, tone},
};

/// Width of the bar of a shaper's use.
const BAR: usize = 20;
/// Decisions that are shown.
const DECISIONS: usize = 6;

/// Draws what the daemon at `url` answered.
pub(super) fn draw(status: &Status, url: &str, coloured: bool) -> String {
    let paint = Paint(coloured);
    let mut page = String::new();
    headline(&mut page, status, url, paint);
    for wan in &status.wans {
        draw_wan(&mut page, wan, paint);
    }
    if let Some(steering) = &status.steering {
        draw_steering(&mut page, steering, paint);
    }
    draw_parts(&mut page, status, paint);
    draw_decisions(&mut page, &status.wans, paint);
    page
}

/// Writing to a string cannot fail.
macro_rules! line {
    ($page:expr, $($text:tt)*) => {{ let _ = writeln!($page, $($text)*); }};
}

fn headline(page: &mut String, status: &Status, url: &str, paint: Paint) {
    let health = &status.health;
    let mode = match health.mode.as_str() {
        "observe" => "observing: nothing is written",
        _ => "active: rates are written",
    };
    let level = paint.on(&health.status, tone(&health.status));
    line!(
        page,
        "wanctl {} at {url}: {level}, up {}, {mode}",
        health.version,
        span(health.uptime_seconds)
    );
    let mut complain = |who: &str, part_status: &str, reasons: &[String]| {
        for reason in reasons {
            let mark = if part_status == "failing" { "!!" } else { " !" };
            line!(page, "{} {who}: {reason}", paint.on(mark, Tone::Bad));
        }
    };
    for wan in &health.wans {
        for part in [&wan.measurement, &wan.control, &wan.actuator] {
            complain(&wan.name, &part.status, &part.reasons);
        }
    }
    let parts = &health.parts;
    complain("router", &parts.router.status, &parts.router.reasons);
    complain("history", &parts.history.status, &parts.history.reasons);
    complain("steering", &parts.steering.status, &parts.steering.reasons);
    complain("config", &parts.config.status, &parts.config.reasons);
    complain("clock", &parts.clock.status, &parts.clock.reasons);
}

fn draw_wan(page: &mut String, wan: &Wan, paint: Paint) {
    let [fresh, all] = wan.reflectors_fresh;
    let name = paint.pad(&wan.name, 8, Tone::Strong);
    line!(page, "");
    match wan.delta_ms {
        Some(delta) => line!(
            page,
            "{name} added delay {delta:+.1} ms (round trip {}, baseline {}, jitter {}), {fresh} of \
             {all} reflectors",
            delay(wan.rtt_ms),
            delay(wan.baseline_ms),
            delay(wan.jitter_ms)
        ),
        None => line!(page, "{name} delay not known: {fresh} of {all} reflectors answer"),
    }
    for (arrow, direction) in [("down", &wan.download), ("up", &wan.upload)] {
        if let Some(direction) = direction {
            draw_direction(page, arrow, direction, paint);
        }
    }
}

fn draw_direction(page: &mut String, arrow: &str, direction: &Direction, paint: Paint) {
    let Direction { state, state_seconds, desired_mbps, achieved_mbps, why } = direction;
    let used = achieved_mbps.unwrap_or(0.0) / desired_mbps.max(f64::MIN_POSITIVE);
    let lasts = state_seconds.map_or_else(String::new, |seconds| format!(" {}", span(seconds)));
    line!(
        page,
        "  {arrow:<5} {:>5} of {:>5} Mbit/s {} {} {why}",
        rate(*achieved_mbps),
        rate(Some(*desired_mbps)),
        bar(used, BAR),
        paint.pad(&format!("{state}{lasts}"), 14, tone(state)),
    );
}

fn draw_steering(page: &mut String, steering: &Steering, paint: Paint) {
    let Steering { mode, state, sensitive, carrier, score, threshold, steer, failover } = steering;
    let name = paint.pad("steering", 8, Tone::Strong);
    let only = if mode == "active" { "" } else { ", only observing" };
    line!(page, "");
    line!(
        page,
        "{name} {state}{only}: calls take {sensitive}, the rest takes {carrier}; suffering {score} \
         of {threshold}"
    );
    line!(page, "  calls {}", decided(steer));
    line!(page, "  rest  {}", decided(failover));
}

fn decided(Decided { why, blocked_because, timers }: &Decided) -> String {
    let left = timers.values().copied().fold(0.0, f64::max);
    let wait = if left > 0.0 { format!(", {} to go", span(left.ceil())) } else { String::new() };
    let because = blocked_because.as_ref().map(|because| format!("; {because}{wait}"));
    format!("{why}{}", because.unwrap_or_default())
}

fn draw_parts(page: &mut String, status: &Status, paint: Paint) {
    let parts = &status.health.parts;
    line!(page, "");
    let router = &parts.router.values;
    let identity = router.identity.as_deref().unwrap_or("not known yet");
    let version = router.version.as_deref().map_or_else(String::new, |v| format!(", RouterOS {v}"));
    let road = router.transport.as_deref().map_or_else(String::new, |road| format!(", by {road}"));
    let about = format!("{identity}{version}{road}{}", ago(router.last_success_age_seconds));
    draw_part(page, "router", &parts.router, &about, paint);
    let about = parts.history.values.as_ref().map_or_else(String::new, |history| {
        let (rows, size) = (history.rows_written, bytes(history.size_bytes));
        format!("{rows} cycles written, {size}{}", ago(history.last_commit_age_seconds))
    });
    draw_part(page, "history", &parts.history, &about, paint);
    draw_part(page, "steering", &parts.steering, "", paint);
    let hash: String = parts.config.values.sha256.chars().take(12).collect();
    let hash = if hash.is_empty() { "built in" } else { &hash };
    let about = format!("{hash}, in force for {}", span(parts.config.values.age_seconds));
    draw_part(page, "config", &parts.config, &about, paint);
    let about = match parts.clock.values.steps {
        0 => "steady".to_owned(),
        1 => "set once since the start".to_owned(),
        steps => format!("set {steps} times since the start"),
    };
    draw_part(page, "clock", &parts.clock, &about, paint);
}

fn ago(seconds: Option<f64>) -> String {
    seconds.map_or_else(String::new, |seconds| format!(", {} ago", span(seconds)))
}

fn draw_part<V>(page: &mut String, name: &str, part: &Part<V>, about: &str, paint: Paint) {
    let tone = tone(&part.status);
    if about.is_empty() {
        line!(page, "{name:<8} {}", paint.on(&part.status, tone));
    } else {
        line!(page, "{name:<8} {} {about}", paint.pad(&part.status, 9, tone));
    }
    for note in &part.notes {
        line!(page, "         {}", paint.on(note, Tone::Quiet));
    }
}

fn draw_decisions(page: &mut String, wans: &[Wan], paint: Paint) {
    let mut all: Vec<(&str, &Note)> = wans
        .iter()
        .flat_map(|wan| wan.notes.iter().map(|note| (wan.name.as_str(), note)))
        .collect();
    if all.is_empty() {
        return;
    }
    all.sort_by(|(_, a), (_, b)| b.time.total_cmp(&a.time));
    line!(page, "");
    line!(page, "{}", paint.on("last decisions", Tone::Strong));
    for (wan, Note { time, direction, text }) in all.into_iter().take(DECISIONS) {
        let direction = match direction.as_deref() {
            Some("download") => "down",
            Some("upload") => "up",
            Some(_) | None => "",
        };
        line!(page, "  {} {wan:<8} {direction:<5} {text}", time_of_day(*time));
    }
}

#[cfg(test)]
mod tests;
