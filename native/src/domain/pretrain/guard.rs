//! Whether a corpus contains texts of a data set that a model will be measured on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::cli::ReadArgs;
use crate::domain::corpus::{Corpus, Paragraph};
use crate::files::hub::{self, Kind};
use crate::load::{Loader, Source};
use crate::terminal::{counted, note};

/// Words in a row by which a text is known; shorter ones say too little.
const WORDS: usize = 8;
/// Overlaps that are named.
const NAMED: usize = 5;

/// A text of a guarded set that stands in the corpus.
struct Overlap {
    place: String,
    words: String,
    document: String,
}

/// # Errors
/// A guarded text stands in the corpus: eight of its words in a row, whatever is between them.
pub fn check(guarded: &[PathBuf], corpus: &Corpus) -> Result<()> {
    for path in guarded {
        let texts = texts(path)?;
        let (long, short): (Vec<_>, Vec<_>) =
            texts.into_iter().partition(|(_, words)| words.len() >= WORDS);
        if long.is_empty() {
            note(format_args!(
                "note: {} guards nothing: no text in it has {WORDS} words",
                path.display()
            ));
        }
        let overlaps = overlaps(&long, corpus);
        if overlaps.is_empty() {
            let looked = counted(long.len(), "cell");
            let short = counted(short.len(), "cell");
            note(format_args!(
                "guard   {}: {looked} not in the corpus ({short} under {WORDS} words)",
                path.display()
            ));
            continue;
        }
        let named: Vec<String> = overlaps
            .iter()
            .take(NAMED)
            .map(|Overlap { place, words, document }| {
                format!("\n  {place}: “{words}” stands in {document}")
            })
            .collect();
        bail!(
            "{} of {} {} in the corpus {}; take these documents out, or name another test set:{}",
            counted(overlaps.len(), "text"),
            path.display(),
            if overlaps.len() == 1 { "stands" } else { "stand" },
            corpus.path.display(),
            named.concat()
        );
    }
    Ok(())
}

/// The words of each text of a data set, with its place.
fn texts(path: &Path) -> Result<Vec<(String, Vec<String>)>> {
    let source = Source::new(&hub::folder(path, Kind::Dataset)?);
    let read = ReadArgs::default();
    let table = Loader::new(&read).load(&source)?.table;
    let mut all = Vec::new();
    for row in &table.rows {
        for (column, cell) in &row.cells {
            let Value::String(text) = cell else { continue };
            all.push((format!("{}, {column}", row.place), words(text)));
        }
    }
    Ok(all)
}

fn overlaps(texts: &[(String, Vec<String>)], corpus: &Corpus) -> Vec<Overlap> {
    let mut known: HashMap<&[String], Vec<usize>> = HashMap::new();
    for (index, (_, words)) in texts.iter().enumerate() {
        for window in words.windows(WORDS) {
            known.entry(window).or_default().push(index);
        }
    }
    let mut found: Vec<Option<Overlap>> = texts.iter().map(|_| None).collect();
    for Paragraph { text, document, source } in corpus.train.iter().chain(&corpus.held_out) {
        for window in words(text).windows(WORDS) {
            for &index in known.get(window).into_iter().flatten() {
                found[index].get_or_insert_with(|| Overlap {
                    place: texts[index].0.clone(),
                    words: window.join(" "),
                    document: format!("{source}, {document}"),
                });
            }
        }
    }
    found.into_iter().flatten().collect()
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}
