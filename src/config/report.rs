//! Collects what is found while a document is read.

use std::cell::RefCell;

use super::{
    errors::Problem,
    locate::{Places, Spot},
    path::KeyPath,
};

/// Proof that a mistake has been reported, in place of the value that could not be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported;

/// A value, or the proof that its mistake has been reported. Reading goes on in either case.
pub(super) type Read<T> = Result<T, Reported>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Severity {
    Error,
    Warning,
}

struct Diagnostic {
    severity: Severity,
    path: KeyPath,
    spot: Spot,
    message: String,
}

/// All that was found so far.
#[derive(Default)]
pub(super) struct Report(RefCell<Vec<Diagnostic>>);

/// The findings of a whole document, each list in the order of the file.
pub(super) struct Problems {
    pub(super) errors: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

impl Report {
    pub(super) fn error(&self, path: KeyPath, spot: Spot, message: impl Into<String>) -> Reported {
        self.add(Severity::Error, path, spot, message.into());
        Reported
    }

    pub(super) fn warning(&self, path: KeyPath, message: impl Into<String>) {
        self.add(Severity::Warning, path, Spot::Value, message.into());
    }

    /// Looks up the place of each finding in the text that was read.
    pub(super) fn into_problems(self, file: &str, text: &str) -> Problems {
        let findings = self.0.into_inner();
        let mut problems = Problems { errors: Vec::new(), warnings: Vec::new() };
        if findings.is_empty() {
            return problems;
        }
        let places = Places::of(text);
        for Diagnostic { severity, path, spot, message } in findings {
            let list = match severity {
                Severity::Error => &mut problems.errors,
                Severity::Warning => &mut problems.warnings,
            };
            list.push(Problem {
                file: file.to_owned(),
                place: places.find(path.steps(), spot),
                path: path.text().to_owned(),
                message,
            });
        }
        problems.errors.sort_by_key(|problem| problem.place);
        problems.warnings.sort_by_key(|problem| problem.place);
        problems
    }

    fn add(&self, severity: Severity, path: KeyPath, spot: Spot, message: String) {
        self.0.borrow_mut().push(Diagnostic { severity, path, spot, message });
    }
}
