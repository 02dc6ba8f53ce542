//! Charts of Braille letters: each has two columns and four rows of dots.

use std::io::{self, Write};

use wanctl_core::CongestionState;

use super::{Panel, Plot, Shape, Tone};

/// Room for the values beside a chart, in letters.
const MARGIN: usize = 9;

/// How large a chart is, in letters, and whether it may have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    columns: usize,
    rows: usize,
    is_coloured: bool,
}

impl TerminalSize {
    /// Returns the size with which three charts with their titles and axes fit in a terminal of this
    /// width and height.
    #[must_use]
    pub fn fitting(width: usize, height: usize, is_coloured: bool) -> Self {
        let columns = width.saturating_sub(MARGIN + 2).clamp(20, 200);
        Self { columns, rows: (height / 3).saturating_sub(4).clamp(5, 12), is_coloured }
    }

    /// Returns the columns of dots: as many values has a row.
    #[must_use]
    pub const fn dots(&self) -> usize {
        2 * self.columns
    }

    /// Returns for how many marks the time axis has room.
    #[must_use]
    pub const fn time_marks(&self) -> usize {
        self.columns / 12
    }

    fn paint(self, text: &str, tone: Tone) -> String {
        if !self.is_coloured {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Main => 36,
            Tone::Soft | Tone::State(CongestionState::Unknown) => 90,
            Tone::Strong => 97,
            Tone::State(CongestionState::Green) => 32,
            Tone::State(CongestionState::Yellow) => 33,
            Tone::State(CongestionState::SoftRed) => 35,
            Tone::State(CongestionState::Red) => 31,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Draws a plot whose values have [`TerminalSize::dots`] columns.
///
/// # Errors
/// Those of `out`.
pub fn draw(out: &mut dyn Write, plot: &Plot, size: TerminalSize) -> io::Result<()> {
    writeln!(out, "{}", plot.title)?;
    for panel in &plot.panels {
        writeln!(out)?;
        chart(out, panel, size)?;
    }
    let mut axis = vec!['─'; size.columns];
    let mut labels = String::new();
    for (place, label) in &plot.times {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let place = (place.clamp(0.0, 1.0) * size.columns as f64) as usize;
        let place = place.min(size.columns - 1);
        axis[place] = '┴';
        if place >= labels.chars().count() && place + label.len() <= size.columns {
            labels = format!("{labels:place$}{label} ");
        }
    }
    writeln!(out, "{:>MARGIN$} └{}", "", axis.into_iter().collect::<String>())?;
    writeln!(out, "{:>MARGIN$}  {}", "", labels.trim_end())
}

fn chart(out: &mut dyn Write, panel: &Panel, size: TerminalSize) -> io::Result<()> {
    let mut canvas = Canvas(vec![vec![(0, Tone::Soft); size.columns]; size.rows]);
    for shape in &panel.shapes {
        canvas.draw(shape, panel);
    }
    let legend = panel.shapes.iter().filter(|shape| !shape.label.is_empty());
    let legend: Vec<String> = legend
        .map(|shape| size.paint(if shape.is_area { "█ " } else { "─ " }, shape.tone) + shape.label)
        .collect();
    let title = format!("{:MARGIN$} {}   {}", "", panel.title, legend.join("   "));
    writeln!(out, "{}", title.trim_end())?;
    let marks = panel.marks(size.rows.div_ceil(3) + 1);
    for row in 0..size.rows {
        let within = |(mark, _): &&(f64, String)| canvas.row(panel.depth(*mark)) / 4 == row;
        let label = marks.iter().find(within).map_or("", |(_, label)| label);
        let axis = if label.is_empty() { '│' } else { '┤' };
        writeln!(out, "{label:>MARGIN$} {axis}{}", canvas.line(row, size))?;
    }
    if let Some(states) = &panel.states {
        let pairs = states
            .chunks(2)
            .map(|pair| pair.iter().flatten().copied().reduce(CongestionState::worse));
        let line: String = pairs.map(|state| letter(state, size)).collect();
        writeln!(out, "{:>MARGIN$} │{line}", "state")?;
    }
    Ok(())
}

/// Returns how a state looks, also without colours.
fn letter(state: Option<CongestionState>, size: TerminalSize) -> String {
    let Some(state) = state else { return " ".to_owned() };
    let shown = match state {
        CongestionState::Unknown => "?",
        CongestionState::Green => "▁",
        CongestionState::Yellow => "▃",
        CongestionState::SoftRed => "▅",
        CongestionState::Red => "█",
    };
    size.paint(shown, Tone::State(state))
}

/// The dots and the colour of each letter, row by row.
struct Canvas(Vec<Vec<(u8, Tone)>>);

impl Canvas {
    /// Returns the row of dots at a share of the height, from above.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1")]
    fn row(&self, depth: f64) -> usize {
        (depth * (4 * self.0.len() - 1) as f64).round() as usize
    }

    fn draw(&mut self, shape: &Shape, panel: &Panel) {
        const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let bottom = 4 * self.0.len() - 1;
        let mut before: Option<usize> = None;
        for (column, value) in shape.values.iter().enumerate() {
            let row = value.map(|value| self.row(panel.depth(value)));
            if let Some(row) = row {
                // An area reaches down to the axis, a line to the value before.
                let end = if shape.is_area { bottom } else { before.unwrap_or(row) };
                for row in row.min(end)..=row.max(end) {
                    if let Some(letter) = self.0[row / 4].get_mut(column / 2) {
                        *letter = (letter.0 | DOTS[row % 4][column % 2], shape.tone);
                    }
                }
            }
            before = row;
        }
    }

    fn line(&self, row: usize, size: TerminalSize) -> String {
        let shown = |&(dots, tone): &(u8, Tone)| match dots {
            0 => " ".to_owned(),
            dots => {
                let letter = char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ');
                size.paint(letter.encode_utf8(&mut [0; 4]), tone)
            }
        };
        self.0[row].iter().map(shown).collect()
    }
}
