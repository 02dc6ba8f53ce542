//! A run as a picture: capacity, shaper rate and delay over time, one panel per law, as SVG that
//! reads on white and on dark.

use std::{fmt::Write as _, time::Duration};

use wanctl_core::{Direction, PerDirection};

use super::record::{Moment, Record};

/// Size of the drawing area of a chart, and the room around it, in pixels.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 110.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 46.0;
const BETWEEN: f64 = 16.0;
const BELOW: f64 = 40.0;
/// Delays are drawn on a logarithmic scale between these, in ms.
const DELAYS_MS: [f64; 2] = [1.0, 10_000.0];
/// Colours in the middle between black and white; the text follows the reader's preference.
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#57606a}\
.law{font-weight:600;font-size:14px}\
.axis{stroke:#8b949e;stroke-opacity:.35;fill:none}\
.capacity{fill:#8b949e;fill-opacity:.25;stroke:#8b949e;stroke-width:1}\
.rate{fill:none;stroke:#2f81f7;stroke-width:1.3}\
.delay{fill:none;stroke:#d9730d;stroke-width:1.1}\
.calm{stroke:#3fb950;stroke-dasharray:4 4;fill:none}\
@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}";

/// A law's run to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct Panel<'a> {
    /// The law's name.
    pub law: &'a str,
    /// What was seen.
    pub record: &'a Record,
}

/// Draws the panels one below the other under a title.
#[must_use]
pub fn draw(title: &str, panels: &[Panel<'_>]) -> String {
    let panel_height = TOP + 3.0 * (HEIGHT + BETWEEN) + BELOW;
    let (width, height) = (LEFT + WIDTH + 20.0, 30.0 + panel_height * panels.len() as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<title>{0}</title>\n<style>{STYLE}</style>\n\
         <text class=\"law\" x=\"{LEFT}\" y=\"22\">{0}</text>\n",
        escaped(title)
    );
    let end = panels.iter().map(|panel| panel.record.duration()).max().unwrap_or_default();
    let most = PerDirection::build(|direction| {
        let moments = panels.iter().flat_map(|panel| &panel.record.moments);
        let rates =
            moments.map(|moment| moment.capacity[direction].max(moment.enforced[direction]).mbps());
        rates.fold(0.1, f64::max) * 1.05
    });
    for (number, panel) in panels.iter().enumerate() {
        let top = 30.0 + panel_height * number as f64;
        let _ = writeln!(svg, "<g transform=\"translate({LEFT} {top})\">");
        panel.draw(&mut svg, end, most);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

impl Panel<'_> {
    fn draw(&self, svg: &mut String, end: Duration, most: PerDirection<f64>) {
        let law = escaped(self.law);
        let _ = writeln!(
            svg,
            "<text class=\"law\" y=\"18\">{law}</text>\
             <text y=\"36\">grey: capacity; blue: shaper; orange: delay that a call feels; \
             green: 30 ms</text>"
        );
        let mut top = TOP;
        for direction in Direction::ALL {
            let chart = Chart { top, end, low: 0.0, high: most[direction] };
            chart.frame(svg, &format!("{} Mbit/s", direction.name()), &ticks(most[direction]));
            let moments = &self.record.moments;
            let capacity = chart.line(moments, |moment| Some(moment.capacity[direction].mbps()));
            let base = top + HEIGHT;
            if let [(first, _), .., (last, _)] = capacity[..] {
                let line = path(&capacity);
                let _ = writeln!(
                    svg,
                    "<path class=\"capacity\" d=\"{line}L{last:.1} {base}L{first:.1} {base}Z\"/>"
                );
            }
            let rate = chart.line(moments, |moment| Some(moment.enforced[direction].mbps()));
            let _ = writeln!(svg, "<path class=\"rate\" d=\"{}\"/>", path(&rate));
            top += HEIGHT + BETWEEN;
        }
        self.draw_delay(svg, top, end);
    }

    fn draw_delay(&self, svg: &mut String, top: f64, end: Duration) {
        let [low, high] = DELAYS_MS.map(f64::log10);
        let chart = Chart { top, end, low, high };
        let decades = [1.0, 10.0, 100.0, 1000.0, 10_000.0].map(|ms: f64| (ms.log10(), ms));
        chart.frame(svg, "delay ms", &decades);
        let calm = chart.y(30.0_f64.log10());
        let _ = writeln!(svg, "<path class=\"calm\" d=\"M0 {calm:.1}H{WIDTH}\"/>");
        let delay = chart.line(&self.record.moments, |moment| {
            moment.worst.map(|worst| worst.millis().max(DELAYS_MS[0]).log10())
        });
        let _ = writeln!(svg, "<path class=\"delay\" d=\"{}\"/>", path(&delay));
        let seconds = end.as_secs_f64();
        let step = step(seconds, 10.0);
        let mut at = 0.0;
        while at <= seconds {
            let (x, y) = (WIDTH * at / seconds.max(1e-9), top + HEIGHT + 16.0);
            let _ =
                writeln!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{at} s</text>");
            at += step;
        }
    }
}

/// A rectangle with a scale.
struct Chart {
    top: f64,
    end: Duration,
    low: f64,
    high: f64,
}

impl Chart {
    fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.top + HEIGHT * (1.0 - share.clamp(0.0, 1.0))
    }

    fn frame(&self, svg: &mut String, name: &str, ticks: &[(f64, f64)]) {
        let middle = self.top + HEIGHT / 2.0;
        let _ = writeln!(
            svg,
            "<text transform=\"translate(-52 {middle}) rotate(-90)\" \
             text-anchor=\"middle\">{name}</text>"
        );
        for (value, label) in ticks {
            let y = self.y(*value);
            let below = y + 4.0;
            let _ = writeln!(
                svg,
                "<path class=\"axis\" d=\"M0 {y:.1}H{WIDTH}\"/>\
                 <text x=\"-6\" y=\"{below:.1}\" text-anchor=\"end\">{label}</text>"
            );
        }
    }

    /// Returns the points of a line: of all moments on the same pixel the lowest and the highest,
    /// so that no spike is lost.
    fn line(&self, moments: &[Moment], value: impl Fn(&Moment) -> Option<f64>) -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> = Vec::new();
        let mut pixel: Option<(f64, f64, f64)> = None;
        let mut leave = |pixel: Option<(f64, f64, f64)>| {
            if let Some((x, low, high)) = pixel {
                points.push((x, low));
                if high > low {
                    points.push((x, high));
                }
            }
        };
        for moment in moments {
            let share = moment.at.as_secs_f64() / self.end.as_secs_f64().max(1e-9);
            let x = (WIDTH * share).floor();
            let Some(y) = value(moment).map(|value| self.y(value)) else { continue };
            match &mut pixel {
                Some((at, low, high)) if at.to_bits() == x.to_bits() => {
                    (*low, *high) = (low.min(y), high.max(y));
                }
                other => leave(other.replace((x, y, y))),
            }
        }
        leave(pixel);
        points
    }
}

fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (number, (x, y)) in points.iter().enumerate() {
        let _ = write!(path, "{}{x:.0} {y:.1}", if number == 0 { 'M' } else { 'L' });
    }
    path
}

/// Returns up to five round values from zero to `most`.
fn ticks(most: f64) -> Vec<(f64, f64)> {
    let step = step(most, 4.0);
    (0..=4).map(|n| f64::from(n) * step).filter(|v| *v <= most).map(|v| (v, v)).collect()
}

/// Returns the least round step with which `whole` has no more than `count` steps.
fn step(whole: f64, count: f64) -> f64 {
    let decade = 10.0_f64.powf((whole / count).max(1e-9).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * decade);
    steps.into_iter().find(|step| whole / step <= count).unwrap_or(10.0 * decade)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
