//! What the user names, read; and what is written, whole.

pub(crate) mod adapter;
pub(crate) mod embedded;
pub(crate) mod hub;
pub(crate) mod staged;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;

use anyhow::{Context, Result, bail};
use emberlab_core::model::{BertConfig, ModelFiles, Source};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The file that marks a folder as written by `emberlab train`.
pub const RUN_FILE: &str = "run.json";

/// The training loss and evaluations of a run, a JSON object a line.
pub const METRICS: &str = "metrics.jsonl";

/// What stands between two lines `fence` at the head of a text, and what follows them.
pub fn front_matter<'a>(text: &'a str, fence: &str) -> Option<(&'a str, &'a str)> {
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text.split_inclusive('\n');
    let begin = lines.next().filter(|line| line.trim_end() == fence)?.len();
    let mut end = begin;
    for line in lines {
        if line.trim_end() == fence {
            return Some((&text[begin..end], &text[end + line.len()..]));
        }
        end += line.len();
    }
    None
}

/// The bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A file, opened to be read.
pub fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("cannot read {}", path.display()))
}

/// `metrics.jsonl` of a run folder, to add to it: locked for as long as it is open, so that no other process
/// writes to that folder or replaces it.
///
/// # Errors
/// There is none, or another process has it.
pub fn lock_run(folder: &Path) -> Result<File> {
    let shown = folder.display();
    let metrics = OpenOptions::new()
        .append(true)
        .open(folder.join(METRICS))
        .with_context(|| format!("{shown} is no run folder: cannot open {METRICS} in it"))?;
    match metrics.try_lock() {
        Err(TryLockError::WouldBlock) => bail!("another process is training in {shown}"),
        // Some network file systems have no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(metrics),
    }
}

/// `config.json` of a folder that may have no weights.
pub fn read_config(folder: &Path) -> Result<BertConfig> {
    let path = folder.join("config.json");
    Ok(BertConfig::from_json(&path.display().to_string(), &read(&path)?)?)
}

/// The files of a model folder; its weights are read when a model is opened.
///
/// # Errors
/// No such folder, or a file that a model needs is not in it.
pub fn read_model(folder: &Path) -> Result<ModelFiles> {
    if folder.is_file() {
        bail!(
            "{} is a file; name the folder that holds config.json and model.safetensors",
            folder.display()
        );
    }
    if !folder.is_dir() {
        bail!("there is no model folder {}", folder.display());
    }
    let has = |name: &str| folder.join(name).is_file();
    if is_unfinished_run(folder) && !has(ModelFiles::WEIGHTS) && !has(ModelFiles::ADAPTER) {
        bail!(
            "{0} holds a run that did not end; go on with it: emberlab train --resume {0}",
            folder.display()
        );
    }
    if adapter::is_alone(folder) {
        return adapter::read_with_base(folder);
    }
    let mut files = Vec::new();
    for name in ModelFiles::NAMES.into_iter().filter(|&name| name != ModelFiles::WEIGHTS) {
        let path = folder.join(name);
        if path.is_file() {
            files.push((name.to_owned(), read(&path)?));
        }
    }
    let weights = weights_of(folder, &files)?;
    let model = ModelFiles::new(&folder.display().to_string(), files, weights)?;
    let model = model.known_as(adapter::name_of(folder));
    match has(ModelFiles::ADAPTER_CONFIG) {
        // A checkpoint has them among the weights.
        true => Ok(model.with_adapter(read(&folder.join(ModelFiles::ADAPTER_CONFIG))?, None)),
        false => Ok(model),
    }
}

/// The files of the weights that are there: one, or else those that the index names.
pub fn weights_of(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<Vec<(String, Source)>> {
    let index = files.iter().find(|(name, _)| name == ModelFiles::INDEX);
    let names = match index {
        _ if folder.join(ModelFiles::WEIGHTS).is_file() => vec![ModelFiles::WEIGHTS.to_owned()],
        Some((name, bytes)) => ModelFiles::shards(&folder.join(name).display().to_string(), bytes)?,
        None => Vec::new(),
    };
    let there = names.into_iter().filter(|name| folder.join(name).is_file());
    there.map(|name| Ok((name.clone(), Source::File(open(&folder.join(name))?)))).collect()
}

/// Whether a folder is of a run that was interrupted, or never got to its end.
pub fn is_unfinished_run(folder: &Path) -> bool {
    #[derive(Deserialize)]
    struct Run {
        status: String,
    }
    recorded(folder).is_some_and(|run: Run| ["running", "interrupted"].contains(&&*run.status))
}

/// What of a folder's `run.json` is asked for, where it is there: all else in it takes no memory.
pub fn recorded<T: DeserializeOwned>(folder: &Path) -> Option<T> {
    let path = folder.join(RUN_FILE);
    // No pipe, on which reading would wait.
    let run = path.is_file().then(|| fs::read(path).ok()).flatten()?;
    serde_json::from_slice(&run).ok()
}
