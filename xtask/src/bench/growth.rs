//! Row 12: how time and memory of `emberlab` grow with the rows, their length and the batch.

use anyhow::Result;

use super::process::{self, Run};
use super::report::{Case, Measured, Side};
use super::setup::{BERT_TINY, Bench};
use super::statistics::exponent;

/// Each is one token of BERT's vocabulary.
const WORDS: [&str; 8] = ["day", "good", "night", "house", "water", "small", "think", "walk"];
const LABELS: [&str; 6] = ["anger", "fear", "joy", "love", "sadness", "surprise"];
const TIMES: [usize; 4] = [1, 2, 4, 8];

/// One measured point.
struct Point {
    rows: usize,
    length: usize,
    batch: usize,
}

pub fn growth(bench: &mut Bench) -> Result<Measured> {
    let base = if bench.quick { 100 } else { 1000 };
    let series: [(&str, &dyn Fn(usize) -> Point); 3] = [
        ("rows (of 32 tokens, batch 32)", &|times| Point {
            rows: base * times,
            length: 32,
            batch: 32,
        }),
        ("length in tokens (of as many rows, batch 32)", &|times| Point {
            rows: base,
            length: 16 * times,
            batch: 32,
        }),
        ("batch (of as many rows of 32 tokens)", &|times| Point {
            rows: base,
            length: 32,
            batch: 8 * times,
        }),
    ];
    let mut measured = Measured::default();
    for command in ["train", "predict"] {
        for (what, point) in series {
            let name = format!("{command}, by {what}");
            let mut runs = Vec::new();
            for times in TIMES {
                runs.push((point(times), one(bench, command, &point(times))?));
            }
            let by = |value: &dyn Fn(&Run) -> f64| {
                let points =
                    TIMES.iter().zip(&runs).map(|(times, (_, run))| (*times as f64, value(run)));
                exponent(&points.collect::<Vec<_>>())
            };
            measured.notes.push(format!(
                "{name}: time grows as n^{:.2}, memory as n^{:.2}",
                by(&|run| run.seconds),
                by(&|run| run.mib)
            ));
            let sides = runs.iter().map(|(Point { rows, length, batch }, run)| {
                let side = format!("{rows} rows of {length}, batch {batch}");
                Side::new(&side, &[run.seconds], format!("{:.0} MiB", run.mib))
            });
            measured.cases.push(Case::new(&name, "s", sides.collect()));
        }
    }
    Ok(measured)
}

/// Runs `emberlab train` or `emberlab predict` on made-up rows.
fn one(bench: &Bench, command: &str, point: &Point) -> Result<Run> {
    let Point { rows, length, batch } = *point;
    let lines: Vec<String> = (0..rows).map(|row| line(row, length)).collect();
    let data = bench.write(&format!("growth-{rows}-{length}.jsonl"), &lines.join("\n"))?;
    let mut program = bench.program(&bench.emberlab);
    program.args([command, "--device", "cpu", "--max-length", "128"]);
    program.args(["--batch-size", &batch.to_string(), "--model"]).arg(bench.classifier(BERT_TINY)?);
    let runs = bench.folder.join("runs");
    if command == "train" {
        program.args(["--epochs", "1", "--overwrite", "--train"]).arg(data);
        program.arg("--out").arg(runs.join("growth"));
    } else {
        program.arg("--input").arg(data).arg("--output").arg(runs.join("growth.jsonl"));
    }
    process::measure(&mut program, &bench.log())
}

/// A labelled row that tokenises to `length` tokens, two of which are `[CLS]` and `[SEP]`.
fn line(row: usize, length: usize) -> String {
    let word = |place: usize| WORDS[(row + place * (1 + row % 7)) % WORDS.len()];
    let words: Vec<&str> = (0..length - 2).map(word).collect();
    let label = LABELS[row % LABELS.len()];
    serde_json::json!({ "text": words.join(" "), "label": label }).to_string()
}
