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
const WHOLE: &str = "whole";
const RUN: &str = "run";

pub struct Scene {
    emberlab: PathBuf,
    pub folder: PathBuf,
    /// How long the undisturbed run took.
    pub duration: Duration,
}

impl Scene {
    /// The embedded base model.
    pub fn bert_tiny(root: &Path, emberlab: &Path, folder: &Path) -> Result<Self> {
        empty(folder)?;
        symlink(root.join("models/bert-tiny"), folder.join("model"))?;
        Self::new(root, emberlab, folder)
    }

    /// A model so small that a run takes a moment.
    pub fn random3(root: &Path, emberlab: &Path, folder: &Path) -> Result<Self> {
        empty(folder)?;
        let model = folder.join("model");
        fs::create_dir(&model)?;
        for file in ["config.json", "model.safetensors"] {
            fs::copy(root.join("tests/fixtures/random3").join(file), model.join(file))?;
        }
        let mut words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned).to_vec();
        words.extend(('a'..='z').flat_map(|letter| [letter.to_string(), format!("##{letter}")]));
        fs::write(model.join("vocab.txt"), words.join("\n"))?;
        Self::new(root, emberlab, folder)
    }

    fn new(root: &Path, emberlab: &Path, folder: &Path) -> Result<Self> {
        let rows = fs::read_to_string(root.join("data/emotions/train.jsonl"))?;
        let rows: Vec<&str> = rows.lines().take(ROWS).collect();
        fs::write(folder.join("train.jsonl"), rows.join("\n") + "\n")?;
        fs::write(folder.join("eval.csv"), "text,label\nWhat a lovely day,joy\nGo away,anger\n")?;
        let mut scene = Self {
            emberlab: emberlab.to_owned(),
            folder: folder.to_owned(),
            duration: Duration::ZERO,
        };
        let started = Instant::now();
        let ran = scene.train(WHOLE).output().context("cannot start emberlab")?;
        scene.duration = started.elapsed();
        ensure!(ran.status.success(), "the undisturbed run failed:\n{}", said(&ran));
        Ok(scene)
    }

    /// The training, into `out`: 12 steps.
    fn train(&self, out: &str) -> Command {
        let line = format!(
            "train --model model --train train.jsonl --eval eval.csv --test eval.csv --device cpu \
             --epochs 2 --batch-size 8 --learning-rate 1e-3 --max-length 48 --logging-steps 1 \
             --save-steps {SAVE_STEPS} --out {out}"
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
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn run(&self) -> PathBuf {
        self.folder.join(RUN)
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

    fn checkpoints(&self) -> Vec<usize> {
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

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))
}
