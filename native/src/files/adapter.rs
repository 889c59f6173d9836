//! Adapters (LoRA) in a folder as `peft` writes it, with the model that they adapt.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use emberlab_core::model::{ModelFiles, Source};
use serde::Deserialize;

use super::hub::{self, Kind};
use super::{open, read, weights_of};
use crate::terminal::note;

/// The key that names the model.
const BASE: &str = "base_model_name_or_path";

/// What of an `adapter_config.json` is asked for here.
#[derive(Deserialize)]
struct Stated {
    base_model_name_or_path: Option<String>,
}

/// Whether a folder holds adapters, and no weights of its own beside which they could stand.
pub fn is_alone(folder: &Path) -> bool {
    folder.join(ModelFiles::ADAPTER_CONFIG).is_file() && !folder.join(ModelFiles::WEIGHTS).is_file()
}

/// What adapters of the model in `folder` call it: the hub's name, or the folder from the root on.
pub fn name_of(folder: &Path) -> String {
    hub::id_of(folder).unwrap_or_else(|| {
        folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).display().to_string()
    })
}

/// # Errors
/// The model in `folder` is itself made of adapters: new ones would not find it.
pub fn refuse_stacked(folder: &Path) -> Result<()> {
    if folder.join(ModelFiles::ADAPTER_CONFIG).is_file() {
        bail!(
            "{0} holds adapters; merge them before training others: emberlab convert --merge --model {0} --out DIR",
            folder.display()
        );
    }
    Ok(())
}

/// The files of adapters together with those of their model. Configuration and tokenizer are those beside
/// the adapters where they are there.
///
/// # Errors
/// A file is missing, or the model is not at hand.
pub fn read_with_base(folder: &Path) -> Result<ModelFiles> {
    let config = read(&folder.join(ModelFiles::ADAPTER_CONFIG))?;
    let base = base(folder, &config)?;
    if !base.is_dir() {
        bail!(
            "{} adapts {}, which is not on this machine; say where it is in \"{BASE}\"",
            folder.display(),
            base.display()
        );
    }
    if is_alone(&base) {
        bail!(
            "{} adapts {}, which holds adapters itself; merge those first: emberlab convert --merge",
            folder.display(),
            base.display()
        );
    }
    let names = ModelFiles::NAMES.into_iter().filter(|&name| name != ModelFiles::WEIGHTS);
    let mut files = Vec::new();
    for name in names {
        let found = [folder, &base].into_iter().map(|at| at.join(name)).find(|at| at.is_file());
        if let Some(path) = found {
            files.push((name.to_owned(), read(&path)?));
        }
    }
    let weights = weights_of(&base, &files)?;
    let adapter = open(&folder.join(ModelFiles::ADAPTER))?;
    let files = ModelFiles::new(&folder.display().to_string(), files, weights)?;
    Ok(files.with_adapter(config, Some(Source::File(adapter))))
}

/// The same, by what the adapters in `folder` say.
///
/// # Errors
/// They do not say it.
pub fn base_of(folder: &Path) -> Result<PathBuf> {
    base(folder, &read(&folder.join(ModelFiles::ADAPTER_CONFIG))?)
}

/// The folder of the model: beside the adapters or from here on, or from the hub.
fn base(folder: &Path, config: &[u8]) -> Result<PathBuf> {
    let name = folder.join(ModelFiles::ADAPTER_CONFIG).display().to_string();
    let config: Stated =
        serde_json::from_slice(config).with_context(|| format!("{name}: not a JSON object"))?;
    let Some(base) = config.base_model_name_or_path.filter(|base| !base.is_empty()) else {
        bail!("{name}: \"{BASE}\" does not say which model these adapters are for");
    };
    let beside = folder.join(&base);
    if beside.is_dir() {
        return Ok(beside);
    }
    let base = Path::new(&base);
    if hub::is_asked_for(base) {
        let (folder, base) = (folder.display(), base.display());
        note(format_args!(
            "hub     {folder} adapts {base}, which is fetched unless the cache has it"
        ));
    }
    hub::folder(base, Kind::Model)
}
