//! Pictures of a span of time: in the terminal, as SVG or as PNG.

mod axis;
mod panel;
mod picture;
mod raster;
mod svg;
mod terminal;

use std::{fs, io::Write, path::Path};

use anyhow::{Context as _, bail};
use wanctl_core::units::Timestamp;

use super::{Asking, human};
use crate::{
    cli::{EXIT_USAGE, Failure},
    history::{Bucket, HistoryError, Resolution, Tier},
    router::visible,
};
use panel::Panel;

/// Width of a picture's panels in pixels.
const PICTURE_COLUMNS: usize = 1080;

/// One WAN in a picture.
struct Plot {
    title: String,
    panels: Vec<Panel>,
}

/// Draws to a file, as its extension says.
pub(super) fn to_file(asking: &Asking, chosen: bool, path: &Path) -> Result<(), Failure> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let draw: fn(&picture::Picture<'_>) -> Result<Vec<u8>, anyhow::Error> =
        match extension.to_ascii_lowercase().as_str() {
            "svg" => svg::draw,
            "png" => raster::draw,
            _ => {
                let shown = path.display();
                let error = anyhow::anyhow!("--plot: {shown} ends neither in .svg nor in .png");
                return Err(Failure { code: EXIT_USAGE, error });
            }
        };
    let plots = plots(asking, chosen, PICTURE_COLUMNS)?;
    let picture = picture::Picture { asking, plots: &plots, columns: PICTURE_COLUMNS };
    let drawn = draw(&picture)?;
    Ok(fs::write(path, drawn).with_context(|| format!("writing {}", path.display()))?)
}

/// Draws with the dots of Braille letters.
pub(super) fn to_terminal(
    out: &mut dyn Write,
    asking: &Asking,
    chosen: bool,
) -> Result<(), anyhow::Error> {
    let size = terminal::Size::current();
    let plots = plots(asking, chosen, size.dots())?;
    for (place, plot) in plots.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        terminal::draw(out, plot, asking, &size)?;
    }
    Ok(())
}

fn plots(asking: &Asking, chosen: bool, columns: usize) -> Result<Vec<Plot>, anyhow::Error> {
    let span = human::span(asking.question.from, asking.question.to, &asking.zone);
    let mut plots = Vec::new();
    for wan in &asking.wans {
        let buckets = buckets(asking, wan, columns)?;
        if buckets.iter().all(Option::is_none) {
            continue;
        }
        let panels = if chosen {
            panel::of_fields(&asking.question.fields, &buckets)?
        } else {
            panel::usual(&buckets)
        };
        plots.push(Plot { title: format!("{}, {span}", visible(wan)), panels });
    }
    if plots.is_empty() {
        bail!("nothing is recorded from {span}");
    }
    Ok(plots)
}

/// Sums up each column's share of the time. A bucket that is longer than a column is in each
/// column that it covers.
fn buckets(
    asking: &Asking,
    wan: &str,
    columns: usize,
) -> Result<Vec<Option<Bucket>>, HistoryError> {
    let question = &asking.question;
    let (from, to) = (question.from.micros(), question.to.micros());
    let width = (to - from).max(1) as f64 / columns as f64;
    let resolution = match question.resolution {
        Resolution::Auto => fitting(width),
        chosen => chosen,
    };
    let mut all: Vec<Option<Bucket>> = vec![None; columns];
    for point in asking.reader.series(wan, question.from, question.to, resolution)? {
        let point = point?;
        let length = point.tier.map_or(0, |tier| tier.seconds() * 1_000_000);
        let first = column(point.at, from, width);
        let end = Timestamp::from_micros(point.at.micros() + (length - 1).max(0));
        let last = column(end, from, width).min(columns.saturating_sub(1));
        for place in first..=last.max(first) {
            if let Some(sum) = all.get_mut(place) {
                sum.get_or_insert_default().merge(&point.bucket);
            }
        }
    }
    Ok(all)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn column(at: Timestamp, from: i64, width: f64) -> usize {
    ((at.micros() - from) as f64 / width) as usize
}

/// Returns the coarsest rows that are not wider than a column of so many µs.
fn fitting(width: f64) -> Resolution {
    let fits = |tier: &&Tier| tier.seconds() as f64 * 1e6 <= width;
    Tier::ALL.iter().rev().find(fits).map_or(Resolution::Raw, |tier| Resolution::Tier(*tier))
}
