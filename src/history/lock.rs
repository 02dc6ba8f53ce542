//! One writer to a file: an advisory lock on a file beside the database.
//!
//! Not on the database itself, whose own locks SQLite keeps: closing any other handle of that file
//! would let them go. The system releases the lock when the process ends, however it does; the
//! empty file stays.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use super::{HistoryError, store::with_suffix};

/// Held as long as this process may write.
#[derive(Debug)]
pub(super) struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock of the database at `path`.
    ///
    /// # Errors
    /// [`HistoryError::InUse`] if another process has it.
    pub(super) fn take(path: &Path) -> Result<Self, HistoryError> {
        let name = with_suffix(path, "-lock");
        let failed = |source| HistoryError::Lock { path: name.clone(), source };
        let file =
            File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(HistoryError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_it_and_the_next_gets_it_when_it_is_free() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.db");
        let first = WriterLock::take(&path).unwrap();
        let second = WriterLock::take(&path).unwrap_err();
        assert!(matches!(second, HistoryError::InUse { .. }), "{second:?}");
        drop(first);
        WriterLock::take(&path).unwrap();
    }
}
