//! The CAKE queues: what passes, what waits, and how the router is kept at what was decided.

use super::{
    dashboard::{ALERTS, CUTS, DIRECTION, Dashboard, INSTANCE, Row, STARTS, WAN},
    panel::{Panel, Shape},
    shared::{OF_DIRECTION, OF_INSTANCE, quantile, rate},
};

const LEGEND: &str = "{{wan}} {{direction}}";

pub(crate) fn board() -> Dashboard {
    Dashboard {
        name: "queues",
        title: "wanctl: CAKE and queues",
        description: "Delivery rate and backlog of the shapers, and whether the router enforces the desired rates. RouterOS reports nothing about CAKE's tins.",
        from: "now-30m",
        refresh: "10s",
        variables: &[INSTANCE, WAN, DIRECTION],
        annotations: &[ALERTS, STARTS, CUTS],
        rows: vec![traffic_row(), waiting_row(), writing_row()],
    }
}

fn traffic_row() -> Row {
    let sent = |what: &str| {
        rate(&format!("wanctl_shaper_sent_{what}_total"), OF_DIRECTION, "wan, direction")
    };
    let allowed = rate("wanctl_shaper_allowance_bytes_total", OF_DIRECTION, "wan, direction");
    Row {
        title: "Traffic",
        panels: vec![
            Panel::new(
                Shape::Lines,
                "Sent and allowed: $direction",
                "Delivery rate, and mean of the desired rate; both exact over each step",
            )
            .ask(&format!("8 * {}", sent("bytes")), "{{wan}} {{direction}} sent")
            .ask(&format!("8 * {allowed}"), "{{wan}} {{direction}} allowed")
            .bounds("/allowed$/")
            .unit("bps")
            .above_zero()
            .repeat("direction"),
            Panel::new(
                Shape::Lines,
                "Packets",
                "Packets that passed, and packets that the queue dropped. RouterOS does not count drops of CAKE queues: then the series is missing, which does not mean that there are none.",
            )
            .ask(&sent("packets"), "{{wan}} {{direction}} sent")
            .ask(
                &rate("wanctl_shaper_dropped_packets_total", OF_DIRECTION, "wan, direction"),
                "{{wan}} {{direction}} dropped",
            )
            .unit("pps")
            .above_zero(),
            Panel::new(
                Shape::Lines,
                "Mean size of a packet",
                "About 1500 bytes is bulk, far less is acknowledgements, calls and games",
            )
            .ask(&format!("{} / ({} > 0)", sent("bytes"), sent("packets")), LEGEND)
            .unit("decbytes")
            .above_zero(),
        ],
    }
}

fn waiting_row() -> Row {
    Row {
        title: "Backlog",
        panels: vec![
            Panel::new(
                Shape::Heatmap,
                "Delay of the queue: $direction",
                "Backlog divided by the limit in force, from every cycle with fresh counters",
            )
            .ask(
                &format!(
                    "sum by (le) (increase(wanctl_shaper_queue_delay_seconds_bucket{{{OF_DIRECTION}}}[$__rate_interval]))"
                ),
                "{{le}}",
            )
            .unit("s")
            .repeat("direction"),
            Panel::new(Shape::Lines, "Delay of the queue, quantiles", "From every cycle with fresh counters")
                .ask(
                    &quantile("0.5", "wanctl_shaper_queue_delay_seconds", OF_DIRECTION, "wan, direction"),
                    "{{wan}} {{direction}} median",
                )
                .ask(
                    &quantile("0.99", "wanctl_shaper_queue_delay_seconds", OF_DIRECTION, "wan, direction"),
                    "{{wan}} {{direction}} 99 %",
                )
                .unit("s")
                .above_zero(),
            Panel::new(
                Shape::Lines,
                "Backlog",
                "Backlog at the moment of each scrape; the heatmap has every cycle",
            )
            .ask(
                &format!("max by (wan, direction) (wanctl_shaper_backlog_bytes{{{OF_DIRECTION}}})"),
                LEGEND,
            )
            .unit("decbytes")
            .above_zero(),
            Panel::new(Shape::Lines, "Backlog in packets", "Backlog at the moment of each scrape")
                .ask(
                    &format!("max by (wan, direction) (wanctl_shaper_backlog_packets{{{OF_DIRECTION}}})"),
                    LEGEND,
                )
                .above_zero(),
        ],
    }
}

fn writing_row() -> Row {
    Row {
        title: "Desired and enforced",
        panels: vec![
            Panel::new(
                Shape::Lines,
                "Time in which the router did not enforce the desired rate",
                "Share of the time; each change takes as long as the router needs, and raises are merged",
            )
            .ask(
                &rate("wanctl_shaper_rate_pending_time_seconds_total", OF_DIRECTION, "wan, direction"),
                LEGEND,
            )
            .unit("percentunit")
            .range(0.0, 1.0),
            Panel::new(
                Shape::Lines,
                "From a change to its enforcement",
                "Time until the router enforced a desired change, 95th percentile; cuts are sent at once, raises are rate-limited",
            )
            .ask(
                &quantile("0.95", "wanctl_shaper_rate_confirmation_seconds", OF_DIRECTION, "wan, direction"),
                LEGEND,
            )
            .unit("s")
            .above_zero(),
            Panel::new(Shape::Lines, "Writes", "Changes that the router confirmed")
                .ask(
                    &rate("wanctl_shaper_rate_writes_total", OF_DIRECTION, "wan, direction"),
                    LEGEND,
                )
                .unit("wps")
                .above_zero(),
            Panel::new(
                Shape::Bars,
                "Limits changed outside wanctl",
                "Found when polling the router, and corrected; any value above zero is another controller or an operator",
            )
            .ask(
                &format!(
                    "sum by (instance, router) (increase(wanctl_router_limit_drifts_total{{{OF_INSTANCE}}}[$__interval]))"
                ),
                "{{instance}} {{router}}",
            )
            .above_zero()
            .interval("15s"),
        ],
    }
}
