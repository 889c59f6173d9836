//! Adapters: peft's are read as peft reads them, ours are such as peft reads, and nothing else is
//! touched while they are trained.

use std::collections::BTreeMap;

use emberlab_core::{
    Device, Error,
    data::Targets,
    kernels::Kernels,
    model::{Classifier, LoraConfig, ModelFiles, Source, StorageDtype},
    text::Encoding,
    train::{TrainConfig, Trainer},
};
use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::support::{
    Reference, batch, bytes, config, config_with_dropout, distance, files, fixture, json, logits,
};

const LABELS: [&str; 4] = ["billing", "delivery", "praise", "other"];
const BOTH: [Kernels; 2] = [Kernels::Own, Kernels::Burn];

fn base(dropout: f64) -> ModelFiles {
    let path = fixture("random3/config.json");
    let config = match dropout {
        0.0 => config(&path, &LABELS),
        dropout => config_with_dropout(&path, &LABELS, dropout),
    };
    files(config, bytes(&fixture("random3/model.safetensors")))
}

fn open(files: &ModelFiles, kernels: Kernels) -> Classifier {
    let classifier = Classifier::open(files, &Device::flex()).unwrap().0;
    match kernels {
        Kernels::Own => classifier,
        Kernels::Burn => classifier.without_kernels(),
    }
}

fn of_peft() -> (Vec<u8>, Vec<u8>) {
    let file = |name: &str| bytes(&fixture("lora").join(name));
    (file("adapter_config.json"), file("adapter_model.safetensors"))
}

#[test]
fn a_folder_of_peft_has_its_logits() {
    let (stated, adapter) = of_peft();
    let reference = Reference::open("lora/reference.safetensors");
    let (encodings, _) = batch("random3/batch.json");
    for kernels in BOTH {
        let files = base(0.0).with_adapter(stated.clone(), Some(Source::Bytes(adapter.clone())));
        let found = logits(&open(&files, kernels), &encodings);
        let without = logits(&open(&base(0.0), kernels), &encodings);
        for name in ["logits", "merged"] {
            let difference = distance(&found, &reference.f32(name));
            assert!(difference < 1e-4, "{kernels:?} {name}: {difference}");
        }
        assert!(distance(&found, &without) > 0.1, "the adapters do nothing");
    }
}

fn refused(files: ModelFiles) -> Error {
    match Classifier::open(&files, &Device::flex()) {
        Err(error) => error,
        Ok(_) => panic!("it was opened"),
    }
}

#[test]
fn adapters_of_another_kind_are_refused_by_name() {
    let (stated, adapter) = of_peft();
    let stated: Value = serde_json::from_slice(&stated).unwrap();
    for (key, value, says) in [
        ("peft_type", json!("LOHA"), "adapter_config.json: peft_type"),
        ("use_dora", json!(true), "adapter_config.json: use_dora"),
        ("bias", json!("all"), "adapter_config.json: bias"),
        ("rank_pattern", json!({ "query": 2 }), "adapter_config.json: rank_pattern"),
        ("r", json!(0), "adapter_config.json: r is not"),
        ("r", json!(4.5), "adapter_config.json: r is not"),
        ("r", json!(5), "has 4 rows, but adapter_config.json says r = 5"),
        ("lora_alpha", json!("x"), "adapter_config.json: lora_alpha"),
        ("lora_alpha", json!(1e300), "with its adapter\" holds NaN or infinite values"),
    ] {
        let mut stated = stated.clone();
        stated[key] = value;
        let stated = serde_json::to_vec(&stated).unwrap();
        let files = base(0.0).with_adapter(stated, Some(Source::Bytes(adapter.clone())));
        let said = refused(files).to_string();
        assert!(said.contains(says), "{said}");
    }
    let opened = SafeTensors::deserialize(&adapter).unwrap();
    let with = |change: &dyn Fn(&str) -> Option<String>| {
        let tensors = opened.tensors().into_iter();
        let tensors: Vec<_> =
            tensors.filter_map(|(name, view)| Some((change(&name)?, view))).collect();
        let changed = safetensors::serialize(tensors, None).unwrap();
        let stated = serde_json::to_vec(&stated).unwrap();
        base(0.0).with_adapter(stated, Some(Source::Bytes(changed)))
    };
    let first = "encoder.layer.0.attention.self.query.lora_";
    let said =
        refused(with(&|name| (!name.contains(&format!("{first}B"))).then(|| name.to_owned())))
            .to_string();
    assert!(said.contains("only one factor of \"bert.encoder.layer.0"), "{said}");
    let said = refused(with(&|name| Some(name.replace("layer.0.attention", "layer.9.attention"))));
    assert!(said.to_string().contains("which is not there"), "{said}");
    let said = refused(with(&|name| Some(name.replace("lora_A.weight", "lora_magnitude_vector"))));
    assert!(said.to_string().contains("is not supported"), "{said}");
}

fn recipe(lora: LoraConfig) -> TrainConfig {
    TrainConfig {
        epochs: 20,
        batch_size: 4,
        learning_rate: 5e-3,
        lora: Some(lora),
        ..TrainConfig::default()
    }
}

fn lora() -> LoraConfig {
    LoraConfig { r: 4, lora_alpha: 12, lora_dropout: 0.1, ..LoraConfig::default() }
}

fn trainer(classifier: Classifier, config: TrainConfig) -> Trainer {
    let (encodings, labels) = batch("random3/batch.json");
    Trainer::new(classifier, encodings, labels, config).unwrap()
}

fn tensors(bytes: &[u8]) -> BTreeMap<String, (Vec<usize>, Vec<u8>)> {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let tensor = |(name, view): (&str, safetensors::tensor::TensorView)| {
        (name.to_owned(), (view.shape().to_vec(), view.data().to_vec()))
    };
    file.iter().map(tensor).collect()
}

fn named(classifier: &Classifier) -> BTreeMap<String, Vec<u8>> {
    pollster::block_on(classifier.to_files(StorageDtype::F32)).unwrap().into_iter().collect()
}

/// The logits are those of the model until the first step, and the weights for ever.
#[test]
fn adapters_start_at_nothing_and_leave_the_weights() {
    let (encodings, _) = batch("random3/batch.json");
    for kernels in BOTH {
        let before = logits(&open(&base(0.1), kernels), &encodings);
        let mut trainer = trainer(open(&base(0.1), kernels), recipe(lora()));
        assert_eq!(logits(&trainer.classifier(), &encodings), before, "{kernels:?}");
        for _ in 0..5 {
            trainer.step().unwrap();
        }
        assert!(distance(&logits(&trainer.classifier(), &encodings), &before) > 1e-2);

        let state = tensors(&pollster::block_on(trainer.state()).unwrap());
        let given = tensors(&bytes(&fixture("random3/model.safetensors")));
        let is_trained = |name: &str| name.contains("pooler") || name.starts_with("classifier");
        for (name, tensor) in &given {
            assert_eq!(state[name] == *tensor, !is_trained(name), "{kernels:?} {name}");
        }
        let moments = state.keys().filter_map(|name| name.strip_prefix("exp_avg."));
        let moved: Vec<&str> = moments.filter(|name| !is_trained(name)).collect();
        assert_eq!(moved.len(), 12, "{moved:?}");
        assert!(moved.iter().all(|name| name.contains(".lora_")), "{moved:?}");
    }
}

/// Names, shapes and configuration are those of peft for the same settings.
#[test]
fn the_files_are_those_of_peft() {
    let mut trainer = trainer(open(&base(0.1), Kernels::Own), recipe(lora()));
    trainer.step().unwrap();
    let files = named(&trainer.classifier());
    assert!(!files.contains_key("model.safetensors"));
    let shapes = |bytes: &[u8]| -> Vec<(String, Vec<usize>)> {
        tensors(bytes).into_iter().map(|(name, (shape, _))| (name, shape)).collect()
    };
    let (stated, adapter) = of_peft();
    assert_eq!(shapes(&files["adapter_model.safetensors"]), shapes(&adapter));
    let [ours, peft] = [&files["adapter_config.json"], &stated].map(|bytes| {
        let mut config: Value = serde_json::from_slice(bytes).unwrap();
        for key in ["target_modules", "modules_to_save"] {
            config[key].as_array_mut().unwrap().sort_by_key(Value::to_string);
        }
        config
    });
    for (key, value) in ours.as_object().unwrap() {
        // What peft adds to its own list names modules that BERT does not have.
        if !["base_model_name_or_path", "modules_to_save"].contains(&key.as_str()) {
            assert_eq!(*value, peft[key], "{key}");
        }
    }
    let saved = ours["modules_to_save"].as_array().unwrap();
    assert!(saved.iter().all(|name| peft["modules_to_save"].as_array().unwrap().contains(name)));
}

/// At first within ±1/√in, as peft draws them.
#[test]
fn factors_are_drawn_as_peft_draws_them() {
    let mut config = recipe(lora());
    config.learning_rate = 0.0;
    let mut trainer = trainer(open(&base(0.1), Kernels::Own), config);
    trainer.step().unwrap();
    let files = named(&trainer.classifier());
    let mut most = 0.0_f32;
    for (name, (_, values)) in tensors(&files["adapter_model.safetensors"]) {
        let values = values.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        let largest = values.map(f32::abs).fold(0.0, f32::max);
        if name.contains("lora_A") {
            most = most.max(largest);
        }
        assert!(!name.contains("lora_B") || largest == 0.0, "{name}");
    }
    let bound = 32.0_f32.powf(-0.5);
    let of_peft = json(&fixture("lora/drawn.json")).as_f64().unwrap() as f32;
    for largest in [most, of_peft] {
        assert!(largest <= bound && largest > 0.9 * bound, "{largest} of {bound}");
    }
}

/// What was trained is what is opened again over the same weights.
#[test]
fn a_folder_of_ours_is_opened_again() {
    let (encodings, _) = batch("random3/batch.json");
    let everywhere = LoraConfig { target_modules: vec!["all-linear".into()], ..lora() };
    for settings in [lora(), everywhere] {
        let mut trainer = trainer(open(&base(0.1), Kernels::Own), recipe(settings));
        for _ in 0..5 {
            trainer.step().unwrap();
        }
        let expected = logits(&trainer.classifier(), &encodings);
        let mut files = named(&trainer.classifier());
        let [stated, adapter] =
            ["adapter_config.json", "adapter_model.safetensors"].map(|n| files.remove(n).unwrap());
        let again = base(0.1).with_adapter(stated.clone(), Some(Source::Bytes(adapter)));
        let found = logits(&open(&again, Kernels::Own), &encodings);
        assert!(distance(&found, &expected) < 1e-5);
        // A state has the adapters among the weights.
        let state = pollster::block_on(trainer.state()).unwrap();
        let config = config_with_dropout(&fixture("random3/config.json"), &LABELS, 0.1);
        let again = crate::support::files(config, state).with_adapter(stated, None);
        let found = logits(&open(&again, Kernels::Own), &encodings);
        assert!(distance(&found, &expected) < 1e-5);
    }
}

/// Adapters and head alone learn 16 rows by heart.
#[test]
fn adapters_learn_sixteen_rows() {
    let (mut encodings, _) = batch("random3/batch.json");
    encodings.retain(|encoding| encoding.ids.len() > 2);
    let row = |row: usize| -> Encoding {
        let mut encoding = encodings[row % encodings.len()].clone();
        let inner = encoding.ids.len() - 2;
        encoding.ids[1 + row % inner] = 10 + row as u32;
        encoding
    };
    let rows: Vec<Encoding> = (0..16).map(row).collect();
    let labels: Vec<usize> = (0..16).map(|row| (row * 7 + row / 3) % 4).collect();
    let everywhere = LoraConfig {
        r: 16,
        lora_alpha: 32,
        target_modules: vec!["all-linear".into()],
        lora_dropout: 0.0,
    };
    let config = TrainConfig {
        epochs: 200,
        batch_size: 16,
        learning_rate: 5e-3,
        lora: Some(everywhere),
        ..TrainConfig::default()
    };
    let targets = Targets::Labels(labels.clone());
    let classifier = open(&base(0.0), Kernels::Own);
    let mut trainer = Trainer::new(classifier, rows.clone(), targets, config).unwrap();
    while !trainer.is_done() {
        trainer.step().unwrap();
    }
    let predictions = pollster::block_on(trainer.classifier().predict(&rows, 16, |_| ())).unwrap();
    let found: Vec<usize> = predictions.iter().map(|prediction| prediction.label()).collect();
    assert_eq!(found, labels);
}

#[test]
fn layers_that_are_not_there_are_refused() {
    let (encodings, labels) = batch("random3/batch.json");
    let refuse = |lora: LoraConfig| {
        let classifier = open(&base(0.1), Kernels::Own);
        let made = Trainer::new(classifier, encodings.clone(), labels.clone(), recipe(lora));
        made.err().map(|error| error.to_string()).unwrap()
    };
    let said =
        refuse(LoraConfig { target_modules: vec!["query".into(), "q_proj".into()], ..lora() });
    assert!(said.contains("q_proj") && said.contains("dense, key, query, value"), "{said}");
    assert!(refuse(LoraConfig { r: 0, ..lora() }).contains("lora_r = 0"));
    assert!(refuse(LoraConfig { lora_dropout: 1.0, ..lora() }).contains("lora_dropout = 1"));
}
