//! The forms in which BERT's weights are found in the wild.

use emberlab_core::{
    Device,
    data::LabelMap,
    model::{Classifier, ModelFiles, StorageDtype},
};

use crate::support::{batch, bytes, config, distance, files, fixture, json, logits};

const LABELS: [&str; 4] = ["billing", "delivery", "praise", "other"];

fn variant(name: &str) -> ModelFiles {
    let config = config(&fixture("random3/config.json"), &LABELS);
    files(config, bytes(&fixture(&format!("variants/{name}.safetensors"))))
}

fn label_map() -> LabelMap {
    LabelMap::new("", LABELS.map(str::to_string).to_vec()).unwrap()
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}

#[test]
fn half_precision_gives_the_logits_of_the_rounded_weights() {
    let (encodings, _) = batch("random3/batch.json");
    for name in ["f16", "bf16"] {
        let (classifier, _) = Classifier::open(&variant(name), &Device::flex()).unwrap();
        let expected: Vec<Vec<f32>> =
            serde_json::from_value(json(&fixture("variants/logits.json"))[name]["logits"].clone())
                .unwrap();
        let difference = distance(&logits(&classifier, &encodings), &expected.concat());
        assert!(difference < 1e-4, "{name}: {difference}");
    }
}

#[test]
fn no_prefix_and_position_ids_load_and_the_head_is_new() {
    let files = variant("prefix");
    let (_, report) = Classifier::for_training(&files, label_map(), 1, &Device::flex()).unwrap();
    assert_eq!(sorted(report.initialized), ["classifier.bias", "classifier.weight"]);
    assert_eq!(report.ignored, Vec::<String>::new());
}

#[test]
fn gamma_beta_without_a_pooler_load_and_the_decoder_is_passed_over() {
    let files = variant("gamma");
    let (_, report) = Classifier::for_training(&files, label_map(), 1, &Device::flex()).unwrap();
    let fresh = [
        "bert.pooler.dense.bias",
        "bert.pooler.dense.weight",
        "classifier.bias",
        "classifier.weight",
    ];
    assert_eq!(sorted(report.initialized), fresh);
    assert!(report.ignored.iter().all(|key| key.starts_with("cls.predictions.")));
    assert!(report.ignored.contains(&"cls.predictions.decoder.weight".to_string()));
}

#[test]
fn a_folder_without_a_head_does_not_predict() {
    let error = Classifier::open(&variant("gamma"), &Device::flex()).err().unwrap().to_string();
    assert!(error.contains("no classification head"), "{error}");
}

/// A new head is a function of the seed; what is saved is what was loaded, bit for bit.
#[test]
fn saving_returns_every_bit() {
    let weights = bytes(&fixture("random3/model.safetensors"));
    let config = config(&fixture("random3/config.json"), &LABELS);
    let original = files(config, weights.clone());
    let (classifier, _) = Classifier::open(&original, &Device::flex()).unwrap();
    let saved = pollster::block_on(classifier.to_files(StorageDtype::F32)).unwrap();
    let saved = saved.into_iter().find(|(name, _)| name == "model.safetensors").unwrap().1;
    let (before, after) = (
        safetensors::SafeTensors::deserialize(&weights).unwrap(),
        safetensors::SafeTensors::deserialize(&saved).unwrap(),
    );
    assert_eq!(before.len(), after.len());
    for (key, view) in before.iter() {
        let saved = after.tensor(key).unwrap();
        assert_eq!((view.shape(), view.data()), (saved.shape(), saved.data()), "{key}");
    }
}

#[test]
fn a_new_head_is_fixed_by_the_seed() {
    let head = |seed| {
        let files = variant("gamma");
        let (classifier, _) =
            Classifier::for_training(&files, label_map(), seed, &Device::flex()).unwrap();
        let (encodings, _) = batch("random3/batch.json");
        logits(&classifier, &encodings)
    };
    assert_eq!(head(1), head(1));
    assert_ne!(head(1), head(2));
}
