//! `emberlab train --lora-r`: a folder that peft opens, and that we open.

use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::{
    resume::{signal, wait_for},
    train::{TRAIN, with_rows},
    transformers::python,
};
use crate::{
    command::{Scratch, jsonl},
    support::{bytes, distance, root, say},
};

const LORA: &str = "--lora-r 8 --lora-alpha 32 --lora-dropout 0.1 --lora-target-modules query,value,dense \
                    --epochs 3 --learning-rate 5e-3";

fn logits(scratch: &Scratch, model: &str) -> Vec<f32> {
    let predicted = scratch.run(&format!("predict --model {model} --input train.jsonl")).ok();
    let row = |row: Value| -> Vec<f32> {
        let of = row["probabilities"].as_object().unwrap();
        of.values().map(|value| value.as_f64().unwrap() as f32).collect()
    };
    jsonl(&predicted).into_iter().flat_map(row).collect()
}

#[test]
fn a_folder_of_adapters_is_used_and_merged() {
    let scratch = with_rows();
    let ran = scratch.run(&format!("{TRAIN} {LORA} --test train.jsonl --out run"));
    assert!(ran.stderr.contains("LoRA r 8") && ran.stderr.contains("trained "), "{}", ran.stderr);
    ran.ok();
    assert!(!scratch.path("run/model.safetensors").exists());
    let size = |name: &str| bytes(&scratch.path(name)).len();
    assert!(size("run/adapter_model.safetensors") * 5 < size("bert-tiny/model.safetensors"));
    let base = scratch.json("run/adapter_config.json")["base_model_name_or_path"].clone();
    let here = scratch.path("bert-tiny").canonicalize().unwrap();
    assert_eq!(base, here.display().to_string());

    let card = scratch.read("run/README.md");
    assert!(card.contains("library_name: peft") && card.contains("PeftModel.from_pretrained"));

    let again = scratch.run("evaluate --model run --data train.jsonl --json").ok();
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(scratch.json("run/run.json")["metrics"]["test"]["accuracy"], again["accuracy"]);

    let said = scratch.run("convert --model run --out other --dtype f32").error();
    assert!(said.contains("--merge makes a whole model"), "{said}");
    scratch.run("convert --merge --model run --out whole").ok();
    // The card says how adapters are loaded.
    assert!(scratch.path("run/README.md").exists() && !scratch.path("whole/README.md").exists());
    let said = scratch.run("convert --merge --model run --out whole").error();
    assert!(said.contains("holds a run") && !said.contains("--overwrite"), "{said}");
    assert!(!scratch.path("whole/adapter_config.json").exists());
    assert!(distance(&logits(&scratch, "whole"), &logits(&scratch, "run")) < 1e-5);
    let said = scratch.run("convert --merge --model whole --out other").error();
    assert!(said.contains("whole holds no adapters"), "{said}");
    // More adapters on these have nothing to stand on; on the merged ones they have.
    let said = scratch
        .run(&format!("{} --out other --lora-r 2", TRAIN.replace("bert-tiny", "run")))
        .error();
    assert!(said.contains("convert --merge --model run"), "{said}");

    let stated = scratch.read("run/adapter_config.json").replace("bert-tiny", "nowhere");
    scratch.write("run/adapter_config.json", stated);
    let said = scratch.run("predict --model run --text hello").error();
    assert!(said.contains("nowhere, which is not on this machine"), "{said}");
}

#[test]
fn training_adapters_goes_on_after_a_kill() {
    let scratch = with_rows();
    scratch.run(&format!("{TRAIN} {LORA} --out whole")).ok();
    let line = format!("{TRAIN} {LORA} --save-steps 1 --out run");
    let mut training = scratch.command(line.split_whitespace()).spawn().unwrap();
    wait_for(&scratch, "run/checkpoints/checkpoint-7", &mut training);
    assert_eq!(signal(training, "-KILL").code, None, "it had already ended");
    // A checkpoint is a folder of adapters with what they adapt.
    let checkpoint = std::fs::read_dir(scratch.path("run/checkpoints")).unwrap();
    let checkpoint = checkpoint.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let checkpoint = checkpoint.filter(|name| name.starts_with("checkpoint")).min().unwrap();
    let model = format!("run/checkpoints/{checkpoint}");
    assert!(!logits(&scratch, &model).is_empty());
    scratch.run("train --resume run").ok();
    let adapter = |run: &str| scratch.read_bytes(&format!("{run}/adapter_model.safetensors"));
    assert!(adapter("run") == adapter("whole"), "other weights");
}

/// What `tests/python/open_adapter.py` writes.
#[derive(Deserialize)]
struct Opened {
    logits: Vec<Vec<f32>>,
    merged: Vec<Vec<f32>>,
    targets: Vec<String>,
    modules_to_save: Vec<String>,
}

#[test]
fn peft_opens_and_merges_a_folder_of_ours() {
    let has_peft = |python: &std::path::PathBuf| {
        Command::new(python)
            .args(["-c", "import peft"])
            .output()
            .is_ok_and(|ran| ran.status.success())
    };
    let Some(python) = python().filter(has_peft) else {
        let reason = "EMBERLAB_PYTHON names no Python with peft";
        return say(&format!("SKIPPED: peft_opens_and_merges…, because {reason}\n"));
    };
    let scratch = with_rows();
    for targets in ["query,value,dense", "all-linear"] {
        let settings = LORA.replace("query,value,dense", targets);
        scratch.run(&format!("{TRAIN} {settings} --overwrite --out run")).ok();
        let status = Command::new(&python)
            .arg(root().join("tests/python/open_adapter.py"))
            .args(["run", "train.jsonl", "opened.json"].map(|name| scratch.path(name)))
            .status()
            .unwrap();
        assert!(status.success(), "open_adapter.py failed");
        let opened: Opened = serde_json::from_value(scratch.json("opened.json")).unwrap();
        assert!(opened.targets.iter().any(|name| name.ends_with("value")), "{:?}", opened.targets);
        assert!(opened.modules_to_save.contains(&"pooler".to_owned()));
        let softmax = |row: Vec<f32>| -> Vec<f32> {
            let sum: f32 = row.iter().map(|logit| logit.exp()).sum();
            row.iter().map(|logit| logit.exp() / sum).collect()
        };
        let of = |rows: Vec<Vec<f32>>| rows.into_iter().flat_map(softmax).collect::<Vec<_>>();
        let ours = logits(&scratch, "run");
        for theirs in [of(opened.logits), of(opened.merged)] {
            let difference = distance(&ours, &theirs);
            assert!(difference < 1e-4, "{targets}: {difference}");
        }
    }
}
