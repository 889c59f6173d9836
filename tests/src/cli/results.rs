//! What comes out of a training beside the model: predictions, intervals, calibration, several seeds, and
//! the comparison of two.

use serde_json::{Value, json};

use super::{
    resume::{signal, start, wait_for},
    train::{TRAIN, with_rows},
};
use crate::{
    command::{Scratch, jsonl},
    support::{bytes, root},
};

/// A folder with rows to train on and the embedded set's rows to measure on.
pub fn with_test_rows() -> Scratch {
    let scratch = with_rows();
    let rows = String::from_utf8(bytes(&root().join("data/emotions/test.jsonl"))).unwrap();
    let rows: Vec<&str> = rows.lines().take(80).collect();
    scratch.write("eval.jsonl", rows[..40].join("\n") + "\n");
    scratch.write("test.jsonl", rows[40..].join("\n") + "\n");
    scratch
}

const HELD_OUT: &str = "--eval eval.jsonl --test test.jsonl --epochs 2";

pub fn train(scratch: &Scratch, more: &str) -> String {
    scratch.run(&format!("{TRAIN} {HELD_OUT} {more}")).ok()
}

#[test]
fn a_run_keeps_its_predictions_and_says_how_sure_its_figures_are() {
    let scratch = with_test_rows();
    let table = train(&scratch, "--out run");
    assert!(table.contains("bootstrap resamples") && table.contains("42 alone"), "{table}");
    let run = scratch.json("run/run.json");
    assert_eq!(run["seeds"], json!([42]));
    let test = &run["metrics"]["test"];
    let accuracy = test["accuracy"].as_f64().unwrap();
    let interval: Vec<f64> =
        serde_json::from_value(test["confidence_intervals"]["accuracy"].clone()).unwrap();
    assert!(interval[0] <= accuracy && accuracy <= interval[1], "{interval:?} {accuracy}");
    assert!(interval[0] < interval[1]);

    let rows = jsonl(&scratch.read("run/predictions-test.jsonl"));
    let gold = jsonl(&scratch.read("test.jsonl"));
    assert_eq!(rows.len(), gold.len());
    let right = rows.iter().zip(&gold).filter(|(row, gold)| {
        assert_eq!((&row["text"], &row["gold"]), (&gold["text"], &gold["label"]));
        row["label"] == row["gold"]
    });
    assert_eq!(right.count() as f64 / rows.len() as f64, accuracy);
    // They are those that `predict` gives of the folder.
    let predicted = jsonl(&scratch.run("predict --model run --input test.jsonl --device cpu").ok());
    for (kept, predicted) in rows.iter().zip(&predicted) {
        assert_eq!(kept["probabilities"], predicted["probabilities"]);
    }
    // And `evaluate` has the very figures and intervals.
    let again = scratch.run("evaluate --model run --data test.jsonl --json --device cpu").ok();
    assert_eq!(&serde_json::from_str::<Value>(&again).unwrap(), test);
}

#[test]
fn a_temperature_is_fitted_kept_and_used() {
    let scratch = with_test_rows();
    let printed = train(&scratch, "--out run --calibrate");
    assert!(printed.contains("temperature"), "{printed}");
    train(&scratch, "--out plain");
    let run = scratch.json("run/run.json");
    let temperature = run["calibration"]["temperature"].as_f64().unwrap();
    assert!(run["calibration"]["nll_after"].as_f64() < run["calibration"]["nll_before"].as_f64());
    let stored = scratch.json("run/config.json")["calibration_temperature"].as_f64().unwrap();
    assert!((stored - temperature).abs() < 1e-6);
    assert_eq!(scratch.json("plain/config.json").get("calibration_temperature"), None);
    // The weights are those of the same run without it, and so are the answers.
    assert_eq!(
        bytes(&scratch.path("run/model.safetensors")),
        bytes(&scratch.path("plain/model.safetensors"))
    );
    let predict = |model: &str| {
        jsonl(
            &scratch.run(&format!("predict --model {model} --input test.jsonl --device cpu")).ok(),
        )
    };
    let softened = |row: &Value| -> Vec<f64> {
        let p = row["probabilities"].as_object().unwrap().values();
        let p: Vec<f64> = p.map(|p| p.as_f64().unwrap().powf(1.0 / temperature)).collect();
        let sum: f64 = p.iter().sum();
        p.into_iter().map(|p| p / sum).collect()
    };
    for (calibrated, plain) in predict("run").iter().zip(predict("plain")) {
        assert_eq!(calibrated["label"], plain["label"]);
        let got = calibrated["probabilities"].as_object().unwrap().values();
        for (got, expected) in got.zip(softened(&plain)) {
            let got = got.as_f64().unwrap();
            assert!((got - expected).abs() < 1e-4, "{calibrated} {plain}");
        }
    }
    // A copy keeps it; another training does not.
    scratch.run("convert --model run --out copy --dtype f32").ok();
    assert_eq!(scratch.json("copy/config.json")["calibration_temperature"], stored);
    let again = TRAIN.replace("bert-tiny", "run");
    scratch.run(&format!("{again} --epochs 1 --out again")).ok();
    assert_eq!(scratch.json("again/config.json").get("calibration_temperature"), None);
}

#[test]
fn what_cannot_be_calibrated_is_refused() {
    let scratch = with_test_rows();
    let error = scratch.run(&format!("{TRAIN} --out run --calibrate")).error();
    assert!(error.contains("--eval"), "{error}");
    assert!(!scratch.path("run").exists());
    scratch.run(&format!("{TRAIN} --epochs 1 --out run")).ok();
    let mut config = scratch.json("run/config.json");
    config["calibration_temperature"] = json!(-1);
    scratch.write("run/config.json", config.to_string());
    let error = scratch.run("predict --model run --text hello --device cpu").error();
    assert!(error.contains("calibration_temperature is -1"), "{error}");
}

#[test]
fn two_runs_are_compared_on_the_same_rows_only() {
    let scratch = with_test_rows();
    train(&scratch, "--out a");
    train(&scratch, "--out b --seed 7");
    let found = scratch.run("compare a b --json").ok();
    let found: Value = serde_json::from_str(&found).unwrap();
    let accuracy =
        |run: &str| scratch.json(&format!("{run}/run.json"))["metrics"]["test"]["accuracy"].clone();
    let first = &found["figures"][0];
    assert_eq!((&first["a"], &first["b"]), (&accuracy("a"), &accuracy("b")));
    let mcnemar = &found["mcnemar"];
    let count = |key: &str| mcnemar[key].as_u64().unwrap();
    let keys = ["both_right", "only_a_right", "only_b_right", "both_wrong"];
    assert_eq!(keys.map(count).iter().sum::<u64>(), 40);
    let text = scratch.run("compare a b").ok();
    assert!(text.contains("McNemar: p") && text.contains("paired bootstrap"), "{text}");

    // A file of `predict` is as good, and a CSV file too.
    scratch.run("predict --model b --input test.jsonl --output b.jsonl --device cpu").ok();
    scratch.run("predict --model b --input test.jsonl --output b.csv --device cpu").ok();
    for other in ["b.jsonl", "b.csv"] {
        let same: Value =
            serde_json::from_str(&scratch.run(&format!("compare a {other} --json")).ok()).unwrap();
        assert_eq!(same["mcnemar"], *mcnemar, "{other}");
        assert_eq!(same["figures"], found["figures"], "{other}");
    }

    let rows = scratch.read("b.jsonl");
    let lines: Vec<&str> = rows.lines().collect();
    scratch.write("short.jsonl", lines[1..].join("\n"));
    assert!(scratch.run("compare a short.jsonl").error().contains("must answer the same rows"));
    let mut turned = lines.clone();
    turned.reverse();
    scratch.write("turned.jsonl", turned.join("\n"));
    assert!(scratch.run("compare a turned.jsonl").error().contains("has another text"));
    scratch.write("bare.jsonl", "{\"text\": \"a\"}\n");
    assert!(scratch.run("compare a bare.jsonl").error().contains("`gold` and `label`"));
    assert!(scratch.run("compare a nothing").error().contains("there is no file nothing"));
}

#[test]
fn several_seeds_have_a_run_each_and_a_summary() {
    let scratch = with_test_rows();
    let line = format!("{TRAIN} {HELD_OUT} --seeds 2 --seed 5 --out study");
    let printed = scratch.run(&line).ok();
    assert!(printed.contains("test: seeds 5, 6") && printed.contains('±'), "{printed}");
    let summary = scratch.json("study/seeds.json");
    assert_eq!(summary["seeds"], json!([5, 6]));
    let runs = ["study/seed-5/run.json", "study/seed-6/run.json"].map(|run| scratch.json(run));
    let values: Vec<f64> =
        runs.iter().map(|run| run["metrics"]["test"]["accuracy"].as_f64().unwrap()).collect();
    let found = &summary["metrics"]["test"]["accuracy"];
    assert_eq!(found["values"], json!(values));
    assert_eq!(found["mean"].as_f64().unwrap(), (values[0] + values[1]) / 2.0);
    let deviation = (values[0] - values[1]).abs() / 2.0_f64.sqrt();
    assert!((found["standard_deviation"].as_f64().unwrap() - deviation).abs() < 1e-12);
    for run in &runs {
        assert_eq!(run["seeds"], json!([5, 6]));
    }
    // Each is the run that its seed gives by itself.
    train(&scratch, "--seed 6 --out alone");
    assert_eq!(
        bytes(&scratch.path("alone/model.safetensors")),
        bytes(&scratch.path("study/seed-6/model.safetensors"))
    );
    // What is complete is not done again.
    std::fs::remove_file(scratch.path("study/seeds.json")).unwrap();
    let again = scratch.run(&line);
    assert!(again.stderr.contains("is complete"), "{}", again.stderr);
    assert_eq!(scratch.json("study/seeds.json"), summary);
}

/// Killed in its second run, the command goes on where that was; with another recipe it does not.
#[test]
fn several_seeds_go_on_by_the_same_command() {
    let scratch = with_test_rows();
    let line = |epochs: usize| {
        format!(
            "{TRAIN} --test test.jsonl --epochs {epochs} --seeds 2 --seed 5 --save-steps 1 --out study"
        )
    };
    let mut training = start(&scratch, &line(4));
    wait_for(&scratch, "study/seed-6/checkpoints/checkpoint-7", &mut training);
    assert_eq!(signal(training, "-KILL").code, None, "it had already ended");
    let error = scratch.run(&line(5)).error();
    assert!(error.contains("--epochs was 4, now 5"), "{error}");
    let ran = scratch.run(&line(4));
    assert!(ran.stderr.contains("going on after step"), "{}", ran.stderr);
    assert!(ran.ok().contains("test: seeds 5, 6"));
    scratch.run(&format!("{TRAIN} --test test.jsonl --epochs 4 --seed 6 --out alone")).ok();
    for file in ["model.safetensors", "metrics.jsonl"] {
        let of = |run: &str| bytes(&scratch.path(run).join(file));
        assert!(of("study/seed-6") == of("alone"), "{file}");
    }
}
