//! A picture as PNG.

use anyhow::Context as _;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use tiny_skia::{Color, ColorU8, FillRule, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};

use super::picture::{Anchor, Canvas, Ink, PAPER, Picture};

const WEIGHT: FontWeight = FontWeight::Regular;
const HEIGHT: RasterHeight = RasterHeight::Size16;

/// Draws `picture`.
pub(super) fn draw(picture: &Picture<'_>) -> Result<Vec<u8>, anyhow::Error> {
    let (width, height) = picture.size();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels")]
    let [wide, high] = [width, height].map(|length| length.ceil() as u32);
    let mut pixmap = Pixmap::new(wide, high).context("the picture would be too large")?;
    pixmap.fill(Color::from_rgba8(PAPER.red, PAPER.green, PAPER.blue, 255));
    picture.draw(&mut Raster(&mut pixmap));
    pixmap.encode_png().context("the picture cannot be written as PNG")
}

struct Raster<'a>(&'a mut Pixmap);

impl Canvas for Raster<'_> {
    fn area(&mut self, outline: &[(f32, f32)], ink: Ink) {
        let Some(path) = path(outline, true) else { return };
        let paint = paint(ink);
        self.0.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
    }

    fn line(&mut self, points: &[(f32, f32)], width: f32, ink: Ink) {
        let Some(path) = path(points, false) else { return };
        let stroke = Stroke { width, ..Stroke::default() };
        self.0.stroke_path(&path, &paint(ink), &stroke, Transform::identity(), None);
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels")]
    fn text(&mut self, x: f32, y: f32, anchor: Anchor, text: &str, ink: Ink) {
        let letter = get_raster_width(WEIGHT, HEIGHT);
        let width = (letter * text.chars().count()) as f32;
        let left = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - width / 2.0,
            Anchor::End => x - width,
        };
        let (left, top) = (left.max(0.0) as usize, (y - 13.0).max(0.0) as usize);
        for (place, char) in text.chars().enumerate() {
            let glyph =
                get_raster(char, WEIGHT, HEIGHT).or_else(|| get_raster('?', WEIGHT, HEIGHT));
            let Some(glyph) = glyph else { continue };
            for (row, line) in glyph.rows().enumerate() {
                for (column, &intensity) in line.iter().enumerate() {
                    self.blend(left + place * letter + column, top + row, ink, intensity);
                }
            }
        }
    }
}

impl Raster<'_> {
    /// Lays a colour over a pixel.
    fn blend(&mut self, x: usize, y: usize, ink: Ink, intensity: u8) {
        let width = self.0.width() as usize;
        let place = if x < width { y * width + x } else { usize::MAX };
        let Some(pixel) = self.0.pixels_mut().get_mut(place) else { return };
        let below = pixel.demultiply();
        let mix = |over: u8, under: u8| {
            let (over, under, share) = (u16::from(over), u16::from(under), u16::from(intensity));
            // At most 255, since both are.
            u8::try_from((over * share + under * (255 - share)) / 255).unwrap_or(u8::MAX)
        };
        let colour = ColorU8::from_rgba(
            mix(ink.red, below.red()),
            mix(ink.green, below.green()),
            mix(ink.blue, below.blue()),
            255,
        );
        *pixel = colour.premultiply();
    }
}

fn paint(Ink { red, green, blue, opacity }: Ink) -> Paint<'static> {
    let mut paint = Paint::default();
    let mut colour = Color::from_rgba8(red, green, blue, 255);
    colour.set_alpha(opacity);
    paint.set_color(colour);
    paint.anti_alias = true;
    paint
}

fn path(points: &[(f32, f32)], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (place, &(x, y)) in points.iter().enumerate() {
        if place == 0 {
            builder.move_to(x, y);
        } else {
            builder.line_to(x, y);
        }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}
