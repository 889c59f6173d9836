//! `emberlab convert`: the same model, its weights stored as another type.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use emberlab_core::model::{ModelFiles, StorageDtype, convert};
use serde_json::{Map, Value};

use crate::Outcome;
use crate::cli::ConvertArgs;
use crate::files;
use crate::hub::{self, Kind};
use crate::report::{bytes, note};
use crate::staged::StagedFolder;

const CONFIG: &str = "config.json";
/// Weights in formats that are not converted, and so not carried over.
const OTHER_WEIGHTS: [&str; 6] = ["bin", "h5", "msgpack", "onnx", "ot", "safetensors"];

/// Runs the command.
pub fn run(args: &ConvertArgs) -> Result<Outcome> {
    let folder = StagedFolder::create(&args.out, false)?;
    let model = hub::folder(&args.model, Kind::Model)?;
    let args = &ConvertArgs { model, out: args.out.clone(), dtype: args.dtype };
    let before = files::read_model(&args.model)?;
    let after = convert(&before, args.dtype)?;
    folder.write(ModelFiles::WEIGHTS, &after)?;
    folder.write(CONFIG, &config(&args.model.join(CONFIG), args.dtype)?)?;
    for entry in fs::read_dir(&args.model)
        .with_context(|| format!("cannot read {}", args.model.display()))?
    {
        let path = entry?.path();
        if path.is_file() && is_carried_over(&path) {
            folder.copy(&path)?;
        }
    }
    folder.finish()?;
    let (before, after) = (bytes(before.weights_bytes()), bytes(after.len() as u64));
    note(format_args!("wrote {}: weights {before} before, {after} now", args.out.display()));
    Ok(Outcome::Completed)
}

fn is_carried_over(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let replaced = path.ends_with(CONFIG) || path.ends_with(ModelFiles::INDEX);
    !replaced && !OTHER_WEIGHTS.contains(&ending)
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
