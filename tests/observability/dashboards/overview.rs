//! Are the links well, and if not, why not; with many controllers, the view of the fleet.

use serde_json::json;

use super::{
    dashboard::{ALERTS, Dashboard, INSTANCE, MOVES, Row, STARTS, WAN},
    panel::{Panel, Shape},
    shared::{
        BAD_SHARE, CONGESTION, DELAY, GOOD_SHARE, MEASURED, MEASUREMENT, NONE, OF_INSTANCE, OF_WAN,
        PLAIN, coloured, columns, mappings, now, thresholds, to_wan, words, worst_recorded,
    },
};

pub(crate) fn board() -> Dashboard {
    Dashboard {
        name: "overview",
        title: "wanctl: overview",
        description: "The status of every link with its reason. One line per WAN, for one controller or a fleet.",
        from: "now-1h",
        refresh: "10s",
        variables: &[INSTANCE, WAN],
        annotations: &[ALERTS, STARTS, MOVES],
        rows: vec![now_row(), table_row(), time_row()],
    }
}

fn now_row() -> Row {
    let stat = |title, description| Panel::new(Shape::Stat, title, description);
    Row {
        title: "Now",
        panels: vec![
            stat("Controllers up", "Controllers that answered the last scrape")
                .ask(&format!(r#"sum(up{{job="wanctl", {OF_INSTANCE}}})"#), "up")
                .ask(&format!(r#"count(up{{job="wanctl", {OF_INSTANCE}}})"#), "of")
                .steps(PLAIN),
            stat(
                "Alerts firing",
                "Alerts about the selected controllers, without those of severity info",
            )
            .ask(
                &format!(
                    r#"count(ALERTS{{alertname=~"Wanctl.+", alertstate="firing", severity!="info", {OF_INSTANCE}}})
                       or vector(0)"#
                ),
                "",
            )
            .steps(NONE),
            stat(
                "Congested now",
                "Directions in SOFT RED or RED at the last scrape; short ones are normal",
            )
            .ask(
                &format!(r#"sum(wanctl_controller_state{{{OF_WAN}, state=~"soft_red|red"}})"#),
                "",
            )
            .steps(&[(0.0, "green"), (1.0, "orange")]),
            stat(
                "Cannot be measured",
                "WANs without a usable delay: collapsed (replies lost under load), stalled (no replies at all), cannot_send (no probe can be sent), bypass (the probes do not pass the queue) or starting",
            )
            .ask(
                &format!(
                    r#"sum(wanctl_measurement_state{{{OF_WAN}, state!~"{MEASURED}"}})"#
                ),
                "",
            )
            .steps(NONE),
            stat(
                "Worst added delay",
                "The 95th percentile of the delay over the idle delay, of the worst WAN, in the last five minutes",
            )
            .ask(&format!("max(instance_wan:wanctl_rtt_inflation_seconds:p95_rate5m{{{OF_WAN}}})"), "")
            .unit("s")
            .steps(DELAY),
            stat("Routers unreachable", "Routers to which the last request failed")
                .ask(&format!("count(wanctl_router_up{{{OF_INSTANCE}}} == 0) or vector(0)"), "")
                .steps(NONE),
        ],
    }
}

fn table_row() -> Row {
    let by = |record: &str, direction: &str| {
        format!(
            r#"8 * sum by (instance, wan) (instance_wan_direction:wanctl_shaper_{record}_bytes:rate5m{{{OF_WAN}, direction="{direction}"}})"#
        )
    };
    let names = [
        "State",
        "Measured",
        "Added delay p50",
        "Added delay p95",
        "Under 30 ms",
        "Probes lost",
        "Congested",
        "Not measured",
        "Download",
        "Download shaped to",
        "Upload",
        "Upload shaped to",
    ];
    let table = Panel::new(
        Shape::Table,
        "WANs",
        "One line per WAN: the newest state, the other columns over five minutes. Added delay and congestion are of the measured time. A click on a WAN opens its dashboard.",
    )
    .ask(&now("wanctl_controller_state", OF_WAN, "instance, wan", &CONGESTION), "")
    .ask(&now("wanctl_measurement_state", OF_WAN, "instance, wan", &MEASUREMENT), "")
    .ask(&format!("sum by (instance, wan) (instance_wan:wanctl_rtt_inflation_seconds:p50_rate5m{{{OF_WAN}}})"), "")
    .ask(&format!("sum by (instance, wan) (instance_wan:wanctl_rtt_inflation_seconds:p95_rate5m{{{OF_WAN}}})"), "")
    .ask(&format!("sum by (instance, wan) (instance_wan:wanctl_rtt_inflation_seconds_under_30ms:ratio_rate5m{{{OF_WAN}}})"), "")
    .ask(&format!("sum by (instance, wan) (instance_wan:wanctl_reflector_probe_failures_per_probe:ratio_rate5m{{{OF_WAN}}})"), "")
    .ask(&format!("max by (instance, wan) (instance_wan_direction:wanctl_congested_time_seconds:ratio_rate5m{{{OF_WAN}}})"), "")
    .ask(&format!("1 - sum by (instance, wan) (instance_wan:wanctl_measured_time_seconds:ratio_rate5m{{{OF_WAN}}})"), "")
    .ask(&by("sent", "download"), "")
    .ask(&by("allowance", "download"), "")
    .ask(&by("sent", "upload"), "")
    .ask(&by("allowance", "upload"), "")
    .size(24, 9)
    .then("merge", &json!({}))
    .then("organize", &columns(&names))
    .of("wan", &[("links", to_wan())])
    .of("State", &[("mappings", mappings(&CONGESTION)), ("custom.cellOptions", coloured())])
    .of("Measured", &[("mappings", mappings(&MEASUREMENT)), ("custom.cellOptions", coloured())]);
    let coloured_by = |unit: &str, steps| {
        [
            ("unit", json!(unit)),
            ("thresholds", thresholds(steps)),
            ("custom.cellOptions", coloured()),
        ]
    };
    let rates = &names[8..];
    let table = table
        .of("Added delay p50", &coloured_by("s", DELAY))
        .of("Added delay p95", &coloured_by("s", DELAY))
        .of("Under 30 ms", &coloured_by("percentunit", GOOD_SHARE))
        .of("Probes lost", &coloured_by("percentunit", BAD_SHARE))
        .of("Congested", &coloured_by("percentunit", BAD_SHARE))
        .of("Not measured", &coloured_by("percentunit", BAD_SHARE));
    let table = rates.iter().fold(table, |table, rate| table.of(rate, &[("unit", json!("bps"))]));
    let alerts = Panel::new(
        Shape::Table,
        "Why WANs cannot be measured",
        "Alerts that fire or are pending, of every severity.",
    )
    .ask(
        &format!(
            r#"max by (alertname, severity, alertstate, instance, wan, direction) (ALERTS{{alertname=~"Wanctl.+", {OF_INSTANCE}}})"#
        ),
        "",
    )
    .size(24, 5)
    .then("organize", &json!({"excludeByName": {"Time": true, "Value": true}, "indexByName": {}, "renameByName": {}}))
    .of("wan", &[("links", to_wan())]);
    Row { title: "WANs", panels: vec![table, alerts] }
}

/// From recorded series only, and a point a minute: with fifty controllers an hour of the counters
/// takes seconds to read.
fn time_row() -> Row {
    let legend = "{{instance}} {{wan}}";
    let sent = |direction: &str| {
        format!(
            r#"8 * sum by (instance, wan) (instance_wan_direction:wanctl_shaper_sent_bytes:rate5m{{{OF_WAN}, direction="{direction}"}})"#
        )
    };
    Row {
        title: "Over time, five minutes at a time",
        panels: vec![
            Panel::new(
                Shape::Timeline,
                "Congestion",
                "The worst state of the five minutes before each point that lasted at least a hundredth of them, of the worse direction",
            )
            .ask(
                &worst_recorded(
                    "instance_wan_direction_state:wanctl_controller_state_time_seconds:ratio_rate5m",
                    OF_WAN,
                    "instance, wan",
                    &CONGESTION,
                ),
                legend,
            )
            .words(&words(&CONGESTION))
            .size(24, 8)
            .interval("1m"),
            Panel::new(
                Shape::Lines,
                "Added delay, 95th percentile",
                "Delay over the baseline: one in twenty cycles of the previous five minutes had more",
            )
            .ask(
                &format!(
                    "max by (instance, wan) (instance_wan:wanctl_rtt_inflation_seconds:p95_rate5m{{{OF_WAN}}})"
                ),
                legend,
            )
            .unit("s")
            .steps(DELAY)
            .above_zero()
            .interval("1m"),
            Panel::new(
                Shape::Lines,
                "Time congested",
                "Share of the measured time of the five minutes before in SOFT RED or RED, of the worse direction; exact, from counters of time",
            )
            .ask(
                &format!(
                    "max by (instance, wan) (instance_wan_direction:wanctl_congested_time_seconds:ratio_rate5m{{{OF_WAN}}})"
                ),
                legend,
            )
            .unit("percentunit")
            .steps(BAD_SHARE)
            .range(0.0, 1.0)
            .interval("1m"),
            Panel::new(Shape::Lines, "Download", "Delivery rate, mean of five minutes")
                .ask(&sent("download"), legend)
                .unit("bps")
                .above_zero()
            .interval("1m"),
            Panel::new(Shape::Lines, "Upload", "Delivery rate, mean of five minutes")
                .ask(&sent("upload"), legend)
                .unit("bps")
                .above_zero()
            .interval("1m"),
        ],
    }
}
