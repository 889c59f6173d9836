//! `emberlab tokenizer extend`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use emberlab_core::text::{MissingWord, Tokenizer};
use serde_json::json;

use super::{count, pieces_table};
use crate::cli::TokenizerExtendArgs;
use crate::domain::corpus::Corpus;
use crate::files::embedded;
use crate::files::staged::StagedFolder;
use crate::run::folder::terms_files;
use crate::terminal::{counted, grouped, json as pretty, print};
use crate::{Outcome, files};

/// Where the words that were added are listed.
const WORDS: &str = "added_words.json";

/// Runs the command.
pub fn run(args: &TokenizerExtendArgs) -> Result<Outcome> {
    let model = embedded::model(args.model.as_deref())?;
    let said = extend(&model, &Corpus::open(&args.corpus)?, args)?;
    print(format_args!("{said}saved   {}\n", args.out.display()))?;
    Ok(Outcome::Completed)
}

/// Writes the extended model; returns what there is to tell of it.
pub fn extend(model: &Path, corpus: &Corpus, args: &TokenizerExtendArgs) -> Result<String> {
    let files = files::read_model(model)?;
    let before = files.tokenizer(&files.config()?)?;
    let train = count(&before, &corpus.train)?;
    let mut words = before.missing_words(&train, args.min_count)?;
    words.truncate(args.words);
    ensure!(
        !words.is_empty(),
        "{} has every word that stands {} times in {} as one piece: there is nothing to add",
        model.display(),
        args.min_count,
        corpus.path.display()
    );
    let names: Vec<String> = words.iter().map(|word| word.word.clone()).collect();
    let written = files.with_words(&names)?;
    let folder = StagedFolder::create_new(&args.out)?;
    for (name, bytes) in &written {
        folder.write(name, bytes)?;
    }
    for terms in terms_files(model)? {
        folder.copy(&terms)?;
    }
    let list = words.iter().map(|MissingWord { word, count, pieces }| {
        json!({ "word": word, "count": count, "pieces": pieces })
    });
    folder.write(WORDS, pretty(&list.collect::<Vec<_>>())?.as_bytes())?;

    let json = written.iter().find(|(name, _)| name == "tokenizer.json");
    let (name, bytes) = json.context("no tokenizer.json was made")?;
    let after = Tokenizer::from_json(name, bytes)?;
    let held_out = count(&before, &corpus.held_out)?;
    let mut rows = Vec::new();
    for (name, counts) in [("train", &train), ("held out", &held_out)] {
        let (before, after) = (before.pieces_per_word(counts)?, after.pieces_per_word(counts)?);
        if before > 0.0 {
            rows.push((name, counts, vec![before, after, (after / before - 1.0) * 100.0]));
        }
    }
    folder.finish()?;
    let rows_before = files.config()?.vocab_size;
    Ok(format!(
        "{}\n{}\n{} added to {} rows\n",
        pieces_table(&["before", "after", "change %"], &rows),
        gains(&words, args.show),
        counted(words.len(), "word"),
        grouped(rows_before),
    ))
}

/// The words by which texts became shorter most.
fn gains(words: &[MissingWord], show: usize) -> String {
    let mut text = format!("{:20}  {:>6}  {:>7}  pieces before\n", "word", "count", "saved");
    for word in words.iter().take(show) {
        let MissingWord { word: name, count, pieces } = word;
        let (count, gain) = (grouped(*count), grouped(word.gain()));
        text.push_str(&format!("{name:20}  {count:>6}  {gain:>7}  {}\n", pieces.join(" ")));
    }
    text
}
