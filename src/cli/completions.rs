//! What can be typed next? Scripts for shells: `silenced completions`.

use clap::Args;
use clap_complete::{Shell, generate};

use super::terminal::Terminal;
use super::{CommandError, Exit, command};

/// Print a script that completes commands and flags in a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  silenced completions bash > /etc/bash_completion.d/silenced
  silenced completions zsh > \"${fpath[1]}/_silenced\"
  silenced completions fish > ~/.config/fish/completions/silenced.fish")]
pub(super) struct Arguments {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Arguments {
    pub(super) fn run(self, terminal: &Terminal) -> Result<Exit, CommandError> {
        let mut script = Vec::new();
        generate(self.shell, &mut command(), "silenced", &mut script);
        terminal.print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Success)
    }
}
