//! Charts of values over time: in the terminal, as SVG or as PNG.
//!
//! A caller gives one value for each column of the drawing area, and the marks of the time axis;
//! this module knows nothing of where they come from.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may panic"))]

mod picture;
mod png;
mod svg;
mod terminal;

use std::{
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use wanctl_core::CongestionState;

pub use terminal::{TerminalSize, draw as draw_in_terminal};

/// Columns of a chart in a picture, a pixel each.
pub const PICTURE_COLUMNS: usize = 1080;

/// A value for each column; `None` where it is not known.
pub type Values = Vec<Option<f64>>;

/// Charts one below the other over the same span of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Stands above the charts.
    pub title: String,
    /// The charts.
    pub panels: Vec<Panel>,
    /// Marks of the time axis: place (0 at its begin, 1 at its end) and label.
    pub times: Vec<(f64, String)>,
}

/// One chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Stands above the chart, with the unit.
    pub title: String,
    /// What is drawn, the lowest layer first.
    pub shapes: Vec<Shape>,
    /// The worst congestion state of each column, drawn as a strip below the chart.
    pub states: Option<Vec<Option<CongestionState>>>,
    /// The lowest and the highest value that is drawn; what is beyond is cut off.
    pub range: (f64, f64),
    /// Whether the scale is logarithmic; the range is then above zero.
    pub is_log: bool,
}

/// A row of values, and how they are drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Its name in the legend; none if it is empty.
    pub label: &'static str,
    /// Its colour.
    pub tone: Tone,
    /// Whether the area below the line is filled.
    pub is_area: bool,
    /// The values.
    pub values: Values,
}

/// A colour by its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// What is typical.
    Main,
    /// What is drawn behind it.
    Soft,
    /// What stands out.
    Strong,
    /// A congestion state.
    State(CongestionState),
}

/// A file to be drawn, SVG or PNG as its extension says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureFile {
    path: PathBuf,
    is_png: bool,
}

/// Why a picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// It has too many panels.
    #[error("the picture would be too large")]
    TooLarge,
    /// The encoder failed.
    #[error("the picture cannot be written as PNG: {0}")]
    Png(String),
    /// The file cannot be written.
    #[error("writing {0}")]
    Write(PathBuf, #[source] io::Error),
}

impl FromStr for PictureFile {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let path = PathBuf::from(name);
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("svg") => Ok(Self { path, is_png: false }),
            Some("png") => Ok(Self { path, is_png: true }),
            _ => Err(format!("{name} ends neither in .svg nor in .png")),
        }
    }
}

impl PictureFile {
    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the file of the same format at another path.
    #[must_use]
    pub fn at(&self, path: PathBuf) -> Self {
        Self { path, ..*self }
    }

    /// Draws plots one below the other; their values have [`PICTURE_COLUMNS`] columns.
    ///
    /// # Errors
    /// [`PlotError`].
    pub fn write(&self, plots: &[Plot]) -> Result<(), PlotError> {
        let drawn = if self.is_png { png::draw(plots)? } else { svg::draw(plots) };
        fs::write(&self.path, drawn).map_err(|error| PlotError::Write(self.path.clone(), error))
    }
}

impl Panel {
    /// Returns how far below the upper edge a value is: 0 to 1 of the height.
    fn depth(&self, value: f64) -> f64 {
        let scaled = |value: f64| if self.is_log { value.max(1e-9).log10() } else { value };
        let [low, high, value] = [self.range.0, self.range.1, value].map(scaled);
        ((high - value) / (high - low).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)
    }

    /// Returns about `count` round values of the axis with their labels.
    fn marks(&self, count: usize) -> Vec<(f64, String)> {
        let (low, high) = self.range;
        if self.is_log {
            let decades = (-9..=9).map(|power| 10_f64.powi(power));
            let inside = decades.filter(|value| (low * 0.999..=high * 1.001).contains(value));
            return inside.map(|value| (value, value.to_string())).collect();
        }
        let (marks, decimals) = round_values(low, high, count);
        marks.into_iter().map(|mark| (mark, format!("{mark:.decimals$}"))).collect()
    }
}

/// Returns round values from `low` to `high`, about `count` of them, and the decimals that
/// distinguish them.
#[must_use]
pub fn round_values(low: f64, high: f64, count: usize) -> (Vec<f64>, usize) {
    let rough = (high - low).max(1e-3) / count.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = step.into_iter().find(|step| *step >= rough).unwrap_or(rough);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, not below")]
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let first = (low / step).ceil();
    let marks = (0..=2 * count).map(|place| (first + place as f64) * step);
    (marks.take_while(|mark| *mark <= high + step * 1e-6).collect(), decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round() {
        assert_eq!(round_values(0.0, 97.0, 4), (vec![0.0, 50.0], 0));
        assert_eq!(round_values(-3.0, 9.0, 4), (vec![0.0, 5.0], 0));
        let (marks, decimals) = round_values(0.0, 0.5, 4);
        assert_eq!((marks.len(), decimals), (3, 1));
    }

    #[test]
    fn a_logarithmic_scale_has_a_mark_for_each_decade() {
        let range = (1.0, 10_000.0);
        let panel =
            Panel { title: String::new(), shapes: vec![], states: None, range, is_log: true };
        let labels: Vec<String> = panel.marks(4).into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["1", "10", "100", "1000", "10000"]);
        let depths = [1e9, 100.0, 0.0].map(|value| panel.depth(value).to_string());
        assert_eq!(depths, ["0", "0.5", "1"]);
    }

    #[test]
    fn a_plot_without_values_can_be_drawn() {
        let shape = Shape { label: "<a>", tone: Tone::Main, is_area: true, values: Vec::new() };
        let panel = Panel {
            title: "a & b".to_owned(),
            shapes: vec![shape],
            states: None,
            range: (0.0, 0.0),
            is_log: false,
        };
        let plots = [Plot { title: String::new(), panels: vec![panel], times: Vec::new() }];
        let svg = String::from_utf8(svg::draw(&plots)).unwrap();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(svg.contains("a &amp; b") && svg.contains("&lt;a>"), "{svg}");
    }
}
