//! What a new configuration changes in a running one, and what of it takes effect at once.
//!
//! Live is what shapes control: limits, laws, thresholds, pace, mode, retention. What sockets,
//! files, queues and the list of WANs hang on takes a restart. Every structure is taken apart
//! and built anew here, so that a key that is added does not compile until it has its class.

mod steering;

use std::fmt;

use wanctl_core::{
    Direction, DirectionParams, EvidenceParams, LawKind, Limits, PerDirection, StateThresholds,
    WanParams, ZoneFloors, ZoneParams,
};

use super::{Config, ControlConfig, HistoryConfig, HttpConfig, RouterConfig, WanConfig};
use crate::{actuator::Pace, probe::ProbeConfig, router::QueueRef};

/// When a changed key takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// At once.
    Live,
    /// When the daemon is started again.
    Restart,
}

/// A key whose value changed. Values are not shown: they may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key, from the root of the new configuration: `wans[0].download.floor_mbps`; `wans` for
    /// a WAN that came or went.
    pub key: String,
    /// When it takes effect.
    pub class: Class,
    /// What became of it: `changed`, or which WAN came or went.
    what: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, class, what } = self;
        write!(f, "`{key}` {what}")?;
        match class {
            Class::Live => Ok(()),
            Class::Restart => f.write_str(": takes effect after a restart"),
        }
    }
}

impl Config {
    /// Returns what holds in a daemon that runs with `self` once it has taken `new`, and the keys
    /// that differ. The result has the WANs of `self` in their order; WANs are matched by name.
    #[must_use]
    pub fn adopt(&self, new: Self) -> (Self, Vec<Change>) {
        let mut changes = Changes(Vec::new());
        let Self { origin, routers, wans, control, history, http, steering } = new;
        let adopted = Self {
            origin,
            routers: changes.routers(&self.routers, &routers),
            wans: changes.wans(&self.wans, &wans, (&self.routers, &routers)),
            control: changes.control(&self.control, &control),
            history: changes.history(self.history.clone(), history),
            http: changes.http(&self.http, &http),
            steering: match (&self.steering, &steering) {
                (Some(old), Some(new)) => Some(steering::adopt(&mut changes, old, new)),
                (old, _) => changes.restart("steering", old.clone(), &steering),
            },
        };
        (adopted, changes.0)
    }
}

/// The changes found so far. Each method returns the value that holds from now on.
struct Changes(Vec<Change>);

impl Changes {
    fn note(&mut self, class: Class, key: impl Into<String>, what: impl Into<String>) {
        self.0.push(Change { key: key.into(), class, what: what.into() });
    }

    fn live<T: PartialEq>(&mut self, key: impl Into<String>, old: &T, new: T) -> T {
        if *old != new {
            self.note(Class::Live, key, "changed");
        }
        new
    }

    fn restart<T: PartialEq>(&mut self, key: impl Into<String>, old: T, new: &T) -> T {
        if old != *new {
            self.note(Class::Restart, key, "changed");
        }
        old
    }

    /// Routers are matched by name; that one comes or goes waits, and how it is reached.
    fn routers(&mut self, old: &[RouterConfig], new: &[RouterConfig]) -> Vec<RouterConfig> {
        let is_only =
            |routers: &[RouterConfig]| matches!(routers, [only] if only.name == RouterConfig::ONLY);
        let is_only = is_only(new);
        let key = |router: &RouterConfig| {
            if is_only { "router".to_owned() } else { format!("routers.{}", router.name) }
        };
        for router in new {
            if old.iter().all(|old| old.name != router.name) {
                self.note(Class::Restart, key(router), "is new");
            }
        }
        let kept = old.iter().map(|old| {
            let Some(new) = new.iter().find(|new| new.name == old.name) else {
                self.note(Class::Restart, "routers", format!("no longer has {}", old.name));
                return old.clone();
            };
            self.router(&key(new), old, new)
        });
        kept.collect()
    }

    fn router(&mut self, key: &str, old: &RouterConfig, new: &RouterConfig) -> RouterConfig {
        let RouterConfig { name: _, connection, stats_interval, pace } = new;
        for changed in old.connection.changed_keys(connection) {
            self.note(Class::Restart, format!("{key}.{changed}"), "changed");
        }
        let stats = format!("{key}.stats_interval_ms");
        RouterConfig {
            name: old.name.clone(),
            connection: old.connection.clone(),
            stats_interval: self.live(stats, &old.stats_interval, *stats_interval),
            pace: self.pace(key, &old.pace, *pace),
        }
    }

    fn pace(&mut self, key: &str, old: &Pace, new: Pace) -> Pace {
        let Pace { coalesce, deadband, settle, raises_per_minute, writes_per_hour } = new;
        let key = |name| format!("{key}.{name}");
        Pace {
            coalesce: self.live(key("raise_interval_ms"), &old.coalesce, coalesce),
            deadband,
            settle,
            raises_per_minute: self.live(
                key("raises_per_minute"),
                &old.raises_per_minute,
                raises_per_minute,
            ),
            writes_per_hour: self.live(
                key("writes_per_hour"),
                &old.writes_per_hour,
                writes_per_hour,
            ),
        }
    }

    fn wans(
        &mut self,
        old: &[WanConfig],
        new: &[WanConfig],
        routers: (&[RouterConfig], &[RouterConfig]),
    ) -> Vec<WanConfig> {
        for (number, wan) in new.iter().enumerate() {
            if old.iter().all(|old| old.name != wan.name) {
                let what = format!("({}) is new", wan.name);
                self.note(Class::Restart, format!("wans[{number}]"), what);
            }
        }
        let kept = old.iter().map(|old| {
            let found = new.iter().enumerate().find(|(_, new)| new.name == old.name);
            let Some((number, new)) = found else {
                self.note(Class::Restart, "wans", format!("no longer has {}", old.name));
                return old.clone();
            };
            let key = format!("wans[{number}]");
            let name = |routers: &[RouterConfig], wan: &WanConfig| {
                routers.get(wan.router).map(|router| router.name.clone())
            };
            // The place of a router is of its own configuration.
            self.restart(format!("{key}.router"), name(routers.0, old), &name(routers.1, new));
            self.wan(&key, old.clone(), new)
        });
        kept.collect()
    }

    fn wan(&mut self, key: &str, old: WanConfig, new: &WanConfig) -> WanConfig {
        let probe = self.probe(key, old.probe, &new.probe);
        let queues = self.queues(key, old.queues, &new.queues);
        let params = self.params(key, &old.params, &new.params);
        let metered = self.restart(format!("{key}.metered"), old.metered, &new.metered);
        WanConfig { name: old.name, router: old.router, metered, probe, queues, params }
    }

    /// All of it waits, the pace too: the silence after which steering takes a WAN for dead is
    /// reckoned in probes, and waits as well.
    fn probe(&mut self, wan: &str, old: ProbeConfig, new: &ProbeConfig) -> ProbeConfig {
        let key = |name| format!("{wan}.probe.{name}");
        let named = |probe: &ProbeConfig| probe.named().to_vec();
        self.restart(format!("{wan}.reflectors"), named(&old), &named(new));
        self.restart(key("builtin_spares"), old.builtin_spares > 0, &(new.builtin_spares > 0));
        ProbeConfig {
            method: self.restart(key("method"), old.method, &new.method),
            reflectors: old.reflectors,
            builtin_spares: old.builtin_spares,
            active: self.restart(key("active"), old.active, &new.active),
            bind: self.restart(format!("{wan}.source"), old.bind, &new.bind),
            interval: self.restart(key("interval_ms"), old.interval, &new.interval),
            idle_interval: self.restart(
                key("idle_interval_ms"),
                old.idle_interval,
                &new.idle_interval,
            ),
            timeout: self.restart(key("timeout_ms"), old.timeout, &new.timeout),
            timestamps: self.restart(key("timestamps"), old.timestamps, &new.timestamps),
            rotation: self.restart(key("rotate_minutes"), old.rotation, &new.rotation),
        }
    }

    fn queues(
        &mut self,
        key: &str,
        old: PerDirection<Option<QueueRef>>,
        new: &PerDirection<Option<QueueRef>>,
    ) -> PerDirection<Option<QueueRef>> {
        let is_same_shape = old
            .each()
            .iter()
            .all(|(direction, queue)| queue.is_some() == new[*direction].is_some());
        let is_simple = new.present().any(|(_, queue)| matches!(queue, QueueRef::Simple { .. }));
        if is_simple && is_same_shape {
            return self.restart(format!("{key}.simple_queue"), old, new);
        }
        let PerDirection { download, upload } = old;
        PerDirection {
            download: self.queue(key, Direction::Download, download, new),
            upload: self.queue(key, Direction::Upload, upload, new),
        }
    }

    /// A direction that comes or goes waits whole: its queue, its metrics and its law are wired up
    /// at the start.
    fn queue(
        &mut self,
        key: &str,
        direction: Direction,
        old: Option<QueueRef>,
        new: &PerDirection<Option<QueueRef>>,
    ) -> Option<QueueRef> {
        let new = &new[direction];
        let part = if old.is_some() == new.is_some() { ".queue" } else { "" };
        self.restart(format!("{key}.{}{part}", direction.name()), old, new)
    }

    fn params(&mut self, key: &str, old: &WanParams, new: &WanParams) -> WanParams {
        let StateThresholds { yellow, soft_red, red } = new.thresholds;
        let thresholds = StateThresholds {
            yellow: self.live(format!("{key}.delay.yellow_ms"), &old.thresholds.yellow, yellow),
            soft_red: self.live(
                format!("{key}.delay.soft_red_ms"),
                &old.thresholds.soft_red,
                soft_red,
            ),
            red: self.live(format!("{key}.delay.red_ms"), &old.thresholds.red, red),
        };
        WanParams {
            // It follows from the reflectors and their schedule, but for the threshold.
            evidence: EvidenceParams {
                queue_threshold: new.evidence.queue_threshold,
                ..old.evidence
            },
            thresholds,
            directions: PerDirection::build(|direction| {
                self.direction(key, direction, &old.directions, &new.directions)
            }),
            tuning: new.tuning,
        }
    }

    fn direction(
        &mut self,
        key: &str,
        direction: Direction,
        old: &PerDirection<Option<DirectionParams>>,
        new: &PerDirection<Option<DirectionParams>>,
    ) -> Option<DirectionParams> {
        let key = |name| format!("{key}.{}.{name}", direction.name());
        let (Some(old), Some(DirectionParams { limits, law })) = (&old[direction], new[direction])
        else {
            // What comes or goes has been noted with its queue.
            return old[direction];
        };
        let Limits { floor, base, ceiling } = limits;
        Some(DirectionParams {
            limits: Limits {
                floor: self.live(key("floor_mbps"), &old.limits.floor, floor),
                base: self.live(key("base_mbps"), &old.limits.base, base),
                ceiling: self.live(key("ceiling_mbps"), &old.limits.ceiling, ceiling),
            },
            law: self.law(key, &old.law, law),
        })
    }

    fn law(
        &mut self,
        key: impl Fn(&'static str) -> String,
        old: &LawKind,
        new: LawKind,
    ) -> LawKind {
        let (LawKind::Zone(old), LawKind::Zone(new)) = (old, new) else {
            return self.live(key("law"), old, new);
        };
        let ZoneParams { floors, factor_down, factor_down_yellow, step_up, green_required } = new;
        // The floor of RED is the direction's, which has been noted.
        let ZoneFloors { green, yellow, soft_red, red } = floors;
        LawKind::Zone(ZoneParams {
            floors: ZoneFloors {
                green: self.live(key("zone.floor_green_mbps"), &old.floors.green, green),
                yellow: self.live(key("zone.floor_yellow_mbps"), &old.floors.yellow, yellow),
                soft_red: self.live(
                    key("zone.floor_soft_red_mbps"),
                    &old.floors.soft_red,
                    soft_red,
                ),
                red,
            },
            factor_down: self.live(key("zone.factor_down"), &old.factor_down, factor_down),
            factor_down_yellow: self.live(
                key("zone.factor_down_yellow"),
                &old.factor_down_yellow,
                factor_down_yellow,
            ),
            step_up: self.live(key("zone.step_up_mbps_per_s"), &old.step_up, step_up),
            green_required: self.live(
                key("zone.green_required_ms"),
                &old.green_required,
                green_required,
            ),
        })
    }

    fn control(&mut self, old: &ControlConfig, new: &ControlConfig) -> ControlConfig {
        let ControlConfig { interval, mode, on_exit } = *new;
        ControlConfig {
            interval: self.live("control.interval_ms", &old.interval, interval),
            mode: self.live("control.mode", &old.mode, mode),
            on_exit: self.live("control.on_exit", &old.on_exit, on_exit),
        }
    }

    fn history(&mut self, old: HistoryConfig, new: HistoryConfig) -> HistoryConfig {
        let HistoryConfig { path, raw, seconds, minutes, five_minutes, hours, events, max_bytes } =
            new;
        let is_kept = old.path.is_some() == path.is_some();
        let key = if is_kept { "history.path" } else { "history.enabled" };
        HistoryConfig {
            path: self.restart(key, old.path, &path),
            raw: self.live("history.raw_hours", &old.raw, raw),
            seconds: self.live("history.seconds_days", &old.seconds, seconds),
            minutes: self.live("history.minutes_days", &old.minutes, minutes),
            five_minutes: self.live("history.five_minutes_days", &old.five_minutes, five_minutes),
            hours: self.live("history.hours_days", &old.hours, hours),
            events: self.live("history.events_days", &old.events, events),
            max_bytes: self.live("history.max_megabytes", &old.max_bytes, max_bytes),
        }
    }

    fn http(&mut self, old: &HttpConfig, new: &HttpConfig) -> HttpConfig {
        let HttpConfig { listen, allow_reload, allow_steer, ref hosts } = *new;
        HttpConfig {
            listen: self.restart("http.listen", old.listen, &listen),
            allow_reload: self.live("http.allow_reload", &old.allow_reload, allow_reload),
            allow_steer: self.live("http.allow_steer", &old.allow_steer, allow_steer),
            hosts: self.live("http.hosts", &old.hosts, hosts.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
