//! Explanations: the scores are captum's, they add up, and the words that they name matter.

use emberlab_core::{
    Device,
    explain::Attribution,
    model::Classifier,
    text::{Encoding, Tokenized},
};
use serde_json::Value;

use crate::{
    command::{Ran, Scratch},
    support::{distance, fixture, folder, json, largest, root},
};

fn emotions() -> Classifier {
    Classifier::open(&folder(&root().join("models/emotions")), &Device::flex()).unwrap().0
}

fn tokenized(classifier: &Classifier, text: &str) -> (Tokenized, Encoding) {
    let table = classifier.tokenizer().explain(text, None, 128).unwrap();
    let (ids, type_ids) = (table.input_ids.clone(), table.token_type_ids.clone());
    (table, Encoding { ids, type_ids, ..Encoding::default() })
}

fn attribute(classifier: &Classifier, text: &str, label: usize) -> (Tokenized, Attribution) {
    let (table, encoding) = tokenized(classifier, text);
    let special: Vec<bool> = table.special_tokens_mask.iter().map(|&mask| mask > 0).collect();
    let attributing = classifier.attribute(&encoding, &special, label);
    (table, pollster::block_on(attributing).unwrap())
}

#[test]
fn scores_are_those_of_captum() {
    let kernels = emotions();
    for classifier in [kernels.clone(), kernels.without_kernels()] {
        for case in json(&fixture("explain.json")).as_array().unwrap() {
            let (text, label) = (case["text"].as_str().unwrap(), case["label"].as_u64().unwrap());
            let expected = case["scores"].as_array().unwrap().iter();
            let expected: Vec<f32> = expected.map(|s| s.as_f64().unwrap() as f32).collect();
            let (_, found) = attribute(&classifier, text, label as usize);
            assert!(found.completeness_error() <= 0.01, "{text}: {found:?}");
            let error = distance(&found.scores, &expected) / largest(&expected);
            assert!(error < 0.02, "{text}: {error}; {:?}, captum {expected:?}", found.scores);
        }
    }
}

/// The text without the words at these places.
fn without(words: &[String], places: &[usize]) -> String {
    let kept = words.iter().enumerate().filter(|(place, _)| !places.contains(place));
    kept.map(|(_, word)| word.as_str()).collect::<Vec<_>>().join(" ")
}

/// Deletion (Samek et al. 2017): without its three most important words the class loses more than
/// without three others, on 100 texts of the test split.
#[test]
fn the_words_it_names_matter_more_than_others() {
    const DELETED: usize = 3;
    let classifier = emotions();
    let probability = |text: &str, label: usize| {
        let (_, encoding) = tokenized(&classifier, text);
        let predicting = classifier.predict(std::slice::from_ref(&encoding), 1, |_| {});
        f64::from(pollster::block_on(predicting).unwrap()[0].probabilities[label])
    };
    let rows = std::fs::read_to_string(root().join("data/emotions/test.jsonl")).unwrap();
    let texts = rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let texts = texts.map(|row| row["text"].as_str().unwrap().to_owned());
    let mut drops = Vec::new();
    for text in texts.filter(|text| text.split_whitespace().count() > 2 * DELETED).take(100) {
        let (table, encoding) = tokenized(&classifier, &text);
        let predicting = classifier.predict(std::slice::from_ref(&encoding), 1, |_| {});
        let label = pollster::block_on(predicting).unwrap()[0].label();
        let (_, found) = attribute(&classifier, &text, label);
        let words = table.words([&text, ""]);
        let score = |place: &usize| found.scores[words[*place].tokens.clone()].iter().sum::<f32>();
        let mut order: Vec<usize> = (0..words.len()).collect();
        order.sort_by(|a, b| score(b).total_cmp(&score(a)));
        let others: Vec<usize> = (0..DELETED).map(|i| (i * 7 + 3) % words.len()).collect();
        let written: Vec<String> = words.into_iter().map(|word| word.text).collect();
        let before = probability(&text, label);
        let drop = |places: &[usize]| before - probability(&without(&written, places), label);
        drops.push([drop(&order[..DELETED]), drop(&others)]);
    }
    assert_eq!(drops.len(), 100);
    let mean = |which: usize| drops.iter().map(|drop| drop[which]).sum::<f64>() / 100.0;
    let more = drops.iter().filter(|drop| drop[0] >= drop[1]).count();
    assert!(mean(0) > 2.0 * mean(1), "named words {:.3}, others {:.3}", mean(0), mean(1));
    assert!(more >= 80, "only in {more} of 100 texts");
}

#[test]
fn the_command_shows_words_json_and_a_page() {
    let scratch = Scratch::new();
    let model = root().join("models/emotions").canonicalize().unwrap();
    let explain = |more: &[&str]| -> Ran {
        let always = ["explain", "--device", "cpu", "--model", model.to_str().unwrap()];
        scratch.command(always.iter().chain(more)).output().unwrap().into()
    };
    let text = "I could not stop smiling <b>";
    let shown = explain(&[text]).ok();
    assert!(shown.starts_with("joy "), "{shown}");
    assert!(shown.lines().any(|line| line.starts_with("smiling") && line.contains('█')), "{shown}");

    let printed = explain(&[text, "--json", "--label", "anger"]).ok();
    let found: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(found["label"], "anger");
    let sum: f64 =
        found["words"].as_array().unwrap().iter().map(|word| word["score"].as_f64().unwrap()).sum();
    let whole = found["logit"].as_f64().unwrap() - found["baseline_logit"].as_f64().unwrap();
    assert!((sum - whole).abs() <= 0.05 * whole.abs(), "{found}");

    assert_eq!(explain(&[text, "--html", "why.html"]).ok(), "");
    let page = scratch.read("why.html");
    assert!(page.contains("smiling") && page.contains("&lt;"), "{page}");
    assert!(!page.contains("<b>"), "{page}");

    let error = explain(&[text, "--label", "hunger"]).error();
    assert!(error.contains("hunger") && error.contains("joy"), "{error}");
}
