//! Where the socket of the `ssh` that keeps the connection is put.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// Longest directory that leaves room for what comes below it: socket paths end at 107 bytes, and
/// `ssh` needs 46 of them for a directory of its own, a name and a suffix while it begins.
const LONGEST: usize = 60;

/// Chooses the runtime directory of the service, else that of the user, else the one for temporary
/// files: the first that exists and is short enough. The socket gets a directory there that only
/// its owner can enter.
pub(super) fn choose() -> PathBuf {
    let of_service = env::var_os("RUNTIME_DIRECTORY");
    let of_user = env::var_os("XDG_RUNTIME_DIR");
    first_fit(of_service.as_deref(), of_user.as_deref(), &env::temp_dir(), Path::is_dir)
}

fn first_fit(
    of_service: Option<&OsStr>,
    of_user: Option<&OsStr>,
    temporary: &Path,
    exists: impl Fn(&Path) -> bool,
) -> PathBuf {
    // systemd joins several directories with colons.
    let of_service = of_service.into_iter().flat_map(env::split_paths);
    let candidates = of_service.chain(of_user.map(PathBuf::from)).chain([temporary.to_owned()]);
    let fits = |path: &PathBuf| path.is_absolute() && path.as_os_str().len() <= LONGEST;
    candidates
        .into_iter()
        .find(|path| fits(path) && exists(path))
        .unwrap_or_else(|| PathBuf::from("/tmp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_directory_that_exists_and_is_short_wins() {
        let long = format!("/{}", "x".repeat(LONGEST));
        for (service, user, exists, chosen) in [
            (Some("/run/wanctl:/run/other"), Some("/run/user/1"), "/run", "/run/wanctl"),
            (Some("/gone:/run/other"), Some("/run/user/1"), "/run", "/run/other"),
            (None, Some("/run/user/1"), "/run", "/run/user/1"),
            (Some(&*long), Some("relative"), "/", "/var/tmp"),
            (None, None, "/nothing", "/tmp"),
        ] {
            let path = first_fit(
                service.map(OsStr::new),
                user.map(OsStr::new),
                Path::new("/var/tmp"),
                |path| path.starts_with(exists),
            );
            assert_eq!(path, Path::new(chosen));
        }
    }
}
