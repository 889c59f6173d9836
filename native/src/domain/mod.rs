//! At home in a domain: corpora, vocabularies, masked language models, and graders of short answers.
//!
//! ```text
//! files → corpus → (vocabulary) → pretrain → grade, or any training
//!                       study: all of it, with and without
//! ```

pub mod corpus;
mod grade;
mod pretrain;
mod study;
mod vocabulary;

use anyhow::Result;

use crate::Outcome;
use crate::cli::DomainCommand;

/// Runs a command.
pub fn run(command: &DomainCommand) -> Result<Outcome> {
    match command {
        DomainCommand::Corpus(args) => corpus::run(args),
        DomainCommand::Tokenizer(command) => vocabulary::run(command),
        DomainCommand::Pretrain(args) => pretrain::run(args),
        DomainCommand::FillMask(args) => pretrain::fill_mask::run(args),
        DomainCommand::Grade(command) => grade::run(command),
        DomainCommand::Study(command) => study::run(command),
    }
}
