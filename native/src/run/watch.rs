//! Which evaluation was the best so far, and whether it is worth going on.
//!
//! All of it follows from the evaluations in `metrics.jsonl`, so that a run that goes on knows what one
//! without a break would.

use anyhow::{Result, bail};
use emberlab_core::data::{LabelMap, Targets, Task};
use emberlab_core::metrics::Metrics;
use serde::Serialize;
use serde_json::Value;

use crate::cli::BestArgs;

/// The loss of an evaluation, as transformers calls it.
pub const LOSS: &str = "eval_loss";
/// Figures of which less is better.
const LESS_IS_BETTER: [&str; 3] = [LOSS, "mse", "mae"];

/// An evaluation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Best {
    pub step: usize,
    pub metric: String,
    pub value: f64,
}

/// What is kept of the evaluations of a run.
#[derive(Clone, Debug)]
pub struct Watch {
    metric: String,
    patience: Option<usize>,
    threshold: f64,
    /// Whether the best weights are wanted at the end.
    pub loads_best: bool,
    best: Option<(usize, f64)>,
    /// Evaluations since the last one that was better by more than the threshold.
    waited: usize,
    /// The step of the last evaluation.
    pub last_step: Option<usize>,
    /// How good the last one was; more is better.
    last: Option<f64>,
}

impl Watch {
    /// # Errors
    /// A metric that evaluations of this task do not have, or nothing to evaluate on.
    pub fn new(args: &BestArgs, task: Task, labels: &LabelMap, can_evaluate: bool) -> Result<Self> {
        let wanted = [
            ("--eval-steps", args.eval_steps.is_some()),
            ("--metric-for-best-model", args.metric_for_best_model.is_some()),
            ("--load-best-model-at-end", args.load_best_model_at_end),
            ("--early-stopping-patience", args.early_stopping_patience.is_some()),
        ];
        if let Some((flag, _)) = wanted.iter().find(|(_, wanted)| *wanted && !can_evaluate) {
            bail!("{flag} needs rows to evaluate on: add --eval");
        }
        let named = args.metric_for_best_model.as_deref();
        let metric = match named.map(|name| name.strip_prefix("eval_").unwrap_or(name)) {
            None => Metrics::usual(task).to_owned(),
            Some("loss") => LOSS.to_owned(),
            Some(name) => {
                let figures = Metrics::new(&Targets::new(task), &[], labels).figures();
                let known: Vec<&str> = figures.iter().map(|(known, _)| *known).collect();
                if !known.contains(&name) {
                    let known = known.join(", ");
                    bail!("--metric-for-best-model {name}: an evaluation has {known} and loss");
                }
                name.to_owned()
            }
        };
        Ok(Self {
            metric,
            patience: args.early_stopping_patience,
            threshold: args.early_stopping_threshold.unwrap_or(0.0),
            loads_best: args.load_best_model_at_end,
            best: None,
            waited: 0,
            last_step: None,
            last: None,
        })
    }

    /// Takes the evaluations of an earlier part of the run from the lines of its `metrics.jsonl`.
    pub fn catch_up(&mut self, metrics: &[u8]) {
        for line in metrics.split(|&byte| byte == b'\n') {
            self.see(&serde_json::from_slice(line).unwrap_or_default());
        }
    }

    /// Takes a line of `metrics.jsonl`, if it is of an evaluation. Counts as transformers'
    /// `EarlyStoppingCallback` does: of equals the first is the best, and one that is better by no more
    /// than the threshold is the best but does not end the waiting.
    pub fn see(&mut self, line: &Value) {
        let Some(step) = line["step"].as_u64().filter(|_| line["split"] == "eval") else { return };
        let step = step as usize;
        let value = line[&self.metric].as_f64();
        let more = |value: f64| if self.is_less() { -value } else { value };
        let found = value.map(more);
        let best = self.best.map(|(_, value)| more(value));
        let is_better = found.is_some_and(|found| best.is_none_or(|best| found > best));
        let by = match (found, best) {
            (Some(found), Some(best)) => found - best,
            _ => f64::INFINITY,
        };
        self.waited = if is_better && by > self.threshold { 0 } else { self.waited + 1 };
        if let Some(value) = value.filter(|_| is_better) {
            self.best = Some((step, value));
        }
        (self.last_step, self.last) = (Some(step), found);
    }

    fn is_less(&self) -> bool {
        LESS_IS_BETTER.contains(&self.metric.as_str())
    }

    /// Whether there were as many evaluations without a better one as was asked for.
    pub fn is_over(&self) -> bool {
        self.patience.is_some_and(|patience| self.waited >= patience)
    }

    /// How good the weights after `step` are, more being better; none where they were not measured.
    pub fn quality(&self, step: usize) -> Option<f64> {
        self.last.filter(|_| self.last_step == Some(step))
    }

    /// The best evaluation, if there was one.
    pub fn best(&self) -> Option<Best> {
        let (step, value) = self.best?;
        Some(Best { step, metric: self.metric.clone(), value })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn watch(metric: Option<&str>, patience: usize, threshold: f64) -> Result<Watch> {
        let args = BestArgs {
            metric_for_best_model: metric.map(str::to_owned),
            early_stopping_patience: Some(patience),
            early_stopping_threshold: Some(threshold),
            ..BestArgs::default()
        };
        let labels = LabelMap::new("t", vec!["a".into(), "b".into()])?;
        Watch::new(&args, Task::SingleLabelClassification, &labels, true)
    }

    fn line(step: usize, name: &str, value: f64) -> Value {
        let mut line = json!({ "split": "eval", "step": step });
        line[name] = value.into();
        line
    }

    /// The step after which it stops, and the best one.
    fn course(mut watch: Watch, name: &str, values: &[f64]) -> (Option<usize>, usize) {
        let mut stopped = None;
        for (step, &value) in values.iter().enumerate() {
            watch.see(&line(step, name, value));
            watch.see(&json!({ "step": step, "loss": 0.0 }));
            stopped = stopped.or(watch.is_over().then_some(step));
        }
        (stopped, watch.best().map_or(0, |best| best.step))
    }

    #[test]
    fn a_run_stops_where_no_evaluation_is_better() {
        let f1 = || watch(None, 2, 0.0).unwrap();
        assert_eq!(course(f1(), "macro_f1", &[0.1, 0.3, 0.2, 0.3, 0.9]), (Some(3), 4));
        assert_eq!(course(f1(), "macro_f1", &[0.1, 0.3, 0.2, 0.4, 0.3]), (None, 3));
        let loss = || watch(Some("loss"), 2, 0.0).unwrap();
        assert_eq!(course(loss(), LOSS, &[0.9, 0.5, 0.6, 0.7]), (Some(3), 1));
        assert_eq!(course(loss(), LOSS, &[0.9, 0.8, 0.7, 0.6]), (None, 3));
        // Better, but by too little to wait on; the best all the same.
        let slow = watch(Some("eval_accuracy"), 2, 0.15).unwrap();
        assert_eq!(course(slow, "accuracy", &[0.1, 0.2, 0.3, 0.4]), (Some(2), 3));
    }

    #[test]
    fn a_run_that_goes_on_knows_what_came_before() {
        let mut whole = watch(None, 3, 0.0).unwrap();
        let lines: Vec<Value> =
            [0.3, 0.1, 0.2].iter().zip(1..).map(|(v, step)| line(step, "macro_f1", *v)).collect();
        lines.iter().for_each(|line| whole.see(line));
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let mut again = watch(None, 3, 0.0).unwrap();
        again.catch_up(text.as_bytes());
        assert_eq!(format!("{again:?}"), format!("{whole:?}"));
        assert_eq!((again.quality(3), again.quality(2), again.waited), (Some(0.2), None, 2));
    }

    #[test]
    fn what_cannot_be_watched_is_refused() {
        let said = watch(Some("pearson"), 1, 0.0).unwrap_err().to_string();
        assert!(said.contains("accuracy, macro_f1") && said.contains("and loss"), "{said}");
        for task in Task::ALL {
            let labels = LabelMap::new("t", vec!["B-a".into(), "O".into()]).unwrap();
            for metric in [None, Some(Metrics::usual(task).to_owned()), Some("eval_loss".into())] {
                let args = BestArgs { metric_for_best_model: metric, ..BestArgs::default() };
                assert!(Watch::new(&args, task, &labels, true).is_ok(), "{task}");
            }
        }
        let args = BestArgs { load_best_model_at_end: true, ..BestArgs::default() };
        let labels = LabelMap::of_a_score();
        let said = Watch::new(&args, Task::Regression, &labels, false).unwrap_err().to_string();
        assert!(said.contains("--load-best-model-at-end needs rows"), "{said}");
    }
}
