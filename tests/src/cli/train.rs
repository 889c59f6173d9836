//! `emberlab train`: the run folder, and what becomes of it when training is stopped or refused.

use std::{
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    command::{Scratch, jsonl},
    support::{bytes, root},
};

pub const LABELS: [&str; 6] = ["anger", "fear", "joy", "love", "sadness", "surprise"];
/// 48 rows make 6 steps an epoch.
pub const TRAIN: &str =
    "train --model bert-tiny --train train.jsonl --batch-size 8 --epochs 1 --device cpu";

/// A folder with 48 rows to train on.
pub fn with_rows() -> Scratch {
    let scratch = Scratch::new();
    let rows = String::from_utf8(bytes(&root().join("data/emotions/train.jsonl"))).unwrap();
    let rows: Vec<&str> = rows.lines().take(48).collect();
    scratch.write("train.jsonl", rows.join("\n") + "\n");
    scratch
}

fn weights(scratch: &Scratch, run: &str) -> Vec<u8> {
    bytes(&scratch.path(run).join("model.safetensors"))
}

#[test]
fn a_run_folder_is_complete() {
    let scratch = with_rows();
    scratch.write("held-out.csv", "text,label\nWhat a lovely day,joy\nGo away,anger\n");
    let line = format!("{TRAIN} --epochs 2 --eval held-out.csv --test held-out.csv --seed 7")
        + " --logging-steps 1 --max-length 64 --out run";
    let ran = scratch.run(&line.replace("--epochs 1 ", ""));
    assert!(ran.stderr.contains("epoch 2: eval accuracy"), "{}", ran.stderr);
    let table = ran.ok();
    assert!(table.contains("weighted F1") && table.contains("saved   run"), "{table}");

    let names = ["README.md", "config.json", "metrics.jsonl", "model.safetensors", "run.json"];
    for name in names.into_iter().chain(["tokenizer.json", "tokenizer_config.json", "LICENSE"]) {
        assert!(scratch.path("run").join(name).is_file(), "{name} is missing");
    }
    assert!(scratch.files().iter().all(|path| !path.to_string_lossy().contains("partial")));
    assert!(scratch.read("run/README.md").contains("On `test` (2 rows)"));
    assert_eq!(scratch.json("run/config.json")["id2label"]["5"], LABELS[5]);
}
