//! Charts of Braille letters: each has two columns and four rows of dots.

use std::{
    env,
    io::{self, IsTerminal as _, Write},
};

use terminal_size::{Height, Width, terminal_size};
use wanctl_core::CongestionState;

use super::{
    Plot, axis,
    panel::{Panel, Shape, Tone},
};
use crate::cli::history::Asking;

/// Room for the values beside a chart.
const MARGIN: usize = 9;
/// Letters of a chart if the output is no terminal.
const USUAL: (usize, usize) = (90, 8);

/// How large a chart is, in letters, and whether it may have colours.
pub(super) struct Size {
    columns: usize,
    rows: usize,
    coloured: bool,
}

impl Size {
    /// Asks the terminal.
    pub(super) fn current() -> Self {
        let coloured =
            io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
        let (columns, rows) = terminal_size().map_or(USUAL, |(Width(width), Height(height))| {
            // Three charts with their titles and axes on one screen.
            (usize::from(width).saturating_sub(MARGIN + 2), usize::from(height) / 3)
        });
        let rows = rows.saturating_sub(4).clamp(5, 12);
        Self { columns: columns.clamp(20, 200), rows, coloured }
    }

    /// Returns the columns of dots.
    pub(super) const fn dots(&self) -> usize {
        2 * self.columns
    }
}

/// Draws one WAN.
pub(super) fn draw(
    out: &mut dyn Write,
    plot: &Plot,
    asking: &Asking,
    size: &Size,
) -> io::Result<()> {
    writeln!(out, "{}", plot.title)?;
    for panel in &plot.panels {
        writeln!(out)?;
        chart(out, panel, size)?;
    }
    times(out, asking, size)
}

fn chart(out: &mut dyn Write, panel: &Panel, size: &Size) -> io::Result<()> {
    let mut canvas = Canvas::new(size);
    for shape in &panel.shapes {
        canvas.draw(shape, panel.range);
    }
    let legend = panel.shapes.iter().filter(|shape| !shape.label.is_empty());
    let legend: Vec<String> = legend
        .map(|shape| paint(if shape.is_area { "█ " } else { "─ " }, shape.tone, size) + shape.label)
        .collect();
    let title = format!("{:MARGIN$} {}   {}", "", panel.title, legend.join("   "));
    writeln!(out, "{}", title.trim_end())?;
    let (low, high) = panel.range;
    let (marks, decimals) = axis::values(low, high, size.rows.div_ceil(3) + 1);
    for row in 0..size.rows {
        // The mark that is nearest to the middle of this row, if it is in it.
        let share = |mark: f64| (high - mark) / (high - low).max(f64::MIN_POSITIVE);
        let within = |mark: &&f64| canvas.row(share(**mark)) / 4 == row;
        let label = marks.iter().find(within).map(|mark| format!("{mark:.decimals$}"));
        let axis = if label.is_some() { '┤' } else { '│' };
        writeln!(out, "{:>MARGIN$} {axis}{}", label.unwrap_or_default(), canvas.line(row, size))?;
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
fn letter(state: Option<CongestionState>, size: &Size) -> String {
    let Some(state) = state else { return " ".to_owned() };
    let shown = match state {
        CongestionState::Unknown => "?",
        CongestionState::Green => "▁",
        CongestionState::Yellow => "▃",
        CongestionState::SoftRed => "▅",
        CongestionState::Red => "█",
    };
    paint(shown, Tone::State(state), size)
}

fn times(out: &mut dyn Write, asking: &Asking, size: &Size) -> io::Result<()> {
    let (from, to) = (asking.question.from, asking.question.to);
    let mut axis = vec!['─'; size.columns];
    let mut labels = String::new();
    for (at, label) in axis::times(from, to, &asking.zone, size.columns / 12) {
        let whole = (to.micros() - from.micros()).max(1);
        let passed = i128::from(at.micros() - from.micros()) * size.columns as i128;
        let place = usize::try_from(passed / i128::from(whole)).unwrap_or(0).min(size.columns - 1);
        axis[place] = '┴';
        if place >= labels.chars().count() && place + label.len() <= size.columns {
            labels = format!("{labels:place$}{label} ");
        }
    }
    writeln!(out, "{:>MARGIN$} └{}", "", axis.into_iter().collect::<String>())?;
    writeln!(out, "{:>MARGIN$}  {}", "", labels.trim_end())
}

fn paint(text: &str, tone: Tone, size: &Size) -> String {
    if !size.coloured {
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

/// A field of letters whose dots are set one by one.
struct Canvas {
    rows: usize,
    /// The dots and the colour of each letter, row by row.
    letters: Vec<Vec<(u8, Tone)>>,
}

impl Canvas {
    fn new(size: &Size) -> Self {
        Self { rows: size.rows, letters: vec![vec![(0, Tone::Soft); size.columns]; size.rows] }
    }

    /// Returns the row of dots at a share of the height, from above.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    fn row(&self, share: f64) -> usize {
        let last = 4 * self.rows - 1;
        (share.clamp(0.0, 1.0) * last as f64).round() as usize
    }

    fn draw(&mut self, shape: &Shape, (low, high): (f64, f64)) {
        let span = (high - low).max(f64::MIN_POSITIVE);
        let mut before: Option<usize> = None;
        for (column, value) in shape.values.iter().enumerate() {
            let row = value.map(|value| self.row((high - value) / span));
            if let Some(row) = row {
                // An area reaches down to the axis, a line to where it came from.
                let end = if shape.is_area { 4 * self.rows - 1 } else { before.unwrap_or(row) };
                for row in row.min(end)..=row.max(end) {
                    self.dot(column, row, shape.tone);
                }
            }
            before = row;
        }
    }

    fn dot(&mut self, column: usize, row: usize, tone: Tone) {
        const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        if let Some(letter) = self.letters[row / 4].get_mut(column / 2) {
            *letter = (letter.0 | DOTS[row % 4][column % 2], tone);
        }
    }

    fn line(&self, row: usize, size: &Size) -> String {
        let shown = |&(dots, tone): &(u8, Tone)| match dots {
            0 => " ".to_owned(),
            dots => {
                let letter = char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ');
                paint(letter.encode_utf8(&mut [0; 4]), tone, size)
            }
        };
        self.letters[row].iter().map(shown).collect()
    }
}
