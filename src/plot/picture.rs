//! The layout of a picture, whatever it is drawn with.

use wanctl_core::CongestionState;

use super::{PICTURE_COLUMNS, Panel, Plot, Shape, Tone};

/// Room beside, above and below the charts, and the height of each, in pixels.
const LEFT: f32 = 84.0;
const RIGHT: f32 = LEFT + PICTURE_COLUMNS as f32;
const MARGIN: f32 = 24.0;
const TOP: f32 = 16.0;
const TITLE: f32 = 30.0;
const CAPTION: f32 = 26.0;
const CHART: f32 = 150.0;
const STATES: f32 = 8.0;
const AXIS: f32 = 30.0;
/// Width of a letter.
const LETTER: f32 = 8.0;

/// A place in pixels: from the left, from above.
pub(super) type Dot = (f32, f32);

/// A colour (red, green, blue) with its opacity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink {
    pub(super) colour: [u8; 3],
    pub(super) opacity: f32,
}

/// Where a text begins or ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

pub(super) trait Canvas {
    /// Fills an outline.
    fn area(&mut self, outline: &[Dot], ink: Ink);
    /// Draws a line through points.
    fn line(&mut self, points: &[Dot], width: f32, ink: Ink);
    /// Writes a text whose lower edge is at `y`.
    fn text(&mut self, x: f32, y: f32, anchor: Anchor, text: &str, ink: Ink);
}

pub(super) const PAPER: Ink = ink(0xff, 0xff, 0xff);
const TEXT: Ink = ink(0x24, 0x29, 0x2f);
const GRID: Ink = ink(0xe2, 0xe5, 0xe9);
const FRAME: Ink = ink(0x9a, 0xa1, 0xa9);

const fn ink(red: u8, green: u8, blue: u8) -> Ink {
    Ink { colour: [red, green, blue], opacity: 1.0 }
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

/// Returns width and height in pixels.
pub(super) fn size(plots: &[Plot]) -> (f32, f32) {
    let height = |plot: &Plot| {
        let panels = plot.panels.iter().map(|panel| CAPTION + CHART + below(panel));
        TITLE + panels.sum::<f32>() + AXIS
    };
    (RIGHT + MARGIN, TOP + plots.iter().map(height).sum::<f32>())
}

/// Draws everything.
pub(super) fn draw(canvas: &mut dyn Canvas, plots: &[Plot]) {
    let mut y = TOP;
    for Plot { title, panels, times } in plots {
        #[expect(clippy::cast_possible_truncation, reason = "pixels")]
        let times = times
            .iter()
            .map(|(place, label)| (LEFT + PICTURE_COLUMNS as f32 * *place as f32, label.as_str()))
            .collect::<Vec<_>>();
        canvas.text(LEFT, y + 16.0, Anchor::Start, title, TEXT);
        y += TITLE;
        for panel in panels {
            caption(canvas, panel, y + 19.0);
            chart(canvas, panel, &times, y + CAPTION);
            y += CAPTION + CHART + below(panel);
        }
        for (x, label) in times {
            canvas.text(x, y + 14.0, Anchor::Middle, label, TEXT);
        }
        y += AXIS;
    }
}

/// Writes the title and the legend of a panel.
fn caption(canvas: &mut dyn Canvas, panel: &Panel, base: f32) {
    canvas.text(LEFT, base, Anchor::Start, &panel.title, TEXT);
    let mut x = RIGHT;
    for shape in panel.shapes.iter().rev().filter(|shape| !shape.label.is_empty()) {
        canvas.text(x, base, Anchor::End, shape.label, TEXT);
        x -= shape.label.len() as f32 * LETTER + 8.0;
        let height = if shape.is_area { 10.0 } else { 3.0 };
        let (top, left) = (base - 5.0 - height / 2.0, x - 18.0);
        canvas.area(&rectangle(left, top, 18.0, height), shape.tone.ink());
        x = left - 20.0;
    }
}

fn chart(canvas: &mut dyn Canvas, panel: &Panel, times: &[(f32, &str)], top: f32) {
    let bottom = top + CHART;
    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    let place = |value: f64| top + CHART * panel.depth(value) as f32;
    for (mark, label) in panel.marks(4) {
        let y = place(mark);
        canvas.line(&[(LEFT, y), (RIGHT, y)], 1.0, GRID);
        canvas.text(LEFT - 8.0, y + 5.0, Anchor::End, &label, TEXT);
    }
    for (x, _) in times {
        canvas.line(&[(*x, top), (*x, bottom)], 1.0, GRID);
    }
    for Shape { tone, is_area, values, .. } in &panel.shapes {
        let width = if *tone == Tone::Soft { 1.0 } else { 1.5 };
        let dots = values
            .iter()
            .enumerate()
            .map(|(column, value)| value.map(|value| (LEFT + column as f32 + 0.5, place(value))));
        for run in dots.collect::<Vec<_>>().split(Option::is_none).filter(|run| !run.is_empty()) {
            let mut run: Vec<Dot> = run.iter().flatten().copied().collect();
            // A single column would have no width.
            if let [(x, y)] = run[..] {
                run.push((x + 1.0, y));
            }
            if *is_area {
                let ends = [run[run.len() - 1].0, run[0].0].map(|x| (x, bottom));
                canvas.area(&[&run[..], &ends].concat(), Ink { opacity: 0.35, ..tone.ink() });
            }
            canvas.line(&run, width, tone.ink());
        }
    }
    canvas.line(&[(LEFT, top), (LEFT, bottom), (RIGHT, bottom)], 1.0, FRAME);
    let mut first = 0.0;
    // States that are alike are drawn in one piece.
    for piece in panel.states.iter().flat_map(|states| states.chunk_by(|one, other| one == other)) {
        let width = piece.len() as f32;
        if let Some(state) = piece[0] {
            let outline = rectangle(LEFT + first, bottom + 3.0, width, STATES);
            canvas.area(&outline, Tone::State(state).ink());
        }
        first += width;
    }
}

/// Returns the room below a chart.
fn below(panel: &Panel) -> f32 {
    if panel.states.is_some() { STATES + 6.0 } else { 4.0 }
}

fn rectangle(x: f32, y: f32, width: f32, height: f32) -> [Dot; 4] {
    [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
}
