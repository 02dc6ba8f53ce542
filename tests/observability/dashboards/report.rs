//! How a week was: time under a delay, and the worst hours. Everything is asked over long windows
//! of counters, so that an imported history, which has a sample every few minutes, answers as well.

use serde_json::json;

use super::{
    dashboard::{DIRECTION, Dashboard, INSTANCE, Row, WAN},
    panel::{Panel, Shape},
    shared::{
        CONGESTION, DELAY, GOOD_SHARE, MEASURED, OF_DIRECTION, OF_WAN, PLAIN, coloured, thresholds,
        to_wan,
    },
};

const EACH: &str = "{{instance}} {{wan}}";

pub(crate) fn board() -> Dashboard {
    Dashboard {
        name: "report",
        title: "wanctl: weekly report",
        description: "The links over days: time under a delay, worst hours, time in each state, traffic. Also for history that promtool imported.",
        from: "now-7d",
        refresh: "",
        variables: &[INSTANCE, WAN, DIRECTION],
        annotations: &[],
        rows: vec![sum_row(), hours_row(), days_row()],
    }
}

/// The share of the measured cycles whose added delay was at most `bound` seconds.
fn under(bound: &str, window: &str) -> String {
    format!(
        r#"sum by (instance, wan) (increase(wanctl_rtt_inflation_seconds_bucket{{{OF_WAN}, le="{bound}"}}[{window}]))
           / (sum by (instance, wan) (increase(wanctl_rtt_inflation_seconds_count{{{OF_WAN}}}[{window}])) > 0)"#
    )
}

fn delay(share: &str, window: &str) -> String {
    format!(
        "histogram_quantile({share}, sum by (instance, wan, le) \
         (increase(wanctl_rtt_inflation_seconds_bucket{{{OF_WAN}}}[{window}])))"
    )
}

/// Seconds in these states.
fn time_in(states: &str, window: &str) -> String {
    format!(
        r#"sum without (state) (increase(wanctl_controller_state_time_seconds_total{{{OF_DIRECTION}, state=~"{states}"}}[{window}]))"#
    )
}

fn sum_row() -> Row {
    let stat = |title, description| Panel::new(Shape::Stat, title, description);
    Row {
        title: "Summary",
        panels: vec![
            stat("Time under 30 ms", "Share of the measured cycles with at most 30 ms of added delay, which calls do not notice")
                .ask(&under("0.03", "$__range"), EACH)
                .unit("percentunit")
                .steps(GOOD_SHARE),
            stat("Time under 100 ms", "Share of the measured cycles with at most 100 ms of added delay, which browsing does not notice")
                .ask(&under("0.1", "$__range"), EACH)
                .unit("percentunit")
                .steps(GOOD_SHARE),
            stat("Median", "Of the added delay of all measured cycles")
                .ask(&delay("0.5", "$__range"), EACH)
                .unit("s")
                .steps(DELAY),
            stat("99th percentile", "Of the added delay of all measured cycles: one in a hundred was worse")
                .ask(&delay("0.99", "$__range"), EACH)
                .unit("s")
                .steps(DELAY),
            stat("Congested", "Time in SOFT RED or RED, of the worse direction")
                .ask(&format!("max by (instance, wan) ({})", time_in("soft_red|red", "$__range")), EACH)
                .unit("s")
                .steps(PLAIN),
            stat("Not measured", "Time without a usable delay: collapsed, stalled, cannot_send, bypass or starting; it counts neither as good nor as bad")
                .ask(
                    &format!(
                        r#"sum by (instance, wan) (increase(wanctl_measurement_state_time_seconds_total{{{OF_WAN}, state!~"{MEASURED}"}}[$__range]))"#
                    ),
                    EACH,
                )
                .unit("s")
                .steps(PLAIN),
        ],
    }
}

fn hours_row() -> Row {
    let newest_first = json!({"sort": [{"field": "Added delay p99", "desc": true}]});
    Row {
        title: "Hour by hour",
        panels: vec![
            Panel::new(
                Shape::Bars,
                "Time over 30 ms",
                "Share of each hour's measured cycles with more than 30 ms of added delay",
            )
            .ask(&format!("1 - {}", under("0.03", "1h")), EACH)
            .unit("percentunit")
            .above_zero()
            .interval("1h")
            .size(16, 9),
            Panel::new(
                Shape::Table,
                "Worst hours",
                "The twenty hours with the highest 99th percentile of added delay; the time is the hour's end",
            )
            .ask(&delay("0.99", "1h"), "")
            .interval("1h")
            .size(8, 9)
            .unit("s")
            .then("organize", &json!({"excludeByName": {}, "indexByName": {}, "renameByName": {"Value": "Added delay p99"}}))
            .then("sortBy", &newest_first)
            .then("limit", &json!({"limitField": 20}))
            .of("Added delay p99", &[("thresholds", thresholds(DELAY)), ("custom.cellOptions", coloured())])
            .of("wan", &[("links", to_wan())]),
            Panel::new(
                Shape::Heatmap,
                "Added delay, hour by hour",
                "Distribution of the delay over the baseline in each hour",
            )
            .ask(
                &format!("sum by (le) (increase(wanctl_rtt_inflation_seconds_bucket{{{OF_WAN}}}[1h]))"),
                "{{le}}",
            )
            .unit("s")
            .interval("1h")
            .size(24, 8),
            Panel::new(Shape::Lines, "Added delay, quantiles of each hour", "From all cycles of the hour before")
                .ask(&delay("0.5", "1h"), &format!("{EACH} median"))
                .ask(&delay("0.95", "1h"), &format!("{EACH} 95 %"))
                .ask(&delay("0.99", "1h"), &format!("{EACH} 99 %"))
                .unit("s")
                .above_zero()
                .interval("1h"),
            Panel::new(
                Shape::Lines,
                "Mean rates of each hour",
                "Desired rate and delivery rate",
            )
            .ask(
                &format!(
                    "8 * sum by (instance, wan, direction) (rate(wanctl_shaper_allowance_bytes_total{{{OF_DIRECTION}}}[1h]))"
                ),
                &format!("{EACH} {{{{direction}}}} allowed"),
            )
            .ask(
                &format!(
                    "8 * sum by (instance, wan, direction) (rate(wanctl_shaper_sent_bytes_total{{{OF_DIRECTION}}}[1h]))"
                ),
                &format!("{EACH} {{{{direction}}}} sent"),
            )
            .bounds("/allowed$/")
            .unit("bps")
            .above_zero()
            .interval("1h"),
        ],
    }
}

fn days_row() -> Row {
    Row {
        title: "Day by day",
        panels: vec![
            Panel::new(
                Shape::Bars,
                "Time in each state",
                "Of each day, summed over the chosen WANs and directions",
            )
            .ask(
                &format!(
                    "sum by (state) (increase(wanctl_controller_state_time_seconds_total{{{OF_DIRECTION}}}[1d]))"
                ),
                "{{state}}",
            )
            .unit("s")
            .above_zero()
            .interval("1d")
            .colours(&CONGESTION),
            Panel::new(Shape::Bars, "Traffic", "Of each day, by WAN and direction")
                .ask(
                    &format!(
                        "sum by (instance, wan, direction) (increase(wanctl_shaper_sent_bytes_total{{{OF_DIRECTION}}}[1d]))"
                    ),
                    &format!("{EACH} {{{{direction}}}}"),
                )
                .unit("decbytes")
                .above_zero()
                .interval("1d"),
        ],
    }
}
