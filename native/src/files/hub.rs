//! Models and data sets of the Hugging Face hub, in the cache folder that all its libraries share.
//!
//! `HF_ENDPOINT`, `HF_HOME`, `HF_HUB_CACHE`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean
//! there.

use std::env;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use emberlab_core::data::ReadInstruction;
use emberlab_core::model::ModelFiles;
use hf_hub::api::sync::{ApiBuilder, ApiError};
use hf_hub::{Cache, Repo, RepoType};

use crate::load;
use crate::terminal::note;

/// What a repository holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Model,
    /// A model without its weights.
    Tokenizer,
    Dataset,
}

/// What says how a model's texts become tokens.
const TOKENIZER_FILES: [&str; 4] =
    ["config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Model | Self::Tokenizer => "model",
            Self::Dataset => "data set",
        }
    }

    fn repo(self, id: &str, revision: &str) -> Repo {
        let kind = match self {
            Self::Model | Self::Tokenizer => RepoType::Model,
            Self::Dataset => RepoType::Dataset,
        };
        Repo::with_revision(id.to_owned(), kind, revision.to_owned())
    }

    /// The files worth having; of a data set, those of these splits where some are named.
    fn wanted(self, files: Vec<String>, splits: Option<&[String]>) -> Vec<String> {
        let named = |names: &[&str], mut files: Vec<String>| {
            files.retain(|file| names.contains(&file.as_str()));
            files
        };
        match self {
            Self::Model => model_files(files),
            Self::Tokenizer => named(&TOKENIZER_FILES, files),
            // Of paths that lead out of the folder, those with `..` are hidden files to `data_files`.
            Self::Dataset => {
                let files = files.into_iter().filter(|file| !file.starts_with('/'));
                load::data_files(files.collect(), splits)
            }
        }
    }
}

/// What a model is opened from: weights in one file, or where there is none, in several.
fn model_files(mut files: Vec<String>) -> Vec<String> {
    let whole = files.iter().any(|file| file == ModelFiles::WEIGHTS);
    let in_parts = |file: &str| file == ModelFiles::INDEX || file.ends_with(".safetensors");
    files.retain(|file| {
        ModelFiles::is_wanted(file) && !(whole && in_parts(file) && file != ModelFiles::WEIGHTS)
    });
    files
}

/// The folder that a flag names: one that is there, or else the files of `org/name` or
/// `org/name@revision` on the hub, which are downloaded unless the cache has them. Whatever cannot be
/// on the hub is given back as it is.
///
/// # Errors
/// The hub cannot be reached, or has no such repository; offline, the cache has it not.
pub fn folder(path: &Path, kind: Kind) -> Result<PathBuf> {
    fetch(path, kind, None)
}

/// The folder of a data set, of which the splits of these instructions are wanted; without an
/// instruction, all.
///
/// # Errors
/// Those of [`folder`], and an instruction that cannot be read.
pub fn dataset<'a>(
    path: &Path,
    instructions: impl IntoIterator<Item = &'a str>,
) -> Result<PathBuf> {
    let mut splits = Vec::new();
    for instruction in instructions {
        let named = ReadInstruction::parse(instruction)?;
        let named = named.splits(&[]);
        if named.is_empty() {
            return fetch(path, Kind::Dataset, None);
        }
        splits.extend(named.into_iter().map(str::to_owned));
    }
    fetch(path, Kind::Dataset, (!splits.is_empty()).then_some(&splits))
}

/// Whether a path names nothing on this machine, but can be a name of the hub.
pub fn is_asked_for(path: &Path) -> bool {
    asked_for(path).is_some()
}

fn asked_for(path: &Path) -> Option<(&str, &str)> {
    // Where there is a folder of the first part's name, a mistake in the second is one of this machine.
    let here = path.exists()
        || path.parent().is_some_and(|parent| parent.is_dir() && parent != Path::new(""));
    path.to_str().filter(|_| !here).and_then(hub_id)
}

fn fetch(path: &Path, kind: Kind, splits: Option<&[String]>) -> Result<PathBuf> {
    let Some((id, revision)) = asked_for(path) else { return Ok(path.to_owned()) };
    let (home, cache) = cache();
    let repo = kind.repo(id, revision);
    if is_offline() {
        return cached(&cache, &repo).with_context(|| {
            format!(
                "there is no folder {id} here, and no {} {id} in {}; HF_HUB_OFFLINE keeps from looking on the hub",
                kind.name(),
                cache.path().display()
            )
        });
    }
    let token = env::var("HF_TOKEN").ok().or_else(|| Cache::new(home.join("hub")).token());
    let api = ApiBuilder::from_env()
        .with_cache_dir(cache.path().clone())
        .with_token(token.filter(|token| !token.is_empty()))
        .with_progress(io::stderr().is_terminal())
        .build()
        .context("cannot prepare a connection to the hub")?;
    let explain = |error: ApiError| explain(&error, id, kind);
    let remote = api.repo(repo.clone());
    let info = remote.info().map_err(explain)?;
    let snapshot = cache.repo(repo.clone()).pointer_path(&info.sha);
    let files = info.siblings.into_iter().map(|file| file.rfilename).collect();
    for file in kind.wanted(files, splits) {
        if !snapshot.join(&file).exists() {
            note(format_args!("hub     {id}: {file}"));
            remote
                .download(&file)
                .map_err(explain)
                .with_context(|| format!("cannot download {file}"))?;
        }
    }
    // What other libraries look for, and what is found offline.
    cache.repo(repo).create_ref(&info.sha).context("cannot write to the cache of the hub")?;
    if !snapshot.is_dir() {
        bail!("{id} on the hub holds no file of a {}", kind.name());
    }
    Ok(snapshot)
}

/// `org/name` of a folder in the cache.
pub fn id_of(folder: &Path) -> Option<String> {
    folder.components().find_map(|part| {
        let name = part.as_os_str().to_str()?;
        let name = ["models--", "datasets--"].iter().find_map(|kind| name.strip_prefix(kind))?;
        Some(name.replacen("--", "/", 1))
    })
}

/// `org/name` and a revision, where a name can be one of the hub.
fn hub_id(name: &str) -> Option<(&str, &str)> {
    let (id, revision) = name.split_once('@').unwrap_or((name, "main"));
    let (org, repo) = id.split_once('/')?;
    let proper = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    // A file that is missing is a mistake, and nothing to ask the hub for.
    let file = load::is_data_file(repo);
    (proper(org) && proper(repo) && !revision.is_empty() && !file).then_some((id, revision))
}

/// `HF_HOME`, and the cache in it or at `HF_HUB_CACHE`.
fn cache() -> (PathBuf, Cache) {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let usual = || set("XDG_CACHE_HOME").map(|folder| folder.join("huggingface"));
    let home = set("HF_HOME").or_else(usual).or_else(|| {
        // The crate knows where a home folder is on each system.
        Cache::default().path().parent().map(Path::to_owned)
    });
    let home = home.unwrap_or_default();
    let cache = set("HF_HUB_CACHE").unwrap_or_else(|| home.join("hub"));
    (home, Cache::new(cache))
}

fn is_offline() -> bool {
    let value = env::var("HF_HUB_OFFLINE").unwrap_or_default().to_ascii_lowercase();
    ["1", "true", "yes", "on"].contains(&value.as_str())
}

/// What the cache has of a repository.
fn cached(cache: &Cache, repo: &Repo) -> Option<PathBuf> {
    let root = cache.path().join(repo.folder_name());
    let commit = fs::read_to_string(root.join("refs").join(repo.revision()));
    let commit = commit.unwrap_or_else(|_| repo.revision().to_owned());
    let snapshot = cache.repo(repo.clone()).pointer_path(commit.trim());
    snapshot.is_dir().then_some(snapshot)
}

fn explain(error: &ApiError, id: &str, kind: Kind) -> anyhow::Error {
    let said = error.to_string();
    match ["401", "403", "404"].iter().any(|status| said.contains(status)) {
        true => anyhow!(
            "there is no folder {id} here, and the hub has no {} {id} that may be read ({said}); is the name right? For a private one set HF_TOKEN",
            kind.name()
        ),
        false => anyhow!(
            "there is no folder {id} here, and the hub cannot be read: {said}. HF_HUB_OFFLINE=1 uses what was downloaded before"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_come_in_one_file_where_there_is_one() {
        let wanted = |files: &[&str]| {
            Kind::Model.wanted(files.iter().map(|&file| file.to_owned()).collect(), None)
        };
        let index = "model.safetensors.index.json";
        let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        let others = ["README.md", "pytorch_model.bin", "model.fp16-00001-of-00002.safetensors"];
        let spread = [&["config.json", index][..], &shards, &others].concat();
        assert_eq!(wanted(&spread), [&["config.json", index][..], &shards].concat());
        let both = [&spread[..], &["model.safetensors"]].concat();
        assert_eq!(wanted(&both), ["config.json", "model.safetensors"]);
    }

    #[test]
    fn names_that_can_be_on_the_hub() {
        assert_eq!(hub_id("google/bert_uncased-L2"), Some(("google/bert_uncased-L2", "main")));
        assert_eq!(hub_id("org/name@v1.0"), Some(("org/name", "v1.0")));
        let folder = Path::new("/h/hub/datasets--org--my--set/snapshots/0123");
        assert_eq!(id_of(folder).as_deref(), Some("org/my--set"));
        assert_eq!(id_of(Path::new("org/set")), None);
        for name in
            ["name", "./a/b", "/a/b", "a/b/c", "../b", "a/b.csv", "a/b.csv[:5]", "a/", "a/b@"]
        {
            assert_eq!(hub_id(name), None, "{name}");
        }
    }
}
