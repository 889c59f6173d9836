//! Reads the splits and counts what is in them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use emberlab_core::data::{BadRows, LabelledTexts, column_profiles, duplicates, split_files};
use emberlab_core::text::{Lengths, Texts};

use super::{DataReport, SplitReport, labels::LabelReport, warnings};
use crate::cli::DataArgs;
use crate::files::hub;
use crate::load::{DataFiles, Loaded, Loader, Source};
use crate::tokenize::OpenTokenizer;

/// A split whose texts are still there to be compared.
struct Examined {
    report: SplitReport,
    texts: Texts,
    labels: Vec<String>,
}

/// All that is to be said of the data.
///
/// # Errors
/// A file that cannot be read, with its place.
pub fn examine(args: &DataArgs) -> Result<DataReport> {
    let opened = OpenTokenizer::find(args.model.as_deref())?;
    let mut found = Vec::new();
    let mut examined: Vec<Examined> = Vec::new();
    for (name, source) in sources(args)? {
        let split = examine_split(args, name, &source, &opened, &mut found)?;
        examined.push(split);
    }
    let texts: Vec<LabelledTexts> = examined
        .iter()
        .map(|split| LabelledTexts {
            split: &split.report.split,
            texts: &split.texts,
            labels: &split.labels,
        })
        .collect();
    let duplicates = duplicates(&texts);
    let splits: Vec<SplitReport> = examined.into_iter().map(|split| split.report).collect();
    found.extend(warnings::of_splits(&splits, &duplicates));
    Ok(DataReport { tokenizer: opened.folder, splits, duplicates, warnings: found })
}

/// What to show, each with a name of its own.
fn sources(args: &DataArgs) -> Result<Vec<(String, Source)>> {
    let mut sources = Vec::new();
    for path in &args.paths {
        let path = &hub::dataset(path, args.split.iter().map(String::as_str))?;
        if !args.split.is_empty() {
            let slices = args.split.iter().map(|split| Source::with_split(path, Some(split)));
            sources.extend(slices.map(|source| (source.split.clone().unwrap_or_default(), source)));
        } else if path.is_dir() {
            for split in DataFiles::find(path)?.names() {
                sources.push((split.to_owned(), Source::with_split(path, Some(split))));
            }
        } else {
            sources.push((file_split(path), Source::new(path)));
        }
    }
    // Where two would be called alike, both are called by their whole name.
    let mut uses: HashMap<String, usize> = HashMap::new();
    sources.iter().for_each(|(name, _)| *uses.entry(name.clone()).or_default() += 1);
    let name =
        |name: String, source: &Source| if uses[&name] > 1 { source.to_string() } else { name };
    Ok(sources.into_iter().map(|(own, source)| (name(own, &source), source)).collect())
}

/// A file is called by the split that its name speaks of, else by its name.
fn file_split(path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let splits = split_files(std::slice::from_ref(&file));
    match &splits[..] {
        [(split, _)] if split != "train" || file.contains("train") => split.clone(),
        _ => file,
    }
}

fn examine_split(
    args: &DataArgs,
    split: String,
    source: &Source,
    opened: &OpenTokenizer,
    found: &mut Vec<String>,
) -> Result<Examined> {
    let mut loader = Loader::new(&args.read);
    let loaded = loader.load(source)?;
    found.extend(loaded.selected.clamped(source));
    let Loaded { mut table, sha256, .. } = loaded;
    let columns = column_profiles(&table);
    let known = match loader.columns(&table, args.task) {
        Ok(known) => Some(known),
        Err(error) => {
            found.push(error.to_string());
            None
        }
    };
    // A row without a text is something to be told of, not a reason to say nothing else.
    let mut without_text = BadRows::skip();
    let texts = known.as_ref().map(|known| table.texts(known, &mut without_text)).transpose()?;
    let texts = texts.unwrap_or_default();
    found.extend(warnings::of_bad_rows(&split, [&loader.bad, &without_text]));
    let labels = known.as_ref().map_or_else(Vec::new, |known| table.label_words(known));
    let label_report = known.as_ref().map(|known| LabelReport::new(&table, known, &labels));
    let tokens = token_lengths(args, opened, &texts)?;
    let report = SplitReport {
        split,
        path: PathBuf::from(&source.path),
        sha256,
        rows: table.rows.len(),
        skipped_rows: loader.bad.count() + without_text.count(),
        columns,
        text_column: known.as_ref().map(|known| known.text.clone()),
        text_pair_column: known.and_then(|known| known.text_pair),
        labels: label_report.unwrap_or_default(),
        tokens,
    };
    Ok(Examined { report, texts, labels })
}

fn token_lengths(
    args: &DataArgs,
    opened: &OpenTokenizer,
    texts: &Texts,
) -> Result<Option<Lengths>> {
    if texts.is_empty() {
        return Ok(None);
    }
    let encodings = opened.tokenizer.encode_texts(texts, usize::MAX)?;
    let lengths = encodings.iter().map(|encoding| encoding.ids.len()).collect();
    Ok(Some(Lengths::new(lengths, args.max_length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_by_their_split() {
        assert_eq!(file_split(Path::new("x/dev.csv")), "validation");
        assert_eq!(file_split(Path::new("my-train.csv")), "train");
        assert_eq!(file_split(Path::new("reviews.csv")), "reviews.csv");
    }
}
