//! The controller itself: its loops, its router, its history, its process.

use serde_json::json;

use super::{
    dashboard::{ALERTS, Dashboard, INSTANCE, Row, STARTS, WAN},
    panel::{Panel, Shape, Word},
    shared::{ALIVE, OF_INSTANCE, OF_WAN, PLAIN, quantile, rate, words},
};

const TRANSPORTS: [(&str, Word); 2] =
    [("rest", (0, "REST", "green")), ("ssh", (1, "SSH", "orange"))];

pub(crate) fn board() -> Dashboard {
    Dashboard {
        name: "internals",
        title: "wanctl: internals",
        description: "Control loops, router, history and process of the controller.",
        from: "now-1h",
        refresh: "10s",
        variables: &[INSTANCE, WAN],
        annotations: &[ALERTS, STARTS],
        rows: vec![loop_row(), router_row(), history_row(), process_row(), facts_row()],
    }
}

fn loop_row() -> Row {
    let legend = |what: &str| format!("{{{{instance}}}} {{{{wan}}}}{what}");
    let both = |metric: &str, panel: Panel| {
        panel
            .ask(&quantile("0.5", metric, OF_WAN, "instance, wan"), &legend(" median"))
            .ask(&quantile("0.99", metric, OF_WAN, "instance, wan"), &legend(" 99 %"))
            .unit("s")
            .above_zero()
    };
    Row {
        title: "Loop",
        panels: vec![
            both(
                "wanctl_cycle_duration_seconds",
                Panel::new(
                    Shape::Lines,
                    "Busy time of a cycle",
                    "From the tick to the last consumer; must be far below the interval",
                ),
            ),
            both(
                "wanctl_cycle_start_lag_seconds",
                Panel::new(
                    Shape::Lines,
                    "How late cycles start",
                    "Delay after the tick; a busy host shows here first",
                ),
            ),
            Panel::new(
                Shape::Lines,
                "Cycles",
                "Cycles per second; dashed: the rate of the configured interval",
            )
            .ask(&rate("wanctl_cycle_start_lag_seconds_count", OF_WAN, "instance, wan"), &legend(""))
            .ask(
                &format!("1 / max by (instance, wan) (wanctl_cycle_interval_seconds{{{OF_WAN}}})"),
                &legend(" configured"),
            )
            .bounds("/configured$/")
            .unit("cps")
            .above_zero(),
            Panel::new(
                Shape::Lines,
                "Dropped ticks and overruns",
                "Ticks dropped because a cycle came late, and cycles busy for longer than the interval",
            )
            .ask(&rate("wanctl_cycle_ticks_skipped_total", OF_WAN, "instance, wan"), &legend(" dropped"))
            .ask(&rate("wanctl_cycle_overruns_total", OF_WAN, "instance, wan"), &legend(" overran"))
            .unit("cps")
            .above_zero(),
        ],
    }
}

fn router_row() -> Row {
    let active = TRANSPORTS.map(|(name, (value, _, _))| {
        format!(r#"{value} * (max_over_time(wanctl_router_transport_active{{{OF_INSTANCE}, transport="{name}"}}[$__interval]) == 1)"#)
    });
    Row {
        title: "Router",
        panels: vec![
            Panel::new(Shape::Lines, "Time of requests", "95th percentile by operation and transport")
                .ask(
                    &format!(
                        "{} >= 0",
                        quantile(
                            "0.95",
                            "wanctl_router_request_duration_seconds",
                            OF_INSTANCE,
                            "instance, router, operation, transport",
                        )
                    ),
                    "{{instance}} {{router}} {{operation}} {{transport}}",
                )
                .unit("s")
                .above_zero(),
            Panel::new(Shape::Lines, "Requests", "A second, by operation; one at a time for each user")
                .ask(
                    &format!(
                        "{} > 0",
                        rate("wanctl_router_request_duration_seconds_count", OF_INSTANCE, "instance, router, operation")
                    ),
                    "{{instance}} {{router}} {{operation}}",
                )
                .unit("reqps")
                .above_zero(),
            Panel::new(Shape::Lines, "Router failures by reason", "Failed requests a second")
                .ask(
                    &rate("wanctl_router_request_failures_total", OF_INSTANCE, "instance, router, reason"),
                    "{{instance}} {{router}} {{reason}}",
                )
                .unit("reqps")
                .above_zero(),
            Panel::new(
                Shape::Timeline,
                "Router transport",
                "REST is faster; SSH is used when REST fails, if the configuration allows it",
            )
            .ask(&format!("max by (instance, router) ({})", active.join(" or ")), "{{instance}} {{router}}")
            .words(&words(&TRANSPORTS))
            .interval("15s"),
            Panel::new(Shape::Lines, "Router CPU load", "CPU load that the router reports")
                .ask(&format!("max by (instance, router) (wanctl_router_cpu_load_ratio{{{OF_INSTANCE}}})"), "{{instance}} {{router}}")
                .unit("percentunit")
                .range(0.0, 1.0),
            Panel::new(
                Shape::Lines,
                "Router flash writes",
                "Sectors per day at this rate: each change of a limit is a change of the router's configuration",
            )
            .ask(
                &format!("86400 * deriv(wanctl_router_flash_written_sectors{{{OF_INSTANCE}}}[$__rate_interval])"),
                "{{instance}} {{router}}",
            )
            .above_zero(),
        ],
    }
}

fn history_row() -> Row {
    Row {
        title: "History",
        panels: vec![
            Panel::new(Shape::Lines, "Rows", "Cycles and events written, and those dropped or refused, a second")
                .ask(&rate("wanctl_history_rows_written_total", OF_INSTANCE, "instance"), "{{instance}} cycles")
                .ask(&rate("wanctl_history_events_written_total", OF_INSTANCE, "instance"), "{{instance}} events")
                .ask(&rate("wanctl_history_rows_dropped_total", OF_INSTANCE, "instance"), "{{instance}} dropped")
                .ask(&rate("wanctl_history_write_failures_total", OF_INSTANCE, "instance"), "{{instance}} failed writes")
                .unit("wps")
                .above_zero(),
            Panel::new(
                Shape::Lines,
                "History queue",
                "Rows in the queue of the writer; about those of a second are normal, above 8192 they are dropped",
            )
            .ask(&format!("max by (instance) (wanctl_history_queue_rows{{{OF_INSTANCE}}})"), "{{instance}}")
            .above_zero(),
            Panel::new(Shape::Lines, "Size of the history", "The database and its write-ahead log")
                .ask(
                    &format!("max by (instance) (wanctl_history_database_size_bytes{{{OF_INSTANCE}}})"),
                    "{{instance}} database",
                )
                .ask(
                    &format!("max by (instance) (wanctl_history_wal_size_bytes{{{OF_INSTANCE}}})"),
                    "{{instance}} log",
                )
                .unit("bytes")
                .above_zero(),
            Panel::new(Shape::Lines, "Age of the last commit", "The writer commits about once a second")
                .ask(
                    &format!("time() - max by (instance) (wanctl_history_last_commit_timestamp_seconds{{{OF_INSTANCE}}})"),
                    "{{instance}}",
                )
                .unit("s")
                .above_zero(),
        ],
    }
}

fn process_row() -> Row {
    let ours = r#"job="wanctl", instance=~"$instance""#;
    let gauge = |name: &str| format!("max by (instance) (process_{name}{{{ours}}})");
    Row {
        title: "Process",
        panels: vec![
            Panel::new(Shape::Lines, "Processor", "Seconds of processor time a second; 1 is one core")
                .ask(&rate("process_cpu_seconds_total", ours, "instance"), "{{instance}}")
                .above_zero()
                .size(8, 7),
            Panel::new(Shape::Lines, "Memory", "Resident")
                .ask(&gauge("resident_memory_bytes"), "{{instance}}")
                .unit("bytes")
                .above_zero()
                .size(8, 7),
            Panel::new(Shape::Lines, "File descriptors and threads", "Both should stay constant")
                .ask(&gauge("open_fds"), "{{instance}} descriptors")
                .ask(&gauge("threads"), "{{instance}} threads")
                .above_zero()
                .size(8, 7),
            Panel::new(Shape::Lines, "Scrape", "Duration of a scrape")
                .ask(&format!("max by (instance) (scrape_duration_seconds{{{ours}}})"), "{{instance}}")
                .unit("s")
                .above_zero()
                .size(8, 7),
            Panel::new(Shape::Stack, "Log messages", "A second, by level")
                .ask(
                    &format!(r#"sum by (level) (rate(wanctl_log_messages_total{{{OF_INSTANCE}, level=~"error|warn|info"}}[$__rate_interval]))"#),
                    "{{level}}",
                )
                .unit("cps")
                .above_zero()
                .size(8, 7),
            Panel::new(
                Shape::Lines,
                "Clock steps",
                "Steps of the wall clock by more than a second, in each interval; control is not affected",
            )
            .ask(
                &format!("max by (instance) (increase(wanctl_clock_steps_total{{{OF_INSTANCE}}}[$__rate_interval]))"),
                "{{instance}}",
            )
            .above_zero()
            .size(8, 7),
        ],
    }
}

fn facts_row() -> Row {
    let table = |title, description| {
        Panel::new(Shape::Table, title, description).size(8, 6).then(
            "organize",
            &json!({"excludeByName": {"Time": true, "Value": true, "__name__": true, "job": true},
                   "indexByName": {}, "renameByName": {}}),
        )
    };
    Row {
        title: "Versions",
        panels: vec![
            table("Builds", "Version and platform of each controller")
                .ask(&format!("wanctl_build_info{{{OF_INSTANCE}}}"), ""),
            table("Configurations", "The hash of the configuration in force; equal hashes are equal files")
                .ask(&format!("wanctl_config_info{{{OF_INSTANCE}}}"), ""),
            table("Routers", "Identity, model and version of each router")
                .ask(&format!("wanctl_router_info{{{OF_INSTANCE}}}"), ""),
            Panel::new(
                Shape::Stat,
                "Configuration loaded",
                "When the configuration in force was loaded",
            )
            .ask(
                &format!("1000 * max by (instance) (wanctl_config_last_reload_success_timestamp_seconds{{{OF_INSTANCE}}})"),
                "{{instance}}",
            )
            .unit("dateTimeFromNow")
            .steps(PLAIN)
            .size(8, 4),
            Panel::new(Shape::Stat, "Last reload", "1 if it succeeded, 0 if the file was refused")
                .ask(
                    &format!("min by (instance) (wanctl_config_last_reload_successful{{{OF_INSTANCE}}})"),
                    "{{instance}}",
                )
                .steps(ALIVE)
                .size(8, 4),
            Panel::new(Shape::Stat, "Uptime", "Since the start of each process")
                .ask(
                    r#"time() - max by (instance) (process_start_time_seconds{job="wanctl", instance=~"$instance"})"#,
                    "{{instance}}",
                )
                .unit("s")
                .steps(PLAIN)
                .size(8, 4),
        ],
    }
}
