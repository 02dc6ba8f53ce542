//! What becomes of a file that is corrupt or has another schema: it is kept under another name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{super::HistoryError, with_suffix};

/// Renames the database at `path`, which cannot be used because of `error`, and its log. Returns
/// what to report. Only a regular file is ever renamed: not a device that someone named by mistake.
pub(super) fn set_aside(path: &Path, error: HistoryError) -> HistoryError {
    let mark = match &error {
        HistoryError::OtherSchema { version, .. } => format!("schema-{version}"),
        _ => "corrupt".to_owned(),
    };
    match rename(path, &mark) {
        Ok(archived_as) => HistoryError::SetAside { archived_as, source: Box::new(error) },
        Err(source) => {
            HistoryError::Rename { path: path.to_owned(), fault: error.with_causes(), source }
        }
    }
}

fn rename(path: &Path, mark: &str) -> io::Result<PathBuf> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let archived_as = free_name(path, mark)?;
    fs::rename(path, &archived_as)?;
    // The log belongs to the renamed file, and would corrupt the new one.
    for suffix in ["-wal", "-shm"] {
        match fs::rename(with_suffix(path, suffix), with_suffix(&archived_as, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(archived_as)
}

/// Returns a name that no file has: a rename must not replace what was set aside before.
fn free_name(path: &Path, mark: &str) -> io::Result<PathBuf> {
    let stem = format!(".{mark}-{}", Timestamp::now().strftime("%Y%m%dT%H%M%SZ"));
    for attempt in 0..1000 {
        let suffix = if attempt == 0 { stem.clone() } else { format!("{stem}-{attempt}") };
        let name = with_suffix(path, &suffix);
        if !fs::exists(&name)? {
            return Ok(name);
        }
    }
    Err(io::Error::other("too many files were set aside already"))
}
