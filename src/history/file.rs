//! The database file and the files beside it: the lock, the log, and files that were set aside.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::HistoryError;
use crate::files;

/// Returns `path` with `suffix` after its whole name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Returns whether there is a file at `path`, before SQLite opens it: SQLite would wait for the
/// writer of a named pipe.
///
/// # Errors
/// [`HistoryError::Unfit`] if it is no regular file, or cannot be looked at.
pub(super) fn is_there(path: &Path) -> Result<bool, HistoryError> {
    match files::check_regular(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(HistoryError::Unfit(path.to_owned(), error)),
    }
}

/// Takes the lock that one writer of the database at `path` has; it lasts as long as the returned
/// file is open, however the process ends.
///
/// The lock is on a file of its own: closing any other handle of the database would release the
/// locks that SQLite keeps on it.
///
/// # Errors
/// [`HistoryError::InUse`] if another process has it.
pub(super) fn lock(path: &Path) -> Result<File, HistoryError> {
    let name = with_suffix(path, "-lock");
    let failed = |error| HistoryError::Lock(name.clone(), error);
    let file =
        File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(HistoryError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Renames the database at `path`, which cannot be used because of `error`, and its log. Returns
/// what to report. Only a regular file is ever renamed: not a device that was named by mistake.
pub(super) fn set_aside(path: &Path, error: HistoryError) -> HistoryError {
    let mark = match &error {
        HistoryError::OtherSchema(_, version) => format!("schema-{version}"),
        _ => "corrupt".to_owned(),
    };
    match rename(path, &mark) {
        Ok(name) => HistoryError::SetAside(name, Box::new(error)),
        Err(cause) => HistoryError::Rename(path.to_owned(), error.with_causes(), cause),
    }
}

fn rename(path: &Path, mark: &str) -> io::Result<PathBuf> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    // A rename must not replace a file that was set aside before.
    let stem = format!(".{mark}-{}", Timestamp::now().strftime("%Y%m%dT%H%M%SZ"));
    let names = (0..1000).map(|attempt| match attempt {
        0 => with_suffix(path, &stem),
        _ => with_suffix(path, &format!("{stem}-{attempt}")),
    });
    let mut free = names.filter(|name| !name.exists());
    let name =
        free.next().ok_or_else(|| io::Error::other("too many files were set aside already"))?;
    fs::rename(path, &name)?;
    // The log belongs to the renamed file, and would corrupt the new one.
    for suffix in ["-wal", "-shm"] {
        match fs::rename(with_suffix(path, suffix), with_suffix(&name, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_it_and_the_next_gets_it_when_it_is_free() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.db");
        let first = lock(&path).unwrap();
        let second = lock(&path).unwrap_err();
        assert!(matches!(second, HistoryError::InUse { .. }), "{second:?}");
        drop(first);
        lock(&path).unwrap();
    }
}
