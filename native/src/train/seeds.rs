//! `emberlab train --seeds N`: the same training with several seeds, and how far they differ.
//!
//! Each is a run folder of its own (`--out`/seed-42, …), as if it had been started by itself, so that
//! `--resume` goes on with any of them; `seeds.json` beside them sums them up.

use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::{self, Path, PathBuf};

use anyhow::{Context, Result, bail};
use emberlab_core::train::TrainConfig;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Outcome;
use crate::cli::TrainArgs;
use crate::files::{self, RUN_FILE, embedded, staged};
use crate::run::record::Origin;
use crate::run::resume;
use crate::terminal::figures::in_words;
use crate::terminal::{interrupt, json, note, print_at_end, shell_word};

const FILE: &str = "seeds.json";

/// What all runs together come to.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// As it was typed.
    pub command: String,
    pub seeds: Vec<u64>,
    /// Their folders, beside this file.
    pub runs: Vec<String>,
    /// By split and figure.
    pub metrics: Map<String, Value>,
}

/// A figure over all seeds.
#[derive(Debug, PartialEq, Serialize)]
struct Spread {
    mean: f64,
    /// Of the sample (with n − 1); none of a single seed.
    standard_deviation: Option<f64>,
    /// In the order of the seeds.
    values: Vec<f64>,
}

/// The runs of `--seeds`, each of which `run` carries out; those that are complete already are left
/// as they are.
pub fn run(
    args: &TrainArgs,
    run: impl Fn(&TrainArgs, Origin) -> Result<Outcome>,
    go_on: impl Fn(&Path, &[OsString]) -> Result<Outcome>,
) -> Result<Outcome> {
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(embedded::OUT));
    let first = args.recipe.seed.unwrap_or(TrainConfig::default().seed);
    let seeds = args.results.seeds_from(first);
    refuse_to_replace(&out, args.overwrite)?;
    // To go on with a run is to go to its working folder.
    let here = path::absolute(&out).context("there is no working folder")?;
    let whole = Origin::here()?;
    for (index, &seed) in seeds.iter().enumerate() {
        let folder = out.join(folder_of(seed));
        note(format_args!("seed {seed}, {} of {}", index + 1, seeds.len()));
        let run_folder = here.join(folder_of(seed));
        let arguments = arguments(&whole.arguments, seed, &folder);
        let outcome = match run_folder.join(RUN_FILE).is_file() && !args.overwrite {
            true => {
                let typed: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
                go_on(&run_folder, &typed)?
            }
            false => {
                let one = resume::parsed(&arguments)?;
                run(&one, Origin { arguments, seeds: seeds.clone(), ..Origin::here()? })?
            }
        };
        let is_left = index + 1 < seeds.len();
        if outcome == Outcome::Interrupted || (is_left && interrupt::requested()) {
            let all_anew = if args.overwrite { ", without --overwrite," } else { "" };
            note(format_args!("the same command{all_anew} goes on with the seeds that are left"));
            return Ok(Outcome::Interrupted);
        }
    }
    let summary = Summary::of(&here, whole.command, seeds)?;
    staged::write(&here.join(FILE), json(&summary)?.as_bytes())?;
    print_at_end(render(&summary, &out))?;
    Ok(Outcome::Completed)
}

fn folder_of(seed: u64) -> String {
    format!("seed-{seed}")
}

/// A folder that holds something else is not written into.
fn refuse_to_replace(out: &Path, overwrite: bool) -> Result<()> {
    if overwrite || !out.exists() {
        return Ok(());
    }
    let entries = fs::read_dir(out).with_context(|| format!("cannot read {}", out.display()))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != FILE && !name.starts_with("seed-") && !name.starts_with('.') {
            bail!("{} holds {name}, which is not of --seeds; name another --out", out.display());
        }
    }
    Ok(())
}

/// The arguments with which one run would have been started by itself.
fn arguments(typed: &[String], seed: u64, folder: &Path) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut typed = typed.iter();
    while let Some(word) = typed.next() {
        match word.as_str() {
            "--seeds" | "--seed" | "--out" => drop(typed.next()),
            word if ["--seeds=", "--seed=", "--out="].iter().any(|flag| word.starts_with(flag)) => {
            }
            word => words.push(word.to_owned()),
        }
    }
    words.extend(["--seed".to_owned(), seed.to_string()]);
    words.extend(["--out".to_owned(), folder.display().to_string()]);
    words
}

impl Summary {
    fn of(out: &Path, command: String, seeds: Vec<u64>) -> Result<Self> {
        let runs: Vec<String> = seeds.iter().map(|&seed| folder_of(seed)).collect();
        let record = |run: &String| -> Result<Value> {
            let path = out.join(run).join(RUN_FILE);
            serde_json::from_slice(&files::read(&path)?)
                .with_context(|| format!("{}: not a JSON object", path.display()))
        };
        let records: Vec<Value> = runs.iter().map(record).collect::<Result<_>>()?;
        let mut metrics = Map::new();
        for (split, first) in
            records.first().and_then(|of| of["metrics"].as_object()).into_iter().flatten()
        {
            let names = first.as_object().into_iter().flatten().filter(|(_, value)| value.is_f64());
            let spread = |(name, _): (&String, _)| {
                let values = records.iter().filter_map(|of| of["metrics"][split][name].as_f64());
                Ok((name.clone(), serde_json::to_value(Spread::of(values.collect()))?))
            };
            metrics.insert(split.clone(), Value::Object(names.map(spread).collect::<Result<_>>()?));
        }
        Ok(Self { command, seeds, runs, metrics })
    }
}

impl Spread {
    fn of(values: Vec<f64>) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let standard_deviation = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        Self { mean, standard_deviation, values }
    }
}

fn render(summary: &Summary, out: &Path) -> String {
    let seeds: Vec<String> = summary.seeds.iter().map(u64::to_string).collect();
    let mut text = String::new();
    for (split, figures) in &summary.metrics {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{split}: seeds {}\n", seeds.join(", "));
        for (name, spread) in figures.as_object().into_iter().flatten() {
            let number = |key: &str| spread[key].as_f64().unwrap_or(f64::NAN);
            let values =
                spread["values"].as_array().into_iter().flatten().filter_map(Value::as_f64);
            let values: Vec<String> = values.map(|value| format!("{value:.4}")).collect();
            let (mean, deviation) = (number("mean"), number("standard_deviation"));
            let name = in_words(name);
            let _ = writeln!(text, "{name:18}  {mean:.4} ± {deviation:.4}   {}", values.join("  "));
        }
        text.push('\n');
    }
    if summary.metrics.is_empty() {
        text.push_str("nothing was measured: no --eval or --test rows\n\n");
    }
    let folder = out.display().to_string();
    text + &format!(
        "mean ± standard deviation (n − 1)\nsaved   {}/seed-*, {}/{FILE}\n",
        shell_word(&folder),
        shell_word(&folder)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation() {
        let spread = Spread::of(vec![2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(spread.mean, 5.0);
        assert!((spread.standard_deviation.unwrap() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(Spread::of(vec![0.5]).standard_deviation, None);
    }

    #[test]
    fn each_seed_has_the_arguments_of_a_run_by_itself() {
        let typed = ["train", "--seed=3", "--seeds", "2", "--out", "x", "--train", "a"];
        let typed: Vec<String> = typed.map(str::to_owned).into();
        assert_eq!(
            arguments(&typed, 4, Path::new("x/seed-4")),
            ["train", "--train", "a", "--seed", "4", "--out", "x/seed-4"]
        );
    }
}
