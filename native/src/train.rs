//! `emberlab train`: begins a run, or goes on with one.

pub(crate) mod plan;
pub(crate) mod recipe;
mod seeds;
mod summary;
mod training_loop;
pub(crate) mod trial;

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;

use self::plan::{Plan, Sources};
use self::training_loop::Run;
use crate::cli::{TrainArgs, config_file};
use crate::files::staged::StagedFolder;
use crate::run::folder::RunFolder;
use crate::run::record::{Origin, RunRecord};
use crate::run::{results, resume};
use crate::terminal::{note, picture, print};
use crate::{Outcome, files, report, serve};

/// What a run that goes on must not find changed.
const DECIDING: [&str; 8] = [
    "base_model_sha256",
    "task",
    "labels",
    "data",
    "recipe",
    "max_length",
    "question_answering",
    "dtype",
];

/// Runs the command.
pub fn run(args: &TrainArgs) -> Result<Outcome> {
    match (&args.resume, &args.recipe.course.trial) {
        (Some(folder), _) => go_on(folder, &config_file::arguments()?),
        (None, Some(batches)) => trial::run(&Origin::here()?.arguments, batches),
        _ if args.results.seeds > 1 && !args.dry_run => seeds::run(args, start, go_on),
        _ => start(args, Origin::here()?),
    }
}

fn start(args: &TrainArgs, origin: Origin) -> Result<Outcome> {
    let sources = Sources::resolve(args)?;
    if args.dry_run {
        let plan = Plan::prepare(args, sources)?;
        let picture = picture::schedule(&plan.recipe, plan.trainer.total_steps());
        print(format_args!("{plan}\n{picture}"))?;
        return Ok(Outcome::Completed);
    }
    if args.results.live {
        serve::check_page()?;
    }
    files::refuse_to_lose(&sources.model, &sources.out)?;
    let fitting = trial::fitting(args, &origin.arguments)?;
    let args = fitting.as_ref().unwrap_or(args);
    // The folder first: a place that cannot be written is said before an hour of training.
    let staged = StagedFolder::create(&sources.out, args.overwrite)?;
    let plan = Plan::prepare(args, sources)?;
    if args.results.calibrate {
        results::check_calibration(&plan)?;
    }
    note(&plan);
    let record = RunRecord::new(args, &plan, origin);
    let folder = RunFolder::start(staged, &plan.sources.out, &record)?;
    Run::new(args, plan, record, folder)?.run_to_its_end()
}

/// Goes on with the run in `folder` where its newest checkpoint was written.
fn go_on(folder: &Path, typed: &[OsString]) -> Result<Outcome> {
    // Before the working folder becomes that of the run.
    let path = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mut folder = RunFolder::open(&path)?;
    let stored = folder.stored()?;
    let args = resume::arguments(&path, &stored, typed)?;
    if stored["status"] == "completed" {
        // But for what comes after the model, where a kill came between.
        resume::clear_up(&path)?;
        if !path.join(report::FILE).is_file() {
            report::write(&path)?;
        }
        note(format_args!("{} is complete: there is nothing left to do", path.display()));
        return Ok(Outcome::Completed);
    }
    let mut sources = Sources::resolve(&args)?;
    sources.out = path;
    let mut plan = Plan::prepare(&args, sources)?;
    let mut record = RunRecord::new(&args, &plan, resume::origin(&stored)?);
    resume::check(&stored, &record, &DECIDING)?;
    note(&plan);

    let best_by = |metrics: &[u8]| {
        let mut watch = plan.watch.clone();
        watch.catch_up(metrics);
        watch.best().filter(|_| watch.loads_best).map(|best| best.step)
    };
    let (trainer, then) = resume::restored(&mut folder, plan.trainer, &best_by)?;
    plan.trainer = trainer;
    if let Some(then) = then {
        record.add_up(&then.record);
        plan.watch.catch_up(&then.metrics);
    }
    folder.write_record(&record)?;
    let mut run = Run::new(&args, plan, record, folder)?;
    run.catch_up()?;
    run.run_to_its_end()
}
