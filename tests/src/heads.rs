//! Each head has the numbers of transformers and PyTorch, learns sixteen rows by heart, and is measured
//! as scikit-learn, scipy and seqeval measure.

use emberlab_core::{
    Device,
    data::{LabelMap, Targets, Task},
    kernels::Kernels,
    metrics::{EntityMetrics, Metrics, MultiLabelMetrics, RegressionMetrics},
    model::{Classifier, Head, ModelFiles},
    text::{Encoding, Word},
    train::{TrainConfig, Trainer, gradients},
};
use safetensors::SafeTensors;
use serde_json::Value;

use crate::support::{
    Reference, batch, bytes, config, distance, files, fixture, json, largest, logits, root,
};

pub struct Case {
    pub task: Task,
    pub files: ModelFiles,
    pub reference: Reference,
    pub encodings: Vec<Encoding>,
    pub targets: Targets,
}

const NAMES: [&str; 4] = ["billing", "delivery", "praise", "other"];

/// The encoder of random3 with another head.
fn case(task: Task) -> Case {
    let head = format!("heads/{task}.safetensors");
    let labels = if task == Task::Regression { &NAMES[..1] } else { &NAMES[..] };
    let mut config: Value =
        serde_json::from_slice(&config(&fixture("random3/config.json"), labels)).unwrap();
    match task {
        Task::TokenClassification => {
            config["architectures"] = vec!["BertForTokenClassification"].into();
            config["problem_type"] = Value::Null;
        }
        task => config["problem_type"] = task.name().into(),
    }
    let (mut encodings, _) = batch("random3/batch.json");
    let stated = &json(&fixture("heads/heads.json"))[task.name()];
    let targets = targets(task, stated, &mut encodings);
    let weights = with_head(&bytes(&fixture("random3/model.safetensors")), &bytes(&fixture(&head)));
    Case {
        task,
        files: files(serde_json::to_vec(&config).unwrap(), weights),
        reference: Reference::open(&head),
        encodings,
        targets,
    }
}

/// Tags stand at tokens there, as transformers takes them: each that is not -100 begins a word.
pub fn targets(task: Task, stated: &Value, encodings: &mut [Encoding]) -> Targets {
    let rows: Vec<Vec<f64>> = match task {
        Task::Regression => {
            let scores: Vec<f32> = serde_json::from_value(stated.clone()).unwrap();
            return Targets::Scores(scores);
        }
        _ => serde_json::from_value(stated.clone()).unwrap(),
    };
    let set = |row: &[f64]| (0..row.len()).filter(|&id| row[id] > 0.5).collect();
    if task == Task::MultiLabelClassification {
        return Targets::LabelSets(rows.iter().map(|row| set(row)).collect());
    }
    let mut tags = Vec::new();
    for (row, encoding) in rows.iter().zip(encodings) {
        let labelled: Vec<usize> = (0..row.len()).filter(|&at| row[at] >= 0.0).collect();
        let word = |(index, &token): (usize, &usize)| Word { index, token, start: 0, end: 0 };
        encoding.words = labelled.iter().enumerate().map(word).collect();
        tags.push(labelled.iter().map(|&at| row[at] as usize).collect());
    }
    Targets::Tags(tags)
}

pub fn with_head(encoder: &[u8], head: &[u8]) -> Vec<u8> {
    let (encoder, head) =
        (SafeTensors::deserialize(encoder).unwrap(), SafeTensors::deserialize(head).unwrap());
    let is_encoder = |(name, _): &(String, _)| !name.starts_with("classifier.");
    let named = head.tensors().into_iter();
    let head = named.filter_map(|(n, view)| Some((n.strip_prefix("head.")?.to_owned(), view)));
    let all: Vec<_> = encoder.tensors().into_iter().filter(is_encoder).chain(head).collect();
    safetensors::serialize(all, None).unwrap()
}

const TASKS: [Task; 3] =
    [Task::MultiLabelClassification, Task::Regression, Task::TokenClassification];
const BOTH: [Kernels; 2] = [Kernels::Own, Kernels::Burn];

fn open(case: &Case, kernels: Kernels) -> Classifier {
    let classifier = Classifier::open(&case.files, &Device::flex()).unwrap().0;
    assert_eq!(classifier.task(), case.task);
    match kernels {
        Kernels::Own => classifier,
        Kernels::Burn => classifier.without_kernels(),
    }
}

#[test]
fn logits_of_each_head() {
    TASKS.map(case).iter().for_each(logits_agree);
}

pub fn logits_agree(case: &Case) {
    // transformers gives words of rows that have none no logits; neither do we.
    for kernels in BOTH {
        let got = logits(&open(case, kernels), &case.encodings);
        let difference = distance(&got, &case.reference.f32("logits"));
        assert!(difference < 1e-4, "{kernels:?} {}: {difference}", case.task);
    }
}

#[test]
fn gradients_of_each_head() {
    TASKS.map(case).into_iter().for_each(gradients_agree);
}

pub fn gradients_agree(case: Case) {
    let case = trainable(case);
    for kernels in BOTH {
        let classifier = open(&case, kernels);
        let found = gradients(&classifier, &case.encodings, &case.targets);
        let (loss, found) = pollster::block_on(found).unwrap();
        let difference = (loss - case.reference.f32("loss")[0]).abs();
        assert!(difference < 1e-4, "{kernels:?} {}: loss {difference}", case.task);
        let names = case.reference.names();
        let expected = names.iter().filter(|name| name.starts_with("grad.")).count();
        assert_eq!(found.len(), expected, "{}", case.task);
        for gradient in &found {
            let expected = case.reference.f32(&format!("grad.{}", gradient.key));
            // The key bias has no gradient (softmax ignores a shift): its noise is measured by the
            // gradient of the query's.
            let of_scale = gradient.key.replace("self.key.bias", "self.query.bias");
            let of_scale = of_scale.replace("k_lin.bias", "q_lin.bias");
            let scale = largest(&case.reference.f32(&format!("grad.{of_scale}"))).max(1e-4);
            let difference = distance(&gradient.values, &expected) / scale;
            assert!(difference < 1e-3, "{kernels:?} {}: {difference}", gradient.key);
        }
    }
}

/// Without the rows that have no tag, which training refuses and a mean over words does not see.
fn trainable(mut case: Case) -> Case {
    if let Targets::Tags(tags) = &case.targets {
        let rows: Vec<usize> = (0..tags.len()).filter(|&row| !tags[row].is_empty()).collect();
        case.targets = case.targets.select(&rows);
        case.encodings = rows.iter().map(|&row| case.encodings[row].clone()).collect();
    }
    case
}

/// Sixteen rows of random words, of which nothing can be learned but by heart.
#[test]
fn each_head_learns_sixteen_rows() {
    let folder = root().join("models/bert-tiny");
    let names = ["config.json", "model.safetensors", "tokenizer.json"];
    let named = names.map(|name| (name.to_owned(), bytes(&folder.join(name))));
    let files = ModelFiles::from_named("bert-tiny", named.to_vec()).unwrap();
    let words = ["river", "stone", "cloud", "engine", "violin", "pepper", "window", "letter"];
    let row = |row: usize| -> Vec<String> {
        (0..6)
            .map(|at| {
                words[(row * 7 + at * (row + 3) + row / 8 * at * at) % words.len()].to_owned()
            })
            .collect()
    };
    let rows: Vec<Vec<String>> = (0..16).map(row).collect();
    let tag = |row: usize, at: usize| (row * row + at * at + row * at) % 4;
    for task in TASKS {
        let targets = match task {
            Task::MultiLabelClassification => Targets::LabelSets(
                (0..16).map(|row| (0..4).filter(|id| (row >> id) & 1 == 1).collect()).collect(),
            ),
            Task::Regression => {
                Targets::Scores((0..16).map(|row| (row * 7 % 16) as f32 / 4.0).collect())
            }
            _ => {
                Targets::Tags((0..16).map(|row| (0..6).map(|at| tag(row, at)).collect()).collect())
            }
        };
        let label_map = match task {
            Task::Regression => LabelMap::of_a_score(),
            Task::TokenClassification => {
                LabelMap::new("t", ["B-X", "I-X", "B-Y", "O"].map(str::to_owned).into()).unwrap()
            }
            _ => LabelMap::new("t", NAMES.map(str::to_owned).into()).unwrap(),
        };
        let head = Head { task, label_map: label_map.clone() };
        let (classifier, _) = Classifier::for_training(&files, head, 3, &Device::flex()).unwrap();
        let tokenizer = classifier.tokenizer();
        let encodings = match task {
            Task::TokenClassification => tokenizer.encode_words(&rows, 32).unwrap(),
            _ => {
                let texts: Vec<String> = rows.iter().map(|row| row.join(" ")).collect();
                tokenizer.encode_all(&texts, 32).unwrap()
            }
        };
        let config = TrainConfig {
            epochs: 240,
            batch_size: 16,
            learning_rate: 2e-3,
            ..TrainConfig::default()
        };
        let mut trainer =
            Trainer::new(classifier, encodings.clone(), targets.clone(), config).unwrap();
        while !trainer.is_done() {
            trainer.step().unwrap();
        }
        let classifier = trainer.classifier();
        let predictions = classifier.predict(&encodings, 16, |_| ());
        let predictions = pollster::block_on(predictions).unwrap();
        match Metrics::new(&targets, &predictions, &label_map) {
            Metrics::MultiLabel(metrics) => assert_eq!(metrics.subset_accuracy, 1.0),
            Metrics::Regression(metrics) => assert!(metrics.pearson > 0.99, "{metrics:?}"),
            Metrics::Entities(metrics) => assert_eq!((metrics.f1, metrics.accuracy), (1.0, 1.0)),
            Metrics::SingleLabel(_) | Metrics::Answers(_) => unreachable!(),
        }
    }
}

fn close(got: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((got - expected).abs() < 1e-12, "{what}: {got}, reference {expected}");
}

#[test]
fn multi_label_metrics_equal_scikit_learn() {
    for case in json(&fixture("head_metrics.json"))["multi_label"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let sets = |key: &str| -> Vec<Vec<usize>> {
            let rows: Vec<Vec<usize>> = serde_json::from_value(case[key].clone()).unwrap();
            let set = |row: &Vec<usize>| (0..row.len()).filter(|&id| row[id] == 1).collect();
            rows.iter().map(set).collect()
        };
        let classes = case["f1"].as_array().unwrap().len();
        let labels = LabelMap::new(name, (0..classes).map(|c| c.to_string()).collect()).unwrap();
        let metrics = MultiLabelMetrics::new(&sets("gold"), &sets("predicted"), &labels);
        for (figure, value) in Metrics::MultiLabel(metrics.clone()).figures() {
            close(value, &case[figure], &format!("{name} {figure}"));
        }
        for (class, got) in metrics.per_class.iter().enumerate() {
            close(got.precision, &case["precision"][class], name);
            close(got.recall, &case["recall"][class], name);
            close(got.f1, &case["f1"][class], name);
            assert_eq!(got.support, case["support"][class]);
        }
    }
}

#[test]
fn regression_metrics_equal_scipy() {
    for case in json(&fixture("head_metrics.json"))["regression"].as_array().unwrap() {
        let scores = |key: &str| -> Vec<f32> { serde_json::from_value(case[key].clone()).unwrap() };
        let metrics = RegressionMetrics::new(&scores("gold"), &scores("predicted"));
        for (figure, value) in Metrics::Regression(metrics).figures() {
            close(value, &case[figure], &format!("{} {figure}", case["name"]));
        }
    }
}

#[test]
fn entity_metrics_equal_seqeval() {
    for case in json(&fixture("head_metrics.json"))["tags"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let rows =
            |key: &str| -> Vec<Vec<String>> { serde_json::from_value(case[key].clone()).unwrap() };
        let (gold, predicted) = (rows("gold"), rows("predicted"));
        let all = gold.iter().chain(&predicted).flatten().map(String::as_str);
        let tags = LabelMap::from_labels(name, all).unwrap();
        let ids = |rows: &[Vec<String>]| -> Vec<Vec<usize>> {
            let row = |row: &Vec<String>| row.iter().map(|tag| tags.id(tag).unwrap()).collect();
            rows.iter().map(row).collect()
        };
        let metrics = EntityMetrics::new(&ids(&gold), &ids(&predicted), &tags);
        for (figure, value) in Metrics::Entities(metrics.clone()).figures() {
            close(value, &case[figure], &format!("{name} {figure}"));
        }
        assert_eq!(metrics.per_type.len(), case["per_type"].as_object().unwrap().len());
        for got in &metrics.per_type {
            let expected = &case["per_type"][&got.label];
            close(got.precision, &expected["precision"], &got.label);
            close(got.recall, &expected["recall"], &got.label);
            close(got.f1, &expected["f1-score"], &got.label);
            close(got.support as f64, &expected["support"], &got.label);
        }
    }
}
