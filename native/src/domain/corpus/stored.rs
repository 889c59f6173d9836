//! A corpus as it was written.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{HELD_OUT, TRAIN};
use crate::files;

/// A line of a corpus.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Paragraph {
    pub text: String,
    pub document: String,
    pub source: String,
}

/// The paragraphs of both parts, in their order.
#[derive(Debug)]
pub struct Corpus {
    pub path: PathBuf,
    pub train: Vec<Paragraph>,
    pub held_out: Vec<Paragraph>,
    /// Of both files.
    pub sha256: String,
}

impl Corpus {
    /// # Errors
    /// The folder is none that `emberlab corpus` wrote.
    pub fn open(path: &Path) -> Result<Self> {
        ensure!(
            path.join(TRAIN).is_file() && path.join(HELD_OUT).is_file(),
            "{0} holds no corpus ({TRAIN} and {HELD_OUT}); make one: emberlab corpus FILE --out {0}",
            path.display()
        );
        let mut hash = Sha256::new();
        let mut part = |name: &str| -> Result<Vec<Paragraph>> {
            let path = path.join(name);
            let bytes = files::read(&path)?;
            hash.update(&bytes);
            let lines = bytes.split(|&byte| byte == b'\n').enumerate();
            let lines = lines.filter(|(_, line)| !line.is_empty());
            let paragraph = |(index, line): (usize, &[u8])| {
                serde_json::from_slice(line).with_context(|| {
                    format!("{}, line {}: no paragraph", path.display(), index + 1)
                })
            };
            lines.map(paragraph).collect()
        };
        let (train, held_out) = (part(TRAIN)?, part(HELD_OUT)?);
        let sha256 = format!("{:x}", hash.finalize());
        Ok(Self { path: path.to_owned(), train, held_out, sha256 })
    }

    /// The corpus's name, for messages and figures.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// The texts of paragraphs by document.
pub fn documents(paragraphs: &[Paragraph]) -> Vec<Vec<String>> {
    let same = |a: &Paragraph, b: &Paragraph| (&a.source, &a.document) == (&b.source, &b.document);
    let texts = |document: &[Paragraph]| document.iter().map(|it| it.text.clone()).collect();
    paragraphs.chunk_by(same).map(texts).collect()
}
