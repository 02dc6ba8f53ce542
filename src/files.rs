//! Reading files whose size is bounded and whose reading cannot wait for another process.
//!
//! A named pipe blocks its reader until somebody writes, and a device such as `/dev/zero` never
//! ends. Every file that the configuration names is therefore a regular file of at most
//! [`LARGEST`] bytes.

use std::{
    fs::{self, File, FileType, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

/// Largest file that is read, in bytes.
pub const LARGEST: u64 = 1 << 20;

/// Reads a whole file.
///
/// # Errors
/// If the file cannot be opened or read, is not a regular file (a directory, named pipe, socket or
/// device), or is larger than [`LARGEST`]. The text of the error does not name the file.
pub fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    let mut content = Vec::new();
    // One byte more than is allowed distinguishes a file that is too large from one that just fits. The
    // size that the system reports is not used: the file may grow, and those of `/proc` report 0.
    file.take(LARGEST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LARGEST {
        return Err(unfit(format!("the file is larger than {} KiB", LARGEST / 1024)));
    }
    Ok(content)
}

/// Reads a whole file of UTF-8 text.
///
/// # Errors
/// As [`read_bounded`], or if the content is not UTF-8.
pub fn read_text_bounded(path: &Path) -> io::Result<String> {
    String::from_utf8(read_bounded(path)?).map_err(|_| unfit("the file is not UTF-8 text".into()))
}

/// Opens a regular file for reading.
///
/// # Errors
/// If the file cannot be opened or is not a regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    // Opening a device can have effects, so its kind is looked at first.
    check_kind(fs::metadata(path)?.file_type())?;
    // The file may have been replaced meanwhile: without this flag, opening a named pipe waits.
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    check_kind(file.metadata()?.file_type())?;
    Ok(file)
}

/// Checks that `path` exists and is a regular file.
///
/// # Errors
/// If it does not exist, cannot be looked at, or is something else.
pub fn check_regular(path: &Path) -> io::Result<()> {
    check_kind(fs::metadata(path)?.file_type())
}

fn check_kind(kind: FileType) -> io::Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    let what = if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(unfit(format!("this is {what}, not a regular file")))
}

fn unfit(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn complaint(path: &Path) -> String {
        read_bounded(path).unwrap_err().to_string()
    }

    #[test]
    fn a_regular_file_is_read_up_to_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for (length, fits) in [(0, true), (LARGEST, true), (LARGEST + 1, false)] {
            File::create(&path).unwrap().set_len(length).unwrap();
            let read = read_bounded(&path);
            assert_eq!(
                read.as_ref().ok().map(|content| content.len() as u64 == length),
                fits.then_some(true)
            );
            if let Err(error) = read {
                assert_eq!(error.to_string(), "the file is larger than 1024 KiB");
            }
        }
        fs::write(&path, [0xff]).unwrap();
        assert!(read_text_bounded(&path).is_err());
        assert_eq!(read_bounded(&path).unwrap(), [0xff]);
        // The system reports 0 bytes for this one.
        assert!(!read_bounded(Path::new("/proc/self/stat")).unwrap().is_empty());
    }

    #[test]
    fn anything_else_is_refused_without_waiting() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let made = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(made.success());
        let _socket = UnixListener::bind(path("socket")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("zero")).unwrap();
        std::os::unix::fs::symlink(path("loop"), path("loop")).unwrap();
        fs::create_dir(path("directory")).unwrap();
        for (name, what) in [
            ("pipe", "a named pipe"),
            ("socket", "a socket"),
            ("zero", "a device"),
            ("directory", "a directory"),
        ] {
            assert_eq!(complaint(&path(name)), format!("this is {what}, not a regular file"));
        }
        assert!(read_bounded(&path("loop")).is_err());
        assert_eq!(read_bounded(&path("absent")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
