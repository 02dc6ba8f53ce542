//! What becomes of a corrupt file: it is kept under another name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{super::HistoryError, with_suffix};

/// Renames the corrupt database at `path` and its log, and returns what to report instead of
/// `error`. Only a regular file is ever renamed: not a device that someone named by mistake.
pub(super) fn set_aside(path: &Path, error: HistoryError) -> HistoryError {
    let HistoryError::Sqlite { source, .. } = error else { return error };
    match rename(path) {
        Ok(kept_as) => HistoryError::SetAside { path: path.to_owned(), kept_as, source },
        Err(source) => HistoryError::Rename { path: path.to_owned(), source },
    }
}

fn rename(path: &Path) -> io::Result<PathBuf> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let kept_as = free_name(path)?;
    fs::rename(path, &kept_as)?;
    // The log first belongs to the corrupt file, and would corrupt the new one.
    for suffix in ["-wal", "-shm"] {
        match fs::rename(with_suffix(path, suffix), with_suffix(&kept_as, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(kept_as)
}

/// Returns a name that no file has: a rename must not replace what was set aside before.
fn free_name(path: &Path) -> io::Result<PathBuf> {
    let stem = format!(".corrupt-{}", Timestamp::now().strftime("%Y%m%dT%H%M%SZ"));
    for attempt in 0..1000 {
        let suffix = if attempt == 0 { stem.clone() } else { format!("{stem}-{attempt}") };
        let name = with_suffix(path, &suffix);
        if !fs::exists(&name)? {
            return Ok(name);
        }
    }
    Err(io::Error::other("too many files were set aside already"))
}
