//! When a run is evaluated, when it stops, and which weights it ends with.

use anyhow::Result;
use emberlab_core::model::{ModelFiles, Source};

use super::Run;
use crate::files;
use crate::run::checkpoint;
use crate::run::watch::Best;
use crate::terminal::counted;

impl Run {
    /// Whether the weights after `step` are measured: every so many steps or at the end of each epoch, and
    /// at the end of the run.
    pub(super) fn evaluates_after(&self, step: usize) -> bool {
        let trainer = &self.plan.trainer;
        let every = self.eval_steps.unwrap_or_else(|| trainer.steps_per_epoch());
        step > 0 && (step.is_multiple_of(every) || trainer.is_done())
    }

    /// What `step` is called in what is said of it.
    pub(super) fn when(&self, step: usize) -> String {
        let steps = self.plan.trainer.steps_per_epoch();
        match step.is_multiple_of(steps) {
            true => format!("epoch {}", step / steps),
            false => format!("step {step}"),
        }
    }

    /// Whether there is nothing left to train.
    pub(super) fn is_over(&self) -> bool {
        self.plan.trainer.is_done() || self.plan.watch.is_over()
    }

    /// The run with the weights of its best evaluation, where they are wanted.
    pub(super) fn with_best_weights(mut self) -> Result<Self> {
        let trainer = &self.plan.trainer;
        let (last, total) = (trainer.step_count(), trainer.total_steps());
        if !trainer.is_done() {
            self.progress.say(&format!("stopped early after step {last} of {total}"));
        }
        self.record.best = self.plan.watch.best();
        let Some(Best { step, metric, value }) = self.record.best.clone() else { return Ok(self) };
        if !self.plan.watch.loads_best || step == last {
            return Ok(self);
        }
        self.checkpoints.write_unwritten();
        let path = match checkpoint::whole(self.folder.path(), step) {
            Ok(path) => path,
            Err(error) => {
                let kept = format!("note: the last weights are kept, not the best: {error:#}");
                self.progress.say(&kept);
                return Ok(self);
            }
        };
        let weights = path.join(ModelFiles::WEIGHTS);
        let state = Source::File(files::open(&weights)?);
        let name = weights.display().to_string();
        self.plan.trainer = self.plan.trainer.restore(&name, state)?;
        self.progress.say(&format!(
            "back to the weights after {}: {metric} {value:.4}, the best",
            counted(step, "step")
        ));
        self.record.weights_step = Some(step);
        let when = self.when(step);
        self.evaluate("eval", &when, false)?;
        Ok(self)
    }
}
