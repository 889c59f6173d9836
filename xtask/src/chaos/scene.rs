//! A folder with a model, data, and a run that nothing disturbed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// Steps between two checkpoints.
pub const SAVE_STEPS: usize = 2;
const ROWS: usize = 48;
/// The data files.
pub const TRAIN: &str = "train.jsonl";
pub const EVAL: &str = "eval.csv";
const CACHE: &str = "cache";
const WHOLE: &str = "whole";
const RUN: &str = "run";

/// 12 steps.
const SMALL: &str = "--epochs 2 --batch-size 8";
/// 26 steps, in three windows of shuffled rows.
const STREAM: &str = "--epochs 1 --batch-size 8192";
/// Of a set that is a stream; from 200,000 rows on it is one.
const STREAM_ROWS: usize = 210_000;

pub struct Scene {
    emberlab: PathBuf,
    pub folder: PathBuf,
    course: &'static str,
    seed: u64,
    /// How long the undisturbed run took.
    pub duration: Duration,
}

impl Scene {
    /// The embedded base model.
    pub fn bert_tiny(root: &Path, emberlab: &Path, folder: &Path) -> Result<Self> {
        empty(folder)?;
        symlink(root.join("models/bert-tiny"), folder.join("model"))?;
        write_small(root, folder)?;
        Self::new(emberlab, folder, SMALL)
    }

    /// A model so small that a run takes a moment.
    pub fn random3(root: &Path, emberlab: &Path, folder: &Path) -> Result<Self> {
        empty(folder)?;
        write_random3(root, folder)?;
        write_small(root, folder)?;
        Self::new(emberlab, folder, SMALL)
    }

    /// The same with a set that is not held in memory.
    pub fn stream(root: &Path, emberlab: &Path, folder: &Path) -> Result<Self> {
        empty(folder)?;
        write_random3(root, folder)?;
        write_small(root, folder)?;
        let row = |row: usize| {
            let label = ["joy", "anger"][row * row % 7 % 2];
            format!("{{\"text\": \"row {row}\", \"label\": \"{label}\"}}\n")
        };
        fs::write(folder.join(TRAIN), (0..STREAM_ROWS).map(row).collect::<String>())?;
        Self::new(emberlab, folder, STREAM)
    }

    fn new(emberlab: &Path, folder: &Path, course: &'static str) -> Result<Self> {
        let (emberlab, folder) = (emberlab.to_owned(), folder.to_owned());
        let mut scene = Self { emberlab, folder, course, seed: 0, duration: Duration::ZERO };
        scene.undisturbed()?;
        Ok(scene)
    }

    /// The same with other random numbers.
    pub fn reseed(&mut self, seed: u64) -> Result<()> {
        self.seed = seed;
        fs::remove_dir_all(self.folder.join(WHOLE))?;
        self.undisturbed()
    }

    fn undisturbed(&mut self) -> Result<()> {
        let started = Instant::now();
        let ran = self.train(WHOLE).output().context("cannot start emberlab")?;
        self.duration = started.elapsed();
        ensure!(ran.status.success(), "the undisturbed run failed:\n{}", said(&ran));
        Ok(())
    }

    /// The training, into `out`.
    fn train(&self, out: &str) -> Command {
        let Self { course, seed, .. } = self;
        let line = format!(
            "train --model model --train {TRAIN} --eval {EVAL} --test {EVAL} --device cpu {course} \
             --learning-rate 1e-3 --max-length 48 --logging-steps 1 --save-steps {SAVE_STEPS} \
             --seed {seed} --out {out}"
        );
        self.command(line.split_whitespace())
    }

    /// The training that is disturbed.
    pub fn start(&self) -> Command {
        self.train(RUN)
    }

    /// Goes on with it, or starts it where there is nothing yet.
    pub fn resume(&self) -> Command {
        if self.run().exists() { self.command(["train", "--resume", RUN]) } else { self.start() }
    }

    fn command<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(&self.emberlab);
        command.args(words).current_dir(&self.folder);
        command.env("XDG_CACHE_HOME", self.folder.join(CACHE));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn run(&self) -> PathBuf {
        self.folder.join(RUN)
    }

    /// The tokenized rows of a stream, in the making too.
    pub fn tokenized(&self) -> Vec<PathBuf> {
        let folder = self.folder.join(CACHE).join("emberlab/tokenized");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }

    /// Takes the disturbed run away.
    pub fn clear(&self) -> Result<()> {
        match self.run().exists() {
            true => Ok(fs::remove_dir_all(self.run())?),
            false => Ok(()),
        }
    }

    /// The run as it was left: no more than one interval is lost.
    pub fn check_left(&self) -> Result<()> {
        let history = fs::read_to_string(self.run().join("metrics.jsonl")).unwrap_or_default();
        let last = history.lines().filter_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            line["step"].as_u64()
        });
        let reached = last.max().unwrap_or_default() as usize;
        let saved = self.checkpoints().into_iter().max().unwrap_or_default();
        ensure!(
            reached <= saved + SAVE_STEPS,
            "step {reached} was reached, but the newest checkpoint is of step {saved}"
        );
        Ok(())
    }

    /// The steps of its checkpoints.
    pub fn checkpoints(&self) -> Vec<usize> {
        let entries = fs::read_dir(self.run().join("checkpoints")).into_iter().flatten().flatten();
        let step = |entry: fs::DirEntry| {
            entry.file_name().to_str()?.strip_prefix("checkpoint-")?.parse().ok()
        };
        entries.filter_map(step).collect()
    }

    /// The run is complete, and ended as the undisturbed one did.
    pub fn check_complete(&self) -> Result<()> {
        for file in ["model.safetensors", "metrics.jsonl"] {
            let [whole, run] = [WHOLE, RUN].map(|run| fs::read(self.folder.join(run).join(file)));
            ensure!(whole? == run?, "{file} is not that of the undisturbed run");
        }
        let left = fs::read_dir(self.run())?.flatten().map(|entry| entry.file_name());
        let hidden = left.filter(|name| name.to_string_lossy().starts_with('.'));
        match hidden.last() {
            Some(name) => bail!("{} is left behind", name.display()),
            None => Ok(()),
        }
    }
}

/// What went on with a run did so without a word of damage.
pub fn check_resumed(ran: &Output) -> Result<()> {
    ensure!(ran.status.success(), "it did not go on ({}):\n{}", ran.status, said(ran));
    ensure!(!said(ran).contains("passing over"), "a checkpoint was damaged:\n{}", said(ran));
    Ok(())
}

pub fn said(ran: &Output) -> String {
    String::from_utf8_lossy(&ran.stderr).into_owned()
}

fn write_random3(root: &Path, folder: &Path) -> Result<()> {
    let model = folder.join("model");
    fs::create_dir(&model)?;
    for file in ["config.json", "model.safetensors"] {
        fs::copy(root.join("tests/fixtures/random3").join(file), model.join(file))?;
    }
    let mut words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned).to_vec();
    words.extend(('a'..='z').flat_map(|letter| [letter.to_string(), format!("##{letter}")]));
    Ok(fs::write(model.join("vocab.txt"), words.join("\n"))?)
}

fn write_small(root: &Path, folder: &Path) -> Result<()> {
    let rows = fs::read_to_string(root.join("data/emotions/train.jsonl"))?;
    let rows: Vec<&str> = rows.lines().take(ROWS).collect();
    fs::write(folder.join(TRAIN), rows.join("\n") + "\n")?;
    Ok(fs::write(folder.join(EVAL), "text,label\nWhat a lovely day,joy\nGo away,anger\n")?)
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))
}
