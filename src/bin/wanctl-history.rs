//! `wanctl-history`: the same as `wanctl history`.

use std::process::ExitCode;

fn main() -> ExitCode {
    wanctl::cli::history_main()
}
