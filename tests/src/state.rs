//! A training that was put away as bytes and taken up again ends in the same bits as one that was
//! never interrupted.

use std::{env, process::Command};

use emberlab_core::{
    Device, Error,
    kernels::Kernels,
    model::{Classifier, ModelFiles, Source, StorageDtype},
    text::Encoding,
    train::{
        LabelledRows, LoraConfig, LossConfig, RowFile, RowFileWriter, Schedule, TrainConfig,
        Trainer,
    },
};
use safetensors::SafeTensors;

use crate::support::{batch, bytes, config_with_dropout, files, fixture, logits, merged, root};

/// Both drop a tenth of everything while they learn.
const MODELS: [(&str, &[&str]); 2] = [
    ("random3", &["billing", "delivery", "praise", "other"]),
    ("bert-tiny", &["a", "b", "c", "d", "e", "f"]),
];

fn classifier(model: &str, kernels: Kernels) -> Classifier {
    let (_, labels) = MODELS.into_iter().find(|(name, _)| *name == model).unwrap();
    let (folder, head) = match model {
        "random3" => (fixture(model), None),
        _ => (root().join("models/bert-tiny"), Some(fixture("bert-tiny/head.safetensors"))),
    };
    let mut weights = vec![bytes(&folder.join("model.safetensors"))];
    weights.extend(head.map(|head| bytes(&head)));
    let config = config_with_dropout(&folder.join("config.json"), labels, 0.1);
    let (classifier, _) =
        Classifier::open(&files(config, merged(&weights)), &Device::flex()).unwrap();
    match kernels {
        Kernels::Own => classifier,
        Kernels::Burn => classifier.without_kernels(),
    }
}

/// Eleven rows in batches of two, two batches to a step: three steps an epoch, nine in all.
fn config(seed: u64, trainable_layers: Option<usize>) -> TrainConfig {
    TrainConfig {
        epochs: 3,
        batch_size: 2,
        gradient_accumulation_steps: 2,
        learning_rate: 1e-3,
        seed,
        trainable_layers,
        ..TrainConfig::default()
    }
}

fn rows(model: &str) -> (Vec<Encoding>, Vec<usize>) {
    let (encodings, _) = batch(&format!("{model}/batch.json"));
    let encodings: Vec<_> = encodings.into_iter().cycle().take(11).collect();
    let labels = (0..encodings.len()).map(|row| row % 4).collect();
    (encodings, labels)
}

fn trainer(model: &str, kernels: Kernels, config: TrainConfig) -> Trainer {
    let (encodings, labels) = rows(model);
    Trainer::new(classifier(model, kernels), encodings, labels, config).unwrap()
}

fn step(trainer: &mut Trainer, steps: usize) {
    for _ in 0..steps {
        trainer.step().unwrap();
    }
}

fn state(trainer: &Trainer) -> Vec<u8> {
    pollster::block_on(trainer.state()).unwrap()
}

fn weights(trainer: &Trainer) -> Vec<u8> {
    let files = pollster::block_on(trainer.classifier().to_files(StorageDtype::F32)).unwrap();
    files.into_iter().find(|(name, _)| name.ends_with("model.safetensors")).unwrap().1
}

fn loss(trainer: &mut Trainer) -> f32 {
    pollster::block_on(trainer.read_loss()).unwrap().unwrap()
}

/// After 4 steps, which is in the middle of the second epoch, and again after 7.
fn goes_on_to_the_same_bits(model: &str, kernels: Kernels, config: &TrainConfig) {
    let new = || trainer(model, kernels, config.clone());
    let mut whole = new();
    step(&mut whole, 9);
    assert!(whole.is_done());

    let mut first = new();
    step(&mut first, 4);
    let kept = state(&first);
    assert!(kept == state(&first), "equal states, other bytes");
    let mut second = new().restore("state", Source::Bytes(kept.clone())).unwrap();
    assert!(kept == state(&second), "put away again it is another");
    assert_eq!((second.step_count(), second.epoch()), (4, 1));
    step(&mut second, 3);
    let kept = state(&second);
    // Also into a trainer that has a plan and moments of its own.
    let mut third = new();
    step(&mut third, 2);
    let mut third = third.restore("state", Source::Bytes(kept)).unwrap();
    step(&mut third, 2);

    let what = format!("{model}, {kernels:?}, {config:?}");
    assert!(third.is_done(), "{what}");
    assert!(weights(&third) == weights(&whole), "other weights: {what}");
    assert!(state(&third) == state(&whole), "another state: {what}");
    // The mean over all nine, none of them looked at before.
    assert_eq!(loss(&mut third).to_bits(), loss(&mut whole).to_bits(), "{what}");
}

/// Rows of a file are those of memory, and a training on them goes on as well.
#[test]
fn training_on_a_file_goes_on_to_the_same_bits() {
    let (model, kernels, config) = ("random3", Kernels::Own, config(42, None));
    let mut whole = trainer(model, kernels, config.clone());
    step(&mut whole, 9);
    let (encodings, labels) = rows(model);
    let rows = LabelledRows { encodings, targets: labels.into() };
    let mut writer = RowFileWriter::new(Vec::new(), rows.targets.task()).unwrap();
    writer.push(&rows).unwrap();
    let file = writer.finish(b"").unwrap();
    let new = || {
        let rows = RowFile::open("rows", Source::Bytes(file.clone())).unwrap();
        Trainer::on_file(classifier(model, kernels), rows, config.clone()).unwrap()
    };
    let mut first = new();
    step(&mut first, 4);
    let mut second = new().restore("state", Source::Bytes(state(&first))).unwrap();
    step(&mut second, 5);
    assert!(second.is_done());
    assert!(state(&second) == state(&whole), "another state");
}

const SEEDS: [u64; 3] = [1, 42, u64::MAX];

#[test]
fn training_goes_on_to_the_same_bits() {
    for (model, _) in MODELS {
        for seed in SEEDS {
            goes_on_to_the_same_bits(model, Kernels::Own, &config(seed, None));
        }
    }
}

#[test]
fn frozen_layers_stay_frozen() {
    for layers in [0, 1] {
        goes_on_to_the_same_bits("bert-tiny", Kernels::Own, &config(7, Some(layers)));
    }
    let mut trainer = trainer("bert-tiny", Kernels::Own, config(7, Some(0)));
    step(&mut trainer, 2);
    let kept = state(&trainer);
    let kept = SafeTensors::deserialize(&kept).unwrap();
    let mut moments: Vec<_> =
        kept.names().into_iter().filter_map(|name| name.strip_prefix("exp_avg.")).collect();
    moments.sort_unstable();
    let trained = ["bert.pooler.dense.bias", "bert.pooler.dense.weight", "classifier.bias"];
    assert_eq!(moments, [&trained[..], &["classifier.weight"]].concat());
}

fn with_adapters() -> TrainConfig {
    let lora = LoraConfig { lora_dropout: 0.1, ..LoraConfig::default() };
    TrainConfig { lora: Some(lora), layerwise_lr_decay: 0.9, ..config(7, None) }
}

/// What else a recipe may have: adapters, rates of layers, two passes, other schedules.
#[test]
fn whatever_the_recipe_training_goes_on_to_the_same_bits() {
    let agreeing = LossConfig { r_drop_alpha: 1.0, ..LossConfig::default() };
    let polynomial = TrainConfig {
        schedule: Schedule::Polynomial,
        power: 2.0,
        warmup_steps: Some(2),
        max_steps: Some(9),
        epochs: 1,
        loss: agreeing,
        ..config(3, None)
    };
    for config in [with_adapters(), polynomial] {
        for (model, _) in MODELS {
            goes_on_to_the_same_bits(model, Kernels::Own, &config);
        }
    }
}

/// Burn draws its dropout from numbers that all threads of a process share, so that a test beside
/// this one would change them: it has a process to itself.
#[test]
fn without_our_kernels_too() {
    let alone = ["--exact", "--ignored", "state::alone_in_a_process"];
    let ran = Command::new(env::current_exe().unwrap()).args(alone).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "started by `without_our_kernels_too`"]
fn alone_in_a_process() {
    for (model, _) in MODELS {
        for seed in SEEDS {
            goes_on_to_the_same_bits(model, Kernels::Burn, &config(seed, None));
        }
    }
    goes_on_to_the_same_bits("bert-tiny", Kernels::Burn, &config(7, Some(1)));
    goes_on_to_the_same_bits("random3", Kernels::Burn, &with_adapters());
}

/// The state's tensors are those of `torch.optim.AdamW`, in PyTorch's layout.
#[test]
fn moments_are_laid_out_as_the_weights() {
    let mut trainer = trainer("random3", Kernels::Own, config(1, None));
    step(&mut trainer, 1);
    let kept = state(&trainer);
    let kept = SafeTensors::deserialize(&kept).unwrap();
    let shape = |name: &str| kept.tensor(name).unwrap().shape().to_vec();
    let names: Vec<_> = kept.names().into_iter().filter(|name| !name.starts_with("exp_")).collect();
    for name in names.into_iter().filter(|name| *name != "unread_loss") {
        for mean in ["exp_avg", "exp_avg_sq"] {
            assert_eq!(shape(&format!("{mean}.{name}")), shape(name), "{mean}.{name}");
        }
    }
    assert_eq!(shape("bert.encoder.layer.0.intermediate.dense.weight"), [64, 32]);
}

/// A state is a file of weights, too.
#[test]
fn a_state_opens_as_a_model() {
    let mut trainer = trainer("random3", Kernels::Own, config(1, None));
    step(&mut trainer, 3);
    let mut files = pollster::block_on(trainer.classifier().to_files(StorageDtype::F32)).unwrap();
    let (encodings, _) = rows("random3");
    let open = |files| {
        let files = ModelFiles::from_named("state", files).unwrap();
        let (opened, _) = Classifier::open(&files, &Device::flex()).unwrap();
        logits(&opened, &encodings)
    };
    let expected = open(files.clone());
    for (name, content) in &mut files {
        if name == "model.safetensors" {
            *content = state(&trainer);
        }
    }
    assert_eq!(open(files), expected);
}

fn refused(trainer: Trainer, state: Vec<u8>, says: &str) {
    let Err(error) = trainer.restore("kept", Source::Bytes(state)) else {
        panic!("not refused: {says}");
    };
    let said = error.to_string();
    assert!(said.starts_with("kept: ") && said.contains(says), "{said}");
}

#[test]
fn what_does_not_belong_is_refused_by_name() {
    let new = |config| trainer("random3", Kernels::Own, config);
    let mut training = new(config(1, None));
    step(&mut training, 4);
    let kept = state(&training);

    for (changed, says) in [
        (TrainConfig { seed: 2, ..config(1, None) }, "seed was 1 and is 2"),
        (
            TrainConfig { learning_rate: 3e-4, ..config(1, None) },
            "learning_rate was 0.001 and is 0.0003",
        ),
        (config(1, Some(0)), "trainable_layers was null and is 0"),
        (TrainConfig { layerwise_lr_decay: 0.5, ..config(1, None) }, "layerwise_lr_decay was 1.0"),
        (TrainConfig { lora: Some(LoraConfig::default()), ..config(1, None) }, "lora was null"),
    ] {
        refused(new(changed), kept.clone(), says);
    }
    let (mut encodings, mut labels) = rows("random3");
    encodings.pop();
    labels.pop();
    let fewer =
        Trainer::new(classifier("random3", Kernels::Own), encodings, labels, config(1, None));
    refused(fewer.unwrap(), kept.clone(), "rows was 11 and is 10");
    refused(trainer("bert-tiny", Kernels::Own, config(1, None)), kept.clone(), "has shape");
    refused(new(config(1, None)), weights(&training), "it holds no state of a training");
    refused(new(config(1, None)), kept[..kept.len() - 1].to_vec(), "not a readable safetensors");

    let mut poisoned = kept.clone();
    let last = poisoned.len() - 4;
    poisoned[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    let found = new(config(1, None)).restore("kept", Source::Bytes(poisoned));
    assert!(matches!(found, Err(Error::TensorNotFinite { .. })));
    assert!(new(config(1, None)).restore("kept", Source::Bytes(kept)).is_ok());
}
