//! `--auto-find-batch-size`: the estimate says where to begin, and a trial whether it fits.
//!
//! A trial is a process of its own, which takes the largest step of the run and ends: memory that runs out may end a
//! process where it stands, and what it held on a GPU is free only afterwards. Nothing is loaded here meanwhile.

use std::env;
use std::io::{self, Read};
use std::process::{self, Command, Output, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use super::plan::{Plan, Sources};
use crate::Outcome;
use crate::cli::TrainArgs;
use crate::machine::memory::{self, smallest_factor};
use crate::run::resume;
use crate::terminal::{interrupt, note, print};

/// Rows of a batch, and batches of a step.
type Batches = [usize; 2];

/// The process of a trial: says how many rows and batches it takes (those it was given, or what the estimate makes of
/// what was asked for), then takes the largest step of the run that `words` start. It writes nothing.
pub fn run(words: &[String], batches: &[usize]) -> Result<Outcome> {
    end_with_parent();
    let mut args = resume::parsed(words)?;
    if let &[rows, number] = batches {
        args = with_batches(args, [rows, number]);
    }
    let sources = Sources::resolve(&args)?;
    let mut plan = Plan::prepare(&args, sources)?;
    let recipe = &plan.recipe;
    print(format_args!("{},{}", recipe.batch_size, recipe.gradient_accumulation_steps))?;
    pollster::block_on(plan.trainer.largest_step())?;
    Ok(Outcome::Completed)
}

/// The arguments of the run that `words` start, with batches with which a trial came through; nothing where none is
/// asked for, or where something else is wrong, which the run will say.
///
/// # Errors
/// Not even a step of single rows came through.
pub fn fitting(args: &TrainArgs, words: &[String]) -> Result<Option<TrainArgs>> {
    if !args.recipe.course.auto_find_batch_size {
        return Ok(None);
    }
    let mut asked = None;
    loop {
        let ended = trial(words, asked)?;
        let Some([rows, number]) = batches(&ended) else { return Ok(None) };
        let Some(how) = shortage(&ended) else {
            if !ended.status.success() {
                note(format_args!("note: a step could not be tried: {}", last_line(&ended.stderr)));
            }
            return Ok(Some(with_batches(resume::parsed(words)?, [rows, number])));
        };
        if rows == 1 {
            bail!(
                "a step of single rows does not fit ({how}). Cut rows with a smaller --max-length, or train less of \
                 the model: --freeze-layers N, or --lora-r 8"
            );
        }
        let factor = smallest_factor(rows);
        let [fewer, more] = [rows / factor, number * factor];
        note(format_args!(
            "memory  a step with batches of {rows} rows did not fit ({how}): {fewer} rows × {more} batches to a step"
        ));
        asked = Some([fewer, more]);
    }
}

/// The same run with these batches, whatever is free.
pub fn with_batches(mut args: TrainArgs, [rows, number]: Batches) -> TrainArgs {
    args.recipe.batch_size = Some(rows);
    args.recipe.gradient_accumulation_steps = Some(number);
    args.recipe.course.auto_find_batch_size = false;
    args
}

fn trial(words: &[String], asked: Option<Batches>) -> Result<Output> {
    let values = asked.map_or_else(String::new, |[rows, number]| format!("={rows},{number}"));
    let begin = || {
        let mut trial = Command::new(env::current_exe()?);
        trial.args(words).arg(format!("--trial{values}"));
        trial.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut trial = trial.spawn()?;
        // It lives as long as this.
        let _lifeline = trial.stdin.take();
        trial.wait_with_output()
    };
    let ended = begin()
        .context("cannot start a process to try a step in; leave out --auto-find-batch-size")?;
    // What the estimate has changed.
    let said = String::from_utf8_lossy(&ended.stderr);
    said.lines().filter(|line| line.starts_with("memory  ")).for_each(note);
    Ok(ended)
}

/// Ends this process when the one that holds the other end of its standard input has ended, however it did.
fn end_with_parent() {
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        process::exit(i32::from(interrupt::EXIT_CODE));
    });
}

/// What a trial has said that it takes.
fn batches(ended: &Output) -> Option<Batches> {
    let said = String::from_utf8_lossy(&ended.stdout);
    let (rows, number) = said.trim().split_once(',')?;
    Some([rows.parse().ok()?, number.parse().ok()?])
}

/// How a trial ran out of memory; nothing where it did not.
fn shortage(ended: &Output) -> Option<String> {
    let said = String::from_utf8_lossy(&ended.stderr);
    match said.lines().find(|line| memory::ran_out(line)) {
        _ if ended.status.success() => None,
        Some(line) => Some(line.trim_start_matches("error: ").to_owned()),
        // By the system, which takes the largest process when nothing else is left to take.
        None => Some(ended.status.to_string()).filter(|status| status.starts_with("signal: 9")),
    }
}

fn last_line(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    said.lines().last().unwrap_or("it ended without a word").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_memory_that_ran_out_makes_batches_smaller() {
        let ended = |script: &str| {
            let output = Command::new("sh").args(["-c", script]).output();
            shortage(&output.unwrap())
        };
        assert_eq!(ended("echo note: out of memory >&2"), None, "it came through");
        assert_eq!(ended("echo error: rows.csv:3: no label >&2; exit 1"), None);
        assert_eq!(ended("kill -SEGV $$"), None, "a fault of a driver's");
        let gpu = "error: the device failed: out of device memory allocating 9 bytes";
        let said = "the device failed: out of device memory allocating 9 bytes";
        assert_eq!(ended(&format!("echo '{gpu}' >&2; exit 1")).as_deref(), Some(said));
        assert!(ended("kill -KILL $$").unwrap().contains("SIGKILL"));
    }
}
