//! `emberlab train`: the run folder, and what becomes of it when training is stopped or refused.

use std::{
    path::PathBuf,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    command::{Ran, Scratch, jsonl},
    support::{bytes, root},
};

/// Trains on 48 rows, which make 6 steps an epoch.
pub const TRAIN: &str = "train --model bert-tiny --train train.jsonl --batch-size 8 --device cpu";
const HELD_OUT: &str = "text,label\nWhat a lovely day,joy\nGo away,anger\n";
/// What `sha256sum` says of [`HELD_OUT`].
const HELD_OUT_SHA256: &str = "3a2ba0a2050a1ee812d49616223a86cd2f1ae424b6d9e610dd9ee96d49730142";

/// A folder with rows for [`TRAIN`].
pub fn with_rows() -> Scratch {
    let scratch = Scratch::new();
    let rows = String::from_utf8(bytes(&root().join("data/emotions/train.jsonl"))).unwrap();
    let rows: Vec<&str> = rows.lines().take(48).collect();
    scratch.write("train.jsonl", rows.join("\n") + "\n");
    scratch.write("held-out.csv", HELD_OUT);
    scratch
}

pub fn weights(scratch: &Scratch, run: &str) -> Vec<u8> {
    bytes(&scratch.path(run).join("model.safetensors"))
}

fn nothing_half_written(scratch: &Scratch) {
    let files = scratch.files();
    assert!(files.iter().all(|path| !path.to_string_lossy().contains(".partial")), "{files:?}");
}

#[test]
fn a_run_folder_is_complete() {
    let scratch = with_rows();
    let rest = "--epochs 2 --eval held-out.csv --test held-out.csv --logging-steps 1 --out run";
    let ran = scratch.run(&format!("{TRAIN} {rest}"));
    assert!(ran.stderr.contains("epoch 2: eval accuracy"), "{}", ran.stderr);
    let table = ran.ok();
    assert!(table.starts_with("test: 2 rows") && table.contains("weighted F1"), "{table}");

    for name in [
        "README.md",
        "config.json",
        "metrics.jsonl",
        "model.safetensors",
        "run.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "LICENSE",
    ] {
        assert!(scratch.path("run").join(name).is_file(), "{name} is missing");
    }
    nothing_half_written(&scratch);
    assert!(scratch.read("run/README.md").contains("On `test` (2 rows)"));
    let names = ["anger", "fear", "joy", "love", "sadness", "surprise"];
    let config = scratch.json("run/config.json");
    for (id, name) in names.iter().enumerate() {
        assert_eq!(config["id2label"][id.to_string()], *name);
        assert_eq!(config["label2id"][name], id);
    }
}

#[test]
fn run_json_says_what_was_run() {
    let scratch = with_rows();
    let rest = "--epochs 1 --eval held-out.csv --seed 7 --max-length 64 --out run";
    scratch.run(&format!("{TRAIN} {rest}")).ok();
    let run = scratch.json("run/run.json");
    assert_eq!(run["status"], "completed");
    assert_eq!(run["command"], format!("emberlab {TRAIN} {rest}"));
    assert_eq!(run["emberlab"], env!("CARGO_PKG_VERSION"));
    let lock = String::from_utf8(bytes(&root().join("Cargo.lock"))).unwrap();
    let burn = format!("name = \"burn\"\nversion = {}\n", run["burn"]);
    assert!(lock.contains(&burn), "{burn}");
    assert_eq!((&run["seed"], &run["max_length"]), (&json!(7), &json!(64)));
    assert_eq!((&run["steps"], &run["total_steps"]), (&json!(6), &json!(6)));
    assert_eq!(run["device"]["chosen"], "cpu");
    let held_out = &run["data"][1];
    assert_eq!((&held_out["split"], &held_out["rows"]), (&json!("eval"), &json!(2)));
    assert_eq!(held_out["sha256"], HELD_OUT_SHA256);
    assert_eq!(run["metrics"]["eval"]["rows"], 2);
}

#[test]
fn metrics_jsonl_has_each_logged_step_and_each_evaluation() {
    let scratch = with_rows();
    let rest = "--epochs 2 --eval held-out.csv --logging-steps 2 --out run";
    scratch.run(&format!("{TRAIN} {rest}")).ok();
    let lines = jsonl(&scratch.read("run/metrics.jsonl"));
    let (losses, evaluations): (Vec<_>, Vec<_>) =
        lines.iter().partition(|line| line.get("split").is_none());
    let steps: Vec<u64> = losses.iter().map(|line| line["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [2, 4, 6, 8, 10, 12]);
    for line in losses {
        // An untrained head of six classes begins near ln 6 = 1.79.
        assert!((0.5..4.0).contains(&line["loss"].as_f64().unwrap()), "{line}");
        assert!(line["learning_rate"].as_f64().unwrap() >= 0.0, "{line}");
    }
    let epochs: Vec<f64> = evaluations.iter().map(|line| line["epoch"].as_f64().unwrap()).collect();
    assert_eq!(epochs, [1.0, 2.0]);
    assert!(evaluations.iter().all(|line| line["accuracy"].is_number()));
}

/// The weights on disk are those that were measured.
#[test]
fn evaluating_a_run_again_gives_its_figures() {
    let scratch = with_rows();
    let rest = "--epochs 3 --learning-rate 5e-4 --test train.jsonl --out run";
    scratch.run(&format!("{TRAIN} {rest}")).ok();
    let again = scratch.run("evaluate --model run --data train.jsonl --json").ok();
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(scratch.json("run/run.json")["metrics"]["test"], again);
}

#[test]
fn the_seed_fixes_every_bit() {
    let scratch = with_rows();
    for (run, seed) in [("a", 3), ("b", 3), ("c", 4)] {
        scratch.run(&format!("{TRAIN} --epochs 1 --seed {seed} --out {run}")).ok();
    }
    assert!(weights(&scratch, "a") == weights(&scratch, "b"), "the same seed, other weights");
    assert!(weights(&scratch, "a") != weights(&scratch, "c"), "another seed, the same weights");
}

#[test]
fn f16_predicts_as_f32_in_half_the_bytes() {
    let scratch = with_rows();
    for dtype in ["f32", "f16"] {
        let rest = format!("--epochs 2 --learning-rate 5e-4 --dtype {dtype} --out {dtype}");
        scratch.run(&format!("{TRAIN} {rest}")).ok();
    }
    assert_eq!(scratch.json("f16/config.json")["dtype"], "float16");
    let halved = weights(&scratch, "f16").len() * 2;
    assert!(halved.abs_diff(weights(&scratch, "f32").len()) < 10_000);

    let predicted = |model: &str| {
        jsonl(&scratch.run(&format!("predict --model {model} --input train.jsonl")).ok())
    };
    for (f32, f16) in predicted("f32").iter().zip(predicted("f16")) {
        for (label, probability) in f32["probabilities"].as_object().unwrap() {
            let stored = f16["probabilities"][label].as_f64().unwrap();
            let difference = (probability.as_f64().unwrap() - stored).abs();
            assert!(difference < 1e-2, "{label}: {probability} and {stored}");
        }
    }
}

/// Integers are classes in the order of their value, also where none of them is 0.
#[test]
fn labels_may_be_integers() {
    let scratch = Scratch::new();
    scratch.write("stars.csv", "text,stars\ngood,10\nbad,2\nso so,9\nfine,10\n");
    let line =
        "train --model bert-tiny --train stars.csv --label-column stars --epochs 1 --out run";
    scratch.run(line).ok();
    assert_eq!(scratch.json("run/run.json")["labels"], json!(["2", "9", "10"]));
    assert_eq!(scratch.json("run/run.json")["data"][0]["label_counts"], json!([1, 1, 2]));
    let line = "evaluate --model run --data stars.csv --label-column stars --json";
    let metrics: Value = serde_json::from_str(&scratch.run(line).ok()).unwrap();
    assert_eq!(metrics["per_class"]["10"]["support"], 2);

    scratch.write("zero.csv", "text,stars\ngood,10\nbad,0\n");
    let said = scratch.run(&line.replace("stars.csv", "zero.csv")).error();
    assert!(said.contains("zero.csv, line 3: label \"0\""), "0 is no class here: {said}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let scratch = with_rows();
    let before = scratch.files();
    let plan = scratch.run(&format!("{TRAIN} --epochs 2 --out run --dry-run")).ok();
    for line in ["train   48 rows", "labels  anger ", "recipe  2 epochs", "steps   12"] {
        assert!(plan.contains(line), "no \"{line}\" in\n{plan}");
    }
    assert_eq!(scratch.files(), before);
}

#[test]
fn an_earlier_run_is_replaced_only_when_asked() {
    let scratch = with_rows();
    scratch.run(&format!("{TRAIN} --epochs 1 --out run")).ok();
    let before = weights(&scratch, "run");

    let again = format!("{TRAIN} --epochs 2 --out run");
    let said = scratch.run(&again).error();
    assert!(said.contains("run holds an earlier run") && said.contains("--overwrite"), "{said}");
    assert!(weights(&scratch, "run") == before);

    scratch.run(&format!("{again} --overwrite")).ok();
    assert!(weights(&scratch, "run") != before);
    nothing_half_written(&scratch);

    scratch.write("other/notes.txt", "not a run");
    let said = scratch.run(&format!("{TRAIN} --out other --overwrite")).error();
    assert!(said.contains("other is not empty and no run folder"), "{said}");
    assert_eq!(scratch.read("other/notes.txt"), "not a run");
}

/// Starts a run that lasts minutes and interrupts it as soon as `ready`.
fn interrupted(scratch: &Scratch, ready: impl Fn(&Scratch) -> bool) -> Ran {
    let line = format!("{TRAIN} --epochs 300 --logging-steps 1 --out run");
    let mut training = scratch.command(line.split_whitespace()).spawn().unwrap();
    let limit = Instant::now() + Duration::from_secs(60);
    while !ready(scratch) && training.try_wait().unwrap().is_none() {
        assert!(Instant::now() < limit, "not ready within a minute");
        sleep(Duration::from_millis(10));
    }
    let kill = Command::new("kill").args(["-INT", &training.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let ran: Ran = training.wait_with_output().unwrap().into();
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    nothing_half_written(scratch);
    ran
}

#[test]
fn ctrl_c_saves_what_there_is() {
    let scratch = with_rows();
    let history = "run/metrics.jsonl";
    let grown =
        |scratch: &Scratch| scratch.path(history).exists() && !scratch.read(history).is_empty();
    let ran = interrupted(&scratch, grown);
    assert!(ran.stdout.contains("interrupted after step"), "{}", ran.stdout);
    let run = scratch.json("run/run.json");
    assert_eq!(run["status"], "interrupted");
    assert!(run["steps"].as_u64() < run["total_steps"].as_u64());
    assert!(scratch.read("run/README.md").contains("**Interrupted**"));
    let predicted = scratch.run("predict --model run --text hello").ok();
    assert!(predicted.contains("probabilities"), "{predicted}");
}

/// Most likely the model is still being read, and there is nothing to save.
#[test]
fn ctrl_c_at_the_start_leaves_nothing_half_written() {
    let scratch = with_rows();
    let partial = |path: &PathBuf| path.to_string_lossy().contains(".partial");
    interrupted(&scratch, |scratch| scratch.files().iter().any(partial));
}
