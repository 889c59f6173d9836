//! Losses and their gradients are PyTorch's, from `tests/fixtures/losses.json`.

use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;

use super::{LossConfig, Share};
use crate::data::{Targets, Task};

fn targets(case: &Value) -> Targets {
    let rows = &case["targets"];
    match case["task"].as_str().unwrap() {
        "single_label_classification" => {
            Targets::Labels(serde_json::from_value(rows.clone()).unwrap())
        }
        "regression" => Targets::Scores(serde_json::from_value(rows.clone()).unwrap()),
        _ => {
            let rows: Vec<Vec<usize>> = serde_json::from_value(rows.clone()).unwrap();
            let set = |row: &Vec<usize>| (0..row.len()).filter(|&id| row[id] == 1).collect();
            Targets::LabelSets(rows.iter().map(set).collect())
        }
    }
}

/// The mean loss, and its gradient of the logits.
fn loss(case: &Value, config: &LossConfig) -> (f32, Vec<f32>) {
    let logits: Vec<Vec<f32>> = serde_json::from_value(case["logits"].clone()).unwrap();
    let shape = [logits.len(), logits[0].len()];
    let logits = TensorData::new(logits.concat(), shape);
    let logits = Tensor::<2>::from_data(logits, &Device::flex().autodiff()).require_grad();
    let targets = targets(case);
    let loss = config.sum(logits.clone(), &targets) / config.weight(&targets);
    let gradients = loss.backward();
    let gradient = logits.grad(&gradients).unwrap();
    let values = |data: TensorData| data.iter::<f32>().collect::<Vec<_>>();
    (values(loss.inner().into_data())[0], values(gradient.into_data()))
}

fn cases() -> Vec<Value> {
    let fixture = include_str!("../../../../tests/fixtures/losses.json");
    serde_json::from_str(fixture).unwrap()
}

#[test]
fn losses_and_gradients_are_those_of_pytorch() {
    for case in cases() {
        let config: LossConfig = serde_json::from_value(case["config"].clone()).unwrap();
        let (loss, gradient) = loss(&case, &config);
        let expected = case["loss"].as_f64().unwrap() as f32;
        assert!((loss - expected).abs() < 1e-5 * expected.max(1.0), "{}: {loss}", case["name"]);
        let rows: Vec<Vec<f32>> = serde_json::from_value(case["gradient"].clone()).unwrap();
        for (got, expected) in gradient.iter().zip(rows.concat()) {
            let close = (got - expected).abs() < 1e-5 * expected.abs().max(1.0);
            assert!(close, "{}: {got}, PyTorch {expected}", case["name"]);
        }
    }
}

#[test]
fn focal_with_gamma_0_is_cross_entropy() {
    let cases = cases();
    let plain = cases.iter().filter(|case| case["config"] == serde_json::json!({}));
    for case in plain.filter(|case| case["task"] != "regression") {
        let (expected, _) = loss(case, &LossConfig::default());
        let nearly = LossConfig { focal_gamma: 1e-6, ..LossConfig::default() };
        assert!((loss(case, &nearly).0 - expected).abs() < 1e-4, "{}", case["name"]);
    }
}

#[test]
fn balanced_weights_are_those_of_scikit_learn() {
    let balanced = |targets: &Targets, classes| {
        LossConfig::balanced(targets.task(), &targets.counts(classes), targets.len())
    };
    let labels = Targets::Labels(vec![0, 0, 0, 2]);
    assert_eq!(balanced(&labels, 3).unwrap(), [4.0 / 6.0, 1.0, 2.0]);
    let sets = Targets::LabelSets(vec![vec![0], vec![0, 1], vec![0], vec![]]);
    assert_eq!(balanced(&sets, 2).unwrap(), [1.0 / 3.0, 3.0]);
    assert!(balanced(&Targets::Scores(vec![1.0]), 1).is_err());
}

#[test]
fn what_a_task_does_not_have_is_refused() {
    let focal = LossConfig { focal_gamma: 2.0, ..LossConfig::default() };
    let smoothed = LossConfig { label_smoothing_factor: 0.1, ..LossConfig::default() };
    let agreeing = LossConfig { r_drop_alpha: 1.0, ..LossConfig::default() };
    let weighted = LossConfig { class_weights: Some(vec![1.0, 2.0]), ..LossConfig::default() };
    for (config, task, classes) in [
        (&focal, Task::Regression, 1),
        (&smoothed, Task::MultiLabelClassification, 2),
        (&weighted, Task::Regression, 1),
        (&weighted, Task::SingleLabelClassification, 3),
        (&LossConfig { focal_gamma: 1.0, ..smoothed.clone() }, Task::TokenClassification, 2),
        (&agreeing, Task::Regression, 1),
        (&agreeing, Task::MultiLabelClassification, 2),
    ] {
        assert!(config.check(task, classes).is_err(), "{config:?} for {task}");
    }
    assert!(weighted.check(Task::MultiLabelClassification, 2).is_ok());
}

/// The loss of two passes, and its gradients of the logits of both, are those of the authors' code.
#[test]
fn r_drop_is_that_of_its_authors() {
    let fixture = include_str!("../../../../tests/fixtures/r_drop.json");
    let cases: Vec<Value> = serde_json::from_str(fixture).unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let config: LossConfig = serde_json::from_value(case["config"].clone()).unwrap();
        let targets = Targets::Labels(serde_json::from_value(case["targets"].clone()).unwrap());
        let passes: [Vec<Vec<f32>>; 2] = serde_json::from_value(case["logits"].clone()).unwrap();
        let [one, other] = passes.map(|rows| {
            let data = TensorData::new(rows.concat(), [rows.len(), rows[0].len()]);
            Tensor::<2>::from_data(data, &Device::flex().autodiff()).require_grad()
        });
        let share = Share { weight: config.weight(&targets), items: targets.len() as f64 };
        let loss = config.of_batch(one.clone(), Some(other.clone()), &targets, share);
        let gradients = loss.backward();
        let values = |data: TensorData| data.iter::<f32>().collect::<Vec<_>>();
        let found = values(loss.inner().into_data())[0];
        let expected = case["loss"].as_f64().unwrap() as f32;
        assert!((found - expected).abs() < 1e-5 * expected.max(1.0), "{}: {found}", case["name"]);
        let expected: [Vec<Vec<f32>>; 2] =
            serde_json::from_value(case["gradients"].clone()).unwrap();
        for (logits, expected) in [one, other].into_iter().zip(expected) {
            let found = values(logits.grad(&gradients).unwrap().into_data());
            for (found, expected) in found.into_iter().zip(expected.concat()) {
                assert!((found - expected).abs() < 1e-5, "{}: {found} {expected}", case["name"]);
            }
        }
    }
}
