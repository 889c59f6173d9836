//! The training loop: steps, evaluations and checkpoints, up to the files of the end.

mod best_weights;

use std::time::Instant;

use anyhow::Result;
use emberlab_core::model::StorageDtype;
use emberlab_core::train::StepInfo;

use super::plan::Plan;
use super::summary;
use crate::cli::TrainArgs;
use crate::live::Live;
use crate::load::Stamps;
use crate::run::checkpoint::{self, Checkpoints};
use crate::run::folder::RunFolder;
use crate::run::model_card;
use crate::run::record::RunRecord;
use crate::run::results::{self, Measured};
use crate::terminal::figures::headline;
use crate::terminal::interrupt::{self, FinishStepFirst};
use crate::terminal::progress::TrainProgress;
use crate::terminal::{counted, note, print_at_end, short};
use crate::{Outcome, report, serve};

/// A run under way.
pub struct Run {
    plan: Plan,
    /// `run.json` as far as it is known.
    record: RunRecord,
    folder: RunFolder,
    checkpoints: Checkpoints,
    /// Where the run is looked at.
    live: Option<Live>,
    progress: TrainProgress,
    logging_steps: usize,
    last_step: Option<StepInfo>,
    /// The latest answers to each split.
    answered: Vec<Measured>,
    calibrate: bool,
    eval_steps: Option<usize>,
}

impl Run {
    pub fn new(
        args: &TrainArgs,
        plan: Plan,
        record: RunRecord,
        mut folder: RunFolder,
    ) -> Result<Self> {
        if args.results.tensorboard {
            folder.write_events()?;
        }
        let (trainer, keeps_best) = (&plan.trainer, plan.watch.loads_best);
        let epochs = trainer.total_steps().div_ceil(trainer.steps_per_epoch());
        let mut progress = TrainProgress::new(trainer.total_steps(), epochs);
        let step = trainer.step_count();
        let checkpoints = Checkpoints::new(folder.path(), &args.save, step, keeps_best);
        let live = args.results.live.then(|| Live::new(folder.path(), &plan, &record));
        if let Some(live) = &live {
            serve::beside(live.clone())?;
            progress.watched_by(live.clone());
        }
        Ok(Self {
            plan,
            record,
            folder,
            checkpoints,
            live,
            progress,
            logging_steps: args.logging_steps,
            last_step: None,
            answered: Vec::new(),
            calibrate: args.results.calibrate,
            eval_steps: args.best.eval_steps,
        })
    }

    pub fn run_to_its_end(mut self) -> Result<Outcome> {
        let _until_saved = FinishStepFirst::begin();
        let outcome = self.train()?;
        if outcome == Outcome::Interrupted {
            self.checkpoint()?;
            // After it: a run that goes on looks at the loss when it would have anyway.
            if let Some(step) = self.last_step {
                self.log_loss(&step)?;
            }
        } else {
            self.record.reached(self.plan.trainer.step_count());
            self = self.with_best_weights()?;
            self.evaluate("test", "the end", true)?;
        }
        self.progress.finish();
        self.save(outcome)
    }

    /// The evaluation that the run before did not get to, or whose figures the report needs.
    pub fn catch_up(&mut self) -> Result<()> {
        let step = self.plan.trainer.step_count();
        let is_logged = self.plan.watch.last_step == Some(step);
        if self.evaluates_after(step) && (!is_logged || self.is_over()) {
            self.evaluate("eval", &self.when(step), !is_logged)?;
            if !is_logged && !self.is_over() {
                // Its checkpoint was written before these weights were measured, and does not know how good they are.
                self.checkpoint()?;
            }
        }
        Ok(())
    }

    /// Trains to the end, or until Ctrl-C.
    fn train(&mut self) -> Result<Outcome> {
        while !self.is_over() && !interrupt::requested() {
            let started = Instant::now();
            let step = self.plan.trainer.step()?;
            self.last_step = Some(step);
            let epoch_ends = self.plan.trainer.is_done() || self.plan.trainer.epoch() != step.epoch;
            if epoch_ends || step.step.is_multiple_of(self.logging_steps) {
                self.log_loss(&step)?;
            }
            self.record.train_seconds += started.elapsed().as_secs_f64();
            self.progress.step(&step);
            self.show_weights()?;
            if self.evaluates_after(step.step) && !interrupt::requested() {
                self.evaluate("eval", &self.when(step.step), true)?;
            }
            let is_due = self.checkpoints.is_due(step.step, self.quality());
            if is_due && !self.plan.trainer.is_done() && !interrupt::requested() {
                self.checkpoint()?;
            }
        }
        if interrupt::requested() {
            return Ok(Outcome::Interrupted);
        }
        Ok(Outcome::Completed)
    }

    /// Hands the weights of now to whoever looks on and has asked for them.
    fn show_weights(&self) -> Result<()> {
        if let Some(live) = self.live.as_ref().filter(|live| live.wants_model()) {
            let trainer = &self.plan.trainer;
            let files = pollster::block_on(trainer.classifier().to_files(StorageDtype::F16))?;
            live.give_model(trainer.step_count(), files);
        }
        Ok(())
    }

    /// Writes the state and all that is known so far.
    fn checkpoint(&mut self) -> Result<()> {
        let trainer = &self.plan.trainer;
        let (step, quality) = (trainer.step_count(), self.quality());
        if self.checkpoints.has(step, quality) {
            return Ok(());
        }
        self.record.reached(step);
        let mut files = trainer.classifier().files_beside_weights(StorageDtype::F32)?;
        files.extend(checkpoint::contents(trainer, &self.folder, &self.record)?);
        let said = self.checkpoints.write(step, quality, files);
        self.progress.say(&said);
        self.progress.resume();
        Ok(())
    }

    /// How good the present weights are on the evaluation rows, if it was measured.
    fn quality(&self) -> Option<f64> {
        self.plan.watch.quality(self.plan.trainer.step_count())
    }

    fn log_loss(&mut self, step: &StepInfo) -> Result<()> {
        let Some(loss) = pollster::block_on(self.plan.trainer.read_loss())? else { return Ok(()) };
        self.record.loss = Some(loss);
        self.progress.loss(loss);
        self.folder.log_loss(step.step, self.epochs_done(), loss, step.learning_rate)
    }

    /// Measures the present weights on `split`, where there is such data.
    fn evaluate(&mut self, split: &'static str, when: &str, is_new: bool) -> Result<()> {
        let Some(held_out) = self.plan.held_out.iter().find(|held_out| held_out.split == split)
        else {
            return Ok(());
        };
        let started = Instant::now();
        let answered = Measured::take(&self.plan, held_out)?;
        let metrics = &answered.metrics;
        let loss = self.record.loss;
        self.progress.say(&format!(
            "{when}: {split} {} ({} in {}){}",
            headline(metrics),
            counted(metrics.rows(), "row"),
            short(started.elapsed()),
            loss.map_or_else(String::new, |loss| format!(", training loss {loss:.4}")),
        ));
        let (step, epoch) = (self.plan.trainer.step_count(), self.epochs_done());
        if is_new {
            self.record.evaluation_seconds += started.elapsed().as_secs_f64();
            let figures = (metrics, answered.loss);
            let line = self.folder.log_evaluation(split, step, epoch, figures)?;
            self.plan.watch.see(&line);
        }
        if let Some(live) = &self.live {
            live.measured(&self.plan, &answered);
        }
        self.record.metrics.insert(split.to_owned(), serde_json::to_value(metrics)?);
        self.answered.retain(|known| known.split != split);
        self.answered.push(answered);
        self.progress.resume();
        Ok(())
    }

    /// Epochs done so far, with two decimals.
    fn epochs_done(&self) -> f64 {
        let trainer = &self.plan.trainer;
        let epochs = trainer.step_count() as f64 / trainer.steps_per_epoch() as f64;
        (epochs * 100.0).round() / 100.0
    }

    /// Writes the run folder and says what came of it.
    fn save(mut self, outcome: Outcome) -> Result<Outcome> {
        self.record.status = outcome.into();
        Stamps::say_changes(&self.plan.stamps, outcome);
        if outcome == Outcome::Interrupted {
            self.record.reached(self.plan.trainer.step_count());
        }
        let calibrate = self.calibrate && outcome == Outcome::Completed;
        let Self { plan, mut record, folder, mut answered, live, .. } = self;
        let classifier = plan.trainer.classifier();
        let (classifier, evaluations) =
            results::conclude(&mut answered, classifier, calibrate, &mut record)?;
        let mut files = pollster::block_on(classifier.to_files(plan.storage))?;
        files.extend(results::prediction_files(&plan, &answered)?);
        let name = folder.path().file_name().unwrap_or_default().to_string_lossy();
        let card = model_card::render(&name, &record, &evaluations);
        folder.finish(&files, &record, &record.base_model.path, &card)?;
        if let Err(error) = report::write(folder.path()) {
            note(format_args!("note: no report.html: {error:#}"));
        }
        print_at_end(summary::render(&record, &evaluations, &plan.sources.out))?;
        if let Some(live) = live {
            live.end(record.status);
        }
        Ok(outcome)
    }
}
