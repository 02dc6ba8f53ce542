//! The status as text for people: everything at once, or as much as a screen has room for.

mod cut;

use std::iter;

use self::cut::cut;
use super::{
    response::Status,
    words::{Paint, Tone, bar, bytes, delay, plain_delay, rate, span, time_of_day, tone},
};

use crate::status::{
    DecisionStatus, DirectionView, Level, Note, OverrideStatus, Part, RouterHealth, SteeringStatus,
    SteeringValues, WanView,
};

/// Decisions that are shown where there is room.
const DECISIONS: usize = 6;
/// Decisions for which less important lines make room.
const DECISIONS_WANTED: usize = 3;
/// Columns from which on the bar of a shaper's use is long.
const WIDE: usize = 110;

/// How much a screen shows, from everything to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    All,
    WithoutBlankLines,
    WithoutNotes,
    PartsInOneLine,
    OneLinePerWan,
}

impl Detail {
    const EACH: [Self; 5] = [
        Self::All,
        Self::WithoutBlankLines,
        Self::WithoutNotes,
        Self::PartsInOneLine,
        Self::OneLinePerWan,
    ];
}

/// Columns and rows of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// How the daemon at `url` is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style<'a> {
    pub(super) url: &'a str,
    pub(super) coloured: bool,
}

/// Draws everything that the daemon answered.
pub(super) fn draw(status: &Status, style: Style<'_>) -> String {
    let page = Page { status, style, columns: usize::MAX };
    let mut lines = page.lines(Detail::All);
    lines.extend(page.decisions(DECISIONS, true));
    lines.join("\n")
}

/// Draws what fits on a screen of this size, the most important first.
pub(super) fn fit(status: &Status, style: Style<'_>, size: Size) -> Vec<String> {
    let page = Page { status, style, columns: size.columns };
    let wanted = page.decisions(DECISIONS_WANTED, false).len();
    let detail = Detail::EACH.into_iter().find(|detail| {
        page.lines(*detail).len() + wanted + usize::from(*detail == Detail::All) <= size.rows
    });
    let detail = detail.unwrap_or(Detail::OneLinePerWan);
    let mut lines = page.lines(detail);
    let spaced = detail == Detail::All;
    let room = size.rows.saturating_sub(lines.len() + 1 + usize::from(spaced));
    if room > 0 {
        lines.extend(page.decisions(room.min(DECISIONS), spaced));
    }
    if lines.len() > size.rows {
        let kept = size.rows.saturating_sub(1);
        let more = format!("{} more lines: enlarge the window to see them", lines.len() - kept);
        lines.truncate(kept);
        lines.push(more);
    }
    lines.truncate(size.rows);
    lines.iter().map(|line| cut(line, size.columns)).collect()
}

/// Breaks a text into lines that fit on a screen of this size.
pub(super) fn wrapped(text: &str, size: Size) -> Vec<String> {
    let columns = size.columns.max(1);
    let mut lines = Vec::new();
    for line in text.lines() {
        let letters: Vec<char> = line.chars().collect();
        lines.extend(letters.chunks(columns).map(|part| part.iter().collect::<String>()));
        if letters.is_empty() {
            lines.push(String::new());
        }
    }
    lines.truncate(size.rows);
    lines
}

struct Page<'a> {
    status: &'a Status,
    style: Style<'a>,
    columns: usize,
}

impl Page<'_> {
    const fn paint(&self) -> Paint {
        Paint(self.style.coloured)
    }

    /// Everything but the decisions.
    fn lines(&self, detail: Detail) -> Vec<String> {
        let mut lines = self.headline();
        let mut add = |block: Vec<String>| {
            if detail == Detail::All && !block.is_empty() {
                lines.push(String::new());
            }
            lines.extend(block);
        };
        for wan in &self.status.wans {
            match detail {
                Detail::OneLinePerWan => add(vec![self.wan_in_one_line(wan)]),
                _ => add(self.wan(wan)),
            }
        }
        if let Some(steering) = &self.status.steering {
            let mut block = self.steering(steering);
            if detail == Detail::OneLinePerWan {
                block.truncate(1);
            }
            add(block);
        }
        add(match detail {
            Detail::All | Detail::WithoutBlankLines => self.parts(true),
            Detail::WithoutNotes => self.parts(false),
            Detail::PartsInOneLine | Detail::OneLinePerWan => vec![self.parts_in_one_line()],
        });
        lines
    }

    fn headline(&self) -> Vec<String> {
        let (health, paint) = (&self.status.health, self.paint());
        let mode = match &*health.mode {
            "observe" => "observe mode: nothing is written",
            _ => "active: rates are written",
        };
        let level = paint.on(health.status.name(), tone(health.status.name()));
        let up = span(health.uptime_seconds);
        let url = self.style.url;
        let mut lines =
            vec![format!("wanctl {} at {url}: {level}, up {up}, {mode}", health.version)];
        let mut complain = |who: &str, status: Level, reasons: &[String]| {
            for reason in reasons {
                let mark = if status == Level::Failing { "!!" } else { " !" };
                lines.push(format!("{} {who}: {reason}", paint.on(mark, Tone::Bad)));
            }
        };
        for wan in &health.wans {
            let name = wan.name.as_str();
            complain(name, wan.measurement.status, &wan.measurement.reasons);
            complain(name, wan.control.status, &wan.control.reasons);
            complain(name, wan.actuator.status, &wan.actuator.reasons);
        }
        let parts = &health.parts;
        for RouterHealth { name, part, .. } in &health.routers {
            complain(name, part.status, &part.reasons);
        }
        complain("history", parts.history.status, &parts.history.reasons);
        complain("steering", parts.steering.status, &parts.steering.reasons);
        complain("config", parts.config.status, &parts.config.reasons);
        complain("clock", parts.clock.status, &parts.clock.reasons);
        lines
    }

    fn wan(&self, wan: &WanView) -> Vec<String> {
        let [fresh, all] = wan.reflectors_fresh;
        let name = self.paint().pad(&wan.name, 8, Tone::Strong);
        let measured = match wan.delta_ms {
            Some(delta) => format!(
                "{name} {delta:+.1} ms (round-trip time {}, baseline {}, jitter {}), {fresh} of \
                 {all} reflectors",
                plain_delay(wan.rtt_ms),
                plain_delay(wan.baseline_ms),
                plain_delay(wan.jitter_ms)
            ),
            None => format!("{name} delay unknown: {fresh} of {all} reflectors answer"),
        };
        let directions = [("down", &wan.download), ("up", &wan.upload)].into_iter();
        let directions = directions.filter_map(|(arrow, direction)| {
            direction.as_ref().map(|direction| self.direction(arrow, direction))
        });
        iter::once(measured).chain(directions).collect()
    }

    fn direction(&self, arrow: &str, direction: &DirectionView) -> String {
        let DirectionView { state, state_seconds, desired_mbps, delivery_mbps, why, .. } =
            direction;
        let used = delivery_mbps.unwrap_or(0.0) / desired_mbps.max(f64::MIN_POSITIVE);
        let lasts = span(*state_seconds);
        format!(
            "  {arrow:<5} {:>5} of {:>5} Mbit/s {} {} {why}",
            rate(*delivery_mbps),
            rate(Some(*desired_mbps)),
            bar(used, if self.columns >= WIDE { 20 } else { 8 }),
            self.paint().pad(&format!("{state} {lasts}"), 14, tone(state)),
        )
    }

    fn wan_in_one_line(&self, wan: &WanView) -> String {
        let paint = self.paint();
        let name = paint.pad(&wan.name, 8, Tone::Strong);
        let measured = match wan.delta_ms {
            Some(_) => format!("+{}", delay(wan.delta_ms)).replace("+-", "-"),
            None => "delay unknown".to_owned(),
        };
        let directions = [("down", &wan.download), ("up", &wan.upload)].into_iter();
        let directions: String = directions
            .filter_map(|(arrow, direction)| {
                let DirectionView { state, desired_mbps, .. } = direction.as_ref()?;
                let state_shown = paint.on(state, tone(state));
                Some(format!(", {arrow} {} Mbit/s {state_shown}", rate(Some(*desired_mbps))))
            })
            .collect();
        format!("{name} {measured}{directions}")
    }

    fn steering(&self, steering: &SteeringStatus) -> Vec<String> {
        let SteeringStatus { values, threshold, .. } = steering;
        let SteeringValues { mode, state, sensitive, default_route, score, steer_override, .. } =
            values;
        let name = self.paint().pad("steering", 8, Tone::Strong);
        let only = if mode == "active" { "" } else { ", observe mode" };
        let mut lines = vec![
            format!(
                "{name} {state}{only}: latency-sensitive on {sensitive}, default route on \
                 {default_route}; score {score} of {threshold}"
            ),
            format!("  latency-sensitive: {}", decided(&steering.steer)),
            format!("  default route: {}", decided(&steering.failover)),
        ];
        if let Some(OverrideStatus { to, until, why, .. }) = steer_override {
            lines.insert(1, format!("  override to {to} until {}: {why}", time_of_day(*until)));
        }
        lines
    }

    fn parts(&self, with_notes: bool) -> Vec<String> {
        let mut lines = Vec::new();
        let parts = &self.status.health.parts;
        for RouterHealth { name, part, .. } in &self.status.health.routers {
            let router = &part.values;
            let identity = router.identity.as_deref().unwrap_or("not known yet");
            let version =
                router.version.as_deref().map_or_else(String::new, |v| format!(", RouterOS {v}"));
            let by =
                router.transport.as_deref().map_or_else(String::new, |by| format!(", by {by}"));
            let about = format!("{identity}{version}{by}{}", ago(router.last_success_age_seconds));
            lines.extend(self.part(name, part, &about, with_notes));
        }
        let about = parts.history.values.as_ref().map_or_else(String::new, |history| {
            let (rows, size) = (history.rows_written, bytes(history.size_bytes));
            format!("{rows} cycles written, {size}{}", ago(history.last_commit_age_seconds))
        });
        lines.extend(self.part("history", &parts.history, &about, with_notes));
        lines.extend(self.part("steering", &parts.steering, "", with_notes));
        let hash: String = parts.config.values.sha256.chars().take(12).collect();
        let hash = if hash.is_empty() { "built in" } else { &hash };
        let about = format!("{hash}, in force for {}", span(parts.config.values.age_seconds));
        lines.extend(self.part("config", &parts.config, &about, with_notes));
        let about = match parts.clock.values.steps {
            0 => "steady".to_owned(),
            1 => "set once since the start".to_owned(),
            steps => format!("set {steps} times since the start"),
        };
        lines.extend(self.part("clock", &parts.clock, &about, with_notes));
        lines
    }

    fn part<V>(&self, name: &str, part: &Part<V>, about: &str, with_notes: bool) -> Vec<String> {
        let (paint, tone) = (self.paint(), tone(part.status.name()));
        let first = if about.is_empty() {
            format!("{name:<8} {}", paint.on(part.status.name(), tone))
        } else {
            format!("{name:<8} {} {about}", paint.pad(part.status.name(), 9, tone))
        };
        let notes = part.notes.iter().filter(|_| with_notes);
        let notes = notes.map(|note| format!("         {}", paint.on(note, Tone::Quiet)));
        iter::once(first).chain(notes).collect()
    }

    fn parts_in_one_line(&self) -> String {
        let parts = &self.status.health.parts;
        let routers = self.status.health.routers.iter();
        let routers = routers.map(|router| (router.name.as_str(), router.part.status.name()));
        let states = routers.chain([
            ("history", parts.history.status.name()),
            ("steering", parts.steering.status.name()),
            ("config", parts.config.status.name()),
            ("clock", parts.clock.status.name()),
        ]);
        let shown =
            states.map(|(name, state)| format!("{name} {}", self.paint().on(state, tone(state))));
        shown.collect::<Vec<_>>().join(", ")
    }

    /// The last decisions under a heading, at most `most`; nothing if there are none.
    fn decisions(&self, most: usize, spaced: bool) -> Vec<String> {
        let of_wan = |wan: &'_ WanView| wan.notes.len();
        if most == 0 || self.status.wans.iter().map(of_wan).sum::<usize>() == 0 {
            return Vec::new();
        }
        let mut all: Vec<(&str, &Note)> = Vec::new();
        for wan in &self.status.wans {
            all.extend(wan.notes.iter().map(|note| (wan.name.as_str(), note)));
        }
        all.sort_by(|(_, a), (_, b)| b.time.total_cmp(&a.time));
        let blank = spaced.then(String::new);
        let heading = self.paint().on("last decisions", Tone::Strong);
        let shown = all.into_iter().take(most).map(|(wan, Note { time, direction, text, .. })| {
            let direction = match direction.as_deref() {
                Some("download") => "down",
                Some("upload") => "up",
                Some(_) | None => "",
            };
            format!("  {} {wan:<8} {direction:<5} {text}", time_of_day(*time))
        });
        blank.into_iter().chain([heading]).chain(shown).collect()
    }
}

fn decided(DecisionStatus { why, blocker_text, timers, .. }: &DecisionStatus) -> String {
    let left = timers.values().copied().fold(0.0, f64::max);
    let wait = if left > 0.0 { format!(", {} left", span(left.ceil())) } else { String::new() };
    let because = blocker_text.as_ref().map(|because| format!("; {because}{wait}"));
    format!("{why}{}", because.unwrap_or_default())
}

fn ago(seconds: Option<f64>) -> String {
    seconds.map_or_else(String::new, |seconds| format!(", {} ago", span(seconds)))
}

#[cfg(test)]
mod tests;
