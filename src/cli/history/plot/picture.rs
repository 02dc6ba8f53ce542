//! Where everything of a picture is, whatever it is drawn with.

use wanctl_core::CongestionState;

use super::{
    Plot, axis,
    panel::{Panel, Shape, Tone},
};
use crate::cli::history::Asking;

/// Room beside, above and below the charts, and the height of each, in pixels.
const LEFT: f32 = 84.0;
const RIGHT: f32 = 24.0;
const TOP: f32 = 16.0;
const TITLE: f32 = 30.0;
const CAPTION: f32 = 26.0;
const CHART: f32 = 150.0;
const STATES: f32 = 8.0;
const AXIS: f32 = 30.0;
/// Width of a letter.
const LETTER: f32 = 8.0;

/// A picture of one or more WANs.
pub(super) struct Picture<'a> {
    pub(super) asking: &'a Asking,
    pub(super) plots: &'a [Plot],
    pub(super) columns: usize,
}

/// A colour with its opacity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink {
    pub(super) red: u8,
    pub(super) green: u8,
    pub(super) blue: u8,
    pub(super) opacity: f32,
}

/// Where a text begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// What can be drawn.
pub(super) trait Canvas {
    /// A filled outline.
    fn area(&mut self, outline: &[(f32, f32)], ink: Ink);
    /// A line through points.
    fn line(&mut self, points: &[(f32, f32)], width: f32, ink: Ink);
    /// A text whose lower edge is at `y`.
    fn text(&mut self, x: f32, y: f32, anchor: Anchor, text: &str, ink: Ink);
}

pub(super) const PAPER: Ink = ink(0xff, 0xff, 0xff);
const TEXT: Ink = ink(0x24, 0x29, 0x2f);
const GRID: Ink = ink(0xe2, 0xe5, 0xe9);
const FRAME: Ink = ink(0x9a, 0xa1, 0xa9);

const fn ink(red: u8, green: u8, blue: u8) -> Ink {
    Ink { red, green, blue, opacity: 1.0 }
}

impl Tone {
    const fn ink(self) -> Ink {
        match self {
            Self::Main => ink(0x2f, 0x7e, 0xc7),
            Self::Soft | Self::State(CongestionState::Unknown) => ink(0xb4, 0xbc, 0xc6),
            Self::Strong => ink(0x1b, 0x2a, 0x49),
            Self::State(CongestionState::Green) => ink(0x52, 0xa8, 0x5c),
            Self::State(CongestionState::Yellow) => ink(0xe8, 0xc0, 0x3c),
            Self::State(CongestionState::SoftRed) => ink(0xe8, 0x8a, 0x3c),
            Self::State(CongestionState::Red) => ink(0xc9, 0x35, 0x35),
        }
    }
}

impl Picture<'_> {
    /// Returns width and height in pixels.
    pub(super) fn size(&self) -> (f32, f32) {
        let height = |plot: &Plot| {
            let panels = plot.panels.iter().map(|panel| CAPTION + CHART + room(panel));
            TITLE + panels.sum::<f32>() + AXIS
        };
        let heights: f32 = self.plots.iter().map(height).sum();
        (LEFT + self.columns as f32 + RIGHT, TOP + heights)
    }

    /// Draws everything.
    pub(super) fn draw(&self, canvas: &mut dyn Canvas) {
        let mut y = TOP;
        for plot in self.plots {
            canvas.text(LEFT, y + 16.0, Anchor::Start, &plot.title, TEXT);
            y += TITLE;
            for panel in &plot.panels {
                y = self.panel(canvas, panel, y);
            }
            self.times(canvas, y);
            y += AXIS;
        }
    }

    fn right(&self) -> f32 {
        LEFT + self.columns as f32
    }

    /// Draws a chart below `y` and returns where it ends.
    fn panel(&self, canvas: &mut dyn Canvas, panel: &Panel, y: f32) -> f32 {
        self.caption(canvas, panel, y);
        let (top, bottom) = (y + CAPTION, y + CAPTION + CHART);
        let (low, high) = panel.range;
        let span = (high - low).max(f64::MIN_POSITIVE);
        #[expect(clippy::cast_possible_truncation, reason = "pixels")]
        let place = |value: f64| top + CHART * ((high - value) / span).clamp(0.0, 1.0) as f32;
        let (marks, decimals) = axis::values(low, high, 4);
        for mark in marks {
            let y = place(mark);
            canvas.line(&[(LEFT, y), (self.right(), y)], 1.0, GRID);
            let label = format!("{mark:.decimals$}");
            canvas.text(LEFT - 8.0, y + 5.0, Anchor::End, &label, TEXT);
        }
        for (x, _) in self.marks() {
            canvas.line(&[(x, top), (x, bottom)], 1.0, GRID);
        }
        for shape in &panel.shapes {
            for run in runs(shape, place) {
                draw_run(canvas, shape, run, bottom);
            }
        }
        canvas.line(&[(LEFT, top), (LEFT, bottom), (self.right(), bottom)], 1.0, FRAME);
        if let Some(states) = &panel.states {
            strip(canvas, states, bottom + 3.0);
        }
        bottom + room(panel)
    }

    fn caption(&self, canvas: &mut dyn Canvas, panel: &Panel, y: f32) {
        let base = y + 19.0;
        canvas.text(LEFT, base, Anchor::Start, &panel.title, TEXT);
        let mut x = self.right();
        for shape in panel.shapes.iter().rev().filter(|shape| !shape.label.is_empty()) {
            canvas.text(x, base, Anchor::End, shape.label, TEXT);
            x -= shape.label.len() as f32 * LETTER + 8.0;
            let height = if shape.is_area { 10.0 } else { 3.0 };
            let (top, left) = (base - 5.0 - height / 2.0, x - 18.0);
            canvas.area(&rectangle(left, top, 18.0, height), shape.tone.ink());
            x = left - 20.0;
        }
    }

    /// Returns the marks of the time axis: place and label.
    fn marks(&self) -> Vec<(f32, String)> {
        let (from, to) = (self.asking.question.from, self.asking.question.to);
        let whole = (to.micros() - from.micros()).max(1) as f64;
        #[expect(clippy::cast_possible_truncation, reason = "pixels")]
        let place =
            |at: i64| LEFT + self.columns as f32 * ((at - from.micros()) as f64 / whole) as f32;
        let marks = axis::times(from, to, &self.asking.zone, 10);
        marks.into_iter().map(|(at, label)| (place(at.micros()), label)).collect()
    }

    fn times(&self, canvas: &mut dyn Canvas, y: f32) {
        for (x, label) in self.marks() {
            canvas.text(x, y + 14.0, Anchor::Middle, &label, TEXT);
        }
    }
}

fn room(panel: &Panel) -> f32 {
    if panel.states.is_some() { STATES + 6.0 } else { 4.0 }
}

/// Splits a shape into what is drawn without a break.
fn runs(shape: &Shape, place: impl Fn(f64) -> f32) -> Vec<Vec<(f32, f32)>> {
    let mut all: Vec<Vec<(f32, f32)>> = vec![Vec::new()];
    for (column, value) in shape.values.iter().enumerate() {
        match (value, all.last_mut()) {
            (Some(value), Some(run)) => run.push((LEFT + column as f32 + 0.5, place(*value))),
            _ => all.push(Vec::new()),
        }
    }
    all.retain(|run| !run.is_empty());
    all
}

fn draw_run(canvas: &mut dyn Canvas, shape: &Shape, mut run: Vec<(f32, f32)>, bottom: f32) {
    // A single column would have no width.
    if let [(x, y)] = run[..] {
        run.push((x + 1.0, y));
    }
    if shape.is_area {
        let ends = [run[run.len() - 1].0, run[0].0].map(|x| (x, bottom));
        let outline = [&run[..], &ends].concat();
        canvas.area(&outline, Ink { opacity: 0.35, ..shape.tone.ink() });
    }
    let width = if shape.tone == Tone::Soft { 1.0 } else { 1.5 };
    canvas.line(&run, width, shape.tone.ink());
}

/// Draws the states of the columns, those that are alike in one piece.
fn strip(canvas: &mut dyn Canvas, states: &[Option<CongestionState>], top: f32) {
    let mut first = 0;
    for piece in states.chunk_by(|one, other| one == other) {
        if let Some(state) = piece[0] {
            let outline = rectangle(LEFT + first as f32, top, piece.len() as f32, STATES);
            canvas.area(&outline, Tone::State(state).ink());
        }
        first += piece.len();
    }
}

fn rectangle(x: f32, y: f32, width: f32, height: f32) -> [(f32, f32); 4] {
    [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
}
