//! What `--resume` and `--overwrite` refuse, so that nothing is lost, and what a run says when nobody listens.

use std::{fs, io::Read, process::Stdio};

use serde_json::json;

use super::resume::{signal, start, stopped, wait_for};
use super::train::{TRAIN, with_rows};
use crate::{
    command::{Ran, Scratch},
    support::root,
};

/// A model of the scratch folder's own, to be altered.
fn with_model() -> Scratch {
    let scratch = with_rows();
    for entry in fs::read_dir(root().join("models/bert-tiny")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        scratch.write(&format!("model/{name}"), fs::read(entry.path()).unwrap());
    }
    scratch
}

#[test]
fn a_model_that_was_altered_is_named() {
    let scratch = with_model();
    let line = format!("{TRAIN} --epochs 4 --save-steps 1 --out run").replace("bert-tiny", "model");
    let mut training = start(&scratch, &line);
    wait_for(&scratch, "run/checkpoints/checkpoint-3", &mut training);
    assert_eq!(signal(training, "-KILL").code, None, "it had already ended");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let file = format!("model/{file}");
        let Ok(was) = fs::read(scratch.path(&file)) else { continue };
        let altered = match file.ends_with("json") {
            true => [&was[..], b"\n"].concat(),
            false => same_but_one_weight(&was),
        };
        scratch.write(&file, altered);
        let said = scratch.run("train --resume run").error();
        assert!(said.contains("base_model_sha256") && said.contains(&file[6..]), "{file}: {said}");
        scratch.write(&file, was);
    }
    scratch.run("train --resume run").ok();
}

fn same_but_one_weight(safetensors: &[u8]) -> Vec<u8> {
    let mut altered = safetensors.to_vec();
    let last = altered.len() - 4;
    altered[last] ^= 1;
    altered
}

#[test]
fn what_is_no_run_to_go_on_with_is_said() {
    let scratch = with_rows();
    stopped(&scratch);
    let before = scratch.snapshot();
    let checkpoint =
        fs::read_dir(scratch.path("run/checkpoints")).unwrap().next().unwrap().unwrap();
    let checkpoint = format!("run/checkpoints/{}", checkpoint.file_name().to_str().unwrap());
    for command in ["train", "pretrain"] {
        let said = scratch.run(&format!("{command} --resume {checkpoint}")).error();
        assert!(said.contains("is a checkpoint") && said.contains("--resume "), "{said}");
    }
    let said = scratch.run("pretrain --resume run").error();
    assert!(said.contains("is a run of emberlab train; go on with it"), "{said}");
    assert!(scratch.snapshot() == before);
}

#[test]
fn the_model_that_a_run_starts_from_is_not_replaced() {
    let scratch = with_rows();
    scratch.run(&format!("{TRAIN} --epochs 1 --out first")).ok();
    let before = scratch.snapshot();
    let line = format!("{TRAIN} --epochs 1 --overwrite").replace("bert-tiny", "first");
    let said = scratch.run(&format!("{line} --out first")).error();
    assert!(said.contains("holds the model that the run starts from"), "{said}");
    assert!(scratch.snapshot() == before);
}

/// As beside `| head -1`: all is done, and an interruption is still one.
#[test]
fn a_reader_that_goes_away_ends_nothing() {
    let scratch = with_rows();
    let seeds = format!("{TRAIN} --epochs 1 --seeds 3 --out study");
    let mut command = scratch.command(seeds.split_whitespace());
    let mut study = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 1];
    let mut out = study.stdout.take().unwrap();
    out.read_exact(&mut first).unwrap();
    drop(out);
    let ran: Ran = study.wait_with_output().unwrap().into();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(scratch.json("study/seeds.json")["seeds"], json!([42, 43, 44]));

    let line = format!("{TRAIN} --epochs 300 --save-steps 1 --out run");
    let mut training = start(&scratch, &line);
    wait_for(&scratch, "run/checkpoints/checkpoint-1", &mut training);
    drop(training.stdout.take());
    let ran = signal(training, "-INT");
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
}

/// The checkpoint of an interrupted run knows how good its weights are as soon as they are measured, so that the best
/// is kept.
#[test]
fn what_is_measured_afterwards_is_known_of_a_checkpoint() {
    let scratch = with_rows();
    let line = format!(
        "{TRAIN} --epochs 40 --eval train.jsonl --eval-steps 1 --save-steps 1000 --save-total-limit 50 --load-best-model-at-end"
    );
    for attempt in 0.. {
        assert!(attempt < 20, "never between a step and its measurement");
        let run = format!("run{attempt}");
        let mut training = start(&scratch, &format!("{line} --out {run}"));
        wait_for(&scratch, &format!("{run}/checkpoints/checkpoint-1"), &mut training);
        signal(training, "-INT");
        let step = &scratch.json(&format!("{run}/run.json"))["steps"];
        let manifest = format!("{run}/checkpoints/checkpoint-{step}/manifest.json");
        if !scratch.json(&manifest)["quality"].is_null() {
            continue;
        }
        scratch.run(&format!("train --resume {run}")).ok();
        assert!(scratch.json(&manifest)["quality"].is_number(), "{run}");
        return;
    }
}
