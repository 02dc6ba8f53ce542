//! A picture as SVG text.

use std::fmt::Write as _;

use super::picture::{Anchor, Canvas, Ink, PAPER, Picture};

/// Draws `picture`.
#[expect(clippy::unnecessary_wraps, reason = "the other kind of picture can fail")]
pub(super) fn draw(picture: &Picture<'_>) -> Result<Vec<u8>, anyhow::Error> {
    let (width, height) = picture.size();
    let mut svg = Svg(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
        colour(PAPER)
    ));
    picture.draw(&mut svg);
    svg.0.push_str("</svg>\n");
    Ok(svg.0.into_bytes())
}

struct Svg(String);

impl Svg {
    fn points(&mut self, points: &[(f32, f32)]) {
        for (x, y) in points {
            let _ = write!(self.0, "{x:.1},{y:.1} ");
        }
    }
}

impl Canvas for Svg {
    fn area(&mut self, outline: &[(f32, f32)], ink: Ink) {
        self.0.push_str("<polygon points=\"");
        self.points(outline);
        let (fill, opacity) = (colour(ink), ink.opacity);
        let _ = writeln!(self.0, "\" fill=\"{fill}\" fill-opacity=\"{opacity}\"/>");
    }

    fn line(&mut self, points: &[(f32, f32)], width: f32, ink: Ink) {
        self.0.push_str("<polyline points=\"");
        self.points(points);
        let stroke = colour(ink);
        let _ = writeln!(self.0, "\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{width}\"/>");
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

fn colour(Ink { red, green, blue, .. }: Ink) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
