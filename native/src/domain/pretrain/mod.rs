//! `emberlab pretrain`: masked-language-model training on a corpus.

mod figures;
pub mod fill_mask;
mod guard;
mod held_out;
mod plan;
mod record;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use emberlab_core::model::StorageDtype;
use emberlab_core::train::StepInfo;
use serde_json::Value;

use crate::Outcome;
use crate::cli::{Cli, Command, DomainCommand, PretrainArgs};
use crate::files;
use crate::files::staged::StagedFolder;
use crate::run::checkpoint::{self, Checkpoints};
use crate::run::folder::RunFolder;
use crate::run::record::Origin;
use crate::run::resume;
use crate::terminal::interrupt::{self, FinishStepFirst};
use crate::terminal::progress::TrainProgress;
use crate::terminal::{note, print_at_end, short};

use self::plan::Plan;
use self::record::PretrainRecord;

/// Runs the command.
pub fn run(args: &PretrainArgs) -> Result<Outcome> {
    match &args.resume {
        Some(folder) => go_on(folder),
        None => start(args, Origin::here()?),
    }
}

/// A run from its beginning.
pub fn start(args: &PretrainArgs, origin: Origin) -> Result<Outcome> {
    let out = args.out.as_deref().context("--out names no folder to write")?;
    let staged = StagedFolder::create(out, args.overwrite)?;
    let plan = Plan::prepare(args)?;
    // Here, where the model is known: nothing is replaced before the folder begins.
    files::refuse_to_lose(&plan.model_folder, out)?;
    note(&plan);
    let record = PretrainRecord::new(args, &plan, origin);
    let folder = RunFolder::begin(staged, out, &record)?;
    let mut run = Run::new(args, plan, record, folder);
    run.measure("before")?;
    run.run_to_its_end()
}

/// What the finished run in a folder measured, each time.
pub fn measured_in(folder: &Path) -> Result<Vec<Value>> {
    let stored = RunFolder::open(folder)?.stored()?;
    let is_done = stored["status"] == "completed";
    let shown = folder.display();
    ensure!(is_done, "{shown} did not end; go on with it: emberlab pretrain --resume {shown}");
    Ok(stored["held_out"].as_array().cloned().unwrap_or_default())
}

/// Goes on with the run in `folder`, in whose working folder this process is from then on.
pub fn go_on(folder: &Path) -> Result<Outcome> {
    let path = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mut folder = RunFolder::open(&path)?;
    let stored = folder.stored()?;
    resume::ensure_command(&path, &stored, "pretrain")?;
    if stored["status"] == "completed" {
        resume::clear_up(&path)?;
        note(format_args!("{} is complete: there is nothing left to do", path.display()));
        return Ok(Outcome::Completed);
    }
    let origin = resume::origin(&stored)?;
    let words = std::iter::once("emberlab".to_owned()).chain(origin.arguments.iter().cloned());
    let started = Cli::try_parse_from(words)
        .with_context(|| format!("the arguments in {}/run.json cannot be read", path.display()))?;
    let Command::Domain(DomainCommand::Pretrain(args)) = started.command else {
        bail!("{} is no run of emberlab pretrain", path.display());
    };
    resume::go_to(&origin.working_folder)?;
    let mut plan = Plan::prepare(&args)?;
    let mut record = PretrainRecord::new(&args, &plan, origin);
    resume::check(&stored, &record, &record::DECIDING)?;
    note(&plan);
    let (trainer, then) = resume::restored(&mut folder, plan.trainer, &|_| None)?;
    plan.trainer = trainer;
    if let Some(then) = &then {
        record.add_up(&then.record);
    }
    folder.write_record(&record)?;
    let mut run = Run::new(&args, plan, record, folder);
    match then {
        None => run.measure("before")?,
        Some(_) => run.catch_up()?,
    }
    run.run_to_its_end()
}

/// A run under way.
struct Run {
    plan: Plan,
    record: PretrainRecord,
    folder: RunFolder,
    checkpoints: Checkpoints,
    progress: TrainProgress,
    logging_steps: usize,
    last_step: Option<StepInfo>,
}

impl Run {
    fn new(args: &PretrainArgs, plan: Plan, record: PretrainRecord, folder: RunFolder) -> Self {
        let progress = TrainProgress::new(plan.trainer.total_steps(), plan.recipe.epochs);
        let checkpoints =
            Checkpoints::new(folder.path(), &args.save, plan.trainer.step_count(), false);
        let logging_steps = args.logging_steps;
        Self { plan, record, folder, checkpoints, progress, logging_steps, last_step: None }
    }

    fn run_to_its_end(mut self) -> Result<Outcome> {
        let _until_saved = FinishStepFirst::begin();
        let outcome = self.train()?;
        if outcome == Outcome::Interrupted {
            self.checkpoint()?;
            if let Some(step) = self.last_step {
                self.log_loss(&step)?;
            }
        }
        self.progress.finish();
        self.save(outcome)
    }

    fn train(&mut self) -> Result<Outcome> {
        while !self.plan.trainer.is_done() && !interrupt::requested() {
            let started = Instant::now();
            let step = self.plan.trainer.step()?;
            self.last_step = Some(step);
            let epoch_ends = self.plan.trainer.is_done() || self.plan.trainer.epoch() != step.epoch;
            if epoch_ends || step.step.is_multiple_of(self.logging_steps) {
                self.log_loss(&step)?;
            }
            self.record.train_seconds += started.elapsed().as_secs_f64();
            self.progress.step(&step);
            if epoch_ends && !interrupt::requested() {
                self.measure(&format!("epoch {}", step.epoch + 1))?;
            }
            let is_due = self.checkpoints.is_due(step.step, self.quality());
            if is_due && !self.plan.trainer.is_done() && !interrupt::requested() {
                self.checkpoint()?;
            }
        }
        // Also after the last step, whose measuring was left out then.
        Ok(if interrupt::requested() { Outcome::Interrupted } else { Outcome::Completed })
    }

    /// The measuring that the run before did not get to.
    fn catch_up(&mut self) -> Result<()> {
        let trainer = &self.plan.trainer;
        let step = trainer.step_count();
        let epoch_ended = step > 0 && step.is_multiple_of(trainer.steps_per_epoch());
        if epoch_ended && self.record.measured_at() != Some(step) {
            let epoch = step / trainer.steps_per_epoch();
            self.measure(&format!("epoch {epoch}"))?;
        }
        Ok(())
    }

    /// Measures the present weights on each held-out part.
    fn measure(&mut self, when: &str) -> Result<()> {
        let step = self.plan.trainer.step_count();
        let model = self.plan.trainer.masked_lm();
        let batch_size = self.plan.recipe.batch_size;
        for set in &self.plan.held_out {
            let started = Instant::now();
            let loss = set.measure(&model, batch_size)?;
            let took = short(started.elapsed());
            self.progress.say(&format!("{when}: {loss} ({took})"));
            self.folder.log(&loss.line(step)?)?;
            self.record.measured(when, step, loss);
        }
        self.progress.resume();
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<()> {
        let trainer = &self.plan.trainer;
        let (step, quality) = (trainer.step_count(), self.quality());
        if self.checkpoints.has(step, quality) {
            return Ok(());
        }
        self.record.reached(step);
        let mut files = trainer.masked_lm().files_beside_weights(StorageDtype::F32)?;
        files.extend(checkpoint::contents(trainer, &self.folder, &self.record)?);
        let said = self.checkpoints.write(step, quality, files);
        self.progress.say(&said);
        self.progress.resume();
        Ok(())
    }

    /// How good the present weights are, where they were measured: more bits are worse.
    fn quality(&self) -> Option<f64> {
        let is_now = self.record.measured_at() == Some(self.plan.trainer.step_count());
        self.record.last().filter(|_| is_now).map(|loss| -loss.bits_per_character)
    }

    fn log_loss(&mut self, step: &StepInfo) -> Result<()> {
        let Some(loss) = pollster::block_on(self.plan.trainer.read_loss())? else { return Ok(()) };
        self.record.loss = Some(loss);
        self.progress.loss(loss);
        let epochs = step.step as f64 / self.plan.trainer.steps_per_epoch() as f64;
        let epochs = (epochs * 100.0).round() / 100.0;
        self.folder.log_loss(step.step, epochs, loss, step.learning_rate)
    }

    fn save(mut self, outcome: Outcome) -> Result<Outcome> {
        self.record.status = outcome.into();
        self.record.reached(self.plan.trainer.step_count());
        let model = self.plan.trainer.masked_lm();
        let files = pollster::block_on(model.to_files(self.plan.storage))?;
        let Self { plan, record, folder, .. } = self;
        let out = folder.path().to_owned();
        folder.finish(&files, &record, &plan.model_folder, &record.card())?;
        print_at_end(record.summary(&out))?;
        Ok(outcome)
    }
}
