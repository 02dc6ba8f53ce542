//! The declarations as the tables of `docs/metrics.md`.

use std::fmt::{self, Write as _};

use super::{Catalogue, Declared};

impl Catalogue {
    /// Writes a heading and a table for each chapter, in Markdown, as `docs/metrics.md` has them.
    ///
    /// # Errors
    /// None in fact: writing to a `String` does not fail.
    pub fn tables(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        let mut chapters: Vec<&str> = Vec::new();
        for metric in self.declared() {
            if !chapters.contains(&metric.chapter) {
                chapters.push(metric.chapter);
            }
        }
        for chapter in chapters {
            writeln!(text, "\n## {chapter}\n")?;
            writeln!(text, "| name | type | labels | unit | present | |")?;
            writeln!(text, "|---|---|---|---|---|---|")?;
            let of_chapter = || self.declared().iter().filter(|metric| metric.chapter == chapter);
            for metric in of_chapter() {
                row(&mut text, metric)?;
            }
            for metric in of_chapter().filter(|metric| !metric.buckets.is_empty()) {
                let bounds: Vec<_> = metric.buckets.iter().map(ToString::to_string).collect();
                writeln!(text, "\nBounds of `{}`: {}", metric.name, bounds.join(", "))?;
            }
        }
        Ok(text)
    }
}

fn row(text: &mut String, metric: &Declared) -> fmt::Result {
    let Declared { name, kind, help, when, .. } = metric;
    let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
    let when = if when.is_empty() { "always" } else { when };
    let (kind, labels, unit) = (kind.name(), labels.join(", "), metric.unit());
    writeln!(text, "| `{name}` | {kind} | {labels} | {unit} | {when} | {help} |")
}
