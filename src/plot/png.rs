//! A picture as PNG.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use tiny_skia::{
    Color, ColorU8, FillRule, Paint, Path, PathBuilder, Pixmap, PixmapPaint, Stroke, Transform,
};

use super::{
    Plot, PlotError,
    picture::{self, Anchor, Canvas, Dot, Ink, PAPER},
};

const WEIGHT: FontWeight = FontWeight::Regular;
const HEIGHT: RasterHeight = RasterHeight::Size16;

pub(super) fn draw(plots: &[Plot]) -> Result<Vec<u8>, PlotError> {
    let (width, height) = picture::size(plots);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels")]
    let [width, height] = [width, height].map(|length| length.ceil() as u32);
    let mut png = Png(Pixmap::new(width, height).ok_or(PlotError::TooLarge)?);
    png.0.fill(color(PAPER));
    picture::draw(&mut png, plots);
    png.0.encode_png().map_err(|error| PlotError::Png(error.to_string()))
}

struct Png(Pixmap);

impl Canvas for Png {
    fn area(&mut self, outline: &[Dot], ink: Ink) {
        let Some(path) = path(outline, true) else { return };
        self.0.fill_path(&path, &paint(ink), FillRule::Winding, Transform::identity(), None);
    }

    fn line(&mut self, points: &[Dot], width: f32, ink: Ink) {
        let Some(path) = path(points, false) else { return };
        let stroke = Stroke { width, ..Stroke::default() };
        self.0.stroke_path(&path, &paint(ink), &stroke, Transform::identity(), None);
    }

    fn text(&mut self, x: f32, y: f32, anchor: Anchor, text: &str, ink: Ink) {
        let letter = get_raster_width(WEIGHT, HEIGHT);
        let width = (letter * text.chars().count()) as f32;
        let left = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - width / 2.0,
            Anchor::End => x - width,
        };
        #[expect(clippy::cast_possible_truncation, reason = "pixels")]
        let (mut left, top) = (left.max(0.0) as i32, (y - 13.0).max(0.0) as i32);
        for char in text.chars() {
            if let Some(glyph) = glyph(char, ink) {
                let paint = PixmapPaint::default();
                self.0.draw_pixmap(left, top, glyph.as_ref(), &paint, Transform::identity(), None);
            }
            left += i32::try_from(letter).unwrap_or(0);
        }
    }
}

/// Returns a letter, or a question mark for one that the font lacks.
fn glyph(char: char, Ink { colour: [red, green, blue], .. }: Ink) -> Option<Pixmap> {
    let raster = get_raster(char, WEIGHT, HEIGHT).or_else(|| get_raster('?', WEIGHT, HEIGHT))?;
    let [width, height] = [raster.width(), raster.height()].map(u32::try_from);
    let mut pixmap = Pixmap::new(width.ok()?, height.ok()?)?;
    let intensities = raster.rows().flatten();
    for (pixel, intensity) in pixmap.pixels_mut().iter_mut().zip(intensities) {
        *pixel = ColorU8::from_rgba(red, green, blue, *intensity).premultiply();
    }
    Some(pixmap)
}

fn color(Ink { colour: [red, green, blue], opacity }: Ink) -> Color {
    let mut color = Color::from_rgba8(red, green, blue, 255);
    color.set_alpha(opacity);
    color
}

fn paint(ink: Ink) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(color(ink));
    paint
}

fn path(points: &[Dot], is_closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (place, &(x, y)) in points.iter().enumerate() {
        if place == 0 { builder.move_to(x, y) } else { builder.line_to(x, y) }
    }
    if is_closed {
        builder.close();
    }
    builder.finish()
}
