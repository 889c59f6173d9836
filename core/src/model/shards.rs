//! `model.safetensors.index.json`: which files a model's weights are spread over.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{ModelFiles, object::check_size};
use crate::{Error, Result};

#[derive(Deserialize)]
struct Index {
    /// Key → file.
    weight_map: BTreeMap<String, String>,
}

impl ModelFiles {
    /// Where [`Self::WEIGHTS`] would be too large for one file, this names the files instead.
    pub const INDEX: &'static str = "model.safetensors.index.json";

    /// The files, in order, that an index names; `name` is the index in messages.
    ///
    /// # Errors
    /// [`Error::BadIndex`] where it is none, names no file, or one outside its folder.
    pub fn shards(name: &str, index: &[u8]) -> Result<Vec<String>> {
        let bad = |reason: String| Error::BadIndex { name: name.into(), reason };
        check_size(Self::INDEX, index).map_err(bad)?;
        let index: Index = serde_json::from_slice(index).map_err(|error| bad(error.to_string()))?;
        let files: BTreeSet<String> = index.weight_map.into_values().collect();
        if files.is_empty() {
            return Err(bad("weight_map names no file".into()));
        }
        match files.iter().find(|file| !is_shard(file)) {
            Some(file) => {
                let expected = "expected a name like model-00001-of-00002.safetensors";
                Err(bad(format!("weight_map names \"{file}\"; {expected}")))
            }
            None => Ok(files.into_iter().collect()),
        }
    }

    /// Whether a file of a model's folder is worth reading, by its name.
    pub fn is_wanted(name: &str) -> bool {
        let of_adapter = [Self::ADAPTER, Self::ADAPTER_CONFIG].contains(&name);
        Self::NAMES.contains(&name) || is_shard(name) || of_adapter
    }
}

/// transformers' names of shards; no other is opened, be it in the folder or not.
pub(super) fn is_shard(name: &str) -> bool {
    let inner = name.strip_prefix("model-").and_then(|name| name.strip_suffix(".safetensors"));
    inner.is_some_and(|inner| inner.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_names_files_of_its_own_folder() {
        let shards = |json: &str| ModelFiles::shards("i", json.as_bytes());
        let json = r#"{"metadata": {"total_size": 8}, "weight_map": {
            "a": "model-00002-of-00002.safetensors", "b": "model-00001-of-00002.safetensors",
            "c": "model-00002-of-00002.safetensors"}}"#;
        let names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        assert_eq!(shards(json).unwrap(), names);
        for (json, says) in [
            ("{", "EOF"),
            (r#"{"metadata": {}}"#, "missing field `weight_map`"),
            (r#"{"weight_map": {}}"#, "weight_map names no file"),
            (r#"{"weight_map": {"a": "model-../../x.safetensors"}}"#, "\"model-../../x.saf"),
            (r#"{"weight_map": {"a": "/etc/passwd"}}"#, "\"/etc/passwd\"; expected"),
        ] {
            let error = shards(json).err().unwrap().to_string();
            assert!(error.contains(says), "{error}");
        }
        let large = format!("{{\"weight_map\": {{}}}}{}", " ".repeat(3 << 20));
        assert!(shards(&large).err().unwrap().to_string().contains("3 MB"));
    }
}
