//! The exposition formats: OpenMetrics 1.0 as the crate writes it, and the older text format
//! 0.0.4, which differs in a few lines and which every tool reads.

use std::fmt::{self, Write as _};

use prometheus_client::{encoding::text, registry::Registry};

/// An exposition format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/plain; version=0.0.4`.
    Text,
    /// `application/openmetrics-text; version=1.0.0`.
    OpenMetrics,
}

impl Format {
    /// Chooses by an `Accept` header: OpenMetrics only if it is asked for by name and not
    /// refused, the older text for everything else, so that a person with curl can read it.
    #[must_use]
    pub fn negotiate(accept: &str) -> Self {
        let wants = |range: &str| {
            let mut parts = range.split(';').map(str::trim);
            let named = parts.next() == Some("application/openmetrics-text");
            named && !parts.any(|part| matches!(part, "q=0" | "q=0.0"))
        };
        if accept.split(',').any(wants) { Self::OpenMetrics } else { Self::Text }
    }

    /// Returns the exact content type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Writes the registry out.
///
/// # Errors
/// Only if a collector fails to write, which ours do not.
pub fn encode(registry: &Registry, format: Format) -> Result<String, fmt::Error> {
    let mut page = String::with_capacity(64 * 1024);
    text::encode(&mut page, registry)?;
    match format {
        Format::OpenMetrics => Ok(page),
        Format::Text => to_text_format(&page),
    }
}

/// Rewrites OpenMetrics as text 0.0.4: a counter's and an info's comments carry the full name of
/// the sample, an info is a gauge, and there are no units and no end mark.
fn to_text_format(page: &str) -> Result<String, fmt::Error> {
    let mut text = String::with_capacity(page.len() + page.len() / 16);
    let mut help = "";
    for line in page.lines() {
        if line.starts_with("# UNIT ") || line == "# EOF" {
            continue;
        }
        // The type decides the name in the help line before it.
        if line.starts_with("# HELP ") {
            help = line;
            continue;
        }
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|l| l.split_once(' ')) {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            if let Some(words) = help.strip_prefix("# HELP ").and_then(|h| h.strip_prefix(name)) {
                writeln!(text, "# HELP {name}{suffix}{words}")?;
            }
            writeln!(text, "# TYPE {name}{suffix} {kind}")?;
            continue;
        }
        writeln!(text, "{line}")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::{counter::Counter, info::Info};

    use super::*;

    #[test]
    fn openmetrics_only_for_those_who_name_it() {
        for (accept, format) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Format::Text),
            ("application/openmetrics-text;q=0, text/plain", Format::Text),
            (
                "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
                Format::OpenMetrics,
            ),
        ] {
            assert_eq!(Format::negotiate(accept), format, "{accept}");
        }
    }

    #[test]
    fn counters_and_infos_get_their_full_names_in_the_older_format() {
        let mut registry = Registry::with_prefix("x");
        registry.register("hits", "Hits", Counter::<u64>::default());
        registry.register("build", "Build", Info::new(vec![("version", "1")]));
        let page = encode(&registry, Format::Text).unwrap();
        let expected = "# HELP x_hits_total Hits.\n# TYPE x_hits_total counter\nx_hits_total 0\n\
                        # HELP x_build_info Build.\n# TYPE x_build_info gauge\n\
                        x_build_info{version=\"1\"} 1\n";
        assert_eq!(page, expected);
    }
}
