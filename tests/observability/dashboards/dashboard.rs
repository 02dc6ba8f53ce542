//! A dashboard: its panels in rows, its variables, links and annotations.

use serde_json::{Value, json};

use super::panel::{Panel, source};

/// The grid is 24 columns wide.
const COLUMNS: u32 = 24;
/// What Grafana 10 to 13 read, and migrate by themselves if they have to.
const SCHEMA_VERSION: u32 = 41;

/// A dashboard in the making.
#[derive(Debug, Clone)]
pub(crate) struct Dashboard {
    /// The name of its file, and with a prefix its identifier in URLs: never to be changed.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    /// How far back it looks at first, and how often it looks again.
    pub(crate) from: &'static str,
    pub(crate) refresh: &'static str,
    pub(crate) variables: &'static [Variable],
    pub(crate) annotations: &'static [Annotation],
    pub(crate) rows: Vec<Row>,
}

/// A title, and panels that follow each other from left to right.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) panels: Vec<Panel>,
}

/// Something to choose from at the top, taken from a label.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) description: &'static str,
    pub(crate) query: &'static str,
}

/// What is marked on every panel with a time axis.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Annotation {
    pub(crate) name: &'static str,
    pub(crate) colour: &'static str,
    pub(crate) expr: &'static str,
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    /// Whether it is shown until somebody switches it off.
    pub(crate) shown: bool,
}

pub(crate) const INSTANCE: Variable = Variable {
    name: "instance",
    label: "Instance",
    description: "Controllers, as Prometheus names them",
    query: "label_values(wanctl_controller_state_time_seconds_total, instance)",
};
pub(crate) const WAN: Variable = Variable {
    name: "wan",
    label: "WAN",
    description: "WANs of the chosen controllers",
    query: "label_values(wanctl_controller_state_time_seconds_total{instance=~\"$instance\"}, wan)",
};
pub(crate) const DIRECTION: Variable = Variable {
    name: "direction",
    label: "Direction",
    description: "Download, upload, or both side by side",
    query: "label_values(wanctl_controller_state_time_seconds_total{instance=~\"$instance\"}, direction)",
};

pub(crate) const ALERTS: Annotation = Annotation {
    name: "Alerts",
    colour: "orange",
    expr: "ALERTS{alertname=~\"Wanctl.+\", alertstate=\"firing\", instance=~\"$instance\"}",
    title: "{{alertname}}",
    text: "{{instance}} {{wan}} {{direction}}",
    shown: true,
};
pub(crate) const STARTS: Annotation = Annotation {
    name: "Starts and reloads",
    colour: "blue",
    expr: "changes(wanctl_config_last_reload_success_timestamp_seconds{instance=~\"$instance\"}[1m]) > 0",
    title: "Configuration loaded",
    text: "{{instance}}: started, or reloaded its configuration",
    shown: true,
};
pub(crate) const RED: Annotation = Annotation {
    name: "Entered RED",
    colour: "red",
    expr: "sum by (instance, wan, direction) (increase(wanctl_controller_state_transitions_total{instance=~\"$instance\", wan=~\"$wan\", to=\"red\"}[1m])) > 0",
    title: "RED",
    text: "{{wan}} {{direction}}",
    shown: false,
};
pub(crate) const CUTS: Annotation = Annotation {
    name: "Cuts and their reasons",
    colour: "yellow",
    expr: "sum by (instance, wan, direction, reason) (increase(wanctl_shaper_rate_changes_total{instance=~\"$instance\", wan=~\"$wan\", change=\"decrease\", reason=~\"cut_.+\"}[1m])) > 0",
    title: "{{reason}}",
    text: "{{wan}} {{direction}} was cut in this minute",
    shown: true,
};
pub(crate) const MOVES: Annotation = Annotation {
    name: "Moves between WANs",
    colour: "purple",
    expr: "sum by (instance, from, to, reason) (increase(wanctl_steering_moves_total{instance=~\"$instance\"}[1m])) > 0 or sum by (instance, from, to, reason) (increase(wanctl_wan_failovers_total{instance=~\"$instance\"}[1m])) > 0",
    title: "{{from}} → {{to}}",
    text: "{{instance}}: {{reason}}",
    shown: true,
};
/// The method is a label, so that a change begins a new series.
pub(crate) const METHOD: Annotation = Annotation {
    name: "Probe method",
    colour: "green",
    expr: "wanctl_probe_method_info{instance=~\"$instance\", wan=~\"$wan\"} unless wanctl_probe_method_info{instance=~\"$instance\", wan=~\"$wan\"} offset 1m",
    title: "Probes: {{method}}",
    text: "{{wan}} has another probe method: {{reason}}",
    shown: false,
};

impl Dashboard {
    /// The text of the dashboard's file.
    pub(crate) fn file(&self) -> String {
        let text = serde_json::to_string_pretty(&self.json()).expect("JSON of our own making");
        format!("{text}\n")
    }

    fn json(&self) -> Value {
        json!({
            "uid": format!("wanctl-{}", self.name),
            "title": self.title,
            "description": self.description,
            "tags": ["wanctl"],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": false,
            "graphTooltip": 1,
            "timezone": "browser",
            "time": {"from": self.from, "to": "now"},
            "refresh": self.refresh,
            "templating": {"list": self.variables()},
            "annotations": {"list": self.annotations.iter().map(annotation).collect::<Vec<_>>()},
            "links": [{
                "type": "dashboards", "title": "wanctl", "tags": ["wanctl"], "icon": "dashboard",
                "asDropdown": true, "includeVars": true, "keepTime": true, "targetBlank": false,
                "tooltip": "The other dashboards, with the same choice and time", "url": "",
            }],
            "panels": self.panels(),
        })
    }

    fn variables(&self) -> Vec<Value> {
        let datasource = json!({
            "name": "datasource", "label": "Data source", "type": "datasource",
            "description": "The Prometheus that scrapes the controllers",
            "query": "prometheus", "refresh": 1, "multi": false, "includeAll": false, "hide": 0,
        });
        std::iter::once(datasource).chain(self.variables.iter().map(variable)).collect()
    }

    /// Lays the panels out, each row under its title.
    fn panels(&self) -> Vec<Value> {
        let mut laid = Vec::new();
        let mut y = 0;
        let mut ids = 1..;
        let mut id = || ids.next().expect("a range without an end");
        for Row { title, panels } in &self.rows {
            laid.push(json!({
                "id": id(), "type": "row", "title": title, "collapsed": false, "panels": [],
                "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
            }));
            y += 1;
            let (mut x, mut tallest) = (0, 0);
            for panel in panels {
                if x + panel.width() > COLUMNS {
                    (x, y, tallest) = (0, y + tallest, 0);
                }
                laid.push(panel.json(id(), x, y));
                x += panel.width();
                tallest = tallest.max(panel.height());
            }
            y += tallest;
        }
        laid
    }
}

fn variable(variable: &Variable) -> Value {
    let Variable { name, label, description, query } = variable;
    json!({
        "name": name, "label": label, "description": description, "type": "query",
        "datasource": source(),
        // Not only the label values of now: again whenever the time changes.
        "query": query, "refresh": 2, "sort": 1,
        // Matches series without the label, too, such as imported ones.
        "multi": true, "includeAll": true, "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]}, "hide": 0,
    })
}

fn annotation(annotation: &Annotation) -> Value {
    let Annotation { name, colour, expr, title, text, shown } = annotation;
    json!({
        "name": name, "datasource": source(), "enable": shown, "hide": false, "iconColor": colour,
        "expr": expr, "step": "60s", "titleFormat": title, "textFormat": text,
        "useValueForTime": false,
    })
}
