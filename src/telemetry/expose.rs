//! The exposition formats: OpenMetrics 1.0 and protobuf as the library writes them, and the older
//! text format 0.0.4, which differs in a few lines and which every tool reads.

mod accept;

use std::fmt::{self, Write as _};

use prometheus_client::encoding::{prometheus_protobuf, text};

use crate::catalogue::Catalogue;

/// An exposition format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/plain; version=0.0.4`.
    Text,
    /// `application/openmetrics-text; version=1.0.0`.
    OpenMetrics,
    /// Delimited `io.prometheus.client.MetricFamily` messages: the only one with native
    /// histograms.
    Protobuf,
}

impl Format {
    /// Chooses by an `Accept` header: the one it prefers among those it names, and the older text
    /// for everything else, so that a person with curl can read it.
    #[must_use]
    pub fn negotiate(accept: &str) -> Self {
        accept::preferred(accept)
    }

    /// Returns the exact content type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
                 encoding=delimited"
            }
        }
    }
}

/// An encoded page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page(Vec<u8>);

impl Page {
    /// Returns the bytes that are sent.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Returns the page to be read by people; what is no text is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

/// Writes all metrics out.
///
/// # Errors
/// Only if a collector fails to write, which ours do not.
pub fn encode(catalogue: &Catalogue, format: Format) -> Result<Page, fmt::Error> {
    let registry = catalogue.registry();
    if format == Format::Protobuf {
        let page = prometheus_protobuf::encode_to_vec(registry).map_err(|_| fmt::Error)?;
        return Ok(Page(page));
    }
    let mut page = String::with_capacity(128 * 1024);
    text::encode(&mut page, registry)?;
    if format == Format::Text {
        page = to_text_format(&page)?;
    }
    Ok(Page(page.into_bytes()))
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
        text.push_str(line);
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;
    use crate::catalogue::Spec;

    #[test]
    fn counters_and_infos_get_their_full_names_in_the_older_format() {
        let mut catalogue = Catalogue::default();
        let _: Counter = catalogue.one(Spec::new("x_busy_seconds_total", "Busy"));
        let build = Spec::new("x_build_info", "Build").by(&["version"]);
        catalogue.info(build, || Some(vec!["1".to_owned()]));
        let page = encode(&catalogue, Format::Text).unwrap().text();
        let expected = "# HELP x_busy_seconds_total Busy.\n# TYPE x_busy_seconds_total counter\n\
                        x_busy_seconds_total 0\n\
                        # HELP x_build_info Build.\n# TYPE x_build_info gauge\n\
                        x_build_info{version=\"1\"} 1\n";
        assert_eq!(page, expected);
        let page = encode(&catalogue, Format::OpenMetrics).unwrap().text();
        let expected = "# HELP x_busy_seconds Busy.\n# TYPE x_busy_seconds counter\n\
                        # UNIT x_busy_seconds seconds\nx_busy_seconds_total 0\n\
                        # HELP x_build Build.\n# TYPE x_build info\n\
                        x_build_info{version=\"1\"} 1\n# EOF\n";
        assert_eq!(page, expected);
    }

    #[test]
    fn a_histogram_is_native_as_well_as_classic_in_protobuf() {
        let mut catalogue = Catalogue::default();
        let spec = Spec::new("x_seconds", "X").by(&["wan"]);
        let family = catalogue.histograms(spec, &[0.05, 0.1]);
        let hostile = "a \"b\" \\ c\nd";
        let histogram = family.get_or_create_owned(&vec![("wan", hostile.to_owned())]);
        histogram.observe(0.05);
        histogram.observe(3.0);
        let families = prometheus_protobuf::encode(catalogue.registry()).unwrap();
        assert_eq!(
            (families[0].name.as_str(), families[0].unit.as_str()),
            ("x_seconds", "seconds")
        );
        let metric = &families[0].metric[0];
        assert_eq!(metric.label[0].value, hostile);
        let reported = metric.histogram.as_ref().unwrap();
        assert_eq!(reported.sample_count, 2);
        let classic: Vec<u64> =
            reported.bucket.iter().map(|bucket| bucket.cumulative_count).collect();
        assert_eq!(&classic[..2], [1, 1]);
        assert_eq!(reported.schema, 3);
        assert_eq!(reported.positive_delta.len(), 2);
    }
}
