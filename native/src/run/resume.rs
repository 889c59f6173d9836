//! A run that goes on: the arguments that it was started with, whether model and data are still what
//! they were, and its newest checkpoint.

use std::env;
use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use emberlab_core::model::{ModelFiles, Source};
use emberlab_core::train::Trainer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checkpoint;
use super::folder::RunFolder;
use super::record::Origin;
use crate::cli::{Cli, TrainArgs};
use crate::files::{self, METRICS, RUN_FILE, staged};
use crate::terminal::note;
use crate::train::trial;

/// Who looks on does not decide what a run is.
const LIVE: &str = "live";
const RESUME: &str = "resume";

/// The arguments in `stored`, the `run.json` of `folder`, in whose working folder this process is
/// from then on.
///
/// # Errors
/// `typed` ones are others: beside `--resume` those that are there, else any.
pub fn arguments(folder: &Path, stored: &Value, typed: &[OsString]) -> Result<TrainArgs> {
    ensure_command(folder, stored, "train")?;
    let Origin { arguments, working_folder, .. } = origin(stored)?;
    let started =
        train_matches(arguments.into_iter().map(OsString::from).collect()).with_context(|| {
            format!("the arguments in {}/run.json cannot be read", folder.display())
        })?;
    let typed = train_matches(typed.to_vec())?;
    let differences = differing_arguments(&started, &typed);
    if !differences.is_empty() {
        bail!(
            "{} was started with other arguments: {}; a run goes on with its own: leave them out, or start another",
            folder.display(),
            differences.join(", ")
        );
    }
    go_to(&working_folder)?;
    let mut args = TrainArgs::from_arg_matches(&started)?;
    args.results.live = typed.get_flag(LIVE);
    if args.recipe.course.auto_find_batch_size {
        // What was found then holds.
        let size = |key: &str| {
            let size = stored["recipe"][key].as_u64();
            size.with_context(|| format!("{}/run.json: no recipe.{key}", folder.display()))
        };
        let [rows, number] = [size("batch_size")?, size("gradient_accumulation_steps")?];
        args = trial::with_batches(args, [rows as usize, number as usize]);
    }
    Ok(args)
}

/// # Errors
/// The run in `folder` is one of another command.
pub fn ensure_command(folder: &Path, stored: &Value, command: &str) -> Result<()> {
    let began = origin(stored)?.arguments.into_iter().next().unwrap_or_default();
    ensure!(
        began == command,
        "{0} is a run of emberlab {began}; go on with it: emberlab {began} --resume {0}",
        folder.display()
    );
    Ok(())
}

/// The arguments of `emberlab train` in `words`, which begin with `train`.
pub fn parsed(words: &[String]) -> Result<TrainArgs> {
    Ok(TrainArgs::from_arg_matches(&train_matches(words.iter().map(OsString::from).collect())?)?)
}

fn train_matches(words: Vec<OsString>) -> Result<ArgMatches> {
    let words = [OsString::from("emberlab")].into_iter().chain(words);
    let mut matches = Cli::command().try_get_matches_from(words)?;
    matches.remove_subcommand().map(|(_, train)| train).context("no command")
}

/// Those that have another value now: with `--resume`, of what was typed beside it.
fn differing_arguments(started: &ArgMatches, typed: &ArgMatches) -> Vec<String> {
    let cli = Cli::command();
    let Some(train) = cli.find_subcommand("train") else { return Vec::new() };
    let value = |matches: &ArgMatches, id: &str| -> String {
        let raw = matches.get_raw(id).into_iter().flatten();
        let raw: Vec<_> = raw.map(|value| value.to_string_lossy()).collect();
        if raw.is_empty() { "not given".to_owned() } else { raw.join(" ") }
    };
    let ids = train.get_arguments().map(|argument| argument.get_id().as_str());
    let is_typed =
        |matches: &ArgMatches, id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let beside_resume = is_typed(typed, RESUME);
    let counts = |id: &&str| match beside_resume {
        true => ![RESUME, LIVE].contains(id) && is_typed(typed, id),
        // The folder is the one that is gone on with, by whatever path.
        false => {
            ![RESUME, LIVE, "out", "overwrite"].contains(id)
                && (is_typed(typed, id) || is_typed(started, id))
        }
    };
    ids.filter(counts)
        .map(|id| (id, value(started, id), value(typed, id)))
        .filter(|(_, then, now)| then != now)
        .map(|(id, then, now)| format!("--{} was {then}, now {now}", id.replace('_', "-")))
        .collect()
}

/// Makes a run's working folder that of this process. Where it is not there (on another machine), paths are those
/// of this one.
pub fn go_to(working_folder: &Path) -> Result<()> {
    if working_folder.is_dir() {
        env::set_current_dir(working_folder)
            .with_context(|| format!("cannot go to {}", working_folder.display()))?;
    }
    Ok(())
}

/// `run.json` and `metrics.jsonl` as they were at a checkpoint.
pub struct Then {
    pub record: Value,
    pub metrics: Vec<u8>,
}

/// Removes what a kill has left in the making in a run folder.
pub fn clear_up(folder: &Path) -> Result<()> {
    let places = [folder.to_owned(), folder.join(checkpoint::FOLDER)];
    places.iter().filter(|place| place.is_dir()).try_for_each(|place| staged::sweep(place))
}

/// The trainer as the newest whole checkpoint in `folder` has it, and the folder's history cut there; as it was
/// given where there is none, and the history empty. `needed` is as in [`checkpoint::newest`].
pub fn restored(
    folder: &mut RunFolder,
    trainer: Trainer,
    needed: &dyn Fn(&[u8]) -> Option<usize>,
) -> Result<(Trainer, Option<Then>)> {
    clear_up(folder.path())?;
    let Some((path, manifest)) = checkpoint::newest(folder.path(), needed) else {
        folder.rewind(b"")?;
        note("there is no whole checkpoint: starting from the beginning");
        return Ok((trainer, None));
    };
    let weights = path.join(ModelFiles::WEIGHTS);
    let state = Source::File(files::open(&weights)?);
    let trainer = trainer.restore(&weights.display().to_string(), state)?;
    let record = serde_json::from_slice(&files::read(&path.join(RUN_FILE))?)?;
    let metrics = files::read(&path.join(METRICS))?;
    folder.rewind(&metrics)?;
    let (step, total) = (manifest.step, trainer.total_steps());
    note(format_args!("going on after step {step} of {total}"));
    Ok((trainer, Some(Then { record, metrics })))
}

/// How the run in `stored` was started.
pub fn origin(stored: &Value) -> Result<Origin> {
    Origin::deserialize(stored).context("run.json does not say how the run was started")
}

/// Refuses to go on where something of what training depends on, under these keys of `run.json`, is no longer
/// what it was, and says what may change its last bits.
pub fn check(stored: &Value, record: &impl Serialize, keys: &[&str]) -> Result<()> {
    // A number may come back from text with another last digit: so do both.
    let present: Value = serde_json::from_str(&serde_json::to_string(record)?)?;
    let mut differences = Vec::new();
    // What an earlier emberlab did not record is not known to differ.
    for &key in keys.iter().filter(|key| !stored[**key].is_null()) {
        compare(key, &stored[key], &present[key], &mut differences);
    }
    if !differences.is_empty() {
        bail!("this is no longer the run that was started: {}", differences.join("; "));
    }
    let mut surroundings = Vec::new();
    for key in ["emberlab", "device"] {
        compare(key, &stored[key], &present[key], &mut surroundings);
    }
    if !surroundings.is_empty() {
        let changes = surroundings.join("; ");
        note(format_args!("note: the last bits of the weights may differ: {changes}"));
    }
    Ok(())
}

/// Adds `path` with both values for each leaf that differs.
fn compare(path: &str, stored: &Value, present: &Value, differences: &mut Vec<String>) {
    match (stored, present) {
        (Value::Object(then), Value::Object(now)) => {
            let keys = then.keys().chain(now.keys().filter(|key| !then.contains_key(*key)));
            for key in keys {
                let path = format!("{path}.{key}");
                compare(&path, &stored[key.as_str()], &present[key.as_str()], differences);
            }
        }
        (Value::Array(then), Value::Array(now)) if then.len() == now.len() => {
            for (index, (then, now)) in then.iter().zip(now).enumerate() {
                let name = then["split"].as_str().map_or_else(|| index.to_string(), str::to_owned);
                compare(&format!("{path}.{name}"), then, now, differences);
            }
        }
        (then, now) if then != now => differences.push(format!("{path} was {then}, now {now}")),
        _ => {}
    }
}
