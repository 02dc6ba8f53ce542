//! The router's rows that wanctl works with: queues, and what steering switches.

use std::slice;

use wanctl_core::{
    Direction,
    steering::{SteeringMode, SwitchKind},
};

use super::{
    super::report::{Line, State, Topic},
    Check, line_of,
};
use crate::{
    config::WanConfig,
    probe::{Bind, ProbeMethodChoice},
    router::{Finding, QueueRef, RouterFault, RouterText, Severity, SwitchRef},
};

impl Check<'_> {
    /// What is not known because the router does not answer.
    pub(super) fn not_asked(&self) -> Vec<Line> {
        let unknown = |topic, subject| {
            Line::unknown(topic, subject, "not checked: the router does not answer")
        };
        let queues = self.named_queues().into_iter();
        let queues = queues.map(|(subject, _)| unknown(Topic::Queue, subject));
        let switches = self.its_switches().map(|at| unknown(Topic::Steering, self.subject_of(at)));
        queues.chain(switches).collect()
    }

    /// The queues, with what they are called in lines.
    fn named_queues(&self) -> Vec<(String, &QueueRef)> {
        let queues = self.wans().flat_map(|wan| {
            wan.queues.present().map(move |(direction, queue)| (wan, direction, queue))
        });
        let named = |(wan, direction, queue): (&WanConfig, Direction, _)| {
            (format!("wan {} {}: {queue}", wan.name, direction.name()), queue)
        };
        queues.map(named).collect()
    }

    /// The switches of steering that are on this router.
    fn its_switches(&self) -> impl Iterator<Item = &SwitchRef> {
        let switches = self.config.steering.iter().flat_map(|steering| &steering.switches);
        switches.filter(|placed| placed.router == self.place).map(|placed| &placed.at)
    }

    fn fault_line(&self, subject: &str, fault: &RouterFault) -> Line {
        let remedy = self.router.inspect.remedy(fault);
        Line::failed(Topic::Queue, subject, fault.to_string()).remedy(remedy)
    }

    /// Checks each queue: that it is there, how it is made, what is wrong with it.
    pub(super) async fn queues(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let queues = self.named_queues();
        let findings = self.within(self.router.inspect.findings()).await;
        let findings = findings.unwrap_or_else(|problem| {
            lines.push(problem.line(Topic::Router, "findings about the queues", State::Failed));
            Vec::new()
        });
        for (subject, queue) in &queues {
            let about = findings.iter().filter(|finding| finding.subject.is_queue(queue));
            let about: Vec<Line> =
                about.map(|finding| line_of(Topic::Queue, subject, finding)).collect();
            // What is fatal explains by itself why the queue cannot be read.
            if !about.iter().any(|line| line.state == State::Failed) {
                lines.push(self.queue_line(subject, queue).await);
            }
            lines.extend(about);
        }
        let of_none =
            |finding: &&Finding| !queues.iter().any(|(_, queue)| finding.subject.is_queue(queue));
        lines.extend(findings.iter().filter(of_none).map(|finding| self.finding_line(finding)));
        lines
    }

    async fn queue_line(&self, subject: &str, queue: &QueueRef) -> Line {
        let read = self.within(self.router.shaper.read_queues(slice::from_ref(queue))).await;
        let row = match read.map(|mut readings| readings.rows.pop()) {
            Err(problem) => return problem.line(Topic::Queue, subject, State::Failed),
            Ok(None) => {
                return Line::unknown(Topic::Queue, subject, "the router has no such row");
            }
            Ok(Some(Err(fault))) => return self.fault_line(subject, &fault),
            Ok(Some(Ok(row))) => row,
        };
        let limit = match row.reading.limit.bps() {
            0 => "no limit yet".to_owned(),
            _ => format!("limit {}", row.reading.limit),
        };
        match self.within(self.router.inspect.describe_queue(queue)).await {
            Ok(Finding { severity: Severity::Ok, text, .. }) => {
                let what = format!("is there, enabled, {limit}, {text}");
                Line::ok(Topic::Queue, subject, what)
            }
            Ok(finding) => line_of(Topic::Queue, subject, &finding),
            Err(problem) => problem.line(Topic::Queue, subject, State::Unknown),
        }
    }

    fn subject_of(&self, switch: &SwitchRef) -> String {
        let wans = self.config.steering.as_ref().map(|steering| &steering.params.wans);
        let wan = wans.and_then(|wans| wans.get(switch.switch.wan.0));
        let wan = wan.map_or("?", |wan| &wan.name);
        format!("steering {} to wan {wan}: {switch}", switch.switch.kind.name())
    }

    /// Checks each switch of steering.
    pub(super) async fn switches(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let (Some(steering), Some(rows)) = (&self.config.steering, &self.router.switches) else {
            return lines;
        };
        for switch in self.its_switches() {
            let subject = self.subject_of(switch);
            lines.push(match self.within(rows.switch_enabled(switch)).await {
                Ok(enabled) => {
                    let state = if enabled { "enabled" } else { "disabled" };
                    let effect = effect(switch.switch.kind, enabled);
                    let what =
                        format!("one suitable row has this comment; it is {state}: {effect}");
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

    /// Checks the interfaces of the router from which it shall ping.
    pub(super) async fn interfaces(&self) -> Vec<Line> {
        let named = self.wans().filter_map(|wan| match (wan.probe.method, &wan.probe.bind) {
            (ProbeMethodChoice::RouterPing, Bind::Interface(interface)) => {
                Some((&wan.name, interface))
            }
            (
                ProbeMethodChoice::RouterPing
                | ProbeMethodChoice::Auto
                | ProbeMethodChoice::Icmp
                | ProbeMethodChoice::TcpConnect,
                _,
            ) => None,
        });
        let named: Vec<_> = named.collect();
        let Some(pinger) = self.router.pinger.as_ref().filter(|_| !named.is_empty()) else {
            return Vec::new();
        };
        let there = self.within(pinger.interfaces()).await;
        let line = |(wan, interface): (&String, &String)| {
            let subject = format!("wan {wan} interface `{interface}` of the router");
            match &there {
                Ok(known) if known.iter().any(|name| name.as_str() == interface) => {
                    Line::ok(Topic::Wan, subject, "it exists")
                }
                Ok(known) => {
                    let what = format!(
                        "the router has no such interface (it has: {})",
                        known.iter().map(RouterText::as_str).collect::<Vec<_>>().join(", ")
                    );
                    Line::failed(Topic::Wan, subject, what)
                        .remedy("correct `interface` of this WAN")
                }
                Err(problem) => problem.line(Topic::Wan, subject, State::Unknown),
            }
        };
        named.into_iter().map(line).collect()
    }

    /// Writes the first queue's limit as it already is: only a write proves the right to write.
    pub(super) async fn write(&self) -> Line {
        let subject = match self.config.routers.len() {
            1 => "write access".to_owned(),
            _ => format!("write access to {}", self.name()),
        };
        let queues = self.config.queues(self.place);
        let Some(queue) = queues.first() else {
            let what = "no queue is configured, so no write can be tried";
            return Line::unknown(Topic::Router, subject, what);
        };
        let shaper = &self.router.shaper;
        let limit = match self.within(shaper.read_queues(slice::from_ref(queue))).await {
            Ok(mut readings) => readings.rows.pop().and_then(Result::ok),
            Err(problem) => return problem.line(Topic::Router, subject, State::Failed),
        };
        let Some(limit) = limit.map(|row| row.reading.limit) else {
            let what = format!("{queue} does not exist, so no write can be tried");
            return Line::unknown(Topic::Router, subject, what);
        };
        match self.within(shaper.set_limit(queue, limit)).await {
            Err(problem) => problem.line(Topic::Router, subject, State::Failed),
            Ok(confirmed) if confirmed == limit => Line::ok(
                Topic::Router,
                subject,
                format!("{queue} was written with its present limit, {limit}"),
            ),
            Ok(confirmed) => {
                let what = format!(
                    "{queue} was written with its present limit, {limit}, and the router reports \
                     {confirmed}"
                );
                Line::warning(Topic::Router, subject, what)
                    .remedy("find out what else sets this limit, or whether the router rounds it")
            }
        }
    }
}

/// What a row does as it is.
const fn effect(kind: SwitchKind, enabled: bool) -> &'static str {
    match (kind, enabled) {
        (SwitchKind::SteerRule | SwitchKind::SteerRule6, false) => "it steers no connection",
        (SwitchKind::SteerRule | SwitchKind::SteerRule6, true) => {
            "new latency-sensitive connections use this WAN now"
        }
        (SwitchKind::FailoverRoute, true) => "this WAN's default route is in use",
        (SwitchKind::FailoverRoute, false) => "this WAN's default route is disabled now",
        (SwitchKind::FailoverRule, false) => "it moves no traffic",
        (SwitchKind::FailoverRule, true) => "all traffic uses this WAN now",
    }
}
