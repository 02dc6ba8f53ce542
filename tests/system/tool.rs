//! Programs of other packages.

use std::{env, process::Command};

/// Returns a command of the program `name`, which the Debian package `package` brings.
pub(crate) fn tool(name: &str, package: &str) -> Command {
    let path = env::var_os("PATH").unwrap_or_default();
    // Not every user has the directories of the superuser's programs in the path.
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(Into::into);
    let mut directories = env::split_paths(&path).chain(system);
    let found = directories.find_map(|directory| {
        let program = directory.join(name);
        program.is_file().then_some(program)
    });
    Command::new(found.unwrap_or_else(|| {
        panic!("`{name}` is missing: apt-get install {package}, or use tests/run, which does it")
    }))
}
