//! transformers opens a run folder unchanged and finds there what we wrote.

use std::{
    collections::BTreeMap,
    env,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use emberlab_core::{
    Device,
    model::{Classifier, ModelFiles},
    text::Texts,
};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::train::{TRAIN, with_rows};
use crate::{
    command::{Scratch, jsonl},
    families::FAMILIES,
    support::{bytes, distance, fixture, logits, root, say},
};

/// What `tests/python/open_folder.py` writes.
#[derive(Deserialize)]
pub struct Opened {
    id2label: BTreeMap<String, String>,
    pub problem_type: Option<String>,
    pub missing: Vec<String>,
    pub unexpected: Vec<String>,
    input_ids: Vec<Vec<u32>>,
    /// Of tags those of each word's first token, one after the other.
    pub logits: Vec<Vec<f32>>,
    /// SHA-256 of each tensor's f32 bytes.
    tensors: BTreeMap<String, String>,
}

/// A Python with transformers and what else we are held against: that which `cargo xtask test` names.
pub fn python() -> Option<PathBuf> {
    env::var_os("EMBERLAB_PYTHON").map(PathBuf::from)
}

pub fn open_with_transformers(python: &Path, folder: &Path) -> Opened {
    let out = folder.join("opened.json");
    let status = Command::new(python)
        .arg(root().join("tests/python/open_folder.py"))
        .args([&folder.join("run"), &folder.join("texts.jsonl"), &out])
        .status()
        .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    assert!(status.success(), "open_folder.py failed");
    serde_json::from_slice(&bytes(&out)).unwrap()
}

/// The names and hashes of a file whose tensors are all f32.
fn hashes(weights: &[u8]) -> BTreeMap<String, String> {
    let file = SafeTensors::deserialize(weights).unwrap();
    let hash = |(key, view): (&str, safetensors::tensor::TensorView)| {
        assert_eq!(view.dtype(), Dtype::F32, "{key}");
        (key.to_owned(), format!("{:x}", Sha256::digest(view.data())))
    };
    file.iter().map(hash).collect()
}

/// The classifier in `run`.
fn classifier(scratch: &Scratch) -> Classifier {
    let file = |name: &&str| ((*name).to_owned(), bytes(&scratch.path("run").join(name)));
    let names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
    let files = ModelFiles::from_named("run", names.iter().map(file).collect()).unwrap();
    Classifier::open(&files, &Device::flex()).unwrap().0
}

/// Token ids and logits are the same for each row of `texts.jsonl`.
fn agree(scratch: &Scratch, classifier: &Classifier, opened: &Opened) {
    let mut texts = Texts::default();
    for row in jsonl(&scratch.read("texts.jsonl")) {
        texts.push(row["text"].as_str().unwrap(), row["text_b"].as_str());
    }
    let encodings = classifier.tokenizer().encode_texts(&texts, classifier.max_length()).unwrap();
    let ids: Vec<Vec<u32>> = encodings.iter().map(|encoding| encoding.ids.clone()).collect();
    assert_eq!(ids, opened.input_ids);
    let difference = distance(&logits(classifier, &encodings), &opened.logits.concat());
    assert!(difference < 1e-4, "logits differ by {difference}");
}

#[test]
fn transformers_opens_a_run_folder() {
    let Some(python) = python() else {
        let reason = "EMBERLAB_PYTHON names no Python with transformers";
        return say(&format!("SKIPPED: transformers_opens_a_run_folder, because {reason}\n"));
    };
    let scratch = with_rows();
    scratch.run(&format!("{TRAIN} --epochs 2 --learning-rate 5e-4 --out run")).ok();
    let texts: Vec<String> =
        scratch.read("train.jsonl").lines().take(20).map(str::to_owned).collect();
    scratch.write("texts.jsonl", texts.join("\n") + "\n");
    let opened = open_with_transformers(&python, &scratch.path("."));

    assert_eq!((&opened.missing, &opened.unexpected), (&vec![], &vec![]));
    assert_eq!(opened.tensors, hashes(&bytes(&scratch.path("run/model.safetensors"))));
    let classifier = classifier(&scratch);
    let labels: Vec<&String> = opened.id2label.values().collect();
    assert_eq!(labels, classifier.label_map().names().iter().collect::<Vec<_>>());
    agree(&scratch, &classifier, &opened);
}

/// Segments and special tokens of pairs are those that transformers gives a model, also where a pair
/// is cut.
#[test]
fn transformers_sees_pairs_as_we_do() {
    let Some(python) = python() else {
        let reason = "EMBERLAB_PYTHON names no Python with transformers";
        return say(&format!("SKIPPED: transformers_sees_pairs_as_we_do, because {reason}\n"));
    };
    let scratch = Scratch::new();
    let row = |row: usize| {
        let (second, label) =
            [("It is red.", "same"), ("It is blue, I am told.", "other")][row % 2];
        let text = "The house at the end of the street is red. ".repeat(1 + row % 9 * 8);
        serde_json::json!({"text": text, "text_b": second, "label": label}).to_string() + "\n"
    };
    scratch.write("texts.jsonl", (0..18).map(row).collect::<String>());
    let line = "train --model bert-tiny --train texts.jsonl --out run --epochs 4 --learning-rate 1e-3 --device cpu";
    scratch.run(line).ok();
    let opened = open_with_transformers(&python, &scratch.path("."));
    assert!(opened.input_ids.iter().any(|ids| ids.len() == 512), "no pair was cut");
    agree(&scratch, &classifier(&scratch), &opened);
}

/// Each family is fine-tuned from its fixture until it knows 16 texts, and transformers opens the result.
#[test]
fn each_family_learns_and_transformers_opens_it() {
    for family in FAMILIES {
        let scratch = Scratch::new();
        symlink(fixture("families").join(family), scratch.path("base")).unwrap();
        let rows = String::from_utf8(bytes(&root().join("data/emotions/train.jsonl"))).unwrap();
        let relabel = |(row, line): (usize, &str)| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["label"] = ["even", "odd"][row % 2].into();
            line.to_string() + "\n"
        };
        scratch.write(
            "texts.jsonl",
            rows.lines().take(16).enumerate().map(relabel).collect::<String>(),
        );
        let rest = "--batch-size 8 --epochs 60 --learning-rate 5e-3 --device cpu";
        scratch
            .run(&format!(
                "train --model base --train texts.jsonl --test texts.jsonl --out run {rest}"
            ))
            .ok();
        let last = jsonl(&scratch.read("run/metrics.jsonl")).pop().unwrap();
        assert_eq!(last["accuracy"], 1.0, "{family}: {last}");

        let Some(python) = python() else {
            let reason = "EMBERLAB_PYTHON names no Python with transformers";
            say(&format!("SKIPPED: transformers on {family}, because {reason}\n"));
            continue;
        };
        let opened = open_with_transformers(&python, &scratch.path("."));
        assert_eq!((&opened.missing, &opened.unexpected), (&vec![], &vec![]), "{family}");
        assert_eq!(opened.tensors, hashes(&bytes(&scratch.path("run/model.safetensors"))));
        agree(&scratch, &classifier(&scratch), &opened);
    }
}
