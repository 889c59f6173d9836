//! What a corpus holds, and what was dropped on the way.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::Clean;
use crate::terminal::grouped;

/// Why text is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    HeaderOrFooter,
    PageNumber,
    Boilerplate,
    /// Code, tables, formulas.
    NoProse,
    TooShort,
    TooLong,
    FewLetters,
    OtherLanguage,
    Duplicate,
}

impl Reason {
    fn words(self) -> &'static str {
        match self {
            Self::HeaderOrFooter => "header or footer of pages",
            Self::PageNumber => "page number",
            Self::Boilerplate => "boilerplate",
            Self::NoProse => "code, table or formula",
            Self::TooShort => "too short",
            Self::TooLong => "too long",
            Self::FewLetters => "few letters",
            Self::OtherLanguage => "another language",
            Self::Duplicate => "duplicate",
        }
    }
}

/// Examples are cut to this many characters.
const SHOWN: usize = 60;

#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub files: usize,
    pub train: Part,
    pub held_out: Part,
    dropped: BTreeMap<Reason, Dropped>,
}

#[derive(Debug, Default, Serialize)]
pub struct Part {
    pub documents: usize,
    pub paragraphs: usize,
    pub words: usize,
    pub characters: usize,
}

#[derive(Debug, Default, Serialize)]
struct Dropped {
    blocks: usize,
    characters: usize,
    /// The first that was dropped for this.
    example: String,
}

impl Part {
    pub(super) fn add(&mut self, document: &Clean) {
        self.documents += 1;
        self.paragraphs += document.paragraphs.len();
        self.words +=
            document.paragraphs.iter().map(|text| text.split_whitespace().count()).sum::<usize>();
        self.characters += document.characters();
    }
}

impl Report {
    pub fn drop(&mut self, reason: Reason, text: &str) {
        let dropped = self.dropped.entry(reason).or_default();
        if dropped.blocks == 0 {
            dropped.example = text.chars().take(SHOWN).collect();
        }
        dropped.blocks += 1;
        dropped.characters += text.chars().count();
    }

    /// How often something was dropped for this reason.
    #[cfg(test)]
    pub fn dropped(&self, reason: Reason) -> usize {
        self.dropped.get(&reason).map_or(0, |dropped| dropped.blocks)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:26}  documents  paragraphs      words  characters", "")?;
        for (name, part) in [("train", &self.train), ("held out", &self.held_out)] {
            let Part { documents, paragraphs, words, characters } = part;
            let [documents, paragraphs, words, characters] =
                [documents, paragraphs, words, characters].map(|&number| grouped(number));
            writeln!(
                f,
                "{name:26}  {documents:>9}  {paragraphs:>10}  {words:>9}  {characters:>10}"
            )?;
        }
        for (reason, Dropped { blocks, characters, example }) in &self.dropped {
            let (blocks, characters) = (grouped(*blocks), grouped(*characters));
            let reason = reason.words();
            writeln!(
                f,
                "{reason:26}  {:>9}  {blocks:>10}  {:>9}  {characters:>10}  “{example}”",
                "", ""
            )?;
        }
        Ok(())
    }
}
