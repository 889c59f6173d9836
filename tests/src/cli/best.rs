//! `emberlab train`: how often it is evaluated, when it stops, and which weights it ends with.

use serde_json::{Value, json};

use super::train::{TRAIN, weights, with_rows};
use crate::command::{Scratch, jsonl};

fn evaluations(scratch: &Scratch, run: &str) -> Vec<Value> {
    let lines = jsonl(&scratch.read(&format!("{run}/metrics.jsonl")));
    lines.into_iter().filter(|line| line["split"] == "eval").collect()
}

fn steps(lines: &[Value]) -> Vec<u64> {
    lines.iter().map(|line| line["step"].as_u64().unwrap()).collect()
}

#[test]
fn evaluations_come_every_so_many_steps() {
    let scratch = with_rows();
    let rest = "--epochs 2 --eval held-out.csv --eval-steps 5 --logging-steps 3 --out run";
    let ran = scratch.run(&format!("{TRAIN} {rest}"));
    assert!(ran.stderr.contains("step 5: eval accuracy"), "{}", ran.stderr);
    ran.ok();
    let lines = evaluations(&scratch, "run");
    // Also at the end, whatever the number of steps.
    assert_eq!(steps(&lines), [5, 10, 12]);
    assert!(lines.iter().all(|line| line["eval_loss"].as_f64().unwrap() > 0.0));
}

#[test]
fn max_steps_is_the_length_of_a_run() {
    let scratch = with_rows();
    let rest = "--max-steps 8 --warmup-steps 2 --lr-scheduler-type polynomial --power 2 --lr-end 1e-5 \
                --learning-rate 1e-3 --logging-steps 1 --eval held-out.csv --out run";
    scratch.run(&format!("{TRAIN} {rest}")).ok();
    let run = scratch.json("run/run.json");
    assert_eq!((&run["steps"], &run["total_steps"]), (&json!(8), &json!(8)));
    assert_eq!(steps(&evaluations(&scratch, "run")), [6, 8]);
    let lines = jsonl(&scratch.read("run/metrics.jsonl"));
    let rates = lines.iter().filter_map(|line| line["learning_rate"].as_f64());
    let expected = (0..8).map(|step: i32| match step {
        0 | 1 => 1e-3 * f64::from(step) / 2.0,
        _ => (1e-3 - 1e-5) * (1.0 - f64::from(step - 2) / 6.0).powi(2) + 1e-5,
    });
    for (found, expected) in rates.zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

/// 24 steps.
const LONG: &str = "--epochs 4 --learning-rate 2e-3 --eval wrong.jsonl --test held-out.csv \
                    --eval-steps 2 --metric-for-best-model loss";

/// [`with_rows`], and rows of which most have a label that is not theirs: their loss grows as the training
/// rows are learned.
fn with_wrong_rows() -> Scratch {
    let scratch = with_rows();
    let names = ["anger", "fear", "joy", "love", "sadness", "surprise"];
    let rows = jsonl(&scratch.read("train.jsonl")).into_iter().take(12).enumerate();
    let wrong = rows.map(|(row, mut line)| {
        let at = names.iter().position(|name| line["label"] == **name).unwrap();
        line["label"] = names[(at + usize::from(row >= 2)) % names.len()].into();
        format!("{line}\n")
    });
    scratch.write("wrong.jsonl", wrong.collect::<String>());
    scratch
}

/// What transformers' callback would have said of these evaluations: the step it stops after, and the
/// best one.
fn expected_end(values: &[(u64, f64)], patience: usize) -> (u64, u64) {
    let (mut best, mut waited): (Option<(u64, f64)>, usize) = (None, 0);
    for &(step, value) in values {
        match best {
            Some((_, known)) if value >= known => waited += 1,
            _ => (best, waited) = (Some((step, value)), 0),
        }
        if waited >= patience {
            return (step, best.unwrap().0);
        }
    }
    (values.last().unwrap().0, best.unwrap().0)
}

#[test]
fn a_run_stops_early_and_ends_with_the_best_weights() {
    let scratch = with_wrong_rows();
    scratch.run(&format!("{TRAIN} {LONG} --out whole")).ok();
    let all = evaluations(&scratch, "whole");
    let loss = |line: &Value| (line["step"].as_u64().unwrap(), line["eval_loss"].as_f64().unwrap());
    let losses: Vec<(u64, f64)> = all.iter().map(loss).collect();
    let (stops, best) = expected_end(&losses, 2);
    assert!(best < stops && stops < 24, "these rows do not show it: {losses:?}");

    let rest = "--early-stopping-patience 2 --load-best-model-at-end --out run";
    let ran = scratch.run(&format!("{TRAIN} {LONG} {rest}"));
    assert!(
        ran.stderr.contains(&format!("stopped early after step {stops} of 24")),
        "{}",
        ran.stderr
    );
    let summary = ran.ok();
    assert!(summary.contains(&format!("the weights after step {best}")), "{summary}");
    let run = scratch.json("run/run.json");
    assert_eq!((&run["status"], &run["steps"]), (&json!("completed"), &json!(stops)));
    assert_eq!(run["best"]["step"], best);
    assert_eq!(run["best"]["metric"], "eval_loss");
    assert_eq!(evaluations(&scratch, "run"), all[..(stops / 2) as usize]);

    // These are the weights of a run that ended there, but for the learning rate's course: of the whole
    // run's checkpoint after that step.
    let rest = format!("{LONG} --save-steps {best} --save-total-limit 100 --out kept");
    scratch.run(&format!("{TRAIN} {rest}")).ok();
    let predict =
        |model: &str| scratch.run(&format!("predict --model {model} --input train.jsonl")).ok();
    assert_eq!(predict("run"), predict(&format!("kept/checkpoints/checkpoint-{best}")));
    assert!(predict("run") != predict("kept"));
    // What is reported was measured on these weights.
    for (split, file) in [("eval", "wrong.jsonl"), ("test", "held-out.csv")] {
        let again = scratch.run(&format!("evaluate --model run --data {file} --json")).ok();
        assert_eq!(run["metrics"][split], serde_json::from_str::<Value>(&again).unwrap());
    }
}

/// Stopped by Ctrl-C and gone on with, it stops after the same step with the same weights.
#[test]
fn what_was_seen_before_counts_when_a_run_goes_on() {
    let scratch = with_wrong_rows();
    let rest = "--early-stopping-patience 2 --load-best-model-at-end --save-steps 1";
    scratch.run(&format!("{TRAIN} {LONG} {rest} --out whole")).ok();
    let line = format!("{TRAIN} {LONG} {rest} --out run");
    let mut training = scratch.command(line.split_whitespace()).spawn().unwrap();
    super::resume::wait_for(&scratch, "run/checkpoints/checkpoint-3", &mut training);
    assert_eq!(super::resume::signal(training, "-KILL").code, None, "it had already ended");
    scratch.run("train --resume run").ok();
    assert!(weights(&scratch, "run") == weights(&scratch, "whole"), "other weights");
    let history = |run: &str| scratch.read(&format!("{run}/metrics.jsonl"));
    assert_eq!(history("run"), history("whole"));
    for key in ["steps", "best", "weights_step", "metrics"] {
        assert_eq!(scratch.json("run/run.json")[key], scratch.json("whole/run.json")[key], "{key}");
    }
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let scratch = with_rows();
    let before = scratch.files();
    for (rest, says) in [
        ("--eval-steps 2", "--eval-steps needs rows to evaluate on: add --eval"),
        ("--early-stopping-patience 2", "--early-stopping-patience needs rows"),
        ("--load-best-model-at-end", "--load-best-model-at-end needs rows"),
        ("--eval held-out.csv --metric-for-best-model pearson", "accuracy, macro_f1"),
    ] {
        let said = scratch.run(&format!("{TRAIN} {rest} --out run")).error();
        assert!(said.contains(says), "no \"{says}\" in {said}");
    }
    assert_eq!(scratch.files(), before);
}

/// Bit for bit what they were in the model that it began with.
#[test]
fn what_is_frozen_stays_as_it_was() {
    let scratch = with_rows();
    scratch.run("convert --model bert-tiny --out base --dtype f32").ok();
    let train = TRAIN.replace("bert-tiny", "base");
    let before = scratch.read_bytes("base/model.safetensors");
    let before = safetensors::SafeTensors::deserialize(&before).unwrap();
    for (flags, frozen) in [
        ("--freeze-embeddings", &["embeddings."][..]),
        ("--freeze-layers 1", &["embeddings.", "encoder.layer.0."]),
    ] {
        let rest = format!("--epochs 1 --learning-rate 1e-3 {flags} --out run --overwrite");
        let ran = scratch.run(&format!("{train} {rest}"));
        assert!(ran.stderr.contains("trained "), "{}", ran.stderr);
        ran.ok();
        let after = weights(&scratch, "run");
        let after = safetensors::SafeTensors::deserialize(&after).unwrap();
        for (name, view) in after.tensors() {
            let Ok(then) = before.tensor(&name) else { continue };
            let is_frozen = frozen.iter().any(|part| name.contains(part));
            assert_eq!(view.data() == then.data(), is_frozen, "{flags}: {name}");
        }
    }
    let said = scratch.run(&format!("{TRAIN} --freeze-layers 3 --out other")).error();
    assert!(said.contains("freeze_layers = 3: the model has 2 layers"), "{said}");
}
