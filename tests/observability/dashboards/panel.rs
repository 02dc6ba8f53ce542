//! A panel: what is asked, how it is drawn, and what it means.

use serde_json::{Value, json};

/// The data source that the variable of the dashboard names.
pub(crate) fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

/// How a panel draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Lines,
    /// Lines on top of each other, filled.
    Stack,
    Bars,
    /// The newest value, large.
    Stat,
    /// Several queries as the columns of one table.
    Table,
    /// Buckets of a histogram over time.
    Heatmap,
    /// A state over time, in words.
    Timeline,
}

/// One query, and the legend of its series or the name of its column.
#[derive(Debug, Clone)]
struct Query {
    expr: String,
    legend: String,
}

/// What a number is called, and its colour.
pub(crate) type Word = (i64, &'static str, &'static str);
/// From which value on which colour counts; the first holds from below.
pub(crate) type Steps = &'static [(f64, &'static str)];

/// A panel in the making.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    shape: Shape,
    title: &'static str,
    description: &'static str,
    unit: &'static str,
    queries: Vec<Query>,
    width: u32,
    height: u32,
    steps: Steps,
    words: Vec<Word>,
    min: Option<f64>,
    max: Option<f64>,
    /// The least time between two points.
    interval: Option<&'static str>,
    repeat: Option<&'static str>,
    /// Whether the legend is shown in the place of the value.
    by_name: bool,
    overrides: Vec<Value>,
    transformations: Vec<Value>,
}

impl Panel {
    /// A panel; `description` is what hovering its corner explains.
    pub(crate) fn new(shape: Shape, title: &'static str, description: &'static str) -> Self {
        let (width, height) = match shape {
            Shape::Stat => (4, 4),
            Shape::Table => (24, 8),
            _ => (12, 8),
        };
        Self {
            shape,
            title,
            description,
            unit: "short",
            queries: Vec::new(),
            width,
            height,
            steps: &[(0.0, "green")],
            words: Vec::new(),
            min: None,
            max: None,
            interval: None,
            repeat: None,
            by_name: false,
            overrides: Vec::new(),
            transformations: Vec::new(),
        }
    }

    /// Adds a query.
    pub(crate) fn ask(mut self, expr: &str, legend: &str) -> Self {
        self.queries.push(Query { expr: one_line(expr), legend: legend.to_owned() });
        self
    }

    pub(crate) fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// Width in the 24 columns of a dashboard, and height in its lines.
    pub(crate) fn size(self, width: u32, height: u32) -> Self {
        Self { width, height, ..self }
    }

    pub(crate) fn steps(self, steps: Steps) -> Self {
        Self { steps, ..self }
    }

    pub(crate) fn words(self, words: &[Word]) -> Self {
        Self { words: words.to_vec(), ..self }
    }

    pub(crate) fn range(self, min: f64, max: f64) -> Self {
        Self { min: Some(min), max: Some(max), ..self }
    }

    pub(crate) fn above_zero(self) -> Self {
        Self { min: Some(0.0), ..self }
    }

    pub(crate) fn interval(self, least: &'static str) -> Self {
        Self { interval: Some(least), ..self }
    }

    /// Shows the names of the series instead of their values.
    pub(crate) fn by_name(self) -> Self {
        Self { by_name: true, ..self }
    }

    /// Draws the panel once for each chosen value of a variable, side by side on a line of their own.
    pub(crate) fn repeat(self, variable: &'static str) -> Self {
        Self { repeat: Some(variable), width: 24, ..self }
    }

    /// Sets properties of the series or column `name`.
    pub(crate) fn of(mut self, name: &str, properties: &[(&str, Value)]) -> Self {
        let properties: Vec<Value> =
            properties.iter().map(|(id, value)| json!({"id": id, "value": value})).collect();
        let matcher = json!({"id": "byName", "options": name});
        self.overrides.push(json!({"matcher": matcher, "properties": properties}));
        self
    }

    /// Gives each state's series the colour of the state.
    pub(crate) fn colours<const N: usize>(self, states: &[(&str, Word); N]) -> Self {
        states.iter().fold(self, |panel, (state, (_, _, colour))| {
            panel.of(state, &[("color", json!({"mode": "fixed", "fixedColor": colour}))])
        })
    }

    /// Draws the series whose legends match as thin dashed lines without filling: bounds, not data.
    pub(crate) fn bounds(mut self, legends: &str) -> Self {
        let properties = json!([
            {"id": "custom.lineStyle", "value": {"dash": [6, 6], "fill": "dash"}},
            {"id": "custom.lineWidth", "value": 1},
            {"id": "custom.fillOpacity", "value": 0},
        ]);
        let matcher = json!({"id": "byRegexp", "options": legends});
        self.overrides.push(json!({"matcher": matcher, "properties": properties}));
        self
    }

    /// Adds a transformation of the answer.
    pub(crate) fn then(mut self, id: &str, options: &Value) -> Self {
        self.transformations.push(json!({"id": id, "options": options}));
        self
    }

    pub(crate) fn width(&self) -> u32 {
        self.width
    }

    pub(crate) fn height(&self) -> u32 {
        self.height
    }

    /// The panel as Grafana reads it.
    pub(crate) fn json(&self, id: u32, x: u32, y: u32) -> Value {
        let mut panel = json!({
            "id": id,
            "type": self.kind(),
            "title": self.title,
            "description": self.description,
            "datasource": source(),
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": self.targets(),
            "fieldConfig": {"defaults": self.defaults(), "overrides": self.overrides},
            "options": self.options(),
        });
        if let Some(interval) = self.interval {
            panel["interval"] = json!(interval);
        }
        if let Some(variable) = self.repeat {
            panel["repeat"] = json!(variable);
            panel["repeatDirection"] = json!("h");
        }
        if !self.transformations.is_empty() {
            panel["transformations"] = json!(self.transformations);
        }
        panel
    }

    fn kind(&self) -> &'static str {
        match self.shape {
            Shape::Lines | Shape::Stack | Shape::Bars => "timeseries",
            Shape::Stat => "stat",
            Shape::Table => "table",
            Shape::Heatmap => "heatmap",
            Shape::Timeline => "state-timeline",
        }
    }

    fn targets(&self) -> Vec<Value> {
        let format = match self.shape {
            Shape::Table => "table",
            Shape::Heatmap => "heatmap",
            _ => "time_series",
        };
        // A table of moments asks for them with a query over time.
        let instant = match self.shape {
            Shape::Table => self.interval.is_none(),
            shape => shape == Shape::Stat,
        };
        let target = |(letter, query): (char, &Query)| {
            json!({
                "refId": letter.to_string(),
                "datasource": source(),
                "editorMode": "code",
                "expr": query.expr,
                "legendFormat": query.legend,
                "format": format,
                "instant": instant,
                "range": !instant,
            })
        };
        ('A'..='Z').zip(&self.queries).map(target).collect()
    }

    fn defaults(&self) -> Value {
        let steps = self.steps.iter().enumerate().map(|(number, (from, colour))| {
            // Grafana's way to say "from below".
            let from = if number == 0 { Value::Null } else { json!(from) };
            json!({"color": colour, "value": from})
        });
        let mut mappings = serde_json::Map::new();
        for (index, (value, text, colour)) in self.words.iter().enumerate() {
            let word = json!({"text": text, "color": colour, "index": index});
            mappings.insert(value.to_string(), word);
        }
        let mappings = if mappings.is_empty() {
            json!([])
        } else {
            json!([{"type": "value", "options": mappings}])
        };
        let mut defaults = json!({
            "unit": self.unit,
            "thresholds": {"mode": "absolute", "steps": steps.collect::<Vec<_>>()},
            "mappings": mappings,
            "custom": self.custom(),
        });
        match self.shape {
            Shape::Stat | Shape::Timeline => defaults["color"] = json!({"mode": "thresholds"}),
            Shape::Lines | Shape::Stack | Shape::Bars => {
                defaults["color"] = json!({"mode": "palette-classic"});
            }
            Shape::Table | Shape::Heatmap => {}
        }
        for (name, bound) in [("min", self.min), ("max", self.max)] {
            if let Some(bound) = bound {
                defaults[name] = json!(bound);
            }
        }
        defaults
    }

    fn custom(&self) -> Value {
        match self.shape {
            Shape::Lines => json!({"drawStyle": "line", "lineWidth": 1, "fillOpacity": 8,
                                   "showPoints": "never", "spanNulls": false}),
            Shape::Stack => json!({"drawStyle": "line", "lineWidth": 0, "fillOpacity": 60,
                                   "showPoints": "never",
                                   "stacking": {"mode": "normal", "group": "A"}}),
            Shape::Bars => json!({"drawStyle": "bars", "lineWidth": 0, "fillOpacity": 80,
                                  "stacking": {"mode": "normal", "group": "A"}}),
            Shape::Timeline => json!({"lineWidth": 0, "fillOpacity": 80}),
            Shape::Table => json!({"align": "auto", "filterable": true}),
            Shape::Stat | Shape::Heatmap => json!({}),
        }
    }

    fn options(&self) -> Value {
        match self.shape {
            Shape::Lines | Shape::Stack | Shape::Bars => json!({
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true,
                           "calcs": []},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }),
            Shape::Stat => json!({
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false},
                "colorMode": "value", "graphMode": "none", "justifyMode": "auto",
                "orientation": "auto", "textMode": if self.by_name { "name" } else { "auto" }, "wideLayout": true,
            }),
            Shape::Table => json!({"showHeader": true, "cellHeight": "sm"}),
            Shape::Heatmap => json!({
                "calculate": false,
                "yAxis": {"unit": self.unit, "axisPlacement": "left"},
                "color": {"mode": "scheme", "scheme": "Turbo", "steps": 64, "reverse": false,
                          "exponent": 0.5, "fill": "dark-orange"},
                "cellGap": 0, "filterValues": {"le": 1e-9}, "legend": {"show": true},
                "tooltip": {"mode": "single", "yHistogram": true}, "exemplars": {"color": "white"},
                "rowsFrame": {"layout": "auto"},
            }),
            Shape::Timeline => json!({
                "mergeValues": true, "showValue": "auto", "alignValue": "left", "rowHeight": 0.85,
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true,
                           "calcs": []},
                "tooltip": {"mode": "single", "sort": "none"},
            }),
        }
    }
}

/// Joins the lines of a query that is written on several.
fn one_line(expr: &str) -> String {
    expr.split_whitespace().collect::<Vec<_>>().join(" ")
}
