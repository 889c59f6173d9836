//! Where fixtures lie, and how they are read.

use std::{
    collections::BTreeMap,
    io::{Write, stderr},
    path::PathBuf,
};

use emberlab_core::{
    model::{Classifier, ModelFiles, StorageDtype},
    text::Encoding,
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::Value;

/// The repository's root. Asked of cargo at run time: a shared target folder may hold a test
/// binary that another clone built.
pub fn root() -> PathBuf {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(here).join("..")
}

/// A committed fixture.
pub fn fixture(path: &str) -> PathBuf {
    root().join("tests/fixtures").join(path)
}

/// `../shared/…`, or `None` with a loud word where this machine lacks it.
pub fn shared(path: &str) -> Option<PathBuf> {
    let path = root().join("../shared").join(path);
    if !path.exists() {
        say(&format!("SKIPPED: {} is not on this machine\n", path.display()));
        return None;
    }
    Some(path)
}

/// Prints past the test harness, which swallows what a passing test prints with `println!`.
pub fn say(text: &str) {
    let _ = stderr().write_all(text.as_bytes());
}

pub fn bytes(path: &std::path::Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn json(path: &std::path::Path) -> Value {
    serde_json::from_slice(&bytes(path)).unwrap()
}

/// A reference file: f32 values and I64 indices by name.
pub struct Reference(Vec<u8>);

impl Reference {
    pub fn open(path: &str) -> Self {
        Self(bytes(&fixture(path)))
    }

    pub fn names(&self) -> Vec<String> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        file.names().into_iter().map(str::to_string).collect()
    }

    pub fn f32(&self, name: &str) -> Vec<f32> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let view = file.tensor(name).unwrap();
        assert_eq!(view.dtype(), Dtype::F32, "{name}");
        view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    }

    pub fn rows(&self, name: &str) -> Option<Vec<usize>> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let view = file.tensor(name).ok()?;
        let index = |b: &[u8]| i64::from_le_bytes(b.try_into().unwrap()) as usize;
        Some(view.data().chunks_exact(8).map(index).collect())
    }
}

/// One safetensors file with the tensors of several.
pub fn merged(files: &[Vec<u8>]) -> Vec<u8> {
    let opened: Vec<_> = files.iter().map(|file| SafeTensors::deserialize(file).unwrap()).collect();
    let views: Vec<(String, TensorView)> = opened.iter().flat_map(SafeTensors::tensors).collect();
    safetensors::serialize(views, None).unwrap()
}

/// A `config.json` without dropout, with these labels.
pub fn config(path: &std::path::Path, labels: &[&str]) -> Vec<u8> {
    config_with_dropout(path, labels, 0.0)
}

/// A `config.json` with this dropout everywhere, and these labels.
pub fn config_with_dropout(path: &std::path::Path, labels: &[&str], dropout: f64) -> Vec<u8> {
    let mut config = json(path);
    config["hidden_dropout_prob"] = dropout.into();
    config["attention_probs_dropout_prob"] = dropout.into();
    config["id2label"] = Value::Object(
        labels.iter().enumerate().map(|(id, label)| (id.to_string(), (*label).into())).collect(),
    );
    serde_json::to_vec(&config).unwrap()
}

/// A tokenizer file for models whose batches are given as ids.
pub fn vocab() -> Vec<u8> {
    b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n".to_vec()
}

pub fn files(config: Vec<u8>, weights: Vec<u8>) -> ModelFiles {
    let named = [("config.json", config), ("model.safetensors", weights), ("vocab.txt", vocab())];
    let named = named.map(|(name, bytes)| (name.to_string(), bytes)).to_vec();
    ModelFiles::from_named("fixture", named).unwrap()
}

/// The files of a model folder.
pub fn folder(path: &std::path::Path) -> ModelFiles {
    let names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
    let named = names.map(|name| (name.to_string(), bytes(&path.join(name)))).to_vec();
    ModelFiles::from_named(&path.display().to_string(), named).unwrap()
}

/// A fixture's batch as encodings (padding dropped) and labels.
pub fn batch(path: &str) -> (Vec<Encoding>, Vec<usize>) {
    let batch = json(&fixture(path));
    let numbers = |value: &Value| -> Vec<u32> {
        value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as u32).collect()
    };
    let rows = |key: &str| batch[key].as_array().unwrap().iter().map(numbers).collect::<Vec<_>>();
    let (ids, types, masks) = (rows("input_ids"), rows("token_type_ids"), rows("attention_mask"));
    let encodings = ids.into_iter().zip(types).zip(masks).map(|((mut ids, mut type_ids), mask)| {
        let length = mask.iter().sum::<u32>() as usize;
        ids.truncate(length);
        type_ids.truncate(length);
        Encoding { ids, type_ids, ..Encoding::default() }
    });
    let labels = numbers(&batch["labels"]).into_iter().map(|label| label as usize).collect();
    (encodings.collect(), labels)
}

/// Logits of a batch, row by row.
pub fn logits(classifier: &Classifier, encodings: &[Encoding]) -> Vec<f32> {
    let predictions = pollster::block_on(classifier.predict(encodings, 8, |_| ())).unwrap();
    predictions.into_iter().flat_map(|prediction| prediction.logits).collect()
}

/// The bytes of each weight, by name.
pub fn weights(classifier: &Classifier) -> BTreeMap<String, Vec<u8>> {
    let files = pollster::block_on(classifier.to_files(StorageDtype::F32)).unwrap();
    let (_, bytes) = files.into_iter().find(|(name, _)| name == "model.safetensors").unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter().map(|(key, view)| (key.to_owned(), view.data().to_vec())).collect()
}

/// The largest difference of two equally long lists.
pub fn distance(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(l, r)| (l - r).abs()).fold(0.0, f32::max)
}

pub fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| value.abs().max(most))
}
