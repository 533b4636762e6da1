//! How is libgit2 told to behave? Its options are globals of the process, set
//! once before anything uses it.

use std::path::Path;
use std::sync::OnceLock;

use git2::ConfigLevel;

use super::failure;
use crate::source::error::SourceError;

/// For the TCP connection, in milliseconds: three times the first retransmission
/// of a lost SYN (1 s, 2 s, 4 s) and some.
const CONNECT_TIMEOUT: i32 = 10_000;

/// For every single read and write, in milliseconds: a server that packs a large
/// repository says nothing for some seconds. It bounds silence, not the whole
/// operation; a server that drips bytes outlives it.
const SERVER_TIMEOUT: i32 = 30_000;

/// Memory that libgit2 may use, for a pod of 128 MiB. Its own defaults are a
/// window of 1 GiB, 8 GiB mapped and 256 MiB of cached objects.
const WINDOW_BYTES: usize = 16 << 20;
const MAPPED_BYTES: usize = 64 << 20;
const CACHE_BYTES: isize = 16 << 20;

/// Sets libgit2's options. Call it before there are threads: libgit2 also sets
/// environment variables that name the system's certificates. It reads these
/// certificates, which takes longer than to start the rest of the program, so
/// whoever needs no Git does without.
/// Calls after the first do nothing, and every function here that uses libgit2
/// makes one.
pub fn initialise() -> Result<(), SourceError> {
    static OUTCOME: OnceLock<Result<(), SourceError>> = OnceLock::new();
    OUTCOME
        .get_or_init(|| set_options().map_err(|error| failure::local(Path::new("."), &error)))
        .clone()
}

#[expect(
    unsafe_code,
    reason = "libgit2's options are globals without synchronisation. `initialise` runs this once, \
              and every use of libgit2 in this program first waits for it"
)]
fn set_options() -> Result<(), git2::Error> {
    unsafe {
        // Always both: with the first alone, sockets are non-blocking and reads
        // fail at once instead of waiting.
        git2::opts::set_server_connect_timeout_in_milliseconds(CONNECT_TIMEOUT)?;
        git2::opts::set_server_timeout_in_milliseconds(SERVER_TIMEOUT)?;
        git2::opts::set_mwindow_size(WINDOW_BYTES)?;
        git2::opts::set_mwindow_mapped_limit(MAPPED_BYTES)?;
        git2::opts::set_cache_max_size(CACHE_BYTES)?;
        // Whose a repository is does not matter: somebody named it as the source, and
        // nothing in it is executed. Git would have its owner in `safe.directory`,
        // and that we do not read either.
        git2::opts::set_verify_owner_validation(false)?;
        // No configuration of the image or the user applies: `insteadOf`,
        // `http.proxy` and the like would change what we fetch from where.
        for level in [
            ConfigLevel::ProgramData,
            ConfigLevel::System,
            ConfigLevel::XDG,
            ConfigLevel::Global,
        ] {
            git2::opts::set_search_path(level, "")?;
        }
    }
    Ok(())
}
