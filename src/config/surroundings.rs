//! What a configuration refers to outside its own text.

use std::{fmt, fs, io, path::Path};

use crate::files::{check_regular, read_text_bounded};

/// Access to the files and environment variables that a configuration names.
///
/// Passed in, so that a test needs neither files nor an environment of its own.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    /// Reads a file that the configuration names.
    pub file: &'a dyn Fn(&Path) -> io::Result<FileText>,
    /// Checks that a file that is handed on to `ssh` is there and is a regular file.
    pub check_file: &'a dyn Fn(&Path) -> io::Result<()>,
    /// Looks up an environment variable; `None` if it is not set or not Unicode.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// The text of a file, and who can read it.
#[derive(Clone, PartialEq, Eq)]
pub struct FileText {
    /// The text; it may be a secret.
    pub text: String,
    /// Whether others than its owner may read the file.
    pub is_exposed: bool,
}

impl Environment<'static> {
    /// The real file system and the environment of this process.
    pub const REAL: Self = Self {
        file: &read_file,
        check_file: &check_regular,
        variable: &|name| std::env::var(name).ok(),
    };
}

impl fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

impl fmt::Debug for FileText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileText").field("is_exposed", &self.is_exposed).finish_non_exhaustive()
    }
}

fn read_file(path: &Path) -> io::Result<FileText> {
    let text = read_text_bounded(path)?;
    let is_exposed = is_exposed(&fs::metadata(path)?);
    Ok(FileText { text, is_exposed })
}

#[cfg(unix)]
fn is_exposed(file: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    const GROUP_OR_OTHERS_READ: u32 = 0o044;
    file.permissions().mode() & GROUP_OR_OTHERS_READ != 0
}

#[cfg(not(unix))]
fn is_exposed(_file: &fs::Metadata) -> bool {
    false
}
