//! `emberlab convert`: the same model, its weights stored as another type.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use emberlab_core::model::{Classifier, ModelFiles, StorageDtype, convert};
use serde_json::{Map, Value};

use crate::cli::ConvertArgs;
use crate::files::hub::{self, Kind};
use crate::files::staged::StagedFolder;
use crate::machine::device::{self, DeviceChoice};
use crate::terminal::{bytes, note};
use crate::{Outcome, files};

const CONFIG: &str = "config.json";
/// Weights in formats that are not converted, and so not carried over.
const OTHER_WEIGHTS: [&str; 6] = ["bin", "h5", "msgpack", "onnx", "ot", "safetensors"];

/// Runs the command.
pub fn run(args: &ConvertArgs) -> Result<Outcome> {
    let folder = StagedFolder::create_new(&args.out)?;
    let model = hub::folder(&args.model, Kind::Model)?;
    let dtype = args.dtype.unwrap_or_default();
    let before = files::read_model(&model)?;
    let after = match (args.merge, model.join(ModelFiles::ADAPTER_CONFIG).is_file()) {
        (false, false) => vec![
            (ModelFiles::WEIGHTS.to_owned(), convert(&before, dtype)?),
            (CONFIG.to_owned(), config(&model.join(CONFIG), dtype)?),
        ],
        (true, true) => {
            let (merged, _) =
                Classifier::open(&before, &device::choose(DeviceChoice::Cpu)?.device)?;
            pollster::block_on(merged.to_files(dtype))?
        }
        (false, true) => {
            bail!("{} holds adapters; --merge makes a whole model of them", model.display())
        }
        (true, false) => bail!("{} holds no adapters to merge", model.display()),
    };
    for (name, bytes) in &after {
        folder.write(name, bytes)?;
    }
    for entry in fs::read_dir(&model).with_context(|| format!("cannot read {}", model.display()))? {
        let path = entry?.path();
        let is_written = after.iter().any(|(name, _)| path.ends_with(name));
        // A card of adapters tells how to load them.
        let is_stale = args.merge && path.ends_with("README.md");
        if path.is_file() && !is_written && !is_stale && is_carried_over(&path) {
            folder.copy(&path)?;
        }
    }
    folder.finish()?;
    let weights = after.iter().find(|(name, _)| name == ModelFiles::WEIGHTS);
    let after = bytes(weights.map_or(0, |(_, weights)| weights.len() as u64));
    let before = bytes(before.weights_bytes());
    note(format_args!("wrote {}: weights {before} before, {after} now", args.out.display()));
    Ok(Outcome::Completed)
}

/// Not of files that are replaced, or that say what is no longer so.
fn is_carried_over(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let replaced = [CONFIG, ModelFiles::INDEX, ModelFiles::ADAPTER_CONFIG];
    !replaced.iter().any(|name| path.ends_with(name)) && !OTHER_WEIGHTS.contains(&ending)
}

/// `config.json` with the new storage type, under whichever of its two names it had.
fn config(path: &Path, dtype: StorageDtype) -> Result<Vec<u8>> {
    let mut config: Map<String, Value> = serde_json::from_slice(&files::read(path)?)
        .with_context(|| format!("{}: not a JSON object", path.display()))?;
    let key = if config.contains_key("dtype") { "dtype" } else { "torch_dtype" };
    config.insert(key.to_owned(), dtype.name().into());
    let mut bytes = serde_json::to_vec_pretty(&config)?;
    bytes.push(b'\n');
    Ok(bytes)
}
