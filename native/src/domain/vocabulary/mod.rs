//! `emberlab tokenizer`: vocabularies for a domain.

pub mod extend;
pub mod train;

use anyhow::Result;
use emberlab_core::text::{Tokenizer, WordCounts};

use crate::Outcome;
use crate::cli::TokenizerCommand;
use crate::domain::corpus::Paragraph;
use crate::terminal::counted;

/// Runs the command.
pub fn run(command: &TokenizerCommand) -> Result<Outcome> {
    match command {
        TokenizerCommand::Train(args) => train::run(args),
        TokenizerCommand::Extend(args) => extend::run(args),
    }
}

fn count(tokenizer: &Tokenizer, paragraphs: &[Paragraph]) -> Result<WordCounts> {
    Ok(tokenizer.count_words(paragraphs.iter().map(|paragraph| paragraph.text.as_str()))?)
}

/// A line for each part of a corpus: pieces per word with each of some tokenizers.
fn pieces_table(heads: &[&str], rows: &[(&str, &WordCounts, Vec<f64>)]) -> String {
    let cells = heads.iter().map(|head| format!("  {head:>8}"));
    let mut text = format!("{:16}{}\n", "pieces per word", cells.collect::<String>());
    for (name, counts, figures) in rows {
        let cells = figures.iter().map(|figure| format!("  {figure:8.4}"));
        let words = counted(counts.0.values().sum(), "word");
        text.push_str(&format!("{name:16}{}  ({words})\n", cells.collect::<String>()));
    }
    text
}
