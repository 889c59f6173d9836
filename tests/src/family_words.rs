//! Token classification with every family: transformers' numbers and names. Fixtures by
//! `fixtures/make_families.py`.

use emberlab_core::{
    Device,
    data::Task,
    model::{Classifier, ModelFiles, StorageDtype},
    text::Tokenizer,
};
use serde_json::{Value, json};

use crate::{
    families::{FAMILIES, encodings, named, path},
    heads,
    support::{Reference, bytes, json},
};

/// A family's encoder under transformers' head for words, and the class that this is there.
fn words_case(family: &str) -> (heads::Case, Value) {
    let mut stated = json(&path(family, "words.json"));
    let head = bytes(&path(family, "words.safetensors"));
    let mut files = named(family);
    for (name, file) in &mut files {
        match name.as_str() {
            "model.safetensors" => *file = heads::with_head(file, &head),
            "config.json" => {
                let mut config: Value = serde_json::from_slice(file).unwrap();
                config["architectures"] = json!([stated["architecture"]]);
                *file = serde_json::to_vec(&config).unwrap();
            }
            _ => {}
        }
    }
    let tokenizer = Tokenizer::from_json("t", &bytes(&path(family, "tokenizer.json"))).unwrap();
    let mut encodings = encodings(family, &tokenizer);
    let task = Task::TokenClassification;
    let case = heads::Case {
        task,
        files: ModelFiles::from_named("fixture", files).unwrap(),
        reference: Reference::open(&format!("families/{family}/words.safetensors")),
        targets: heads::targets(task, &stated["tags"], &mut encodings),
        encodings,
    };
    (case, stated["architecture"].take())
}

/// Logits, gradients and names of each family under a head for words.
#[test]
fn words_of_each_family() {
    for family in FAMILIES {
        let (case, architecture) = words_case(family);
        heads::logits_agree(&case);
        let (classifier, _) = Classifier::open(&case.files, &Device::flex()).unwrap();
        let saved = pollster::block_on(classifier.to_files(StorageDtype::F32)).unwrap();
        let (_, config) = saved.iter().find(|(name, _)| name == "config.json").unwrap();
        let config: Value = serde_json::from_slice(config).unwrap();
        assert_eq!(config["architectures"], json!([architecture]), "{family}");
        heads::gradients_agree(case);
    }
}
