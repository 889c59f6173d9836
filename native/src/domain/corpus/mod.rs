//! `emberlab corpus`: books, pages and notes into clean paragraphs.
//!
//! ```text
//! file → read (by format) → Document: blocks → clean → filter, deduplicate → train, held out, report
//! ```

mod clean;
mod filter;
mod html;
mod markdown;
mod pages;
mod read;
mod report;
mod stored;
mod text;

use std::collections::HashSet;

use anyhow::{Result, ensure};
use sha2::{Digest, Sha256};

use crate::Outcome;
use crate::cli::CorpusArgs;
use crate::files::staged::StagedFolder;
use crate::terminal::{json, note, print};

use self::filter::Filter;
use self::read::Document;
pub use self::read::{Format, sections};
use self::report::Reason;
pub use self::report::Report;
pub use self::stored::{Corpus, Paragraph, documents};

/// The files of a corpus.
const TRAIN: &str = "train.jsonl";
const HELD_OUT: &str = "held_out.jsonl";
const REPORT: &str = "corpus.json";

/// Runs the command.
pub fn run(args: &CorpusArgs) -> Result<Outcome> {
    ensure!(
        (0.0..1.0).contains(&args.held_out),
        "--held-out {}: expected 0 to below 1",
        args.held_out
    );
    let filter = Filter::new(args)?;
    let folder = StagedFolder::create_new(&args.out)?;
    let mut report = Report::default();
    let mut documents = Vec::new();
    for path in read::files(&args.paths)? {
        note(format_args!("reading {}", path.display()));
        documents.extend(read::documents(&path, &mut report)?);
        report.files += 1;
    }
    let documents = kept(documents, &filter, &mut report);
    ensure!(!documents.is_empty(), "no paragraph was left of {} files; {report}", report.files);
    let held_out = held_out(&documents, args.held_out, args.seed);
    let (mut train, mut test) = (String::new(), String::new());
    for (document, held_out) in documents.iter().zip(held_out) {
        let part = if held_out { &mut report.held_out } else { &mut report.train };
        part.add(document);
        let out = if held_out { &mut test } else { &mut train };
        for text in &document.paragraphs {
            let line = serde_json::json!({
                "text": text, "document": document.name, "source": document.source,
            });
            out.push_str(&format!("{line}\n"));
        }
    }
    folder.write(TRAIN, train.as_bytes())?;
    folder.write(HELD_OUT, test.as_bytes())?;
    folder.write(REPORT, json(&report)?.as_bytes())?;
    folder.finish()?;
    print(format_args!("{report}\nsaved   {}\n", args.out.display()))?;
    Ok(Outcome::Completed)
}

/// A document whose paragraphs are worth reading.
struct Clean {
    /// The file it comes from, without its folder.
    source: String,
    name: String,
    paragraphs: Vec<String>,
}

impl Clean {
    fn characters(&self) -> usize {
        self.paragraphs.iter().map(|text| text.chars().count()).sum()
    }
}

/// What the filter leaves, each paragraph once; documents of which nothing is left are gone.
fn kept(documents: Vec<Document>, filter: &Filter, report: &mut Report) -> Vec<Clean> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for document in documents {
        let mut paragraphs = Vec::new();
        for text in document.blocks {
            let key = clean::key(&text);
            match filter.reason(&text) {
                Some(reason) => report.drop(reason, &text),
                None if !seen.insert(key) => report.drop(Reason::Duplicate, &text),
                None => paragraphs.push(text),
            }
        }
        if !paragraphs.is_empty() {
            all.push(Clean { source: document.source, name: document.name, paragraphs });
        }
    }
    all
}

/// Whether each document is held out: those that come first in an order by `seed` and name, until they
/// make up `part` of the text. The only document there is, is not held out.
fn held_out(documents: &[Clean], part: f64, seed: u64) -> Vec<bool> {
    let rank = |document: &Clean| {
        Sha256::digest(format!("{seed}\n{}\n{}", document.source, document.name))
    };
    let mut order: Vec<usize> = (0..documents.len()).collect();
    order.sort_by_cached_key(|&index| (rank(&documents[index]), index));
    let all: usize = documents.iter().map(Clean::characters).sum();
    let mut left = part * all as f64;
    let mut chosen = vec![false; documents.len()];
    for &index in order.iter().take(documents.len() - 1) {
        if left <= 0.0 {
            break;
        }
        left -= documents[index].characters() as f64;
        chosen[index] = true;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_documents_are_held_out() {
        let document = |index: usize| Clean {
            source: "book".to_owned(),
            name: index.to_string(),
            paragraphs: vec!["x".repeat(100)],
        };
        let documents: Vec<Clean> = (0..20).map(document).collect();
        let count = |part, seed| held_out(&documents, part, seed).iter().filter(|&&is| is).count();
        assert_eq!([count(0.1, 1), count(0.0, 1), count(0.99, 1)], [2, 0, 19]);
        assert_ne!(held_out(&documents, 0.3, 1), held_out(&documents, 0.3, 2));
        assert_eq!(held_out(&documents[..1], 0.5, 1), [false]);
    }
}
