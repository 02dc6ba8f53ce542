//! What can go wrong with the history.

use std::{error::Error, io, path::PathBuf};

use rusqlite::ErrorCode;

use super::schema::SCHEMA_VERSION;

/// Why the history cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The directory of the database cannot be created.
    #[error("creating the directory {path} (give it to wanctl's user, or set history.path)")]
    CreateDirectory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no file, or an empty one.
    #[error("{path} holds no history: no wanctl has written one there, or it may not be read")]
    Missing {
        /// The database file.
        path: PathBuf,
    },
    /// What stands at the path is no regular file, or cannot be looked at.
    #[error("{path} cannot be a history")]
    Unfit {
        /// The path.
        path: PathBuf,
        /// Why it cannot: what it is, or what the system said.
        source: io::Error,
    },
    /// The file is not a history of wanctl.
    #[error(
        "{path} is a database of another application (application_id {application_id:#x}); \
         it was left alone: name another file for the history"
    )]
    Foreign {
        /// The database file.
        path: PathBuf,
        /// The `application_id` in its header.
        application_id: i64,
    },
    /// The file is a history with another schema than this wanctl's.
    #[error(
        "{path} is a history with schema {version}, and this wanctl reads only schema \
         {SCHEMA_VERSION}: query it with the wanctl that wrote it"
    )]
    OtherSchema {
        /// The database file.
        path: PathBuf,
        /// The `user_version` in its header.
        version: i64,
    },
    /// The file could not be used and has been renamed.
    #[error("the history file was renamed to {archived_as}, and a new history begins")]
    SetAside {
        /// The file's new name.
        archived_as: PathBuf,
        /// Why it could not be used: it is corrupt or has another schema.
        source: Box<HistoryError>,
    },
    /// The file can be neither used nor renamed.
    #[error("renaming {path}, which cannot be used because {fault}")]
    Rename {
        /// The database file.
        path: PathBuf,
        /// Why it cannot be used.
        fault: String,
        /// What the system said.
        source: io::Error,
    },
    /// The history has no such WAN.
    #[error("the history knows no WAN {name}; it knows: {}", known.join(", "))]
    UnknownWan {
        /// The name that was asked for.
        name: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// What is remembered of a WAN is not what a wanctl writes.
    #[error("what is remembered of WAN {wan} makes no sense")]
    Memory {
        /// The WAN.
        wan: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Another process writes this history.
    #[error(
        "another wanctl writes {path}: this one keeps no history until that ends; \
         name another file in history.path if both should"
    )]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// The file that keeps a second writer away cannot be opened or locked.
    #[error("locking {path} (its directory must be writable for wanctl's user)")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite failed.
    #[error("{step} {path}")]
    Sqlite {
        /// What was being done.
        step: &'static str,
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
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
        let Self::Sqlite { source, .. } = self else { return None };
        source.sqlite_error_code()
    }

    /// Returns the message with all its causes, in one line.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_step_the_file_and_the_cause() {
        let error = HistoryError::CreateDirectory {
            path: "/var/lib/wanctl".into(),
            source: io::Error::from(io::ErrorKind::PermissionDenied),
        };
        assert_eq!(
            error.with_causes(),
            "creating the directory /var/lib/wanctl (give it to wanctl's user, or set history.path): \
             permission denied"
        );
    }
}
