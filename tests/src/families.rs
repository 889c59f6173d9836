//! RoBERTa, XLM-RoBERTa, DistilBERT, ELECTRA and ModernBERT: the same numbers as transformers, under its names.
//! Fixtures by `fixtures/make_families.py`; the page's tests open the same folders.

use emberlab_core::{
    Device,
    data::LabelMap,
    model::{Classifier, ModelFiles, StorageDtype},
    text::{Encoding, Texts, Tokenizer},
    train::{TrainConfig, Trainer},
};
use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::{
    parity::{BOTH, Case, adamw_agrees, gradients_agree, logits_agree},
    support::{Reference, bytes, distance, fixture, json, logits, weights},
};

pub const FAMILIES: [&str; 6] =
    ["roberta", "xlm-roberta", "distilbert", "electra", "modernbert", "modernbert-cls"];
const LABELS: [&str; 4] = ["billing", "delivery", "praise", "other"];
pub type Named = Vec<(String, Vec<u8>)>;

pub fn path(family: &str, file: &str) -> std::path::PathBuf {
    fixture("families").join(family).join(file)
}

/// The files of a folder; without dropout, so that a training is what PyTorch's is.
pub fn named(family: &str) -> Named {
    let file = |name: &str| (name.to_owned(), bytes(&path(family, name)));
    let mut config = json(&path(family, "config.json"));
    for (key, value) in config.as_object_mut().unwrap() {
        if key.contains("dropout") && value.is_number() {
            *value = 0.0.into();
        }
    }
    let mut files =
        ["model.safetensors", "tokenizer.json", "tokenizer_config.json"].map(file).to_vec();
    files.push(("config.json".into(), serde_json::to_vec(&config).unwrap()));
    files
}

fn opened(files: Named) -> Classifier {
    let files = ModelFiles::from_named("fixture", files).unwrap();
    Classifier::open(&files, &Device::flex()).unwrap().0
}

/// Texts, three of them pairs, with transformers' ids.
pub fn encodings(family: &str, tokenizer: &Tokenizer) -> Vec<Encoding> {
    let batch = json(&path(family, "batch.json"));
    let rows = batch["texts"].as_array().unwrap().iter().zip(batch["pairs"].as_array().unwrap());
    let encode = |(text, pair): (&Value, &Value)| {
        let mut texts = Texts::default();
        texts.push(text.as_str().unwrap(), pair.as_str());
        tokenizer.encode_texts(&texts, 158).unwrap().remove(0)
    };
    let encodings: Vec<Encoding> = rows.map(encode).collect();
    let ids: Vec<&Vec<u32>> = encodings.iter().map(|encoding| &encoding.ids).collect();
    assert_eq!(serde_json::to_value(ids).unwrap(), batch["input_ids"], "{family}");
    encodings
}

fn case(family: &str) -> Case {
    let files = ModelFiles::from_named("fixture", named(family)).unwrap();
    let tokenizer = Tokenizer::from_json("t", &bytes(&path(family, "tokenizer.json"))).unwrap();
    let labels = json(&path(family, "batch.json"))["labels"].take();
    Case {
        files,
        reference: Reference::open(&format!("families/{family}/reference.safetensors")),
        encodings: encodings(family, &tokenizer),
        labels: serde_json::from_value(labels).unwrap(),
        learning_rate: 1e-3,
    }
}

#[test]
fn logits_of_each_family() {
    for family in FAMILIES {
        logits_agree(&case(family));
    }
}

#[test]
fn gradients_of_each_family() {
    for family in FAMILIES {
        for kernels in BOTH {
            gradients_agree(&case(family), kernels);
        }
    }
}

/// The groups of weight decay are those of transformers' trainer.
#[test]
fn ten_adamw_steps_of_each_family() {
    for family in FAMILIES {
        for kernels in BOTH {
            adamw_agrees(&case(family), kernels);
        }
    }
}

/// What is saved is what was loaded, bit for bit, under transformers' names, and the configuration
/// names its classes.
#[test]
fn saving_returns_every_bit() {
    for family in FAMILIES {
        let classifier = opened(named(family));
        let saved = pollster::block_on(classifier.to_files(StorageDtype::F32)).unwrap();
        let file = |name: &str| &saved.iter().find(|(file, _)| file == name).unwrap().1;
        let before = bytes(&path(family, "model.safetensors"));
        let before = SafeTensors::deserialize(&before).unwrap();
        let after = SafeTensors::deserialize(file("model.safetensors")).unwrap();
        assert_eq!(before.len(), after.len(), "{family}");
        for (key, view) in before.iter() {
            let saved = after.tensor(key).unwrap();
            assert_eq!((view.shape(), view.data()), (saved.shape(), saved.data()), "{key}");
        }
        let config: Value = serde_json::from_slice(file("config.json")).unwrap();
        let original = json(&path(family, "config.json"));
        for key in ["model_type", "architectures", "id2label", "label2id"] {
            assert_eq!(config[key], original[key], "{family}: {key}");
        }
        let half = pollster::block_on(classifier.to_files(StorageDtype::F16)).unwrap();
        let expected = logits(&classifier, &encodings(family, classifier.tokenizer()));
        let half = opened(half);
        let got = logits(&half, &encodings(family, half.tokenizer()));
        assert!(distance(&got, &expected) < 0.05, "{family}: f16");
    }
}

/// With other labels the last layer is new, a function of the seed, and the layer before it stays,
/// as in transformers; with the same labels nothing is new.
#[test]
fn a_head_for_other_labels_is_new() {
    for family in FAMILIES {
        let files = ModelFiles::from_named("fixture", named(family)).unwrap();
        let open = |labels: &[&str], seed| {
            let labels = labels.iter().map(|&label| label.to_owned()).collect();
            let labels = LabelMap::new("", labels).unwrap();
            let (classifier, report) =
                Classifier::for_training(&files, labels, seed, &Device::flex()).unwrap();
            (weights(&classifier), report)
        };
        let (kept, report) = open(&LABELS, 1);
        assert_eq!(report.initialized, Vec::<String>::new(), "{family}");
        let (new, report) = open(&["yes", "no"], 1);
        let last = report.initialized;
        assert_eq!(last.len(), 2, "{family}: {last:?}");
        assert!(last.iter().all(|key| key.starts_with("classifier.")), "{family}: {last:?}");
        for (key, values) in &new {
            assert_eq!(values == &kept[key], !last.contains(key), "{family}: {key}");
        }
        let (again, _) = open(&["yes", "no"], 1);
        assert!(again == new && open(&["yes", "no"], 2).0 != new, "{family}: the seed");
    }
}

/// A bare encoder has neither the prefix of its family nor a head.
#[test]
fn a_bare_encoder_is_fine_tuned() {
    for family in FAMILIES {
        let mut files = named(family);
        let weights =
            &mut files.iter_mut().find(|(name, _)| name == "model.safetensors").unwrap().1;
        let original = SafeTensors::deserialize(weights).unwrap();
        let prefix = match family {
            "xlm-roberta" => "roberta.",
            "modernbert" | "modernbert-cls" => "model.",
            _ => &format!("{family}."),
        };
        let head = original.names().iter().filter(|key| !key.starts_with(prefix)).count();
        let bare =
            original.iter().filter_map(|(key, view)| Some((key.strip_prefix(prefix)?, view)));
        let bare = safetensors::serialize(bare, None).unwrap();
        *weights = bare;
        let files = ModelFiles::from_named("fixture", files).unwrap();
        let labels = LabelMap::new("", LABELS.map(str::to_owned).to_vec()).unwrap();
        let (_, report) = Classifier::for_training(&files, labels, 1, &Device::flex()).unwrap();
        assert_eq!((report.initialized.len(), report.ignored), (head, vec![]), "{family}");
        let error = Classifier::open(&files, &Device::flex()).err().unwrap().to_string();
        assert!(error.contains("no classification head (classifier."), "{error}");
    }
}

/// The weights over two files and an index, as transformers spreads large ones.
pub fn sharded(family: &str) -> Named {
    let mut files = named(family);
    let at = files.iter().position(|(name, _)| name == "model.safetensors").unwrap();
    let (_, weights) = files.swap_remove(at);
    let all = SafeTensors::deserialize(&weights).unwrap();
    let mut weight_map = serde_json::Map::new();
    for shard in 0..2 {
        let name = format!("model-0000{}-of-00002.safetensors", shard + 1);
        let mine: Vec<_> = all.iter().enumerate().filter(|(at, _)| at % 2 == shard).collect();
        for (_, (key, _)) in &mine {
            weight_map.insert((*key).to_owned(), name.clone().into());
        }
        let mine = mine.into_iter().map(|(_, tensor)| tensor);
        files.push((name, safetensors::serialize(mine, None).unwrap()));
    }
    let index = json!({"metadata": {"total_size": weights.len()}, "weight_map": weight_map});
    files.push(("model.safetensors.index.json".into(), index.to_string().into_bytes()));
    files
}

#[test]
fn weights_in_shards_are_the_same_weights() {
    let files = sharded("roberta");
    assert!(weights(&opened(files.clone())) == weights(&opened(named("roberta"))));

    let without = |file: &str| {
        let files = files.iter().filter(|(name, _)| name != file).cloned().collect();
        ModelFiles::from_named("fixture", files).err().unwrap().to_string()
    };
    let error = without("model-00002-of-00002.safetensors");
    assert!(error.starts_with("fixture: no model-00002-of-00002.safetensors there"), "{error}");
    let error = without("model.safetensors.index.json");
    assert!(error.starts_with("fixture: no model.safetensors there"), "{error}");
}

#[test]
fn the_command_line_reads_shards_and_converts_them_to_one_file() {
    let scratch = crate::command::Scratch::new();
    for (name, content) in sharded("distilbert") {
        scratch.write(&format!("spread/{name}"), content);
    }
    scratch.run("convert --model spread --out whole --dtype f32").ok();
    let names: Vec<String> = scratch
        .files()
        .iter()
        .filter(|path| path.is_file() && path.starts_with(scratch.path("whole")))
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let expected = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
    assert_eq!(names, expected);
    let predict = |model: &str| {
        scratch.run(&format!("predict --model {model} --text hello --device cpu")).ok()
    };
    assert_eq!(predict("spread"), predict("whole"));
}

/// Where a key of some family's encoder stands: nowhere in the layers, or in the one of this number.
fn layer(key: &str) -> Option<usize> {
    let (_, rest) = key.split_once(".layer.").or_else(|| key.split_once(".layers."))?;
    rest.split('.').next()?.parse().ok()
}

/// What is frozen stays to the last bit, and all the rest moves.
#[test]
fn frozen_layers_stay() {
    for family in FAMILIES {
        let case = case(family);
        let before = weights(&opened(named(family)));
        let last = before.keys().filter_map(|key| layer(key)).max().unwrap();
        for trainable_layers in [0, 1] {
            let config = TrainConfig {
                batch_size: 8,
                warmup_ratio: 0.0,
                trainable_layers: Some(trainable_layers),
                ..TrainConfig::default()
            };
            let (encodings, labels) = (case.encodings.clone(), case.labels.clone());
            let classifier = opened(named(family));
            let mut trainer = Trainer::new(classifier, encodings, labels, config).unwrap();
            trainer.step().unwrap();
            for (key, values) in weights(&trainer.classifier()) {
                let trained = match layer(&key) {
                    Some(layer) => layer + trainable_layers > last,
                    None => !key.contains(".embeddings"),
                };
                assert_eq!(values != before[&key], trained, "{family}, {trainable_layers}: {key}");
            }
        }
    }
}

/// A model reads the first token, which a tokenizer that puts nothing around a text does not give.
#[test]
fn a_tokenizer_without_special_tokens_is_refused() {
    let mut files = named("roberta");
    let (_, tokenizer) = files.iter_mut().find(|(name, _)| name == "tokenizer.json").unwrap();
    let mut changed: Value = serde_json::from_slice(tokenizer).unwrap();
    changed["post_processor"] = Value::Null;
    *tokenizer = changed.to_string().into_bytes();
    let files = ModelFiles::from_named("fixture", files).unwrap();
    let Err(error) = Classifier::open(&files, &Device::flex()) else { panic!("not refused") };
    assert!(error.to_string().contains("its post_processor is missing or empty"), "{error}");
}
