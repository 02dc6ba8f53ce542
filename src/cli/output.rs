//! Writing to a terminal or a pipe, which may close at any time.

use std::io::{self, Write as _};

/// Writes one line to standard output.
///
/// # Errors
/// If nobody reads any more; `println!` would panic instead.
pub(super) fn say(line: impl AsRef<str>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_ref().as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Writes a failure to standard error; if that fails too, nothing is left to do.
pub(super) fn complain(error: &anyhow::Error) {
    let _ = writeln!(io::stderr(), "{}", sentence(error));
}

/// Returns whether an error comes from a reader that went away.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Joins the causes of an error, leaving out what an outer text has said already.
fn sentence(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |mut said, cause| {
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said.push_str(": ");
            said.push_str(&cause);
        }
        said
    })
}
