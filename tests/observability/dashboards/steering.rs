//! Where traffic goes between the WANs of a controller, and why.

use serde_json::json;

use super::{
    dashboard::{ALERTS, Dashboard, INSTANCE, MOVES, Row, STARTS},
    panel::{Panel, Shape, Word},
    shared::{OF_INSTANCE, PLAIN, STEERING, columns, now, quantile, rate, words, worst},
};

const REACH: [(&str, Word); 3] =
    [("up", (0, "UP", "green")), ("unknown", (1, "UNKNOWN", "blue")), ("down", (2, "DOWN", "red"))];

pub(crate) fn board() -> Dashboard {
    Dashboard {
        name: "steering",
        title: "wanctl: steering",
        description: "The WANs of new latency-sensitive connections and of the default route, with the reasons. Empty without steering.",
        from: "now-1h",
        refresh: "10s",
        variables: &[INSTANCE],
        annotations: &[ALERTS, STARTS, MOVES],
        rows: vec![now_row(), time_row(), reasons_row(), rules_row()],
    }
}

fn now_row() -> Row {
    let stat = |title, description| Panel::new(Shape::Stat, title, description);
    let target = |traffic: &str| {
        format!(r#"wanctl_steering_target{{{OF_INSTANCE}, traffic="{traffic}"}} == 1"#)
    };
    let moves = |counter: &str| format!("sum(increase({counter}{{{OF_INSTANCE}}}[$__range]))");
    Row {
        title: "Now",
        panels: vec![
            stat(
                "Latency-sensitive connections on",
                "The WAN of new latency-sensitive connections",
            )
            .ask(&target("sensitive"), "{{wan}}")
            .by_name()
            .size(5, 4),
            stat("Default route on", "The WAN of all other traffic")
                .ask(&target("default"), "{{wan}}")
                .by_name()
                .size(5, 4),
            stat("State", "Steering state")
                .ask(
                    &now("wanctl_steering_state", OF_INSTANCE, "instance", &STEERING),
                    "{{instance}}",
                )
                .words(&words(&STEERING))
                .size(5, 4),
            stat("Steers", "Moves of latency-sensitive connections, both ways, in the shown time")
                .ask(&moves("wanctl_steering_moves_total"), "")
                .steps(PLAIN)
                .size(3, 4),
            stat("Failovers", "Moves of the default route, both ways, in the shown time")
                .ask(&moves("wanctl_wan_failovers_total"), "")
                .steps(PLAIN)
                .size(3, 4),
            stat("Steering active", "1 if decisions are applied to the router, 0 in observe mode")
                .ask(&format!("max(wanctl_steering_active{{{OF_INSTANCE}}})"), "")
                .steps(PLAIN)
                .size(3, 4),
        ],
    }
}

fn time_row() -> Row {
    let reach = REACH.map(|(state, (value, _, _))| {
        format!(r#"{value} * max_over_time(wanctl_wan_reach{{{OF_INSTANCE}, reach="{state}"}}[$__interval])"#)
    });
    Row {
        title: "Over time",
        panels: vec![
            Panel::new(
                Shape::Timeline,
                "State of steering",
                "The state furthest from the default of each step, if it lasted at least a hundredth of it",
            )
            .ask(
                &worst("wanctl_steering_state_time_seconds_total", OF_INSTANCE, "instance", &STEERING),
                "{{instance}}",
            )
            .words(&words(&STEERING))
            .interval("15s")
            .size(12, 6),
            Panel::new(
                Shape::Timeline,
                "Reachability",
                "The worst reachability of each WAN within each step",
            )
            .ask(&format!("max by (instance, wan) ({})", reach.join(" or ")), "{{instance}} {{wan}}")
            .words(&words(&REACH))
            .interval("15s")
            .size(12, 6),
            Panel::new(
                Shape::Lines,
                "Score by WAN",
                "Score of each WAN, and the threshold",
            )
            .ask(&format!("max by (instance, wan) (wanctl_steering_score{{{OF_INSTANCE}}})"), "{{instance}} {{wan}}")
            .ask(
                &format!("max by (instance) (wanctl_steering_score_threshold{{{OF_INSTANCE}}})"),
                "{{instance}} threshold",
            )
            .bounds("/threshold$/")
            .range(0.0, 100.0),
            Panel::new(
                Shape::Lines,
                "Added delay by WAN",
                "95th percentile of the delay over the baseline, by WAN: the gain of a move",
            )
            .ask(
                &quantile("0.95", "wanctl_rtt_inflation_seconds", OF_INSTANCE, "instance, wan"),
                "{{instance}} {{wan}}",
            )
            .unit("s")
            .above_zero(),
        ],
    }
}

fn reasons_row() -> Row {
    Row {
        title: "Why",
        panels: vec![
            Panel::new(
                Shape::Stack,
                "Score contributors",
                "Points that each contributor adds to the score, at the moment of each scrape",
            )
            .ask(
                &format!("max by (wan, contributor) (wanctl_steering_score_contribution{{{OF_INSTANCE}}})"),
                "{{wan}} {{contributor}}",
            )
            .above_zero(),
            Panel::new(
                Shape::Stack,
                "Steering decisions by reason",
                "Decisions a second; docs/steering.md explains each reason",
            )
            .ask(&format!("{} > 0", rate("wanctl_steering_decisions_total", OF_INSTANCE, "reason")), "{{reason}}")
            .unit("cps")
            .above_zero(),
            Panel::new(
                Shape::Stack,
                "Failover decisions by reason",
                "Decisions a second about failover and failback",
            )
            .ask(
                &format!("{} > 0", rate("wanctl_steering_failover_decisions_total", OF_INSTANCE, "reason")),
                "{{reason}}",
            )
            .unit("cps")
            .above_zero(),
            Panel::new(
                Shape::Lines,
                "Blocked decisions",
                "Decisions per second that a blocker prevented, by blocker",
            )
            .ask(&rate("wanctl_steering_blocked_total", OF_INSTANCE, "blocker"), "{{blocker}}")
            .unit("cps")
            .above_zero(),
            Panel::new(
                Shape::Stack,
                "Time in each state",
                "Share of the time, exact; several controllers are averaged",
            )
            .ask(
                &format!(
                    "avg by (state) (rate(wanctl_steering_state_time_seconds_total{{{OF_INSTANCE}}}[$__rate_interval]))"
                ),
                "{{state}}",
            )
            .unit("percentunit")
            .range(0.0, 1.0)
            .colours(&STEERING),
            Panel::new(
                Shape::Bars,
                "Moves and failovers",
                "Changes of the WAN within each step, with their reason",
            )
            .ask(
                &format!(
                    "sum by (from, to, reason) (increase(wanctl_steering_moves_total{{{OF_INSTANCE}}}[$__interval]))"
                ),
                "calls {{from}} to {{to}}: {{reason}}",
            )
            .ask(
                &format!(
                    "sum by (from, to, reason) (increase(wanctl_wan_failovers_total{{{OF_INSTANCE}}}[$__interval]))"
                ),
                "everything {{from}} to {{to}}: {{reason}}",
            )
            .interval("15s")
            .above_zero(),
        ],
    }
}

fn rules_row() -> Row {
    let rule = |name: &str| {
        format!("max by (instance, wan, switch) (wanctl_steering_switch_{name}{{{OF_INSTANCE}}})")
    };
    Row {
        title: "Steering switches",
        panels: vec![
            Panel::new(
                Shape::Table,
                "Switches",
                "Each rule or route that steering switches: 1 is enabled, or true. Desired and observed differ for a moment after a change.",
            )
            .ask(&rule("desired"), "")
            .ask(&rule("observed"), "")
            .ask(&rule("refused"), "")
            .ask(&rule("in_doubt"), "")
            .then("merge", &json!({}))
            .then("organize", &columns(&["Desired", "Observed", "Refused", "In doubt"])),
            Panel::new(Shape::Lines, "Writes", "Writes of switches by result")
                .ask(
                    &rate("wanctl_steering_switch_writes_total", OF_INSTANCE, "wan, switch, result"),
                    "{{wan}} {{switch}} {{result}}",
                )
                .unit("wps")
                .size(24, 6)
                .above_zero(),
        ],
    }
}
