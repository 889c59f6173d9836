//! The whole model on the GPU with our kernels, against the CPU with Burn's operations.

use std::path::Path;

use burn::tensor::Device;

use super::{assert_close, gpu};
use crate::{
    data::Targets,
    kernels::Kernels,
    model::{Classifier, HostTensor, ModelFiles},
    text::Encoding,
    train::{TrainConfig, Trainer, gradients},
};

const TEXTS: [&str; 6] = [
    "I could sing all day, everything went right!",
    "no",
    "Why does nobody ever answer my letters? It has been three weeks since I wrote the last one.",
    "The train was late again and I missed the only thing that I had looked forward to this month.",
    "There is something behind the door.",
    "She remembered my name after all these years, and my mother's, and even that of the old dog.",
];

fn open(device: &Device) -> Classifier {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/emotions");
    let names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
    let files = names.map(|name| (name.to_owned(), std::fs::read(folder.join(name)).unwrap()));
    let files = ModelFiles::from_named("models/emotions", files.into()).unwrap();
    Classifier::open(&files, device).unwrap().0
}

fn encodings(classifier: &Classifier) -> Vec<Encoding> {
    classifier.tokenizer().encode_all(&TEXTS.map(String::from), 128).unwrap()
}

#[test]
fn logits_and_gradients_agree() {
    let Some(gpu) = gpu("logits and gradients") else { return };
    assert_eq!(Kernels::for_device(&gpu), Kernels::Own);
    let (ours, reference) = (open(&gpu), open(&Device::flex()).without_kernels());
    let texts = encodings(&reference);
    let logits = |classifier: &Classifier| -> Vec<f32> {
        let predictions = pollster::block_on(classifier.predict(&texts, 4, |_| ())).unwrap();
        predictions.into_iter().flat_map(|prediction| prediction.logits).collect()
    };
    assert_close(&logits(&ours), &logits(&reference), 1e-4, "logits");

    let labels: Targets = (0..texts.len()).collect::<Vec<_>>().into();
    let gradients = |classifier: &Classifier| {
        pollster::block_on(gradients(classifier, &texts, &labels)).unwrap()
    };
    let ((our_loss, ours), (loss, reference)) = (gradients(&ours), gradients(&reference));
    assert!((our_loss - loss).abs() < 1e-5, "loss {our_loss}, expected {loss}");
    assert_eq!(ours.len(), reference.len());
    for (HostTensor { key, values, .. }, expected) in ours.iter().zip(&reference) {
        assert_eq!(key, &expected.key);
        assert_close(values, &expected.values, 1e-4, key);
    }
}

/// With our kernels dropout is the same on every device, so whole steps can be compared.
#[test]
fn training_steps_agree() {
    let Some(gpu) = gpu("training steps") else { return };
    let losses = |device: &Device| -> Vec<f32> {
        let classifier = open(device);
        let texts = encodings(&classifier);
        let labels: Vec<usize> = (0..texts.len()).collect();
        let config = TrainConfig {
            epochs: 4,
            batch_size: 3,
            gradient_accumulation_steps: 2,
            learning_rate: 1e-4,
            ..TrainConfig::default()
        };
        let mut trainer = Trainer::new(classifier, texts, labels, config).unwrap();
        let mut losses = Vec::new();
        while !trainer.is_done() {
            trainer.step().unwrap();
            losses.push(pollster::block_on(trainer.read_loss()).unwrap().unwrap());
        }
        losses
    };
    assert_close(&losses(&gpu), &losses(&Device::flex()), 1e-4, "losses");
}
