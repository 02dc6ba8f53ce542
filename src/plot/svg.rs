//! A picture as SVG text.

use std::fmt::Write as _;

use super::{
    Plot,
    picture::{self, Anchor, Canvas, Dot, Ink, PAPER},
};

pub(super) fn draw(plots: &[Plot]) -> Vec<u8> {
    let (width, height) = picture::size(plots);
    let mut svg = Svg(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
        colour(PAPER)
    ));
    picture::draw(&mut svg, plots);
    svg.0.push_str("</svg>\n");
    svg.0.into_bytes()
}

struct Svg(String);

impl Canvas for Svg {
    fn area(&mut self, outline: &[Dot], ink: Ink) {
        let (points, fill, opacity) = (points(outline), colour(ink), ink.opacity);
        let _ = writeln!(
            self.0,
            "<polygon points=\"{points}\" fill=\"{fill}\" fill-opacity=\"{opacity}\"/>"
        );
    }

    fn line(&mut self, line: &[Dot], width: f32, ink: Ink) {
        let (points, stroke) = (points(line), colour(ink));
        let _ = writeln!(
            self.0,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{stroke}\" \
             stroke-width=\"{width}\"/>"
        );
    }

    fn text(&mut self, x: f32, y: f32, anchor: Anchor, text: &str, ink: Ink) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            self.0,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{}\">{text}</text>",
            colour(ink)
        );
    }
}

/// Returns the points of a line, without those between two of the same height.
fn points(dots: &[Dot]) -> String {
    let mut points = String::new();
    for (place, (x, y)) in dots.iter().enumerate() {
        let near = &dots[place.saturating_sub(1)..dots.len().min(place + 2)];
        if near.len() < 3 || near.iter().any(|dot| dot.1.to_bits() != y.to_bits()) {
            let _ = write!(points, "{x:.1},{y:.1} ");
        }
    }
    points
}

fn colour(Ink { colour: [red, green, blue], .. }: Ink) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
