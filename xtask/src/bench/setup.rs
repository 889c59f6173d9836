//! What the measurements stand on: programs, the peers' Python, models and data, each made once.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::process::Run;
use crate::native;
use crate::python::python;
use crate::workspace::{Workspace, run};

const DATA: &str = "../shared/data/emotion6";
/// Classes of emotion6, which every measured classifier has.
const CLASSES: &str = "6";

/// A pretrained encoder that is measured.
#[derive(Clone, Copy)]
pub struct Encoder {
    pub name: &'static str,
    pub folder: &'static str,
    pub layers: usize,
    pub hidden: usize,
    pub intermediate: usize,
}

pub const MINILM: Encoder = Encoder {
    name: "MiniLM-L6",
    folder: "../shared/models/minilm-l6",
    layers: 6,
    hidden: 384,
    intermediate: 1536,
};
pub const BERT_TINY: Encoder = Encoder {
    name: "bert-tiny",
    folder: "models/bert-tiny",
    layers: 2,
    hidden: 128,
    intermediate: 512,
};

pub struct Bench<'a> {
    pub workspace: &'a Workspace,
    pub quick: bool,
    pub threads: usize,
    /// Everything made for the measurements, in the target folder.
    pub folder: PathBuf,
    pub python: PathBuf,
    pub emberlab: PathBuf,
    /// The runs of row 4, from which row 6 takes the memory.
    pub predict_runs: Option<Vec<(&'static str, Vec<Run>)>>,
}

impl<'a> Bench<'a> {
    /// Builds `emberlab` and installs the peers.
    pub fn prepare(workspace: &'a Workspace, quick: bool) -> Result<Self> {
        let folder = workspace.target.join("bench");
        for name in ["models", "onnx", "data", "runs"] {
            fs::create_dir_all(folder.join(name))
                .with_context(|| format!("cannot make {}", folder.join(name).display()))?;
        }
        let emberlab = native::build(workspace)?;
        let python = python(workspace)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { workspace, quick, threads, folder, python, emberlab, predict_runs: None })
    }

    /// A program that measures, with the same number of threads as all others.
    pub fn program(&self, program: &Path) -> Command {
        let mut command = self.workspace.command(program, &[]);
        for name in
            ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "EMBERLAB_BENCH_THREADS"]
        {
            command.env(name, self.threads.to_string());
        }
        command.env("HF_HUB_OFFLINE", "1").env("TRANSFORMERS_VERBOSITY", "error");
        command
    }

    /// A program of a package in `bench/`; each is built when a row needs it.
    pub fn built(&self, package: &str) -> Result<Command> {
        let arguments = ["build", "--release", "--locked", "--package", package];
        let folder = self.workspace.root.join("bench");
        run(
            self.workspace.cargo(&arguments).current_dir(folder),
            "the compiler's message above says what is wrong",
        )?;
        let name = format!("{package}{}", env::consts::EXE_SUFFIX);
        Ok(self.program(&self.workspace.target.join("release").join(name)))
    }

    /// A script in `bench/peers`.
    pub fn peer(&self, script: &str) -> Command {
        let mut command = self.program(&self.python);
        command.arg(self.workspace.root.join("bench/peers").join(script));
        command
    }

    /// The encoder with a head of random weights.
    pub fn classifier(&self, encoder: Encoder) -> Result<PathBuf> {
        let out = self.folder.join("models").join(encoder.name);
        if !out.join("config.json").is_file() {
            let source = self.existing(encoder.folder)?;
            let mut script = self.peer("add_head.py");
            run(script.arg(source).arg(&out).arg(CLASSES), "see the message above")?;
        }
        Ok(out)
    }

    /// The folder's ONNX files, as `bench/browser/export.py` names them.
    pub fn onnx(&self, model: &Path, name: &str) -> Result<PathBuf> {
        let out = self.folder.join("onnx").join(name);
        if !out.join("onnx/model_fused.onnx").is_file() {
            let script = self.workspace.root.join("bench/browser/export.py");
            let mut export = self.program(&self.python);
            run(export.arg(script).arg(model).arg(&out), "see the message above")?;
        }
        Ok(out.join("onnx"))
    }

    /// MiniLM-L6 fine-tuned on emotion6: what `EMBERLAB_BENCH_MODEL` names, else one made of a
    /// part of the rows.
    pub fn fine_tuned(&self) -> Result<PathBuf> {
        if let Some(named) = env::var_os("EMBERLAB_BENCH_MODEL").map(PathBuf::from) {
            let found = named.join("config.json").is_file();
            ensure!(found, "EMBERLAB_BENCH_MODEL: {} is no model folder", named.display());
            return Ok(named);
        }
        let out = self.folder.join("models").join("emotion6");
        if !out.join("config.json").is_file() {
            let train = self.rows("train", 4000)?;
            let mut command = self.program(&self.emberlab);
            command.args(["train", "--device", "cpu", "--epochs", "1", "--learning-rate", "1e-4"]);
            command.arg("--model").arg(self.existing(MINILM.folder)?);
            run(command.arg("--train").arg(train).arg("--out").arg(&out), "see above")?;
        }
        Ok(out)
    }

    /// The first `count` rows of a split of emotion6, as a file.
    pub fn rows(&self, split: &str, count: usize) -> Result<PathBuf> {
        let all = self.existing(&format!("{DATA}/{split}.jsonl"))?;
        let text = fs::read_to_string(&all).with_context(|| all.display().to_string())?;
        let lines: Vec<&str> = text.lines().take(count).collect();
        self.write(&format!("{split}-{}.jsonl", lines.len()), &lines.join("\n"))
    }

    /// Writes one of the files of data.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join("data").join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("process.log")
    }

    /// The path of something that must be there, relative to the root.
    pub fn existing(&self, relative: &str) -> Result<PathBuf> {
        let path = self.workspace.root.join(relative);
        let remedy = "its place and origin stand in bench/README.md";
        ensure!(path.exists(), "{} is missing\nremedy: {remedy}", path.display());
        Ok(path)
    }
}
