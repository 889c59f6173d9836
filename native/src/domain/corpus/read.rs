//! Files as documents: blocks of text, one for each paragraph.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::report::Report;
use super::{html, markdown, pages, text};
use crate::files;

/// What is read together, and held out or not as a whole.
#[derive(Debug, PartialEq)]
pub struct Document {
    /// The file's name.
    pub source: String,
    /// The heading that it stands under, or the file's name.
    pub name: String,
    /// Its paragraphs, each a line.
    pub blocks: Vec<String>,
}

/// Formats by their endings.
const ENDINGS: [(&str, Format); 8] = [
    ("txt", Format::Text),
    ("text", Format::Text),
    ("md", Format::Markdown),
    ("markdown", Format::Markdown),
    ("html", Format::Html),
    ("htm", Format::Html),
    ("xhtml", Format::Html),
    ("pdf", Format::Pdf),
];

/// Bytes of a Markdown file: its marks are a tree in memory, which may have 60 times its size.
const LONGEST_MARKDOWN: usize = 16 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Markdown,
    Html,
    /// The text of its pages.
    Pdf,
}

fn format(path: &Path) -> Option<Format> {
    let ending = path.extension()?.to_str()?.to_lowercase();
    ENDINGS.iter().find(|(known, _)| *known == ending).map(|(_, format)| *format)
}

/// The files that are named, and those in folders that are, in the order of their names.
///
/// # Errors
/// A file that is not there or of no known format; a folder without any.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = all.len();
            walk(path, &mut all)?;
            ensure!(
                all.len() > before,
                "there is no .txt, .md, .html or .pdf file in {}",
                path.display()
            );
        } else if !path.exists() {
            bail!("there is no file {}", path.display());
        } else if format(path).is_none() {
            bail!("{}: not a .txt, .md, .html or .pdf file", path.display());
        } else {
            all.push(path.clone());
        }
    }
    Ok(all)
}

fn walk(folder: &Path, all: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()));
    let mut paths: Vec<PathBuf> = entries?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, all)?;
        } else if format(&path).is_some() {
            all.push(path);
        }
    }
    Ok(())
}

/// The documents of a file. What its format marks as no prose is counted in `report`.
///
/// # Errors
/// It cannot be read, is not UTF-8, is a PDF where there is no `pdftotext`, or Markdown of more than 16 MB.
pub fn documents(path: &Path, report: &mut Report) -> Result<Vec<Document>> {
    let source = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let format = format(path).context("a file of an unknown format")?;
    let content = match format {
        Format::Pdf => pdf(path)?,
        _ => utf8(path)?,
    };
    ensure!(
        format != Format::Markdown || content.len() <= LONGEST_MARKDOWN,
        "{}: more than {} MB of Markdown; part it into several files, or save it as .txt",
        path.display(),
        LONGEST_MARKDOWN >> 20
    );
    let document = |(heading, blocks): Section| {
        let name = heading.unwrap_or_else(|| source.clone());
        Document { source: source.clone(), name, blocks }
    };
    Ok(sections(&content, format, report).into_iter().map(document).collect())
}

/// A heading, if there is one, and the paragraphs below it.
pub type Section = (Option<String>, Vec<String>);

/// What stands below each heading of a text. What is no prose is counted in `report`.
pub fn sections(content: &str, format: Format, report: &mut Report) -> Vec<Section> {
    match format {
        Format::Text => text::sections(content),
        Format::Markdown => markdown::sections(content, report),
        Format::Html => vec![(None, html::blocks(content, report))],
        Format::Pdf => vec![(None, pages::blocks(content, report))],
    }
}

fn utf8(path: &Path) -> Result<String> {
    String::from_utf8(files::read(path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
        anyhow::anyhow!("{}, line {line}: not valid UTF-8; save it as UTF-8", path.display())
    })
}

/// The text of a PDF, pages parted by form feeds. By poppler's command, as the crates that read PDFs
/// would have Burn built anew.
fn pdf(path: &Path) -> Result<String> {
    let ran = Command::new("pdftotext").args(["-enc", "UTF-8", "-q"]).arg(path).arg("-").output();
    let remedy =
        "install poppler-utils (its command pdftotext reads PDFs), or save the text as .txt";
    let ran = ran.with_context(|| format!("cannot read {}: {remedy}", path.display()))?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr);
        bail!("cannot read {}: pdftotext: {}", path.display(), said.trim());
    }
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}
