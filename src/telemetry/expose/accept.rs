//! Reading an `Accept` header.

use super::Format;

/// One range of a header.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Offer {
    /// How much it is wanted, 0 to 1.
    quality: f64,
    /// How exactly it names the format, so that `text/*` does not outdo `text/plain`.
    precision: u8,
}

/// Returns the format that `accept` prefers; among equals the one that it names first. If it
/// names none that we have, the older text is sent all the same: it is better than an error.
pub(super) fn preferred(accept: &str) -> Format {
    let mut best: Option<(f64, Format)> = None;
    let ranges: Vec<(Format, Offer)> = accept.split(',').flat_map(read).collect();
    for &(format, _) in &ranges {
        let offers = ranges.iter().filter(|(offered, _)| *offered == format);
        // The most exact range speaks for the format, even if it is to refuse it.
        let Some((_, offer)) = offers.max_by_key(|(_, offer)| offer.precision) else { continue };
        if offer.quality > best.map_or(0.0, |(quality, _)| quality) {
            best = Some((offer.quality, format));
        }
    }
    best.map_or(Format::Text, |(_, format)| format)
}

/// Reads one range, such as `text/plain;version=0.0.4;q=0.5`, as the formats that it covers.
fn read(range: &str) -> Vec<(Format, Offer)> {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let parameters: Vec<(String, &str)> = parts
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"')))
        .collect();
    let value =
        |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let quality = match value("q").map(str::parse::<f64>) {
        None => 1.0,
        Some(Ok(quality)) if (0.0..=1.0).contains(&quality) => quality,
        // The intention is unknown.
        Some(_) => return Vec::new(),
    };
    let version = |ours: &[&str]| value("version").is_none_or(|version| ours.contains(&version));
    let offer = |format, precision| vec![(format, Offer { quality, precision })];
    match kind.as_str() {
        "application/vnd.google.protobuf"
            if value("proto") == Some("io.prometheus.client.MetricFamily")
                && value("encoding") == Some("delimited") =>
        {
            offer(Format::Protobuf, 2)
        }
        "application/openmetrics-text" if version(&["1.0.0", "0.0.1"]) => {
            offer(Format::OpenMetrics, 2)
        }
        "text/plain" if version(&["0.0.4"]) => offer(Format::Text, 2),
        "text/*" => offer(Format::Text, 1),
        // A client that accepts anything gets the readable format.
        "*/*" => offer(Format::Text, 0),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Format, *};

    const PROTOBUF: &str = "application/vnd.google.protobuf;\
                            proto=io.prometheus.client.MetricFamily;encoding=delimited";

    #[test]
    fn what_scrapers_send_gets_what_they_prefer() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,\
                            application/openmetrics-text;version=0.0.1;q=0.75,\
                            text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                            application/openmetrics-text;version=0.0.1;q=0.5,\
                            text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        assert_eq!(preferred(prometheus_2), Format::OpenMetrics);
        assert_eq!(preferred(prometheus_3), Format::OpenMetrics);
        for rest in [prometheus_2, prometheus_3] {
            assert_eq!(preferred(&format!("{PROTOBUF},{rest}")), Format::Protobuf);
        }
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(preferred(browser), Format::Text);
    }

    #[test]
    fn qualities_and_parameters_count() {
        for (accept, format) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("image/png", Format::Text),
            ("application/openmetrics-text;q=0, text/plain", Format::Text),
            ("application/openmetrics-text;q=0,*/*", Format::Text),
            ("application/openmetrics-text;q=0.2,text/plain;q=0.3", Format::Text),
            ("application/openmetrics-text;q=0.3,text/plain;q=0.2", Format::OpenMetrics),
            ("text/plain;q=0.1,application/openmetrics-text", Format::OpenMetrics),
            ("Application/OpenMetrics-Text ; Version=\"1.0.0\"", Format::OpenMetrics),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
            ("application/openmetrics-text;q=often", Format::Text),
            ("application/vnd.google.protobuf", Format::Text),
            ("application/vnd.google.protobuf;proto=other;encoding=delimited", Format::Text),
            ("text/plain;q=0,text/*", Format::Text),
            ("text/*;q=0.9,application/openmetrics-text;q=0.95", Format::OpenMetrics),
        ] {
            assert_eq!(preferred(accept), format, "{accept}");
        }
        assert_eq!(preferred(&format!("text/plain;q=0.5,{PROTOBUF};q=0.4")), Format::Text);
        assert_eq!(preferred(&format!("text/plain;q=0.4,{PROTOBUF};q=0.5")), Format::Protobuf);
    }
}
