//! The same numbers as PyTorch/transformers, from fixtures that `fixtures/make.py` wrote.

use std::collections::BTreeMap;

use emberlab_core::{
    Device,
    kernels::Kernels,
    model::{Classifier, HostTensor, ModelFiles, StorageDtype},
    text::Encoding,
    train::{TrainConfig, Trainer, gradients},
};
use safetensors::SafeTensors;

use crate::support::{
    Reference, batch, bytes, config, distance, files, fixture, json, largest, logits, merged, root,
    shared, weights,
};

pub struct Case {
    pub files: ModelFiles,
    pub reference: Reference,
    pub encodings: Vec<Encoding>,
    pub labels: Vec<usize>,
    pub learning_rate: f64,
}

fn random3() -> Case {
    let config =
        config(&fixture("random3/config.json"), &["billing", "delivery", "praise", "other"]);
    let (encodings, labels) = batch("random3/batch.json");
    Case {
        files: files(config, bytes(&fixture("random3/model.safetensors"))),
        reference: Reference::open("random3/reference.safetensors"),
        encodings,
        labels,
        learning_rate: 1e-3,
    }
}

fn bert_tiny() -> Case {
    let folder = root().join("models/bert-tiny");
    let weights =
        [bytes(&folder.join("model.safetensors")), bytes(&fixture("bert-tiny/head.safetensors"))];
    let config = config(&folder.join("config.json"), &["a", "b", "c", "d", "e", "f"]);
    let (encodings, labels) = batch("bert-tiny/batch.json");
    Case {
        files: files(config, merged(&weights)),
        reference: Reference::open("bert-tiny/reference.safetensors"),
        encodings,
        labels,
        learning_rate: 5e-4,
    }
}

/// With our kernels, and with Burn's own operations.
pub const BOTH: [Kernels; 2] = [Kernels::Own, Kernels::Burn];

fn open(case: &Case, kernels: Kernels) -> Classifier {
    let classifier = Classifier::open(&case.files, &Device::flex()).unwrap().0;
    match kernels {
        Kernels::Own => classifier,
        Kernels::Burn => classifier.without_kernels(),
    }
}

pub fn logits_agree(case: &Case) {
    for kernels in BOTH {
        let got = logits(&open(case, kernels), &case.encodings);
        let difference = distance(&got, &case.reference.f32("logits"));
        assert!(difference < 1e-4, "{kernels:?}: logits differ by {difference}");
    }
}

/// Of an embedding table the reference holds the rows that the batch touches.
fn touched(tensor: &HostTensor, rows: Option<Vec<usize>>) -> Vec<f32> {
    let Some(rows) = rows else { return tensor.values.clone() };
    let width = tensor.shape[1];
    let row = |row: &usize| tensor.values[row * width..(row + 1) * width].to_vec();
    rows.iter().flat_map(row).collect()
}

pub fn gradients_agree(case: &Case, kernels: Kernels) {
    let classifier = open(case, kernels);
    let targets = case.labels.clone().into();
    let gradients = gradients(&classifier, &case.encodings, &targets);
    let (loss, gradients) = pollster::block_on(gradients).unwrap();
    assert!((loss - case.reference.f32("loss")[0]).abs() < 1e-5);
    let names = case.reference.names();
    let expected = names.iter().filter(|n| n.starts_with("grad.") && !n.ends_with(".rows")).count();
    assert_eq!(gradients.len(), expected);
    for gradient in &gradients {
        let name = format!("grad.{}", gradient.key);
        let expected = case.reference.f32(&name);
        let got = touched(gradient, case.reference.rows(&format!("{name}.rows")));
        // The key bias has no gradient (softmax ignores a shift): there, rounding noise only.
        let scale = largest(&expected).max(1e-4);
        let difference = distance(&got, &expected) / scale;
        assert!(difference < 1e-3, "{kernels:?}: {name} differs by {difference} of its largest");
    }
}

fn train_ten_steps(case: &Case, kernels: Kernels) -> (Vec<f32>, Trainer) {
    let config = TrainConfig {
        epochs: 10,
        batch_size: case.labels.len(),
        learning_rate: case.learning_rate,
        warmup_ratio: 0.3,
        ..TrainConfig::default()
    };
    let (encodings, labels) = (case.encodings.clone(), case.labels.clone());
    let mut trainer = Trainer::new(open(case, kernels), encodings, labels, config).unwrap();
    let mut losses = Vec::new();
    while !trainer.is_done() {
        trainer.step().unwrap();
        losses.push(pollster::block_on(trainer.read_loss()).unwrap().unwrap());
    }
    (losses, trainer)
}

pub fn adamw_agrees(case: &Case, kernels: Kernels) {
    let (losses, trainer) = train_ten_steps(case, kernels);
    let expected = case.reference.f32("adamw.losses");
    let difference = distance(&losses, &expected);
    assert!(difference < 1e-4, "losses {losses:?}\nexpected {expected:?}");
    weights_agree(case, &trainer);
}

fn weights_agree(case: &Case, trainer: &Trainer) {
    let files = pollster::block_on(trainer.classifier().to_files(StorageDtype::F32)).unwrap();
    let (_, weights) = files.into_iter().find(|(name, _)| name == "model.safetensors").unwrap();
    let weights = SafeTensors::deserialize(&weights).unwrap();
    for name in case.reference.names().iter().filter(|name| name.starts_with("adamw.final.")) {
        let key = name.trim_start_matches("adamw.final.");
        if key.ends_with(".key.bias") || key.ends_with(".k_lin.bias") {
            continue; // Adam magnifies the rounding noise that is its gradient.
        }
        let got = weights.tensor(key).unwrap();
        let got = got.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        let difference = distance(&got.collect::<Vec<_>>(), &case.reference.f32(name));
        assert!(difference < 1e-4, "{key} differs by {difference} after ten steps");
    }
}

#[test]
fn random3_logits() {
    logits_agree(&random3());
}

#[test]
fn random3_gradients() {
    for kernels in BOTH {
        gradients_agree(&random3(), kernels);
    }
}

#[test]
fn random3_ten_adamw_steps() {
    for kernels in BOTH {
        adamw_agrees(&random3(), kernels);
    }
}

#[test]
fn bert_tiny_logits() {
    logits_agree(&bert_tiny());
}

#[test]
fn bert_tiny_gradients() {
    for kernels in BOTH {
        gradients_agree(&bert_tiny(), kernels);
    }
}

#[test]
fn bert_tiny_ten_adamw_steps() {
    for kernels in BOTH {
        adamw_agrees(&bert_tiny(), kernels);
    }
}

/// What is frozen stays to the last bit, the rest moves as it does in a step of the whole model
/// (whose gradients are PyTorch's, see above), and a later training is free again.
#[test]
fn frozen_layers_stay_and_the_rest_is_trained() {
    let case = random3();
    let step = |classifier, trainable_layers| {
        let (encodings, labels) = (case.encodings.clone(), case.labels.clone());
        let config = TrainConfig {
            batch_size: labels.len(),
            learning_rate: 1e-3,
            warmup_ratio: 0.0,
            max_grad_norm: 0.0,
            trainable_layers,
            ..TrainConfig::default()
        };
        let mut trainer = Trainer::new(classifier, encodings, labels, config).unwrap();
        trainer.step().unwrap();
        trainer.classifier()
    };
    for kernels in BOTH {
        let before = weights(&open(&case, kernels));
        let whole = weights(&step(open(&case, kernels), None));
        for (trainable_layers, first) in [(0, usize::MAX), (1, last_layer(&before))] {
            let trained = step(open(&case, kernels), Some(trainable_layers));
            for (key, values) in weights(&trained) {
                let expected = if is_trained(&key, first) { &whole[&key] } else { &before[&key] };
                assert_eq!(&values, expected, "{kernels:?}, {trainable_layers} layers: {key}");
            }
            let again = weights(&step(trained, None));
            assert_ne!(again[EMBEDDINGS], before[EMBEDDINGS], "{kernels:?}: still frozen");
        }
    }
}

const EMBEDDINGS: &str = "bert.embeddings.word_embeddings.weight";

/// Whether a parameter belongs to a layer from `first` on, or to what comes after all layers.
fn is_trained(key: &str, first: usize) -> bool {
    let layer = key.strip_prefix("bert.encoder.layer.").and_then(|key| key.split('.').next());
    match layer {
        Some(layer) => layer.parse::<usize>().unwrap() >= first,
        None => !key.starts_with("bert.embeddings."),
    }
}

/// The number of the last layer, from 0.
fn last_layer(weights: &BTreeMap<String, Vec<u8>>) -> usize {
    let is_query = |key: &&String| key.ends_with("self.query.weight");
    weights.keys().filter(is_query).count() - 1
}

/// Two batches accumulated are one batch of all their rows.
#[test]
fn accumulation_equals_a_large_batch() {
    let case = random3();
    let train = |kernels, batch_size, gradient_accumulation_steps| {
        let config = TrainConfig {
            epochs: 4,
            batch_size,
            gradient_accumulation_steps,
            learning_rate: 1e-3,
            ..TrainConfig::default()
        };
        let (encodings, labels) = (case.encodings.clone(), case.labels.clone());
        let mut trainer = Trainer::new(open(&case, kernels), encodings, labels, config).unwrap();
        while !trainer.is_done() {
            trainer.step().unwrap();
        }
        logits(&trainer.classifier(), &case.encodings)
    };
    for kernels in BOTH {
        let difference = distance(&train(kernels, 8, 1), &train(kernels, 3, 3));
        assert!(difference < 1e-4, "{kernels:?}: {difference}");
    }
}

#[test]
fn minilm_logits_of_64_texts() {
    let Some(folder) = shared("models/minilm-l6") else { return };
    let weights =
        [bytes(&folder.join("model.safetensors")), bytes(&fixture("minilm-head.safetensors"))];
    let labels = ["a", "b", "c", "d"];
    let named = vec![
        ("config.json".to_string(), config(&folder.join("config.json"), &labels)),
        ("model.safetensors".to_string(), merged(&weights)),
        ("tokenizer.json".to_string(), bytes(&folder.join("tokenizer.json"))),
    ];
    let files = ModelFiles::from_named("minilm", named).unwrap();
    let (classifier, report) = Classifier::open(&files, &Device::flex()).unwrap();
    assert_eq!(report.ignored, Vec::<String>::new());

    let expected = json(&fixture("minilm.json"));
    let texts: Vec<String> = serde_json::from_value(expected["texts"].clone()).unwrap();
    let encodings = classifier.tokenizer().encode_all(&texts, 128).unwrap();
    let ids: Vec<&Vec<u32>> = encodings.iter().map(|encoding| &encoding.ids).collect();
    assert_eq!(serde_json::to_value(ids).unwrap(), expected["input_ids"]);
    let rows: Vec<Vec<f32>> = serde_json::from_value(expected["logits"].clone()).unwrap();
    let difference = distance(&logits(&classifier, &encodings), &rows.concat());
    assert!(difference < 1e-4, "logits differ by {difference}");
}
