//! The report as text for people.

use std::fmt::Write as _;

use super::report::{Report, State, Verdict};

/// Renders a report; ends without a newline.
pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    for line in &report.lines {
        let (state, subject, what) = (line.state.name(), &line.subject, &line.what);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{state:<8} {subject}: {what}");
        if let Some(remedy) = &line.remedy {
            let _ = writeln!(text, "         -> {remedy}");
        }
    }
    for what in &report.not_tried {
        let _ = writeln!(text, "not tried: {what}");
    }
    let _ = write!(text, "{}", sum(report));
    text
}

/// Says in one sentence what it all comes to.
fn sum(report: &Report) -> String {
    let verdict = match (report.verdict, report.offline) {
        (Verdict::Ready, false) => "ready",
        (Verdict::Warnings, false) => "ready, with warnings",
        (Verdict::NotReady, _) => "not ready",
        (Verdict::Ready, true) => "the file has no errors; nothing else was checked",
        (Verdict::Warnings, true) => {
            "the file has warnings and no errors; nothing else was checked"
        }
    };
    let counted = State::ALL.iter().copied().rev().filter_map(|state| {
        let count = report.count(state);
        (count > 0).then(|| format!("{count} {}", state.name()))
    });
    let counted: Vec<String> = counted.collect();
    format!("{verdict}: {}", counted.join(", "))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        super::report::{Line, Topic},
        *,
    };

    fn rendered(lines: Vec<Line>) -> (Verdict, String) {
        let report = Report::new(Path::new("w.yaml"), false, lines, vec!["a write".to_owned()]);
        (report.verdict, render(&report))
    }

    #[test]
    fn each_state_decides_what_it_all_comes_to() {
        let router = |what: &str| Line::ok(Topic::Router, "router", what);
        let (verdict, text) = rendered(vec![router("answers")]);
        assert_eq!(verdict.exit_code(), 0);
        assert_eq!(text, "ok       router: answers\nnot tried: a write\nready: 1 ok");
        let unknown = Line::unknown(Topic::Router, "policies", "not shown").remedy("ask");
        let (verdict, text) = rendered(vec![router("answers"), unknown.clone()]);
        assert_eq!(verdict.exit_code(), 2, "what is unknown is not ready");
        assert!(text.ends_with("ready, with warnings: 1 unknown, 1 ok"), "{text}");
        assert!(text.contains("unknown  policies: not shown\n         -> ask\n"), "{text}");
        let failed = Line::failed(Topic::Queue, "queue", "not there");
        let (verdict, text) = rendered(vec![unknown, failed]);
        assert_eq!(verdict.exit_code(), 1);
        assert!(text.ends_with("not ready: 1 failed, 1 unknown"), "{text}");
    }
}
