//! The router's rows that wanctl works with: queues, and what steering switches.

use std::slice;

use tokio::time::Instant;
use wanctl_core::{
    Direction,
    steering::{SteeringMode, SwitchKind},
};

use super::{
    super::report::{Line, State, Topic},
    ROUTER, within,
};
use crate::{
    config::{Bind, Config, ProbeMethodChoice, QueueRef, SwitchRef, WanConfig},
    router::{
        Finding, Router as _, RouterText,
        routeros::{QueueShape, RouterOs},
    },
};

/// What is not known because the router does not answer.
pub(super) fn not_asked(config: &Config) -> Vec<Line> {
    let unknown =
        |topic, subject| Line::unknown(topic, subject, "not looked at: the router does not answer");
    let queues = queues_of(config).into_iter().map(|(subject, _)| unknown(Topic::Queue, subject));
    let switches = config.steering.iter().flat_map(|steering| &steering.switches);
    let switches = switches.map(|switch| unknown(Topic::Steering, subject_of(config, switch)));
    queues.chain(switches).collect()
}

/// The queues, with what they are called in lines.
fn queues_of<'a>(config: &'a Config) -> Vec<(String, &'a QueueRef)> {
    let wans = config.wans.iter();
    let queues = wans.flat_map(|wan| {
        wan.queues.present().map(move |(direction, queue)| (wan, direction, queue))
    });
    let named = |(wan, direction, queue): (&'a WanConfig, Direction, &'a QueueRef)| {
        (format!("wan {} {}: {queue}", wan.name, direction.name()), queue)
    };
    queues.map(named).collect()
}

/// Looks at each queue: that it is there, how it is made, what is wrong with it.
pub(super) async fn queues(config: &Config, router: &RouterOs, until: Instant) -> Vec<Line> {
    let mut lines = Vec::new();
    let queues = queues_of(config);
    let findings = within(until, router.findings()).await.unwrap_or_else(|problem| {
        lines.push(problem.line(Topic::Router, "findings about the queues", State::Failed));
        Vec::new()
    });
    // A finding about a queue names it as its line does.
    let is_about = |finding: &Finding, queue: &QueueRef| finding.text.contains(&queue.to_string());
    for (subject, queue) in &queues {
        let about = findings.iter().filter(|finding| is_about(finding, queue));
        let checked: Vec<Line> =
            about.map(|finding| finding_line(Topic::Queue, subject, finding)).collect();
        // What is fatal explains by itself why the queue cannot be read.
        if checked.iter().any(|line| line.state == State::Failed) {
            lines.extend(checked);
            continue;
        }
        lines.push(queue_line(router, subject, queue, until).await);
        lines.extend(checked);
    }
    let of_none = |finding: &&Finding| !queues.iter().any(|(_, queue)| is_about(finding, queue));
    let others = findings.iter().filter(of_none);
    lines.extend(others.map(|finding| finding_line(Topic::Router, ROUTER, finding)));
    lines
}

fn finding_line(topic: Topic, subject: &str, Finding { is_fatal, text }: &Finding) -> Line {
    let line = |what: &str| match is_fatal {
        true => Line::failed(topic, subject, what),
        false => Line::warning(topic, subject, what),
    };
    // Findings end with their remedy, after a semicolon.
    match text.split_once("; ") {
        Some((what, remedy)) => line(what).remedy(remedy),
        None => line(text),
    }
}

async fn queue_line(router: &RouterOs, subject: &str, queue: &QueueRef, until: Instant) -> Line {
    let read = within(until, router.read_queues(slice::from_ref(queue))).await;
    let row = match read.map(|mut readings| readings.rows.pop()) {
        Err(problem) => return problem.line(Topic::Queue, subject, State::Failed),
        Ok(None) => return Line::unknown(Topic::Queue, subject, "the router gives no such row"),
        Ok(Some(Err(fault))) => {
            return Line::failed(Topic::Queue, subject, fault.to_string()).remedy(fault.remedy());
        }
        Ok(Some(Ok(row))) => row,
    };
    let limit = match row.reading.limit.bps() {
        0 => "no limit yet".to_owned(),
        _ => format!("limit {}", row.reading.limit),
    };
    match within(until, router.queue_shape(queue)).await {
        Ok(Some(QueueShape { unwritable: Some(why), .. })) => {
            Line::failed(Topic::Queue, subject, format!("its limit cannot be written: {why}"))
                .remedy("remove the queue and add it again; if it stays, reboot the router")
        }
        Ok(Some(shape)) => Line::ok(
            Topic::Queue,
            subject,
            format!("is there, enabled, {limit}, {}", reported(&shape)),
        ),
        Ok(None) => Line::failed(Topic::Queue, subject, "went away while it was looked at"),
        Err(problem) => problem.line(Topic::Queue, subject, State::Unknown),
    }
}

fn reported(QueueShape { place, types, kinds, .. }: &QueueShape) -> String {
    let kind = |kind: &Option<RouterText>| match kind {
        Some(kind) => format!(" of kind {kind}"),
        None => ", of which the router shows no kind".to_owned(),
    };
    let types = types.iter().zip(kinds).map(|(name, of)| format!("`{name}`{}", kind(of)));
    let types: Vec<String> = types.collect();
    let types = if types.is_empty() { "not shown".to_owned() } else { types.join(" and ") };
    format!("under `{place}`, type {types}")
}

fn subject_of(config: &Config, switch: &SwitchRef) -> String {
    let wans = config.steering.as_ref().map(|steering| &steering.params.wans);
    let wan = wans.and_then(|wans| wans.get(switch.switch.wan.0)).map_or("?", |wan| &wan.name);
    format!("steering {} to wan {wan}: {switch}", switch.switch.kind.name())
}

/// Looks at each row that steering switches.
pub(super) async fn switches(config: &Config, router: &RouterOs, until: Instant) -> Vec<Line> {
    let mut lines = Vec::new();
    let Some(steering) = &config.steering else { return lines };
    for switch in &steering.switches {
        let subject = subject_of(config, switch);
        lines.push(match within(until, router.switch_enabled(switch)).await {
            Ok(enabled) => {
                let state = if enabled { "enabled" } else { "disabled" };
                let effect = effect(switch.switch.kind, enabled);
                let what =
                    format!("one row has this comment and fits its use; it is {state}: {effect}");
                Line::ok(Topic::Steering, subject, what)
            }
            // Without a row nothing is switched; observing, nothing would be.
            Err(problem) => {
                let state = match steering.params.mode {
                    SteeringMode::Active => State::Failed,
                    SteeringMode::Observe | SteeringMode::Off => State::Warning,
                };
                problem.line(Topic::Steering, subject, state)
            }
        });
    }
    lines
}

/// What a row does as it is.
const fn effect(kind: SwitchKind, enabled: bool) -> &'static str {
    match (kind, enabled) {
        (SwitchKind::Steer | SwitchKind::Steer6, false) => "no connection is steered by it",
        (SwitchKind::Steer | SwitchKind::Steer6, true) => {
            "new latency-sensitive connections take this WAN now"
        }
        (SwitchKind::Withdraw, true) => "this WAN's default route is in use",
        (SwitchKind::Withdraw, false) => "this WAN's default route is withdrawn now",
        (SwitchKind::Divert, false) => "no traffic is diverted by it",
        (SwitchKind::Divert, true) => "all traffic takes this WAN now",
    }
}

/// Looks for the interfaces of the router from which it shall ping.
pub(super) async fn interfaces(config: &Config, router: &RouterOs, until: Instant) -> Vec<Line> {
    let named = config.wans.iter().filter_map(|wan| match (wan.probe.method, &wan.probe.bind) {
        (ProbeMethodChoice::RouterPing, Bind::Interface(interface)) => Some((&wan.name, interface)),
        (
            ProbeMethodChoice::RouterPing
            | ProbeMethodChoice::Auto
            | ProbeMethodChoice::Icmp
            | ProbeMethodChoice::TcpConnect,
            _,
        ) => None,
    });
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        return Vec::new();
    }
    let there = within(until, router.interface_names()).await;
    let line = |(wan, interface): (&String, &String)| {
        let subject = format!("wan {wan} interface `{interface}` of the router");
        match &there {
            Ok(known) if known.iter().any(|name| name.as_str() == interface) => {
                Line::ok(Topic::Wan, subject, "the router has it")
            }
            Ok(known) => {
                let what = format!(
                    "the router has no such interface (it has: {})",
                    known.iter().map(RouterText::as_str).collect::<Vec<_>>().join(", ")
                );
                Line::failed(Topic::Wan, subject, what).remedy("correct `interface` of this WAN")
            }
            Err(problem) => problem.line(Topic::Wan, subject, State::Unknown),
        }
    };
    named.into_iter().map(line).collect()
}

/// Writes the first queue's limit as it already is: only a write proves the right to write.
pub(super) async fn write(config: &Config, router: &RouterOs, until: Instant) -> Line {
    const SUBJECT: &str = "write access";
    let queues = config.queues();
    let Some(queue) = queues.first() else {
        return Line::unknown(Topic::Router, SUBJECT, "no queue is configured to try it with");
    };
    let limit = match within(until, router.read_queues(slice::from_ref(queue))).await {
        Ok(mut readings) => readings.rows.pop().and_then(Result::ok).map(|row| row.reading.limit),
        Err(problem) => return problem.line(Topic::Router, SUBJECT, State::Failed),
    };
    let Some(limit) = limit else {
        return Line::unknown(
            Topic::Router,
            SUBJECT,
            format!("{queue} is not there to try it with"),
        );
    };
    match within(until, router.set_limit(queue, limit)).await {
        Err(problem) => problem.line(Topic::Router, SUBJECT, State::Failed),
        Ok(confirmed) if confirmed == limit => Line::ok(
            Topic::Router,
            SUBJECT,
            format!("{queue} was set to the limit that it had, {limit}"),
        ),
        Ok(confirmed) => {
            let what =
                format!("{queue} was set to {limit}, as it was, and the router says {confirmed}");
            Line::warning(Topic::Router, SUBJECT, what)
                .remedy("look who else sets this limit, or whether the router rounds it")
        }
    }
}
