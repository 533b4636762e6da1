//! The `silenced` program.

use std::process::ExitCode;

use silenced::{cli, source};

fn main() -> ExitCode {
    // libgit2's options are to be set before there are threads.
    let git = source::initialise().map_err(|error| error.to_string());
    cli::main(std::env::args_os(), git)
}
