//! Base model, adapted model, adapted model with new words: who grades better?

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use emberlab_core::grading::{GradedRun, Study};
use emberlab_core::model::ModelFiles;
use serde::Deserialize;
use serde_json::json;

use super::table;
use crate::cli::{AdaptationArgs, Cli, Command, DomainCommand, GradeSettings, TokenizerExtendArgs};
use crate::domain::corpus::Corpus;
use crate::domain::grade::{Answers, Grader, Parts, baselines};
use crate::domain::pretrain;
use crate::domain::vocabulary::extend;
use crate::files::{embedded, staged};
use crate::machine::device::{self, ChosenDevice};
use crate::run::record::Origin;
use crate::terminal::{json as pretty, note, print};
use crate::{Outcome, files};

/// The models, in the order of the table.
const MODELS: [&str; 3] = ["base", "adapted", "adapted, new words"];

/// How they grade.
const HOW: [&str; 2] = ["fine-tuned", "as it is"];
const RIDGE: &str = "ridge on words";

/// Runs the command.
pub fn run(args: &AdaptationArgs) -> Result<Outcome> {
    let origin = Origin::here()?;
    let answers = Answers::read(&args.data, &args.columns, None)?;
    let test = args.test.as_deref();
    let test = test.map(|path| Answers::read(path, &args.columns, Some(answers.highest())));
    let test = test.transpose()?;
    let base = embedded::model(args.model.as_deref())?;
    fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    let chosen = device::choose(args.device.device)?;

    let adapted = args.out.join("adapted");
    let extended = args.out.join(format!("extended-{}", args.words));
    let adapted_extended = args.out.join("adapted-new-words");
    if adapt(args, &base, &adapted)? == Outcome::Interrupted {
        return interrupted();
    }
    let corpus = Corpus::open(&args.corpus)?;
    if !extended.exists() {
        note("extending the vocabulary");
        let words = TokenizerExtendArgs {
            model: None,
            corpus: args.corpus.clone(),
            out: extended.clone(),
            words: args.words,
            min_count: 5,
            show: 10,
        };
        note(extend::extend(&base, &corpus, &words)?);
    }
    if adapt(args, &extended, &adapted_extended)? == Outcome::Interrupted {
        return interrupted();
    }
    let corpus_losses =
        [pretrain::measured_in(&adapted)?, pretrain::measured_in(&adapted_extended)?];

    let folders = [base, adapted, adapted_extended];
    let study = grade_all(args, &answers, test.as_ref(), &folders, &chosen)?;
    let found = study.compare(&pairs(), args.settings.threshold, args.settings.seed);
    let text = table::render(&found, &corpus_losses, args.seeds, &origin.command);
    let record = json!({
        "command": origin.command, "started_at": origin.started_at,
        "corpus": corpus_losses, "models": folders, "seeds": args.seeds, "found": found,
    });
    staged::write(&args.out.join("study.json"), pretty(&record)?.as_bytes())?;
    staged::write(&args.out.join("README.md"), text.as_bytes())?;
    print(format_args!("{text}\nsaved   {}\n", args.out.display()))?;
    Ok(Outcome::Completed)
}

/// Which graders are compared: each adapted model with the base, and fine-tuned ones with what has to be
/// beaten.
fn pairs() -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for how in HOW {
        for model in &MODELS[1..] {
            pairs.push((format!("{model}, {how}"), format!("{}, {how}", MODELS[0])));
        }
    }
    for model in MODELS {
        pairs.push((format!("{model}, {}", HOW[0]), RIDGE.to_owned()));
    }
    pairs
}

/// What is asked of the `run.json` of a training that is there.
#[derive(Deserialize)]
struct Began {
    arguments: Vec<String>,
}

fn interrupted() -> Result<Outcome> {
    note("the same command goes on");
    Ok(Outcome::Interrupted)
}

/// Trains a model on the corpus, unless that is done; an interrupted training goes on.
fn adapt(args: &AdaptationArgs, model: &Path, out: &Path) -> Result<Outcome> {
    let mut line: Vec<String> = vec!["pretrain".into()];
    let folders = [("--model", model), ("--corpus", &args.corpus), ("--out", out)];
    let guarded = std::iter::once(&args.data).chain(&args.test);
    let guarded = guarded.map(|path| ("--guard", path.as_path()));
    for (flag, path) in folders.into_iter().chain(guarded) {
        line.extend([flag.into(), path.display().to_string()]);
    }
    let recipe = [
        ("--epochs", args.pretrain_epochs.to_string()),
        ("--learning-rate", args.pretrain_learning_rate.to_string()),
        ("--seed", args.settings.seed.to_string()),
        ("--device", args.device.device.to_string()),
    ];
    for (flag, value) in recipe {
        line.extend([flag.into(), value]);
    }
    if args.device.no_kernels {
        line.push("--no-kernels".into());
    }
    if let Some(Began { arguments }) = files::recorded(out) {
        ensure!(
            arguments == line,
            "{} was made by other arguments: {}; name another --out",
            out.display(),
            arguments.join(" ")
        );
        return pretrain::go_on(out);
    }
    let words = std::iter::once("emberlab").chain(line.iter().map(String::as_str));
    let Command::Domain(DomainCommand::Pretrain(pretraining)) = Cli::try_parse_from(words)?.command
    else {
        anyhow::bail!("these are no arguments of pretrain");
    };
    pretrain::start(&pretraining, Origin { arguments: line, ..Origin::here()? })
}

/// Every grader on the held-out answers of every seed.
fn grade_all(
    args: &AdaptationArgs,
    answers: &Answers,
    test: Option<&Answers>,
    folders: &[PathBuf; 3],
    device: &ChosenDevice,
) -> Result<Study> {
    let mut study = Study::default();
    for run in 0..args.seeds {
        let settings =
            GradeSettings { seed: args.settings.seed + run as u64, ..args.settings.clone() };
        let parts = match test {
            Some(test) => Parts { train: answers.clone(), test: test.clone() },
            None => Parts::of(answers, &settings)?,
        };
        let mut points = Vec::new();
        for (name, folder) in MODELS.iter().zip(folders) {
            note(format_args!("seed {}: {name}", settings.seed));
            let files: ModelFiles = files::read_model(folder)?;
            let plain = args.device.no_kernels;
            let trained = Grader::train(&files, &parts.train, &settings, &device.device, plain)?;
            points.push((format!("{name}, {}", HOW[0]), trained.grade(&parts.test, 32)?));
            let files = files::read_model(folder)?;
            let as_it_is =
                Grader::untrained(&files, &parts.train, &settings, &device.device, plain)?;
            points.push((format!("{name}, {}", HOW[1]), as_it_is.grade(&parts.test, 32)?));
        }
        points.push((RIDGE.to_owned(), baselines::ridge(&parts)));
        points.push(("majority".to_owned(), baselines::majority(&parts)));
        let Answers { questions, scores, most, .. } = parts.test;
        study.add(GradedRun { questions, gold: scores, most, points });
    }
    Ok(study)
}
