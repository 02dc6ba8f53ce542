//! One WAN in detail: the delay, what was made of it, and why.

use super::{
    dashboard::{
        ALERTS, CUTS, DIRECTION, Dashboard, INSTANCE, METHOD, MOVES, RED, Row, STARTS, WAN,
    },
    panel::{Panel, Shape},
    shared::{
        BAD_SHARE, CONGESTION, DELAY, MEASUREMENT, OF_DIRECTION, OF_WAN, PLAIN, quantile, words,
        worst,
    },
};

pub(crate) fn board() -> Dashboard {
    Dashboard {
        name: "wan",
        title: "wanctl: WAN",
        description: "One WAN: the delay, the decisions about the rates, and their reasons.",
        from: "now-30m",
        refresh: "10s",
        variables: &[INSTANCE, WAN, DIRECTION],
        annotations: &[ALERTS, STARTS, CUTS, RED, MOVES, METHOD],
        rows: vec![now_row(), delay_row(), rates_row(), state_row(), reflectors_row()],
    }
}

fn now_row() -> Row {
    let stat = |title, description| Panel::new(Shape::Stat, title, description);
    let rate = |direction: &str| {
        format!(
            r#"8 * sum(rate(wanctl_shaper_sent_bytes_total{{{OF_WAN}, direction="{direction}"}}[$__rate_interval]))"#
        )
    };
    Row {
        title: "Now",
        panels: vec![
            stat("Added delay, median", "Half of the cycles have less delay over the baseline")
                .ask(&quantile("0.5", "wanctl_rtt_inflation_seconds", OF_WAN, "wan"), "{{wan}}")
                .unit("s")
                .steps(DELAY),
            stat("Added delay, 95th percentile", "One cycle in twenty has more delay over the baseline")
                .ask(&quantile("0.95", "wanctl_rtt_inflation_seconds", OF_WAN, "wan"), "{{wan}}")
                .unit("s")
                .steps(DELAY),
            stat("Time congested", "Share of the measured part of the shown time in SOFT RED or RED, by direction")
                .ask(
                    &format!(
                        r#"sum by (direction) (increase(wanctl_controller_state_time_seconds_total{{{OF_DIRECTION}, state=~"soft_red|red"}}[$__range]))
                           / (sum by (direction) (increase(wanctl_controller_state_time_seconds_total{{{OF_DIRECTION}, state!="unknown"}}[$__range])) > 0)"#
                    ),
                    "{{direction}}",
                )
                .unit("percentunit")
                .steps(BAD_SHARE),
            stat("Probes lost", "Share of the probes without a reply")
                .ask(
                    &format!(
                        r#"sum(rate(wanctl_reflector_probe_failures_total{{{OF_WAN}, reason="timeout"}}[$__rate_interval]))
                           / sum(rate(wanctl_reflector_probes_total{{{OF_WAN}}}[$__rate_interval]))"#
                    ),
                    "",
                )
                .unit("percentunit")
                .steps(BAD_SHARE),
            stat("Download", "Delivery rate of the shaper").ask(&rate("download"), "").unit("bps").steps(PLAIN),
            stat("Upload", "Delivery rate of the shaper").ask(&rate("upload"), "").unit("bps").steps(PLAIN),
        ],
    }
}

fn delay_row() -> Row {
    let quantiles = |metric: &str, panel: Panel| {
        [("0.5", "median"), ("0.95", "95 %"), ("0.99", "99 %")].iter().fold(
            panel,
            |panel, (share, name)| {
                panel.ask(&quantile(share, metric, OF_WAN, "wan"), &format!("{{{{wan}}}} {name}"))
            },
        )
    };
    let added = Panel::new(
        Shape::Lines,
        "Added delay",
        "Delay over the learned baseline, from every cycle. Dashed: thresholds of the congestion states.",
    );
    Row {
        title: "Delay",
        panels: vec![
            quantiles("wanctl_rtt_inflation_seconds", added)
                .ask(
                    &format!("max by (wan, state) (wanctl_rtt_threshold_seconds{{{OF_WAN}}})"),
                    "{{wan}} above this {{state}}",
                )
                .bounds("/above this/")
                .unit("s")
                .above_zero()
                .steps(DELAY),
            Panel::new(
                Shape::Heatmap,
                "Round-trip time, every cycle",
                "Distribution of the round-trip time. Two bands are two paths; a tail upwards is a queue.",
            )
            .ask(
                &format!("sum by (le) (increase(wanctl_rtt_seconds_bucket{{{OF_WAN}}}[$__rate_interval]))"),
                "{{le}}",
            )
            .unit("s"),
            Panel::new(
                Shape::Lines,
                "Round-trip time and idle delay",
                "The median round-trip time and the learned baseline; the difference is the queueing delay",
            )
            .ask(&quantile("0.5", "wanctl_rtt_seconds", OF_WAN, "wan"), "{{wan}} median")
            .ask(&quantile("0.99", "wanctl_rtt_seconds", OF_WAN, "wan"), "{{wan}} 99 %")
            .ask(&format!("max by (wan) (wanctl_rtt_baseline_seconds{{{OF_WAN}}})"), "{{wan}} idle delay")
            .bounds("/idle delay/")
            .unit("s")
            .above_zero(),
            Panel::new(
                Shape::Lines,
                "Jitter and noise",
                "Jitter at the moment of each scrape, and the noise of the idle link, above which wanctl keeps its thresholds",
            )
            .ask(&format!("max by (wan) (wanctl_rtt_jitter_seconds{{{OF_WAN}}})"), "{{wan}}")
            .ask(&format!("max by (wan) (wanctl_rtt_noise_seconds{{{OF_WAN}}})"), "{{wan}} idle")
            .bounds("/idle/")
            .unit("s")
            .above_zero(),
        ],
    }
}

fn rates_row() -> Row {
    let each = |expr: &str| format!("8 * max by (wan, direction) ({expr})");
    let gauge =
        |name: &str| each(&format!("wanctl_shaper_{name}_bytes_per_second{{{OF_DIRECTION}}}"));
    let mean = |name: &str| {
        each(&format!("rate(wanctl_shaper_{name}_bytes_total{{{OF_DIRECTION}}}[$__rate_interval])"))
    };
    Row {
        title: "Rates",
        panels: vec![
            Panel::new(
                Shape::Lines,
                "Rates: $direction",
                "The desired rate (exact mean of each step), the limit last read from the router, the delivery rate, the capacity estimate, and the configured limits",
            )
            .ask(&mean("allowance"), "{{wan}} {{direction}} desired")
            .ask(&gauge("rate_observed"), "{{wan}} {{direction}} in the router")
            .ask(&mean("sent"), "{{wan}} {{direction}} sent")
            .ask(
                &each(&format!(
                    "wanctl_link_capacity_estimate_bytes_per_second{{{OF_DIRECTION}}}"
                )),
                "{{wan}} {{direction}} capacity estimate",
            )
            .ask(&gauge("rate_ceiling"), "{{wan}} {{direction}} ceiling")
            .ask(&gauge("rate_floor"), "{{wan}} {{direction}} floor")
            .bounds("/(ceiling|floor)$/")
            .unit("bps")
            .above_zero()
            .repeat("direction"),
            Panel::new(
                Shape::Lines,
                "Load: $direction",
                "Delivery rate divided by the limit. Raises and attribution need a high utilisation.",
            )
            .ask(
                &format!(
                    "sum by (wan, direction) (rate(wanctl_shaper_sent_bytes_total{{{OF_DIRECTION}}}[$__rate_interval]))
                     / sum by (wan, direction) (rate(wanctl_shaper_allowance_bytes_total{{{OF_DIRECTION}}}[$__rate_interval]))"
                ),
                "{{wan}} {{direction}}",
            )
            .unit("percentunit")
            .above_zero()
            .repeat("direction"),
            Panel::new(
                Shape::Lines,
                "Delay of our own queue: $direction",
                "Backlog divided by the limit in force, 95th percentile over the cycles. If it explains the added delay, the queue is in the shaper.",
            )
            .ask(
                &quantile("0.95", "wanctl_shaper_queue_delay_seconds", OF_DIRECTION, "wan, direction"),
                "{{wan}} {{direction}}",
            )
            .unit("s")
            .above_zero()
            .repeat("direction"),
        ],
    }
}

fn state_row() -> Row {
    Row {
        title: "State and decisions",
        panels: vec![
            Panel::new(
                Shape::Timeline,
                "Congestion",
                "The worst state of each step that lasted at least a hundredth of it; UNKNOWN while the delay is not measured",
            )
            .ask(
                &worst(
                    "wanctl_controller_state_time_seconds_total",
                    OF_DIRECTION,
                    "wan, direction",
                    &CONGESTION,
                ),
                "{{wan}} {{direction}}",
            )
            .words(&words(&CONGESTION))
            .interval("15s"),
            Panel::new(
                Shape::Stack,
                "Time in each state",
                "Share of the time, exact; several directions and WANs are averaged",
            )
            .ask(
                &format!(
                    "avg by (state) (rate(wanctl_controller_state_time_seconds_total{{{OF_DIRECTION}}}[$__rate_interval]))"
                ),
                "{{state}}",
            )
            .unit("percentunit")
            .range(0.0, 1.0)
            .colours(&CONGESTION),
            Panel::new(
                Shape::Stack,
                "Decisions by reason: $direction",
                "Cycles per second by the reason of their decision; docs/control-law.md explains each",
            )
            .ask(
                &format!(
                    "sum by (reason) (rate(wanctl_decisions_total{{{OF_DIRECTION}}}[$__rate_interval])) > 0"
                ),
                "{{reason}}",
            )
            .unit("cps")
            .above_zero()
            .repeat("direction"),
            Panel::new(
                Shape::Bars,
                "Changes of the rate: $direction",
                "Cuts and raises in each step, by reason",
            )
            .ask(
                &format!(
                    "sum by (change, reason) (increase(wanctl_shaper_rate_changes_total{{{OF_DIRECTION}}}[$__interval])) > 0"
                ),
                "{{change}} {{reason}}",
            )
            .above_zero()
            .interval("15s")
            .repeat("direction"),
        ],
    }
}

fn reflectors_row() -> Row {
    Row {
        title: "Measurement",
        panels: vec![
            Panel::new(
                Shape::Timeline,
                "Measurement state",
                "The worst state of each step that lasted at least a hundredth of it. COLLAPSED: replies lost under load. STALLED: no replies and no load. BYPASS: the probes bypass the queue. CANNOT SEND: no probe can be sent.",
            )
            .ask(
                &worst("wanctl_measurement_state_time_seconds_total", OF_WAN, "wan", &MEASUREMENT),
                "{{wan}}",
            )
            .words(&words(&MEASUREMENT))
            .interval("15s"),
            Panel::new(
                Shape::Lines,
                "Fresh and delayed reflectors",
                "Reflectors with a fresh reply, and those of them with a delay above the threshold; the quorum is half of them, and at least two",
            )
            .ask(&format!("max by (wan) (wanctl_measurement_fresh_reflectors{{{OF_WAN}}})"), "{{wan}} fresh")
            .ask(&format!("max by (wan) (wanctl_measurement_delayed_reflectors{{{OF_WAN}}})"), "{{wan}} delayed")
            .above_zero(),
            Panel::new(
                Shape::Lines,
                "Round-trip time by reflector",
                "95th percentile; a single high one is far away or bad, all high ones are the link",
            )
            .ask(
                &quantile("0.95", "wanctl_reflector_rtt_seconds", OF_WAN, "wan, reflector"),
                "{{wan}} {{reflector}}",
            )
            .unit("s")
            .above_zero(),
            Panel::new(
                Shape::Lines,
                "Probe failures by reflector",
                "Share of the probes to each reflector that got no reply",
            )
            .ask(
                &format!(
                    r#"sum by (wan, reflector) (rate(wanctl_reflector_probe_failures_total{{{OF_WAN}, reason="timeout"}}[$__rate_interval]))
                       / sum by (wan, reflector) (rate(wanctl_reflector_probes_total{{{OF_WAN}}}[$__rate_interval]))"#
                ),
                "{{wan}} {{reflector}}",
            )
            .unit("percentunit")
            .above_zero(),
        ],
    }
}
