//! The `silenced` program.

use std::process::ExitCode;

use silenced::cli;

fn main() -> ExitCode {
    cli::main(std::env::args_os())
}
