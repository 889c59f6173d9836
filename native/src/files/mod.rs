//! What the user names, read; and what is written, whole.

pub(crate) mod adapter;
pub(crate) mod embedded;
pub(crate) mod hub;
pub(crate) mod staged;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use emberlab_core::model::{BertConfig, ModelFiles, Source};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

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
    let metrics =
        OpenOptions::new().append(true).open(folder.join(METRICS)).with_context(|| match folder
            .join(RUN_FILE)
            .is_file()
        {
            true => format!("cannot open {METRICS} in {shown} to write to it"),
            false => format!("{shown} is no run folder: cannot open {METRICS} in it"),
        })?;
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
            "{} holds a run that did not end; go on with it: {}",
            folder.display(),
            resume_command(folder)
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

/// SHA-256 of the bytes of files, one after the other, in hexadecimal.
///
/// # Errors
/// A file that cannot be read.
pub fn sha256(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<String> {
    let mut hash = Sha256::new();
    for path in paths {
        let path = path.as_ref();
        let copied = File::open(path).and_then(|mut file| io::copy(&mut file, &mut hash));
        copied.with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(format!("{:x}", hash.finalize()))
}

/// SHA-256 of each file of a model folder that a training depends on; of adapters those of their model, too.
///
/// # Errors
/// A file that cannot be read.
pub fn model_sha256(folder: &Path) -> Result<BTreeMap<String, String>> {
    let base = adapter::is_alone(folder).then(|| adapter::base_of(folder)).transpose()?;
    let named = [&ModelFiles::NAMES[..], &[ModelFiles::ADAPTER_CONFIG]].concat();
    let mut found = BTreeMap::new();
    for (at, prefix) in [(Some(folder), ""), (base.as_deref(), "base/")] {
        let Some(at) = at else { continue };
        let entries = fs::read_dir(at).with_context(|| format!("cannot read {}", at.display()))?;
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(".safetensors") || named.contains(&&*name) {
                found.insert(format!("{prefix}{name}"), sha256([&path])?);
            }
        }
    }
    Ok(found)
}

/// # Errors
/// To replace `out` would be to lose `model`, which a run needs to go on.
pub fn refuse_to_lose(model: &Path, out: &Path) -> Result<()> {
    let (Ok(model), Ok(out)) = (model.canonicalize(), out.canonicalize()) else { return Ok(()) };
    ensure!(
        !model.starts_with(&out),
        "--out {} holds the model that the run starts from; name another folder",
        out.display()
    );
    Ok(())
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

/// What goes on with the run in a folder.
pub fn resume_command(folder: &Path) -> String {
    #[derive(Deserialize)]
    struct Run {
        arguments: Vec<String>,
    }
    let run: Option<Run> = recorded(folder);
    let command = run.and_then(|run| run.arguments.into_iter().next());
    format!("emberlab {} --resume {}", command.as_deref().unwrap_or("train"), folder.display())
}

/// What of a folder's `run.json` is asked for, where it is there: all else in it takes no memory.
pub fn recorded<T: DeserializeOwned>(folder: &Path) -> Option<T> {
    let path = folder.join(RUN_FILE);
    // No pipe, on which reading would wait.
    let run = path.is_file().then(|| fs::read(path).ok()).flatten()?;
    serde_json::from_slice(&run).ok()
}
