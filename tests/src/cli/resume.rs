//! `emberlab train --resume`: whatever ended a run, it goes on to the weights of one that nothing
//! disturbed.

use std::{
    fs,
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::json;

use super::train::{TRAIN, weights, with_rows};
use crate::{
    command::{Ran, Scratch, jsonl},
    support::bytes,
};

/// 24 steps, 6 an epoch.
const FOUR_EPOCHS: &str =
    "--epochs 4 --learning-rate 1e-3 --eval held-out.csv --test held-out.csv --logging-steps 4";

fn line(out: &str, rest: &str) -> String {
    format!("{TRAIN} {FOUR_EPOCHS} {rest} --out {out}")
}

pub fn start(scratch: &Scratch, line: &str) -> Child {
    scratch.command(line.split_whitespace()).spawn().unwrap()
}

/// Waits until a file is there, or the process has ended.
pub fn wait_for(scratch: &Scratch, file: &str, training: &mut Child) {
    let limit = Instant::now() + Duration::from_secs(60);
    while !scratch.path(file).exists() && training.try_wait().unwrap().is_none() {
        assert!(Instant::now() < limit, "no {file} within a minute");
        sleep(Duration::from_millis(2));
    }
}

pub fn signal(training: Child, signal: &str) -> Ran {
    // Where it has already ended, there is nobody to send it to.
    let _ = Command::new("kill").args([signal, &training.id().to_string()]).status();
    let output = training.wait_with_output().unwrap();
    output.into()
}

/// The run ended as `undisturbed` did: the same weights and the same history, each line once.
fn ends_as(scratch: &Scratch, run: &str, undisturbed: &str) {
    let record = scratch.json(&format!("{run}/run.json"));
    assert_eq!((&record["status"], &record["steps"]), (&json!("completed"), &json!(24)));
    assert!(weights(scratch, run) == weights(scratch, undisturbed), "other weights");
    let history = |run: &str| scratch.read(&format!("{run}/metrics.jsonl"));
    assert_eq!(history(run), history(undisturbed));
    let expected = scratch.json(&format!("{undisturbed}/run.json"));
    for key in ["metrics", "loss", "data", "recipe", "labels", "total_steps"] {
        assert_eq!(record[key], expected[key], "{key}");
    }
}

fn steps_kept(scratch: &Scratch, run: &str) -> Vec<usize> {
    let entries = fs::read_dir(scratch.path(&format!("{run}/checkpoints"))).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // What a killed process left unfinished has another name.
    let step = |name: String| Some(name.strip_prefix("checkpoint-")?.parse().unwrap());
    let mut steps: Vec<usize> = names.filter_map(step).collect();
    steps.sort_unstable();
    steps
}

#[test]
fn a_killed_run_goes_on_to_the_same_weights() {
    let scratch = with_rows();
    for (options, kill_after) in [("", [4, 15]), ("--no-kernels --seed 5", [7, 20])] {
        let run = format!("run{}", kill_after[0]);
        let undisturbed = format!("whole{}", kill_after[0]);
        scratch.run(&line(&undisturbed, options)).ok();
        let mut training = start(&scratch, &line(&run, &format!("{options} --save-steps 1")));
        for step in kill_after {
            wait_for(&scratch, &format!("{run}/checkpoints/checkpoint-{step}"), &mut training);
            assert_eq!(signal(training, "-KILL").code, None, "it had already ended");
            training = start(&scratch, &format!("train --resume {run}"));
        }
        let ran: Ran = training.wait_with_output().unwrap().into();
        assert!(ran.stderr.contains("going on after step"), "{}", ran.stderr);
        assert!(ran.ok().starts_with("test: 2 rows"));
        ends_as(&scratch, &run, &undisturbed);
    }
}

/// Also where it was started with other paths than those it goes on with.
#[test]
fn an_interrupted_run_goes_on_from_another_folder() {
    let scratch = with_rows();
    scratch.run(&line("whole", "")).ok();
    for name in ["-INT", "-TERM"] {
        let run = format!("run{name}");
        let mut training = start(&scratch, &line(&run, "--save-steps 2"));
        wait_for(&scratch, &format!("{run}/checkpoints/checkpoint-2"), &mut training);
        let ran = signal(training, name);
        assert_eq!(ran.code, Some(130), "{}", ran.stderr);
        assert!(ran.stdout.contains("go on: emberlab train --resume"), "{}", ran.stdout);
        let interrupted = scratch.json(&format!("{run}/run.json"));
        assert_eq!(interrupted["status"], "interrupted");
        let steps = interrupted["steps"].as_u64().unwrap() as usize;
        assert_eq!(steps_kept(&scratch, &run).last(), Some(&steps), "no checkpoint at its end");

        let moved = format!("elsewhere/{run}");
        fs::create_dir_all(scratch.path("elsewhere")).unwrap();
        fs::rename(scratch.path(&run), scratch.path(&moved)).unwrap();
        let mut resume = scratch.command(["train", "--resume", &run]);
        let ran: Ran = resume.current_dir(scratch.path("elsewhere")).output().unwrap().into();
        ran.ok();
        ends_as(&scratch, &moved, "whole");
        let record = scratch.json(&format!("{moved}/run.json"));
        for key in ["command", "started_at"] {
            assert_eq!(record[key], interrupted[key], "{key}");
        }
        let seconds =
            |key: &str| (interrupted[key].as_f64().unwrap(), record[key].as_f64().unwrap());
        let (before, after) = seconds("train_seconds");
        assert!(before > 0.0 && after > before, "{before} {after}");
    }
}

/// Before the first checkpoint there is nothing to go on from, but all that is needed to start.
#[test]
fn a_run_without_a_checkpoint_starts_again() {
    let scratch = with_rows();
    scratch.run(&line("whole", "")).ok();
    let mut training = start(&scratch, &line("run", ""));
    wait_for(&scratch, "run/metrics.jsonl", &mut training);
    assert_eq!(signal(training, "-KILL").code, None, "it had already ended");
    let said = scratch.run("predict --model run --text hello").error();
    assert!(said.contains("go on with it: emberlab train --resume run"), "{said}");
    let said = scratch.run(&line("run", "")).error();
    assert!(said.contains("--overwrite, or go on with it"), "{said}");
    let ran = scratch.run("train --resume run");
    assert!(ran.stderr.contains("starting from the beginning"), "{}", ran.stderr);
    ran.ok();
    ends_as(&scratch, "run", "whole");
    // Complete, it stays as it is, but for a report that a kill came before.
    let before = scratch.snapshot();
    std::fs::rename(scratch.path("run/report.html"), scratch.path("run/.report.html.1-2.partial"))
        .unwrap();
    let ran = scratch.run("train --resume run");
    assert!(ran.stderr.contains("there is nothing left to do"), "{}", ran.stderr);
    ran.ok();
    assert!(scratch.snapshot() == before);
}

/// A run with a checkpoint after step 12, stopped after that; the step of the one before.
pub fn stopped(scratch: &Scratch) -> usize {
    let mut training = start(scratch, &line("run", "--save-steps 4 --save-total-limit 3"));
    wait_for(scratch, "run/checkpoints/checkpoint-12", &mut training);
    assert_eq!(signal(training, "-KILL").code, None, "it had already ended");
    for later in steps_kept(scratch, "run").into_iter().filter(|&step| step > 12) {
        fs::remove_dir_all(scratch.path(&format!("run/checkpoints/checkpoint-{later}"))).unwrap();
    }
    let kept = steps_kept(scratch, "run");
    kept[kept.len() - 2]
}

#[test]
fn a_damaged_checkpoint_is_named_and_passed_over() {
    let scratch = with_rows();
    scratch.run(&line("whole", "")).ok();
    let before = stopped(&scratch);
    let kept = scratch.path("run");
    let copy = |to: &str| {
        let copied = Command::new("cp").arg("-r").args([&kept, &scratch.path(to)]).status();
        assert!(copied.unwrap().success());
    };
    let newest = "checkpoints/checkpoint-12";
    type Damage = fn(&Scratch, &str);
    let damages: [(Damage, &str); 6] = [
        (|s, c| flip(s, &format!("{c}/model.safetensors")), "model.safetensors is not as it was"),
        (|s, c| flip(s, &format!("{c}/metrics.jsonl")), "metrics.jsonl is not as it was"),
        (|s, c| cut(s, &format!("{c}/model.safetensors")), "model.safetensors is not as it was"),
        (|s, c| remove(s, &format!("{c}/run.json")), "run.json"),
        (|s, c| remove(s, &format!("{c}/manifest.json")), "manifest.json"),
        (|s, c| cut(s, &format!("{c}/manifest.json")), "manifest.json is damaged"),
    ];
    for (number, (damage, says)) in damages.into_iter().enumerate() {
        let run = format!("run{number}");
        copy(&run);
        damage(&scratch, &format!("{run}/{newest}"));
        let ran = scratch.run(&format!("train --resume {run}"));
        let passed_over = |line: &str| {
            line.starts_with("note: passing over ")
                && line.contains("checkpoint-12")
                && line.contains(says)
        };
        assert!(ran.stderr.lines().any(passed_over), "no \"{says}\" in\n{}", ran.stderr);
        let goes_on = format!("going on after step {before} of 24");
        assert!(ran.stderr.contains(&goes_on), "no \"{goes_on}\" in\n{}", ran.stderr);
        ran.ok();
        ends_as(&scratch, &run, "whole");
    }
}

fn flip(scratch: &Scratch, file: &str) {
    let mut content = bytes(&scratch.path(file));
    let middle = content.len() / 2;
    content[middle] ^= 1;
    scratch.write(file, content);
}

fn cut(scratch: &Scratch, file: &str) {
    let content = bytes(&scratch.path(file));
    scratch.write(file, &content[..content.len() - 3]);
}

fn remove(scratch: &Scratch, file: &str) {
    fs::remove_file(scratch.path(file)).unwrap();
}

#[test]
fn what_is_no_longer_the_same_is_refused_by_name() {
    let scratch = with_rows();
    stopped(&scratch);
    let before = scratch.snapshot();
    for (options, says) in [
        ("--epochs 5", "--epochs was 4, now 5"),
        ("--seed 1", "--seed was not given, now 1"),
        ("--no-kernels", "--no-kernels was false, now true"),
        ("--train other.jsonl --out run", "--train was train.jsonl, now other.jsonl"),
    ] {
        let said = scratch.run(&format!("train --resume run {options}")).error();
        assert!(said.contains(says), "no \"{says}\" in {said}");
    }
    assert!(scratch.snapshot() == before);
    // What is said again as it was is no change.
    let rows = scratch.read("train.jsonl");
    let mut changed = rows.clone();
    changed.push_str("{\"text\": \"one more\", \"label\": \"joy\"}\n");
    scratch.write("train.jsonl", &changed);
    let said = scratch.run("train --resume run --epochs 4").error();
    assert!(
        said.contains("data.train.sha256 was") && said.contains("rows was 48, now 49"),
        "{said}"
    );
    fs::remove_file(scratch.path("train.jsonl")).unwrap();
    let said = scratch.run("train --resume run").error();
    assert!(said.contains("cannot read train.jsonl"), "{said}");
    scratch.write("train.jsonl", rows);
    scratch.run("train --resume run --epochs 4").ok();

    let said = scratch.run("train --resume nowhere").error();
    assert!(said.contains("there is no run folder"), "{said}");
    let said = scratch.run("train --resume bert-tiny").error();
    assert!(said.contains("is no run folder"), "{said}");
}

#[test]
fn one_process_at_a_time_trains_in_a_folder() {
    let scratch = with_rows();
    let mut training = start(&scratch, &format!("{TRAIN} --epochs 300 --save-steps 1 --out run"));
    wait_for(&scratch, "run/checkpoints/checkpoint-1", &mut training);
    for line in ["train --resume run", &format!("{TRAIN} --out run --overwrite")] {
        let said = scratch.run(line).error();
        assert!(said.contains("another process is training in"), "{said}");
    }
    assert_eq!(signal(training, "-KILL").code, None);
}

/// The newest two, and the best of all that were measured.
#[test]
fn the_newest_and_the_best_are_kept() {
    let scratch = with_rows();
    let rest = "--epochs 6 --learning-rate 2e-3 --eval train.jsonl --save-steps 3 --out run";
    scratch.run(&format!("{TRAIN} {rest}")).ok();
    let history = jsonl(&scratch.read("run/metrics.jsonl"));
    let measured = history.iter().filter(|line| line["split"] == "eval" && line["epoch"] != 6.0);
    let figure = |line: &&serde_json::Value| line["macro_f1"].as_f64().unwrap();
    // Of equals the first.
    let best = measured.rev().max_by(|a, b| figure(a).total_cmp(&figure(b))).unwrap();
    let kept = steps_kept(&scratch, "run");
    assert_eq!(kept[kept.len() - 2..], [30, 33]);
    assert!(kept.contains(&(best["step"].as_u64().unwrap() as usize)), "{kept:?} without {best}");
    assert!(kept.len() <= 3, "{kept:?}");
    // A checkpoint is a model folder, too.
    let model = format!("run/checkpoints/checkpoint-{}", best["step"]);
    let again = scratch.run(&format!("evaluate --model {model} --data train.jsonl --json")).ok();
    let again: serde_json::Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["macro_f1"], best["macro_f1"]);
}
