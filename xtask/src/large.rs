//! Sets larger than memory: peak memory and speed of `train` and `predict` by the number of rows.
//!
//! The model is so small that rows decide. Training is ended by Ctrl-C once it has gone through some
//! windows of shuffled rows: an epoch over more of them needs no other memory.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use wait4::Wait4;

use crate::native;
use crate::workspace::Workspace;

/// Rows where none are given.
const ROWS: [usize; 2] = [1_000_000, 10_000_000];
/// Training goes through four windows of 65,536 rows, in batches of 256.
const STEPS: usize = 1024;
const BATCH: &str = "256";
/// Words of the rows, all in the vocabulary.
const WORDS: [&str; 40] = [
    "the", "a", "film", "book", "was", "is", "not", "very", "good", "bad", "story", "with", "and",
    "of", "actor", "scene", "long", "short", "music", "light", "dark", "end", "begin", "slow",
    "fast", "i", "you", "we", "they", "saw", "read", "liked", "hated", "again", "never", "always",
    "one", "two", "first", "last",
];
const MIB: u64 = 1024 * 1024;

/// What a run of a command took.
struct Run {
    seconds: f64,
    peak_mib: u64,
    /// What it said on standard error.
    said: String,
}

/// Prints a table with a line for each number of rows.
pub fn large(workspace: &Workspace, rows: &[usize]) -> Result<()> {
    let emberlab = native::build(workspace)?;
    let folder = workspace.target.join("large");
    make_model(workspace, &folder)?;
    println!(
        "| rows | file | tokenized (rows/s) | train: peak | again, from the cache | predict (rows/s) | predict: peak |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for &rows in if rows.is_empty() { &ROWS[..] } else { rows } {
        let data = folder.join("rows.jsonl");
        write_rows(&data, rows)?;
        let command = |line: &str| {
            let mut command = Command::new(&emberlab);
            command.current_dir(&folder).env("XDG_CACHE_HOME", folder.join("cache"));
            command.args(line.split_whitespace());
            command
        };
        let train = format!(
            "train --model model --train rows.jsonl --out run --overwrite --epochs 1 --batch-size {BATCH} --device cpu"
        );
        remove(&folder.join("cache"))?;
        let first = run(command(&train), Some(STEPS))?;
        let again = run(command(&train), Some(STEPS))?;
        let predict = run(
            command("predict --model model --input rows.jsonl --output out.jsonl --device cpu"),
            None,
        )?;
        let lines = BufReader::new(File::open(folder.join("out.jsonl"))?).lines().count();
        ensure!(lines == rows, "{lines} rows came out of {rows}");
        println!(
            "| {rows} | {} MiB | {} | {} MiB | {} MiB, first step after {:.1} s | {:.0} | {} MiB |",
            data.metadata()?.len() / MIB,
            rate(&first.said)?,
            first.peak_mib,
            again.peak_mib,
            again.seconds,
            rows as f64 / predict.seconds,
            predict.peak_mib,
        );
    }
    remove(&folder)
}

/// Runs a command to its end, or until it has done some steps. `seconds` are those to the first line
/// on steps, or to the end.
fn run(mut command: Command, mut steps: Option<usize>) -> Result<Run> {
    let shown = format!("{command:?}");
    let started = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut said = String::new();
    let mut to_first_step = None;
    for line in BufReader::new(child.stderr.take().context("its errors are not there")?).lines() {
        let line = line?;
        let step = line.strip_prefix("step ").and_then(|rest| rest.split('/').next()?.parse().ok());
        to_first_step = to_first_step.or(line.starts_with("out ").then(|| started.elapsed()));
        // Once only: a second Ctrl-C would end it without saving.
        if step.is_some_and(|step: usize| steps.take_if(|steps| step >= *steps).is_some()) {
            Command::new("kill").args(["-INT", &child.id().to_string()]).status()?;
        }
        said.push_str(&line);
        said.push('\n');
    }
    let used = child.wait4()?;
    // 130: interrupted.
    let ended = used.status.success() || used.status.code() == Some(130);
    ensure!(ended, "{shown} failed:\n{said}");
    let seconds = to_first_step.unwrap_or_else(|| started.elapsed()).as_secs_f64();
    eprintln!("{shown}: {seconds:.1} s, {} MiB", used.rusage.maxrss / MIB);
    Ok(Run { seconds, peak_mib: used.rusage.maxrss / MIB, said })
}

/// The rows a second that `train` tokenized.
fn rate(said: &str) -> Result<String> {
    let line = said.lines().find(|line| line.starts_with("tokens ") && line.ends_with(" a second"));
    let rate = line.and_then(|line| line.strip_suffix(" a second")?.rsplit(' ').next());
    rate.map(str::to_owned).context("train does not say how fast it tokenized")
}

/// A model with a vocabulary of the words.
fn make_model(workspace: &Workspace, folder: &Path) -> Result<()> {
    let model = folder.join("model");
    fs::create_dir_all(&model)?;
    let from = workspace.root.join("tests/fixtures/random3");
    for name in ["config.json", "model.safetensors"] {
        fs::copy(from.join(name), model.join(name))?;
    }
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    let vocabulary: Vec<&str> = special.into_iter().chain(WORDS).collect();
    fs::write(model.join("vocab.txt"), vocabulary.join("\n"))?;
    Ok(())
}

/// Rows of 4 to 19 words, the same in every run.
fn write_rows(path: &Path, rows: usize) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut state = 1_u64;
    let mut below = |limit: usize| {
        // Knuth's MMIX generator; its upper bits are the better ones.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    for _ in 0..rows {
        let label = ["neg", "pos"][below(2)];
        let words: Vec<&str> = (0..4 + below(16)).map(|_| WORDS[below(WORDS.len())]).collect();
        writeln!(file, "{{\"text\": \"{}\", \"label\": \"{label}\"}}", words.join(" "))?;
    }
    file.flush()?;
    Ok(())
}

fn remove(folder: &PathBuf) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}
