//! Figures of points and the ridge regression are scikit-learn's, from `grading.json`, which
//! `fixtures/make_adaptation.py` wrote.

use emberlab_core::{
    Device,
    grading::BagOfWordsRidge,
    metrics::{GradingMetrics, quadratic_weighted_kappa},
    model::SentenceEncoder,
    train::{PairRows, PairTrainer, TrainConfig},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::support::{fixture, folder, json, root};

fn fixtures() -> Value {
    json(&fixture("grading.json"))
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn metrics_equal_scikit_learn_and_scipy() {
    for case in fixtures()["metrics"].as_array().unwrap() {
        let (gold, predicted): (Vec<f32>, Vec<f32>) =
            (read(&case["gold"]), read(&case["predicted"]));
        let most = vec![read::<f32>(&case["most"]); gold.len()];
        let metrics = GradingMetrics::new(&gold, &predicted, &most, 0.5);
        for (name, figure) in metrics.figures() {
            let expected = case[name].as_f64().unwrap();
            // Points are f32 here.
            assert!((figure - expected).abs() < 1e-6, "{name}: {figure}, reference {expected}");
        }
    }
}

#[test]
fn quadratic_weighted_kappa_equals_scikit_learn() {
    for case in fixtures()["kappas"].as_array().unwrap() {
        let (gold, predicted): (Vec<f64>, Vec<f64>) =
            (read(&case["gold"]), read(&case["predicted"]));
        let kappa = quadratic_weighted_kappa(&gold, &predicted);
        let expected = case["kappa"].as_f64().unwrap();
        assert!((kappa - expected).abs() < 1e-12, "{kappa}, reference {expected}");
    }
    assert_eq!(quadratic_weighted_kappa(&[0.0, 1.0, 2.0], &[0.0, 1.0, 2.0]), 1.0);
    assert!(quadratic_weighted_kappa(&[1.0, 1.0], &[1.0, 1.0]).is_nan());
}

/// What a question gives at most has no bound, and neither has what is compared.
#[test]
fn points_without_bound_are_compared() {
    let most = [1e20, 10.0, 1e20];
    let metrics = GradingMetrics::new(&[1e20, 5.0, 0.0], &[1e20, 4.0, 0.0], &most, 0.5);
    assert!((metrics.quadratic_weighted_kappa - 1.0).abs() < 1e-9, "{metrics:?}");
}

#[test]
fn ridge_on_words_equals_scikit_learn() {
    let told = fixtures();
    let (texts, new): (Vec<String>, Vec<String>) = (read(&told["texts"]), read(&told["new"]));
    let scores: Vec<f32> = read(&told["scores"]);
    for case in told["ridges"].as_array().unwrap() {
        let ridge = BagOfWordsRidge::fit(&texts, &scores, case["alpha"].as_f64().unwrap());
        let expected: Vec<f32> = read(&case["predicted"]);
        for (got, expected) in ridge.predict(&new).iter().zip(&expected) {
            assert!((got - expected).abs() < 1e-5, "{got}, reference {expected}");
        }
    }
}

/// Pairs that mean the same are brought together, others apart, and accumulated batches count alike.
#[test]
fn a_sentence_encoder_learns_pairs() {
    let files = folder(&root().join("models/bert-tiny"));
    let encoder = SentenceEncoder::open(&files, &Device::flex()).unwrap().0;
    let first =
        ["The heart pumps blood.", "A stack is last in, first out.", "Rain falls from clouds."];
    let second = ["Blood is moved by it.", "What comes last leaves first.", "Clouds bring water."];
    let pairs: Vec<(usize, usize)> = (0..9).map(|at| (at / 3, at % 3)).collect();
    let encode = |texts: Vec<&str>| {
        let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
        encoder.tokenizer().encode_all(&texts, 32).unwrap()
    };
    let rows = PairRows {
        first: encode(pairs.iter().map(|&(at, _)| first[at]).collect()),
        second: encode(pairs.iter().map(|&(_, at)| second[at]).collect()),
        scores: pairs.iter().map(|(a, b)| if a == b { 1.0 } else { 0.5 }).collect(),
    };
    let error = |encoder: &SentenceEncoder| -> f32 {
        let found = encoder.similarities(&rows.first, &rows.second, 4);
        let found = pollster::block_on(found).unwrap();
        let errors = found.iter().zip(&rows.scores).map(|(found, score)| (found - score).powi(2));
        errors.sum::<f32>() / rows.scores.len() as f32
    };
    let before = error(&encoder);
    let config = TrainConfig {
        epochs: 60,
        batch_size: 4,
        gradient_accumulation_steps: 2,
        learning_rate: 1e-3,
        ..TrainConfig::default()
    };
    let mut trainer = PairTrainer::new(encoder.clone(), rows.clone(), config).unwrap();
    assert_eq!(trainer.total_steps(), 120);
    while !trainer.is_done() {
        trainer.step();
    }
    let after = error(&trainer.encoder());
    assert!(after < 0.01 && after < before / 4.0, "{before} before, {after} after");
    let wrong = PairRows { scores: vec![2.0; 9], ..rows };
    assert!(PairTrainer::new(encoder.clone(), wrong, TrainConfig::default()).is_err());
}
