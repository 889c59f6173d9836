//! Rows 3 to 6: whole processes, from start to written result, the sides in turns.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::in_process::training_request;
use super::process::{self, Run};
use super::report::{Case, Measured, OURS, Side};
use super::setup::{Bench, MINILM};
use super::targets::{COMPILED, TRAINER, TRAINER_BF16, TRAINER_BY_LENGTH};

const TEXTS: usize = 10_000;
const QUICK_TEXTS: usize = 500;
const ONE_TEXT: &str = "i could not stop smiling all day";

/// A side, and the command that is its whole work.
type Contender = (&'static str, Command);

/// Row 3.
pub fn fine_tuning(bench: &mut Bench) -> Result<Measured> {
    let mut contenders = [
        (OURS, ours_on(bench, "cpu")),
        (TRAINER, bench.peer("trainer.py")),
        (TRAINER_BY_LENGTH, bench.peer("trainer.py")),
    ];
    contenders[2].1.arg("--group-by-length");
    epoch(bench, &mut contenders)
}

/// Row 11: the same on a GPU.
pub fn fine_tuning_on_cuda(bench: &mut Bench) -> Result<Measured> {
    let peer = |flags: &[&str]| {
        let mut peer = bench.peer("trainer.py");
        peer.arg("--cuda").args(flags);
        peer
    };
    let mut contenders = [
        (OURS, ours_on(bench, "cuda")),
        ("Trainer, f32", peer(&[])),
        (TRAINER_BF16, peer(&["--bf16"])),
        (COMPILED, peer(&["--bf16", "--compile"])),
    ];
    epoch(bench, &mut contenders)
}

/// MiniLM-L6 on emotion6, once.
fn epoch(bench: &Bench, contenders: &mut [Contender]) -> Result<Measured> {
    let (train, held_out) = if bench.quick { (320, 200) } else { (usize::MAX, usize::MAX) };
    let files =
        [("--train", "train", train), ("--eval", "dev", held_out), ("--test", "test", held_out)];
    let mut data = Vec::new();
    for (flag, split, rows) in files {
        data.push((flag, bench.rows(split, rows)?));
    }
    let model = bench.existing(MINILM.folder)?;
    let runs = bench.folder.join("runs");
    for (side, command) in &mut *contenders {
        command.arg("--model").arg(&model).arg("--out").arg(runs.join(*side));
        for (flag, path) in &data {
            command.arg(flag).arg(path);
        }
    }
    let measured = in_turns(bench, contenders, 1)?;
    let mut sides = Vec::new();
    for (side, measured_runs) in &measured {
        let note = format!("test accuracy {:.4}", test_accuracy(&runs.join(side))?);
        sides.push(timed(side, measured_runs, &note));
    }
    Ok(Measured { cases: vec![Case::new("train and evaluate", "s", sides)], ..Measured::default() })
}

fn ours_on(bench: &Bench, device: &str) -> Command {
    let mut ours = bench.program(&bench.emberlab);
    ours.args(["train", "--device", device, "--overwrite", "--epochs", "1", "--batch-size", "32"]);
    ours.args(["--learning-rate", "1e-4", "--max-length", "128", "--seed", "42"]);
    ours
}

/// Row 4.
pub fn predict(bench: &mut Bench) -> Result<Measured> {
    let (count, repeats) = if bench.quick { (QUICK_TEXTS, 1) } else { (TEXTS, 2) };
    let measured = predict_runs(bench, count, repeats)?;
    let runs = bench.folder.join("runs");
    let ours = labels(&runs.join("predicted-0.jsonl"))?;
    let mut sides = Vec::new();
    for (index, (side, measured_runs)) in measured.iter().enumerate() {
        let theirs = labels(&runs.join(format!("predicted-{index}.jsonl")))?;
        let same = ours.iter().zip(&theirs).filter(|(a, b)| a == b).count();
        let note = if index == 0 { String::new() } else { format!("{same} labels as ours") };
        sides.push(timed(side, measured_runs, &note));
    }
    bench.predict_runs = Some(measured);
    Ok(Measured {
        cases: vec![Case::new(&format!("{count} texts"), "s", sides)],
        ..Measured::default()
    })
}

fn predict_runs(
    bench: &Bench,
    count: usize,
    repeats: usize,
) -> Result<Vec<(&'static str, Vec<Run>)>> {
    let model = bench.fine_tuned()?;
    let onnx = bench.onnx(&model, "emotion6")?;
    let texts = texts(bench, count)?;
    let mut contenders = [
        (OURS, bench.program(&bench.emberlab)),
        ("transformers pipeline", bench.peer("pipeline.py")),
        ("ONNX Runtime, as in the file", bench.peer("onnx_predict.py")),
        ("ONNX Runtime, by length", bench.peer("onnx_predict.py")),
    ];
    contenders[0].1.args(["predict", "--device", "cpu"]);
    for (_, command) in &mut contenders[2..] {
        command.arg("--onnx").arg(onnx.join("model_fused.onnx"));
    }
    contenders[3].1.arg("--by-length");
    for (index, (_, command)) in contenders.iter_mut().enumerate() {
        let out = bench.folder.join("runs").join(format!("predicted-{index}.jsonl"));
        command.arg("--model").arg(&model).arg("--input").arg(&texts).arg("--output").arg(out);
    }
    in_turns(bench, &mut contenders, repeats)
}

/// Row 5.
pub fn one_text(bench: &mut Bench) -> Result<Measured> {
    let model = bench.fine_tuned()?;
    let mut ours = bench.program(&bench.emberlab);
    ours.args(["predict", "--device", "cpu", "--text", ONE_TEXT, "--model"]).arg(&model);
    let mut theirs = bench.peer("one_text.py");
    theirs.arg(&model).arg(ONE_TEXT);
    let mut contenders = [(OURS, ours), ("transformers script", theirs)];
    let measured = in_turns(bench, &mut contenders, if bench.quick { 3 } else { 7 })?;
    let sides: Vec<Side> = measured.iter().map(|(side, runs)| timed(side, runs, "")).collect();
    let goal = if sides[0].median <= 0.1 { "reached" } else { "not reached" };
    let notes = vec![format!("Go for 100 ms: {goal} ({:.0} ms).", sides[0].median * 1e3)];
    Ok(Measured {
        cases: vec![Case::new("one text, MiniLM-L6", "s", sides)],
        notes,
        ..Measured::default()
    })
}

/// Row 6.
pub fn memory(bench: &mut Bench) -> Result<Measured> {
    let model = bench.classifier(MINILM)?;
    let mut sides = Vec::new();
    for (side, mut command, attention) in [
        (OURS, bench.built("emberlab-bench")?, ""),
        ("PyTorch (sdpa)", bench.peer("torch_peer.py"), "sdpa"),
        ("PyTorch (eager)", bench.peer("torch_peer.py"), "eager"),
    ] {
        let mut request = training_request(&model, attention, "fused");
        request["iterations"] = 20.into();
        let input = bench.write("training.jsonl", &format!("{request}\n"))?;
        command.stdin(File::open(&input).with_context(|| input.display().to_string())?);
        sides.push(memory_of(side, &[process::measure(&mut command, &bench.log())?]));
    }
    let training = Case::new("MiniLM-L6, 20 training steps of 16×128", "MiB", sides);
    if bench.predict_runs.is_none() {
        bench.predict_runs =
            Some(predict_runs(bench, if bench.quick { QUICK_TEXTS } else { TEXTS }, 1)?);
    }
    let runs = bench.predict_runs.iter().flatten();
    let sides = runs.map(|(side, runs)| memory_of(side, runs)).collect();
    let count = if bench.quick { QUICK_TEXTS } else { TEXTS };
    let predicting = Case::new(&format!("MiniLM-L6, {count} texts predicted"), "MiB", sides);
    Ok(Measured { cases: vec![training, predicting], ..Measured::default() })
}

/// Runs every side's command once in each of `repeats` rounds.
fn in_turns(
    bench: &Bench,
    contenders: &mut [Contender],
    repeats: usize,
) -> Result<Vec<(&'static str, Vec<Run>)>> {
    let mut measured: Vec<_> = contenders.iter().map(|(side, _)| (*side, Vec::new())).collect();
    for round in 1..=repeats {
        for ((side, command), (_, runs)) in contenders.iter_mut().zip(&mut measured) {
            let run = process::measure(command, &bench.log())?;
            eprintln!("round {round} of {repeats}: {side} {:.2} s", run.seconds);
            runs.push(run);
        }
    }
    Ok(measured)
}

fn timed(side: &str, runs: &[Run], note: &str) -> Side {
    let seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
    let cpu = runs.iter().map(|run| run.cpu_seconds).sum::<f64>() / runs.len() as f64;
    let mib = runs.iter().map(|run| run.mib).fold(0.0, f64::max);
    let comma = if note.is_empty() { "" } else { ", " };
    Side::new(side, &seconds, format!("{note}{comma}{cpu:.2} s of processor time, {mib:.0} MiB"))
}

fn memory_of(side: &str, runs: &[Run]) -> Side {
    let mib: Vec<f64> = runs.iter().map(|run| run.mib).collect();
    Side::new(side, &mib, String::new())
}

/// The first texts of emotion6 without their labels.
fn texts(bench: &Bench, count: usize) -> Result<std::path::PathBuf> {
    let rows = bench.rows("train", count)?;
    let mut lines = String::new();
    for line in fs::read_to_string(&rows)?.lines() {
        let row: Value = serde_json::from_str(line).with_context(|| rows.display().to_string())?;
        lines.push_str(&format!("{}\n", serde_json::json!({ "text": row["text"] })));
    }
    bench.write(&format!("texts-{count}.jsonl"), &lines)
}

/// The labels in a file of predictions.
fn labels(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let label = |line| {
        let row: Value = serde_json::from_str(line)?;
        Ok(row["label"].as_str().context("a prediction without a label")?.to_owned())
    };
    text.lines().map(label).collect()
}

/// Ours is in `run.json`, the Trainer's in a file that its script writes alike.
fn test_accuracy(folder: &Path) -> Result<f64> {
    let path = folder.join("run.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let run: Value = serde_json::from_str(&text)?;
    run["metrics"]["test"]["accuracy"].as_f64().context("run.json has no test accuracy")
}
