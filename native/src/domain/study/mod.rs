//! `emberlab study`: a whole question by one command.

mod adaptation;
mod table;

use anyhow::Result;

use crate::Outcome;
use crate::cli::StudyCommand;

/// Runs the command.
pub fn run(command: &StudyCommand) -> Result<Outcome> {
    match command {
        StudyCommand::Adaptation(args) => adaptation::run(args),
    }
}
