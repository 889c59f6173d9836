//! The flags that say what comes out of a training beside the model, and those of `compare` and `report`.

use std::path::PathBuf;

use clap::Args;

use super::values::positive;

#[derive(Debug, Args)]
pub struct ResultArgs {
    /// Train N times, with seeds that follow one another from --seed on, each into a folder of --out, and
    /// say mean and standard deviation of the figures
    #[arg(long, value_name = "N", value_parser = positive(), default_value = "1", hide_default_value = true)]
    pub seeds: usize,
    /// Fit a temperature on the evaluation rows at the end, so that probabilities are as often right as
    /// they say; `predict` and the page use it, and no answer changes
    #[arg(long)]
    pub calibrate: bool,
    /// Also write TensorBoard event files into the run folder: tensorboard --logdir runs
    #[arg(long)]
    pub tensorboard: bool,
    /// Show the run in a browser on this machine while it trains: curves, mistakes, and its newest weights
    /// to try on a text. With --resume it is asked for anew
    #[arg(long, conflicts_with = "seeds")]
    pub live: bool,
}

impl ResultArgs {
    /// The seeds of all runs, where `first` is that of the first.
    pub fn seeds_from(&self, first: u64) -> Vec<u64> {
        (0..self.seeds as u64).map(|number| first.wrapping_add(number)).collect()
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab compare runs/tf-idf.jsonl runs/mine
  emberlab compare runs/a runs/b --split eval --json
  emberlab predict --model some-model --input test.jsonl --output a.jsonl; emberlab compare a.jsonl runs/b

Both must answer the same rows. McNemar's test looks at the rows that only one of them has right; the
paired bootstrap draws the rows again and again and looks at how the figures differ. Neither knows what
another seed would have given: train with --seeds for that.")]
pub struct CompareArgs {
    /// A run folder, or rows as `emberlab predict` writes them, with `gold` and `label` (`labels`, `score`, `tags`)
    #[arg(value_name = "RUN_A")]
    pub a: PathBuf,
    /// The same of the other
    #[arg(value_name = "RUN_B")]
    pub b: PathBuf,
    /// Rows of run folders to compare on, eval or test [default: test, if both have it, else eval]
    #[arg(long, value_name = "SPLIT")]
    pub split: Option<String>,
    /// Resamples of the bootstrap
    #[arg(long, value_name = "N", default_value = "10000", value_parser = positive())]
    pub resamples: usize,
    /// Seed of the resamples
    #[arg(long, value_name = "N", default_value = "42")]
    pub seed: u64,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Run folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
}
