//! A strict reader of the two exposition formats: what a lenient scraper would let pass is an
//! error here, so that every scraper can read us.

use std::collections::{BTreeMap, BTreeSet};

/// An exposition format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    pub(crate) const fn accept(self) -> &'static str {
        match self {
            Self::Text => "text/plain;version=0.0.4",
            Self::OpenMetrics => "application/openmetrics-text;version=1.0.0",
        }
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The types, each with the suffixes that its samples may have.
    const fn types(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::Text => &[
                ("counter", &[""]),
                ("gauge", &[""]),
                ("histogram", &["_bucket", "_sum", "_count"]),
                ("untyped", &[""]),
            ],
            Self::OpenMetrics => &[
                ("counter", &["_total", "_created"]),
                ("gauge", &[""]),
                ("histogram", &["_bucket", "_sum", "_count", "_created"]),
                ("info", &["_info"]),
                ("unknown", &[""]),
            ],
        }
    }
}

type Labels = BTreeMap<String, String>;

/// A sample.
#[derive(Debug, Clone, PartialEq)]
struct Sample {
    name: String,
    labels: Labels,
    value: f64,
}

/// A page that is in order.
#[derive(Debug)]
pub(crate) struct Scrape {
    families: BTreeMap<String, &'static str>,
    samples: Vec<Sample>,
}

impl Scrape {
    /// Reads a page, or says which line is wrong and why.
    pub(crate) fn parse(page: &str, format: Format) -> Result<Self, String> {
        let mut reader = Reader { format, ..Reader::default() };
        if !page.ends_with('\n') {
            return Err("the last line has no end".to_owned());
        }
        for (number, line) in (1..).zip(page.lines()) {
            reader.line(line).map_err(|what| format!("line {number}: {what}: {line}"))?;
        }
        if (format == Format::OpenMetrics) != reader.is_over {
            return Err("an end mark is missing, or must not be there".to_owned());
        }
        let scrape = Self { families: reader.families, samples: reader.samples };
        scrape.check_histograms()?;
        Ok(scrape)
    }

    /// The names of all families that have samples; the same in both formats.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let stem = |name: &str| {
            let suffixes = ["_total", "_info", "_bucket", "_sum", "_count"];
            suffixes.iter().find_map(|s| name.strip_suffix(s)).unwrap_or(name).to_owned()
        };
        self.samples.iter().map(|sample| stem(&sample.name)).collect()
    }

    /// The one sample of this name with these labels, whatever others it has.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let missing = || panic!("no sample of {name} {labels:?}");
        self.find(name, labels).unwrap_or_else(missing)
    }

    /// The sample of this name with these labels, if there is one; there may not be more.
    pub(crate) fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let matching = |sample: &&Sample| {
            let has = |(label, value): &(&str, &str)| {
                sample.labels.get(*label).is_some_and(|known| known == value)
            };
            sample.name == name && labels.iter().all(has)
        };
        let found: Vec<&Sample> = self.samples.iter().filter(matching).collect();
        assert!(found.len() <= 1, "{name} {labels:?}: {found:?}");
        found.first().map(|sample| sample.value)
    }

    fn check_histograms(&self) -> Result<(), String> {
        let histograms = self.families.iter().filter(|(_, kind)| **kind == "histogram");
        for (name, _) in histograms {
            let counts = self.samples.iter().filter(|s| s.name == format!("{name}_count"));
            for count in counts {
                self.check_histogram(name, count)?;
            }
        }
        Ok(())
    }

    fn check_histogram(&self, name: &str, count: &Sample) -> Result<(), String> {
        let mut bound = f64::NEG_INFINITY;
        let mut cumulative = 0.0;
        let wrong = |what: &str| Err(format!("{name} {:?}: {what}", count.labels));
        let buckets = self.samples.iter().filter(|s| s.name == format!("{name}_bucket"));
        for bucket in buckets {
            let mut labels = bucket.labels.clone();
            let Some(le) = labels.remove("le") else { return wrong("a bucket without `le`") };
            if labels != count.labels {
                continue;
            }
            let Some(next) = number(&le) else { return wrong("a bound that is no number") };
            if next <= bound || bucket.value < cumulative {
                return wrong("buckets out of order");
            }
            (bound, cumulative) = (next, bucket.value);
        }
        if bound < f64::INFINITY || cumulative < count.value || cumulative > count.value {
            return wrong("the last bucket is not +Inf, or is not the count");
        }
        let sum = |s: &&Sample| s.name == format!("{name}_sum") && s.labels == count.labels;
        if self.samples.iter().filter(sum).count() == 1 { Ok(()) } else { wrong("no sum") }
    }
}

/// What has been read so far.
#[derive(Debug)]
struct Reader {
    format: Format,
    families: BTreeMap<String, &'static str>,
    samples: Vec<Sample>,
    series: BTreeSet<(String, Labels)>,
    helped: Option<String>,
    /// The family whose samples may follow, and their suffixes.
    current: Option<(String, &'static [&'static str])>,
    is_over: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            format: Format::Text,
            families: BTreeMap::new(),
            samples: Vec::new(),
            series: BTreeSet::new(),
            helped: None,
            current: None,
            is_over: false,
        }
    }
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if self.is_over {
            return Err("something after the end mark".to_owned());
        }
        if line == "# EOF" {
            self.is_over = true;
            return Ok(());
        }
        let Some(comment) = line.strip_prefix('#') else { return self.sample(line) };
        let mut words = comment.splitn(4, ' ');
        match [words.next(), words.next(), words.next(), words.next()] {
            [Some(""), Some("HELP"), Some(name), Some(text)] => self.help(name, text),
            [Some(""), Some("TYPE"), Some(name), Some(kind)] => self.declare(name, kind),
            [Some(""), Some("UNIT"), Some(name), Some(unit)] => self.unit(name, unit),
            _ => Err("a comment that means nothing".to_owned()),
        }
    }

    fn help(&mut self, name: &str, text: &str) -> Result<(), String> {
        if !is_name(name) || text.trim().is_empty() {
            return Err("no name, or no help".to_owned());
        }
        self.helped = Some(name.to_owned());
        self.current = None;
        Ok(())
    }

    fn declare(&mut self, name: &str, kind: &str) -> Result<(), String> {
        if self.helped.as_deref() != Some(name) {
            return Err("a type without its help before it".to_owned());
        }
        let known = self.format.types().iter().find(|(known, _)| *known == kind);
        let (kind, suffixes) = known.ok_or("an unknown type")?;
        if self.format == Format::Text && *kind == "counter" && !name.ends_with("_total") {
            return Err("a counter without `_total`".to_owned());
        }
        if self.families.insert(name.to_owned(), kind).is_some() {
            return Err("a family that was there before".to_owned());
        }
        self.current = Some((name.to_owned(), suffixes));
        Ok(())
    }

    fn unit(&self, name: &str, unit: &str) -> Result<(), String> {
        let fits = name.ends_with(&format!("_{unit}")) && self.format == Format::OpenMetrics;
        let is_declared = self.current.as_ref().is_some_and(|(current, _)| current == name);
        if fits && is_declared { Ok(()) } else { Err("a unit out of place".to_owned()) }
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let end = line.find(['{', ' ']).ok_or("neither labels nor a value")?;
        let (name, rest) = line.split_at(end);
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None => (Labels::new(), rest),
        };
        // One space, one number and nothing else: we send no timestamps and no exemplars.
        let value = rest.strip_prefix(' ').and_then(number).ok_or("no value")?;
        let (family, suffixes) = self.current.as_ref().ok_or("a sample without a type")?;
        let suffix = name.strip_prefix(family.as_str());
        if !is_name(name) || !suffix.is_some_and(|suffix| suffixes.contains(&suffix)) {
            return Err(format!("a name that does not belong to `{family}`"));
        }
        if !self.series.insert((name.to_owned(), labels.clone())) {
            return Err("a series that was there before".to_owned());
        }
        self.samples.push(Sample { name: name.to_owned(), labels, value });
        Ok(())
    }
}

/// Reads labels up to the closing brace; returns what follows it.
fn labels(mut rest: &str) -> Result<(Labels, &str), String> {
    let mut labels = Labels::new();
    loop {
        let (name, quoted) = rest.split_once("=\"").ok_or("a label without a value")?;
        if !is_name(name) || name.contains(':') || name.starts_with("__") {
            return Err(format!("`{name}` is no name of a label"));
        }
        let (value, after) = text(quoted)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("the label `{name}` twice"));
        }
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Ok((labels, after.strip_prefix('}').ok_or("labels without an end")?)),
        }
    }
}

/// Reads an escaped text up to its closing quote; returns what follows it.
fn text(quoted: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        value.push(match letter {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => match letters.next() {
                Some((_, 'n')) => '\n',
                Some((_, escaped @ ('\\' | '"'))) => escaped,
                _ => return Err("a stray backslash".to_owned()),
            },
            plain => plain,
        });
    }
    Err("a text without an end".to_owned())
}

fn is_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        // Rust reads more words than these; the formats do not.
        _ if text.contains(|c: char| c.is_alphabetic() && c != 'e' && c != 'E') => None,
        _ => text.parse().ok(),
    }
}

mod tests {
    use super::{Format, Scrape};

    const COUNTER: &str = "# HELP x_total X.\n# TYPE x_total counter\n";

    #[test]
    fn pages_in_order_are_read() {
        let text = format!("{COUNTER}x_total{{a=\"q\\\"\\\\\\n\",b=\"\"}} 1.5e3\nx_total 2\n");
        let scrape = Scrape::parse(&text, Format::Text).unwrap();
        assert!((scrape.value("x_total", &[("a", "q\"\\\n")]) - 1500.0).abs() < 1e-9);
        let open = "# HELP x_seconds X.\n# TYPE x_seconds histogram\n# UNIT x_seconds seconds\n\
                    x_seconds_bucket{le=\"1.0\"} 1\nx_seconds_bucket{le=\"+Inf\"} 2\n\
                    x_seconds_sum 3\nx_seconds_count 2\n# EOF\n";
        Scrape::parse(open, Format::OpenMetrics).unwrap();
    }

    #[test]
    fn what_is_not_in_order_is_refused() {
        let histogram = "# HELP h H.\n# TYPE h histogram\n";
        for (what, lines) in [
            ("no final line end", format!("{COUNTER}x_total 1")),
            ("no type", "x_total 1\n".to_owned()),
            ("no help", "# TYPE x_total counter\n".to_owned()),
            ("unknown type", "# HELP x X.\n# TYPE x info\n".to_owned()),
            ("counter without suffix", "# HELP x X.\n# TYPE x counter\n".to_owned()),
            ("family twice", format!("{COUNTER}{COUNTER}")),
            ("series twice", format!("{COUNTER}x_total 1\nx_total 2\n")),
            ("another family's sample", format!("{COUNTER}y_total 1\n")),
            ("bad name", format!("{COUNTER}x-total 1\n")),
            ("bad label", format!("{COUNTER}x_total{{1a=\"\"}} 1\n")),
            ("label twice", format!("{COUNTER}x_total{{a=\"\",a=\"\"}} 1\n")),
            ("open labels", format!("{COUNTER}x_total{{a=\"\" 1\n")),
            ("bad escape", format!("{COUNTER}x_total{{a=\"\\t\"}} 1\n")),
            ("no number", format!("{COUNTER}x_total infinity\n")),
            ("timestamp", format!("{COUNTER}x_total 1 1700000000000\n")),
            ("empty line", format!("{COUNTER}\nx_total 1\n")),
            ("end mark", format!("{COUNTER}x_total 1\n# EOF\n")),
            ("no +Inf", format!("{histogram}h_bucket{{le=\"1\"}} 1\nh_sum 1\nh_count 1\n")),
            ("no sum", format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_count 1\n")),
            ("count", format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 2\n")),
            (
                "order",
                format!(
                    "{histogram}h_bucket{{le=\"1\"}} 2\nh_bucket{{le=\"+Inf\"}} 1\nh_sum 1\n\
                     h_count 1\n"
                ),
            ),
        ] {
            assert!(Scrape::parse(&lines, Format::Text).is_err(), "{what} was let pass");
        }
        let open = "# HELP x X.\n# TYPE x counter\nx_total 1\n";
        assert!(Scrape::parse(open, Format::OpenMetrics).is_err(), "a missing end was let pass");
    }
}
