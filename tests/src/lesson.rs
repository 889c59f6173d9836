//! The lesson's numbers are PyTorch's, and what it links to is there. Fixture by `fixtures/make_lesson.py`.

use emberlab_core::{
    Device,
    data::Dataset,
    model::Classifier,
    train::{Lesson, Schedule, TrainConfig, lesson},
};
use serde_json::Value;

use crate::support::{distance, fixture, folder, json, largest, root, weights};

fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap() as f32],
    }
}

fn close(found: &[f32], expected: &Value, tolerance: f32, what: &str) {
    let expected = numbers(expected);
    let size = largest(&expected).max(1.0);
    let error = distance(found, &expected) / size;
    assert!(error <= tolerance, "{what}: {error}; {found:?}, PyTorch {expected:?}");
}

fn csv(reference: &Value) -> String {
    let rows = reference["rows"].as_array().unwrap().iter();
    let rows: Vec<String> = rows.map(|row| format!("{},{}", row[0], row[1])).collect();
    format!("text,label\n{}\n", rows.join("\n"))
}

fn taken(classifier: &Classifier, reference: &Value, run: &Value) -> Lesson {
    let rows = csv(reference);
    let dataset =
        Dataset::parse("rows.csv", rows.as_bytes(), Some(classifier.label_map())).unwrap();
    let config = TrainConfig {
        epochs: run["steps"].as_array().unwrap().len(),
        learning_rate: reference["learning_rate"].as_f64().unwrap(),
        warmup_ratio: reference["warmup_ratio"].as_f64().unwrap(),
        schedule: serde_json::from_value::<Schedule>(run["schedule"].clone()).unwrap(),
        ..TrainConfig::default()
    };
    let zero_grad = run["zero_grad"].as_bool().unwrap();
    pollster::block_on(lesson(classifier, &dataset, &config, zero_grad)).unwrap()
}

#[test]
fn every_number_of_the_lesson_is_that_of_pytorch() {
    let reference = json(&fixture("lesson.json"));
    let files = folder(&root().join("models/emotions"));
    let (kernels, _) = Classifier::open(&files, &Device::flex()).unwrap();
    let untouched = weights(&kernels);
    for classifier in [kernels.clone(), kernels.clone().without_kernels()] {
        for run in reference["runs"].as_array().unwrap() {
            let found = taken(&classifier, &reference, run);
            first_step_agrees(&found, &reference);
            let losses: Vec<f32> = found.steps.iter().map(|step| step.loss).collect();
            let norms: Vec<f32> = found.steps.iter().map(|step| step.gradient_norm).collect();
            let rates: Vec<f32> = found.steps.iter().map(|s| s.learning_rate as f32).collect();
            let expected = |key: &str| {
                run["steps"].as_array().unwrap().iter().map(|step| step[key].clone()).collect()
            };
            close(&losses, &Value::Array(expected("loss")), 1e-3, "losses");
            close(&norms, &Value::Array(expected("gradient_norm")), 1e-3, "norms");
            close(&rates, &Value::Array(expected("learning_rate")), 1e-9, "rates");
            let after = found.rows.iter().flat_map(|row| row.after.probabilities.clone());
            close(&after.collect::<Vec<_>>(), &run["after"], 1e-3, "after");
            let predicted: Vec<usize> = found.rows.iter().map(|row| row.predicted_after).collect();
            assert_eq!(serde_json::to_value(predicted).unwrap(), run["predicted"]);
        }
    }
    assert!(weights(&kernels) == untouched, "the model that a lesson is given stays as it is");
}

fn first_step_agrees(found: &Lesson, reference: &Value) {
    let rows = &found.rows;
    let of = |key: &str, value: Vec<Vec<u32>>| {
        assert_eq!(serde_json::to_value(value).unwrap(), reference[key], "{key}");
    };
    of("input_ids", rows.iter().map(|row| row.input_ids.clone()).collect());
    of("attention_mask", rows.iter().map(|row| row.attention_mask.clone()).collect());
    let logits: Vec<f32> = rows.iter().flat_map(|row| row.before.logits.clone()).collect();
    close(&logits, &reference["logits"], 1e-4, "logits");
    let shares = rows.iter().flat_map(|row| row.before.probabilities.clone());
    close(&shares.collect::<Vec<_>>(), &reference["probabilities"], 1e-4, "probabilities");
    let losses: Vec<f32> = rows.iter().map(|row| row.loss).collect();
    close(&losses, &reference["losses"], 1e-4, "losses of the rows");
    close(&[found.loss], &reference["loss"], 1e-4, "loss");
    close(&[found.gradient_norm], &reference["gradient_norm"], 1e-3, "norm");
    let parts = reference["gradients"].as_array().unwrap();
    for (found, expected) in found.gradients.iter().zip(parts) {
        assert_eq!(found.name, expected[0].as_str().unwrap());
        close(&[found.norm], &expected[1], 1e-3, &found.name);
    }
    assert_eq!(found.gradients.len(), parts.len());
    let values = |of: fn(&emberlab_core::train::WeightChange) -> &Vec<f32>| -> Vec<f32> {
        found.weights.iter().flat_map(|change| of(change).clone()).collect()
    };
    close(&values(|it| &it.before), &reference["before"], 1e-6, "before");
    close(&values(|it| &it.gradient), &reference["gradient"], 1e-4, "gradient");
    close(&values(|it| &it.after), &reference["after"], 1e-5, "after one step");
}

#[test]
fn rows_that_make_no_lesson_are_refused() {
    let files = folder(&root().join("models/emotions"));
    let (classifier, _) = Classifier::open(&files, &Device::flex()).unwrap();
    let parse = |rows: &str| {
        Dataset::parse("rows.csv", rows.as_bytes(), Some(classifier.label_map()))
            .map_err(|error| error.to_string())
    };
    let error = parse("text,emotion\nfine,joy\n").unwrap_err();
    assert!(error.contains("no label column") && error.contains("text, emotion"), "{error}");
    let many = format!("text,label\n{}", "fine,joy\n".repeat(65));
    let (many, config) = (parse(&many).unwrap(), TrainConfig::default());
    let taking = lesson(&classifier, &many, &config, true);
    let error = pollster::block_on(taking).unwrap_err().to_string();
    assert!(error.contains("at most 64"), "{error}");
}

/// The page shows the line that stands in `code/`, by what is written there.
#[test]
fn the_lines_that_it_links_to_are_there_once() {
    let code = std::fs::read_to_string(root().join("web/teach/code.js")).unwrap();
    let lines = code.lines().filter_map(|line| line.split_once(": [\"core/"));
    let mut count = 0;
    for (_, rest) in lines {
        let (file, rest) = rest.split_once("\", \"").unwrap();
        let (written, _) = rest.split_once("\", `").unwrap();
        let source = std::fs::read_to_string(root().join("core").join(file)).unwrap();
        assert_eq!(source.matches(written).count(), 1, "{file}: {written}");
        count += 1;
    }
    assert_eq!(count, 12, "a line for each step");
}
