//! `emberlab train`: drives the trainer step by step, evaluates, and writes the run folder.

use std::env;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use emberlab_core::metrics::ClassificationMetrics;
use emberlab_core::train::StepInfo;
use serde_json::{Map, Value};

use crate::cli::TrainArgs;
use crate::plan::{HeldOut, Plan, Sources};
use crate::progress::TrainProgress;
use crate::report::{bytes, clock, counted, metrics_table, note, print, shell_word, short};
use crate::run_folder::{BaseModelRecord, DeviceRecord, RunFolder, RunRecord, Status};
use crate::{Outcome, interrupt, model_card, system};

/// Runs the command.
pub fn run(args: &TrainArgs) -> Result<Outcome> {
    let started_at = SystemTime::now();
    let sources = Sources::resolve(args)?;
    if args.dry_run {
        print(Plan::prepare(args, sources)?)?;
        return Ok(Outcome::Completed);
    }
    // The folder first: a place that cannot be written is said before an hour of training.
    let folder = RunFolder::create(&sources.out, args.overwrite)?;
    let plan = Plan::prepare(args, sources)?;
    note(&plan);
    let mut run = Run::new(plan, folder, args.logging_steps);
    run.train()?;
    run.save(args, started_at)
}

/// A run under way.
struct Run {
    plan: Plan,
    folder: RunFolder,
    progress: TrainProgress,
    logging_steps: usize,
    loss: Option<f32>,
    /// The latest figures of each split.
    metrics: Vec<(&'static str, ClassificationMetrics)>,
    training: Duration,
    evaluating: Duration,
}

impl Run {
    fn new(plan: Plan, folder: RunFolder, logging_steps: usize) -> Self {
        let progress = TrainProgress::new(plan.trainer.total_steps(), plan.recipe.epochs);
        let (loss, metrics) = (None, Vec::new());
        let (training, evaluating) = (Duration::ZERO, Duration::ZERO);
        Self { plan, folder, progress, logging_steps, loss, metrics, training, evaluating }
    }

    /// Trains to the end, or until Ctrl-C.
    fn train(&mut self) -> Result<()> {
        interrupt::finish_step_first();
        while !self.plan.trainer.is_done() && !interrupt::requested() {
            let started = Instant::now();
            let step = self.plan.trainer.step()?;
            let epoch_ends = self.plan.trainer.is_done() || self.plan.trainer.epoch() != step.epoch;
            if epoch_ends || step.step.is_multiple_of(self.logging_steps) || interrupt::requested()
            {
                self.log_loss(&step)?;
            }
            self.training += started.elapsed();
            self.progress.step(&step);
            if epoch_ends && !interrupt::requested() {
                self.evaluate("eval", &format!("epoch {}", step.epoch + 1))?;
            }
        }
        if !interrupt::requested() {
            self.evaluate("test", "the end")?;
        }
        self.progress.finish();
        Ok(())
    }

    fn log_loss(&mut self, step: &StepInfo) -> Result<()> {
        let Some(loss) = pollster::block_on(self.plan.trainer.read_loss())? else { return Ok(()) };
        self.loss = Some(loss);
        self.progress.loss(loss);
        self.folder.log_loss(step.step, self.epochs_done(), loss, step.learning_rate)
    }

    /// Measures the present weights on `split`, where there is such data.
    fn evaluate(&mut self, split: &'static str, when: &str) -> Result<()> {
        let Some(held_out) = self.plan.held_out.iter().find(|held_out| held_out.split == split)
        else {
            return Ok(());
        };
        let started = Instant::now();
        let metrics = measure(&self.plan, held_out)?;
        self.evaluating += started.elapsed();
        self.progress.say(&format!(
            "{when}: {split} accuracy {:.4}, macro F1 {:.4} ({} in {}){}",
            metrics.accuracy,
            metrics.macro_f1,
            counted(metrics.rows, "row"),
            short(started.elapsed()),
            self.loss.map_or_else(String::new, |loss| format!(", training loss {loss:.4}")),
        ));
        let (step, epoch) = (self.plan.trainer.step_count(), self.epochs_done());
        self.folder.log_evaluation(split, step, epoch, &metrics)?;
        self.metrics.retain(|(known, _)| *known != split);
        self.metrics.push((split, metrics));
        self.progress.resume();
        Ok(())
    }

    /// Epochs done so far, with two decimals.
    fn epochs_done(&self) -> f64 {
        let trainer = &self.plan.trainer;
        let part = trainer.step_count() as f64 / trainer.total_steps().max(1) as f64;
        (part * self.plan.recipe.epochs as f64 * 100.0).round() / 100.0
    }

    /// Writes the run folder and says what came of it.
    fn save(self, args: &TrainArgs, started_at: SystemTime) -> Result<Outcome> {
        let outcome =
            if self.plan.trainer.is_done() { Outcome::Completed } else { Outcome::Interrupted };
        let classifier = self.plan.trainer.classifier();
        let model_files = pollster::block_on(classifier.to_files(self.plan.storage))?;
        let Self { plan, folder, metrics, loss, training, evaluating, .. } = self;
        let out = plan.sources.out.clone();
        let (steps, total_steps) = (plan.trainer.step_count(), plan.trainer.total_steps());
        let record = RunRecord {
            status: if outcome == Outcome::Completed {
                Status::Completed
            } else {
                Status::Interrupted
            },
            command: command_line(),
            emberlab: env!("CARGO_PKG_VERSION"),
            burn: system::BURN_VERSION,
            started_at: system::utc(started_at),
            device: DeviceRecord {
                requested: args.device.device.to_string(),
                chosen: plan.device.kind,
                name: plan.device.name,
            },
            base_model: BaseModelRecord {
                path: plan.sources.model,
                parameters: classifier.num_parameters(),
                initialized: plan.load_report.initialized,
                ignored: plan.load_report.ignored,
            },
            labels: plan.labels.names().to_vec(),
            data: plan.splits,
            seed: plan.recipe.seed,
            recipe: plan.recipe,
            max_length: plan.max_length,
            dtype: plan.storage.name(),
            steps,
            total_steps,
            train_seconds: training.as_secs_f64(),
            evaluation_seconds: evaluating.as_secs_f64(),
            peak_memory_bytes: system::peak_memory(),
            loss,
            metrics: by_split(&metrics)?,
        };
        folder.finish(&model_files, &record, &model_card::render(&record, &metrics))?;
        print(summary(&record, &metrics, &out))?;
        Ok(outcome)
    }
}

fn measure(plan: &Plan, held_out: &HeldOut) -> Result<ClassificationMetrics> {
    let classifier = plan.trainer.classifier();
    let (mut labels, mut predicted) = (Vec::new(), Vec::new());
    for rows in held_out.rows.in_order() {
        let rows = rows?;
        let predicting = classifier.predict(&rows.encodings, plan.recipe.batch_size, |_| {});
        predicted.extend(pollster::block_on(predicting)?.iter().map(|found| found.label()));
        labels.extend_from_slice(&rows.labels);
    }
    Ok(ClassificationMetrics::new(&labels, &predicted, &plan.labels))
}

fn by_split(metrics: &[(&'static str, ClassificationMetrics)]) -> Result<Map<String, Value>> {
    metrics
        .iter()
        .map(|(split, metrics)| Ok(((*split).to_owned(), serde_json::to_value(metrics)?)))
        .collect()
}

/// The command as it was typed, quoted for a shell.
fn command_line() -> String {
    let arguments = env::args().skip(1).map(|argument| shell_word(&argument));
    std::iter::once("emberlab".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// What a person sees at the end.
fn summary(
    record: &RunRecord,
    metrics: &[(&'static str, ClassificationMetrics)],
    out: &Path,
) -> String {
    let mut text = match metrics.last() {
        Some((split, figures)) => {
            format!("{split}: {}\n\n{}\n", counted(figures.rows, "row"), metrics_table(figures))
        }
        None => "nothing was measured: no --eval or --test rows, or not yet\n\n".to_owned(),
    };
    if record.status == Status::Interrupted {
        text.push_str(&format!(
            "interrupted after step {} of {}\n",
            record.steps, record.total_steps
        ));
    }
    let time = |seconds| clock(Duration::from_secs_f64(seconds));
    let memory = record.peak_memory_bytes.map_or_else(|| "unknown".to_owned(), bytes);
    let folder = out.display().to_string();
    text.push_str(&format!(
        "time    {} training, {} evaluating\nmemory  {memory} at most\nsaved   {folder} (the weights after step {})\n\n\
         try it: emberlab predict --model {} --text 'your text'\n",
        time(record.train_seconds),
        time(record.evaluation_seconds),
        record.steps,
        shell_word(&folder),
    ));
    text
}
