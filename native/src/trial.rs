//! `--auto-find-batch-size`: the estimate says where to begin, and a trial whether it fits.
//!
//! Each trial is a process of its own, which takes the largest step of the run and ends: memory that runs out may
//! end a process where it stands, and what it held on a GPU is free only afterwards.

use std::env;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use crate::Outcome;
use crate::memory::{self, smallest_factor};
use crate::plan::{Plan, Sources};
use crate::report::note;
use crate::resume;

/// The process of a trial: takes the largest step of the run that `words` start, with batches of `rows` rows, and
/// writes nothing.
pub fn run(words: &[String], rows: usize) -> Result<Outcome> {
    let mut args = resume::parsed(words)?;
    args.recipe.batch_size = Some(rows);
    args.recipe.course.auto_find_batch_size = false;
    let sources = Sources::resolve(&args)?;
    let mut plan = Plan::prepare(&args, sources)?;
    pollster::block_on(plan.trainer.largest_step())?;
    Ok(Outcome::Completed)
}

/// Divides the batches of `plan`, the run that `words` start, and multiplies their number until a trial comes
/// through.
///
/// # Errors
/// Not even a single row does.
pub fn fit(plan: &mut Plan, words: &[String]) -> Result<()> {
    while let Some(how) = failure(words, plan.recipe.batch_size)? {
        let rows = plan.recipe.batch_size;
        if rows == 1 {
            bail!(
                "a step of one row of {} tokens runs out of memory ({how}). Cut rows with a smaller --max-length, or \
                 train less of the model: --freeze-layers N, or --lora-r 8",
                plan.memory.tokens
            );
        }
        let factor = smallest_factor(rows);
        plan.recipe.batch_size /= factor;
        plan.recipe.gradient_accumulation_steps *= factor;
        let (rows_now, batches) = (plan.recipe.batch_size, plan.recipe.gradient_accumulation_steps);
        plan.memory = plan.memory.of_rows(rows_now);
        plan.trainer.set_batches(rows_now, batches);
        note(format_args!(
            "memory  a step with batches of {rows} rows runs out of memory ({how}): {rows_now} rows × {batches} batches \
             to a step"
        ));
    }
    Ok(())
}

/// How a step with batches of so many rows ran out of memory; nothing where it did not, or where something else is
/// wrong, which the run itself will say.
fn failure(words: &[String], rows: usize) -> Result<Option<String>> {
    let program = env::current_exe().context("cannot find this program to try a step with")?;
    let mut trial = Command::new(program);
    trial.args(words).arg(format!("--trial={rows}")).stdin(Stdio::null());
    Ok(shortage(&trial.output().context("cannot start a process to try a step with")?))
}

fn shortage(ended: &Output) -> Option<String> {
    let said = String::from_utf8_lossy(&ended.stderr);
    match said.lines().find(|line| memory::ran_out(line)) {
        _ if ended.status.success() => None,
        Some(line) => Some(line.trim_start_matches("error: ").to_owned()),
        // By a signal: of the system, which takes the largest process when nothing else is left to take.
        None => ended.status.code().is_none().then(|| ended.status.to_string()),
    }
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
        let gpu = "error: the device failed: out of device memory allocating 9 bytes";
        let said = "the device failed: out of device memory allocating 9 bytes";
        assert_eq!(ended(&format!("echo '{gpu}' >&2; exit 1")).as_deref(), Some(said));
        assert!(ended("kill -9 $$").unwrap().contains("9"));
    }
}
