//! What a recipe changes about a step, held to what it is defined as.

use std::collections::BTreeMap;

use emberlab_core::{
    Device,
    model::Classifier,
    train::{LossConfig, TrainConfig, Trainer},
};
use safetensors::SafeTensors;

use crate::support::{batch, bytes, config_with_dropout, distance, files, fixture};

fn trained(dropout: f64, steps: usize, config: TrainConfig) -> BTreeMap<String, Vec<f32>> {
    let labels = ["billing", "delivery", "praise", "other"];
    let config_json = config_with_dropout(&fixture("random3/config.json"), &labels, dropout);
    let files = files(config_json, bytes(&fixture("random3/model.safetensors")));
    let (classifier, _) = Classifier::open(&files, &Device::flex()).unwrap();
    let (encodings, labels) = batch("random3/batch.json");
    let mut trainer = Trainer::new(classifier, encodings, labels, config).unwrap();
    for _ in 0..steps {
        trainer.step().unwrap();
    }
    let state = pollster::block_on(trainer.state()).unwrap();
    let state = SafeTensors::deserialize(&state).unwrap();
    let floats = |data: &[u8]| {
        data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    };
    state.iter().map(|(name, view)| (name.to_owned(), floats(view.data()))).collect()
}

fn recipe() -> TrainConfig {
    TrainConfig { warmup_ratio: 0.0, learning_rate: 1e-2, ..TrainConfig::default() }
}

/// A first step moves each weight in proportion to its learning rate.
#[test]
fn layers_move_by_their_share_of_the_learning_rate() {
    let start = trained(0.0, 0, recipe());
    let plain = trained(0.0, 1, recipe());
    let decayed = trained(0.0, 1, TrainConfig { layerwise_lr_decay: 0.5, ..recipe() });
    // Of three layers: ELECTRA's 0.5^(3 + 2 - depth).
    for (key, factor) in [
        ("bert.embeddings.position_embeddings.weight", 1.0 / 32.0),
        ("bert.embeddings.word_embeddings.weight", 1.0 / 32.0),
        ("bert.encoder.layer.0.output.dense.weight", 1.0 / 16.0),
        ("bert.encoder.layer.1.attention.self.value.weight", 1.0 / 8.0),
        ("bert.encoder.layer.2.output.LayerNorm.bias", 1.0 / 4.0),
        ("bert.pooler.dense.weight", 1.0),
        ("classifier.bias", 1.0),
    ] {
        let moved = |to: &BTreeMap<String, Vec<f32>>| -> Vec<f32> {
            to[key].iter().zip(&start[key]).map(|(to, from)| to - from).collect()
        };
        let expected: Vec<f32> = moved(&plain).iter().map(|by| by * factor).collect();
        assert!(expected.iter().any(|by| by.abs() > 1e-5), "{key} does not move");
        let difference = distance(&moved(&decayed), &expected);
        assert!(difference < 1e-6, "{key}: {difference}");
    }
}

/// Two passes that are the same agree: the loss is that of one.
#[test]
fn r_drop_without_dropout_changes_nothing() {
    let agreeing = LossConfig { r_drop_alpha: 3.0, ..LossConfig::default() };
    let with = TrainConfig { loss: agreeing, ..recipe() };
    let (one, two) = (trained(0.0, 3, recipe()), trained(0.0, 3, with.clone()));
    assert!(distance(&one["unread_loss"], &two["unread_loss"]) < 1e-5);
    for key in ["classifier.weight", "bert.encoder.layer.1.output.dense.weight"] {
        assert!(distance(&one[key], &two[key]) < 1e-4, "{key}");
    }
    // With dropout it is another loss, and of two passes.
    let (one, two) = (trained(0.1, 1, recipe()), trained(0.1, 1, with));
    assert!((one["unread_loss"][0] - two["unread_loss"][0]).abs() > 1e-4);
}

/// As under `torch.autocast`: what is multiplied is rounded, weights are not, and the loss stays near.
#[test]
fn bf16_trains_weights_of_f32_to_nearly_the_same_loss() {
    const STEPS: usize = 30;
    let gentle = TrainConfig { learning_rate: 1e-3, epochs: STEPS, ..recipe() };
    let (exact, rounded) = (gentle.clone(), TrainConfig { bf16: true, ..gentle });
    let [one, two] = [&exact, &rounded].map(|config| trained(0.0, STEPS, config.clone()));
    let [exact_loss, loss] = [&one, &two].map(|state| state["unread_loss"][0]);
    assert!((loss / exact_loss - 1.0).abs() < 0.01, "{loss} is not near {exact_loss}");
    assert_ne!(loss, exact_loss, "nothing was rounded");
    let weights = &two["bert.encoder.layer.1.output.dense.weight"];
    assert!(weights.iter().any(|weight| weight.to_bits() & 0xffff != 0), "weights are rounded");
}
