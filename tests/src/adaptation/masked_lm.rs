//! The masked language model has the numbers of transformers' `BertForMaskedLM`, from fixtures that
//! `fixtures/make_adaptation.py` wrote.

use emberlab_core::{
    Device,
    data::Targets,
    kernels::Kernels,
    model::{MaskedLm, ModelFiles, SentenceEncoder},
    text::{Encoding, Word},
    train::LabelledRows,
};
use safetensors::SafeTensors;
use serde_json::Value;

use crate::{
    parity::BOTH,
    support::{Reference, bytes, config, distance, files, fixture, folder, json, largest, root},
};

/// Columns and rows that the fixture keeps of what has one for each piece.
const STRIDE: usize = 97;
const VOCABULARY: [&str; 2] = ["bert.embeddings.word_embeddings.weight", "cls.predictions.bias"];

fn told(name: &str) -> Value {
    json(&fixture("masked_lm/masked_lm.json"))[name].clone()
}

/// The masked rows of a fixture, padding dropped; rows without a mask are left out of training.
fn rows(name: &str) -> LabelledRows {
    let told = told(name);
    let numbers = |key: &str, row: usize| -> Vec<i64> {
        serde_json::from_value(told[key][row].clone()).unwrap()
    };
    let mut found = LabelledRows { encodings: Vec::new(), targets: Targets::Tags(Vec::new()) };
    for row in 0..told["labels"].as_array().unwrap().len() {
        let length = numbers("attention_mask", row).iter().sum::<i64>() as usize;
        let unsigned = |key| -> Vec<u32> {
            numbers(key, row)[..length].iter().map(|&number| number as u32).collect()
        };
        let labels = numbers("labels", row);
        let masks: Vec<usize> = (0..length).filter(|&at| labels[at] >= 0).collect();
        let word = |(index, &token): (usize, &usize)| Word { index, token, start: 0, end: 0 };
        let words: Vec<Word> = masks.iter().enumerate().map(word).collect();
        if words.is_empty() {
            continue;
        }
        let tags = masks.iter().map(|&at| labels[at] as usize).collect();
        let (ids, type_ids) = (unsigned("input_ids"), unsigned("token_type_ids"));
        found.encodings.push(Encoding { ids, type_ids, truncated: false, words });
        found.targets.extend(&Targets::Tags(vec![tags]));
    }
    found
}

struct Case {
    name: &'static str,
    files: ModelFiles,
    reference: Reference,
    /// Of what has a row for each piece.
    stride: usize,
}

/// random3's encoder with the fixture's head.
fn random3() -> Case {
    let reference = bytes(&fixture("masked_lm/random3.safetensors"));
    let encoder = bytes(&fixture("random3/model.safetensors"));
    let (head, encoder) = (
        SafeTensors::deserialize(&reference).unwrap(),
        SafeTensors::deserialize(&encoder).unwrap(),
    );
    let is_of_encoder =
        |(name, _): &(String, _)| name.starts_with("bert.") && !name.contains("pooler");
    let head = head.tensors().into_iter();
    let head = head.filter_map(|(name, view)| Some((name.strip_prefix("head.")?.to_owned(), view)));
    let all: Vec<_> = encoder.tensors().into_iter().filter(is_of_encoder).chain(head).collect();
    Case {
        name: "random3",
        files: files(
            config(&fixture("random3/config.json"), &[]),
            safetensors::serialize(all, None).unwrap(),
        ),
        reference: Reference::open("masked_lm/random3.safetensors"),
        stride: 1,
    }
}

fn bert_tiny() -> Case {
    let tiny = root().join("models/bert-tiny");
    let named = [
        ("config.json", config(&tiny.join("config.json"), &[])),
        ("model.safetensors", bytes(&tiny.join("model.safetensors"))),
        ("tokenizer.json", bytes(&tiny.join("tokenizer.json"))),
    ];
    let named = named.map(|(name, bytes)| (name.to_owned(), bytes)).to_vec();
    Case {
        name: "bert-tiny",
        files: ModelFiles::from_named("bert-tiny", named).unwrap(),
        reference: Reference::open("masked_lm/bert-tiny.safetensors"),
        stride: STRIDE,
    }
}

fn open(case: &Case, kernels: Kernels) -> MaskedLm {
    let model = MaskedLm::open(&case.files, &Device::flex()).unwrap();
    match kernels {
        Kernels::Own => model,
        Kernels::Burn => model.without_kernels(),
    }
}

#[test]
fn logits_equal_transformers() {
    for case in [random3(), bert_tiny()] {
        for kernels in BOTH {
            let model = open(&case, kernels);
            let logits = pollster::block_on(model.logits(&rows(case.name).encodings, 8)).unwrap();
            let of_mask = logits.chunks(model.config().vocab_size);
            let kept = of_mask.flat_map(|of_mask| of_mask.iter().step_by(case.stride).copied());
            let difference = distance(&kept.collect::<Vec<_>>(), &case.reference.f32("logits"));
            assert!(difference < 1e-4, "{} {kernels:?}: {difference}", case.name);
        }
    }
}

#[test]
fn gradients_equal_transformers() {
    for case in [random3(), bert_tiny()] {
        for kernels in BOTH {
            let model = open(&case, kernels);
            let (loss, gradients) = pollster::block_on(model.gradients(&rows(case.name))).unwrap();
            let difference = (loss - case.reference.f32("loss")[0]).abs();
            assert!(difference < 1e-4, "{} {kernels:?}: loss {difference}", case.name);
            let names = case.reference.names();
            let expected = names.iter().filter(|name| name.starts_with("grad.")).count();
            assert_eq!(gradients.len(), expected, "{}", case.name);
            for gradient in &gradients {
                let expected = case.reference.f32(&format!("grad.{}", gradient.key));
                let width: usize = gradient.shape[1..].iter().product();
                let rows = gradient.values.chunks(width);
                let stride =
                    if VOCABULARY.contains(&gradient.key.as_str()) { case.stride } else { 1 };
                let mut got: Vec<f32> = rows.step_by(stride).flatten().copied().collect();
                if gradient.key.ends_with("position_embeddings.weight") {
                    assert!(got[expected.len()..].iter().all(|&value| value == 0.0));
                    got.truncate(expected.len());
                }
                // The key bias has no gradient (softmax ignores a shift): its noise is measured by
                // the gradient of the query's.
                let of_scale = gradient.key.replace("self.key.bias", "self.query.bias");
                let scale = largest(&case.reference.f32(&format!("grad.{of_scale}"))).max(1e-4);
                let difference = distance(&got, &expected) / scale;
                assert!(difference < 1e-3, "{kernels:?} {}: {difference}", gradient.key);
            }
        }
    }
}

/// What fills a mask, in the order of transformers and with its probabilities.
#[test]
fn masks_are_filled_as_transformers_fills_them() {
    let model = open(&bert_tiny(), Kernels::Own);
    for case in told("fill_mask").as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let filled = pollster::block_on(model.fill_mask(text, 5)).unwrap();
        let expected = case["masks"].as_array().unwrap();
        assert_eq!(filled.len(), expected.len());
        for (guesses, expected) in filled.iter().zip(expected) {
            let ids: Vec<u32> = guesses.iter().map(|guess| guess.token_id).collect();
            assert_eq!(ids, serde_json::from_value::<Vec<u32>>(expected["ids"].clone()).unwrap());
            let probabilities: Vec<f32> = guesses.iter().map(|guess| guess.probability).collect();
            let expected: Vec<f32> =
                serde_json::from_value(expected["probabilities"].clone()).unwrap();
            assert!(distance(&probabilities, &expected) < 1e-5);
        }
    }
    let error = pollster::block_on(model.fill_mask("No mask here.", 5)).unwrap_err().to_string();
    assert!(error.contains("no [MASK] to fill"), "{error}");
}

/// The mean states of whole texts, in one batch of several lengths.
#[test]
fn sentence_means_equal_transformers() {
    let told = json(&fixture("sentences.json"));
    let texts: Vec<String> = serde_json::from_value(told["texts"].clone()).unwrap();
    let means: Vec<Vec<f32>> = serde_json::from_value(told["means"].clone()).unwrap();
    for kernels in BOTH {
        let encoder = SentenceEncoder::open(&bert_tiny().files, &Device::flex()).unwrap().0;
        let encoder = match kernels {
            Kernels::Own => encoder,
            Kernels::Burn => encoder.without_kernels(),
        };
        let encodings = encoder.tokenizer().encode_all(&texts, 64).unwrap();
        let got = pollster::block_on(encoder.encode(&encodings, 8)).unwrap();
        for (got, expected) in got.iter().zip(&means) {
            assert!(distance(got, expected) < 1e-4, "{kernels:?}");
        }
    }
}

/// A folder without such a head is trained with a new one, and refused where one has to be there.
#[test]
fn other_folders_are_refused_by_name() {
    let minilm = folder_without_head();
    let error = MaskedLm::open(&minilm, &Device::flex()).err().unwrap().to_string();
    assert!(error.contains("no head of a masked language model (cls."), "{error}");
    assert!(MaskedLm::for_training(&minilm, 1, &Device::flex()).is_ok());
    let roberta = folder(&fixture("families/roberta"));
    let error = MaskedLm::for_training(&roberta, 1, &Device::flex()).err().unwrap().to_string();
    assert!(error.contains("model_type \"roberta\" is not supported"), "{error}");
}

fn folder_without_head() -> ModelFiles {
    let encoder = bytes(&fixture("random3/model.safetensors"));
    files(config(&fixture("random3/config.json"), &["a", "b"]), encoder)
}
