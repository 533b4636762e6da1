//! The `silenced` program.

use std::process::ExitCode;

use silenced::cli;
use tikv_jemallocator::Jemalloc;

/// Ten thousand silences come and go in hundreds of thousands of small pieces
/// with every pass. With glibc's allocator a quarter of the time goes there, and
/// what was free once stays with the process in pieces.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    cli::main(std::env::args_os())
}
