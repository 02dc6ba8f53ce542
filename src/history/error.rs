//! What can go wrong with the history.

use std::{error::Error, io, iter, path::PathBuf};

use rusqlite::ErrorCode;

use super::schema::SCHEMA_VERSION;

/// Why the history cannot be written or read. A path is that of the database file.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The directory of the database cannot be created.
    #[error("creating the directory {0} (give it to wanctl's user, or set history.path)")]
    CreateDirectory(PathBuf, #[source] io::Error),
    /// There is no file, or an empty one.
    #[error("{0} holds no history: no wanctl has written one there, or it may not be read")]
    Missing(PathBuf),
    /// It is no regular file, or cannot be looked at.
    #[error("{0} cannot be a history")]
    Unfit(PathBuf, #[source] io::Error),
    /// The file is not a history of wanctl; with the `application_id` of its header.
    #[error(
        "{0} is a database of another application (application_id {1:#x}); it was left alone: name \
         another file for the history"
    )]
    Foreign(PathBuf, i64),
    /// The file is a history with another schema than this wanctl's; with its `user_version`.
    #[error(
        "{0} is a history with schema {1}, and this wanctl reads only schema {SCHEMA_VERSION}: query \
         it with the wanctl that wrote it"
    )]
    OtherSchema(PathBuf, i64),
    /// The file could not be used, being corrupt or of another schema, and has been renamed.
    #[error("the history file was renamed to {0}, and a new history begins")]
    SetAside(PathBuf, #[source] Box<HistoryError>),
    /// The file can be neither used, for the reason given, nor renamed.
    #[error("renaming {0}, which cannot be used because {1}")]
    Rename(PathBuf, String, #[source] io::Error),
    /// The history has no WAN of this name, but these.
    #[error("the history knows no WAN {0}; it knows: {known}", known = .1.join(", "))]
    UnknownWan(String, Vec<String>),
    /// What is remembered of a WAN is not what a wanctl writes.
    #[error("what is remembered of WAN {0} makes no sense")]
    Memory(String, #[source] serde_json::Error),
    /// Another process writes this history.
    #[error(
        "another wanctl writes {0}: this one keeps no history until that ends; name another file in \
         history.path if both should"
    )]
    InUse(PathBuf),
    /// The lock file, which keeps a second writer away, cannot be opened or locked.
    #[error("locking {0} (its directory must be writable for wanctl's user)")]
    Lock(PathBuf, #[source] io::Error),
    /// SQLite failed; with what was being done.
    #[error("{0} {1}")]
    Sqlite(&'static str, PathBuf, #[source] rusqlite::Error),
}

impl HistoryError {
    /// Whether another connection holds the database locked; waiting helps, reopening does not.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self.sqlite_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Whether SQLite may not open or write what it needs.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.sqlite_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
    }

    /// Whether the file is a history's, and no wanctl of this version can ever use it.
    pub(super) fn is_unusable(&self) -> bool {
        matches!(self, Self::OtherSchema { .. })
            || matches!(
                self.sqlite_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            )
    }

    /// Whether the next attempt may well succeed, without anyone mending anything.
    pub(super) fn may_pass_soon(&self) -> bool {
        self.is_busy() || matches!(self, Self::SetAside { .. })
    }

    fn sqlite_code(&self) -> Option<ErrorCode> {
        let Self::Sqlite(_, _, source) = self else { return None };
        source.sqlite_error_code()
    }

    /// Returns the message with all its causes, in one line.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let causes = iter::successors(self.source(), |&error| error.source());
        causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_step_the_file_and_the_cause() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = HistoryError::CreateDirectory("/var/lib/wanctl".into(), denied);
        assert_eq!(
            error.with_causes(),
            "creating the directory /var/lib/wanctl (give it to wanctl's user, or set history.path): \
             permission denied"
        );
    }
}
