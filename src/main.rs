//! The `wanctl` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    wanctl::cli::main()
}
