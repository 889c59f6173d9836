//! What a run comes to at its end: figures with their intervals, a temperature if one was asked for, and
//! the predictions that both were taken from.

use anyhow::{Result, bail};
use emberlab_core::data::{Targets, Task};
use emberlab_core::metrics::{
    self, Evaluation, Metrics, Reliability, Temperature, fit_temperature,
};
use emberlab_core::model::{Classifier, Prediction, answers};
use emberlab_core::train::LabelledRows;
use serde::Serialize;
use serde_json::{Map, Value};

use super::predictions;
use super::record::RunRecord;
use crate::load::splits::{Questions, TokenizedRows};
use crate::terminal::rounded;
use crate::train::plan::{HeldOut, Plan};

/// The split that a temperature is fitted on.
const FITTED_ON: &str = "eval";

/// The answers of the weights after `step` to the rows of a split.
pub struct Measured {
    pub split: &'static str,
    pub step: usize,
    pub targets: Targets,
    pub predictions: Vec<Prediction>,
    /// Of questions that of their windows.
    pub loss: f64,
    pub metrics: Metrics,
}

impl Measured {
    /// Measures the present weights.
    pub fn take(plan: &Plan, held_out: &HeldOut) -> Result<Self> {
        let classifier = plan.trainer.classifier();
        let TokenizedRows { rows, texts, questions } = &held_out.rows;
        let mut targets = LabelledRows::new(plan.task).targets;
        let mut predictions = Vec::new();
        for rows in rows.in_order() {
            let rows = rows?;
            let predicting = classifier.predict(&rows.encodings, plan.recipe.batch_size, |_| {});
            predictions.extend(pollster::block_on(predicting)?);
            targets.extend(&rows.targets);
        }
        let loss = metrics::loss(&targets, &predictions);
        if let (Some(Questions { windows, answers: gold }), Some(answering)) =
            (questions, plan.answering)
        {
            let may_abstain = answering.version_2_with_negative;
            predictions = answers(&texts.second, windows, &predictions, may_abstain);
            targets = gold.clone();
        }
        let metrics = Metrics::new(&targets, &predictions, &plan.labels);
        let (split, step) = (held_out.split, plan.trainer.step_count());
        Ok(Self { split, step, targets, predictions, loss, metrics })
    }

    /// Its rows with what was predicted of them.
    pub fn rows<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = Map<String, Value>> + 'a {
        let held_out = plan.held_out.iter().filter(|held_out| held_out.split == self.split);
        let Self { targets, predictions, .. } = self;
        held_out.flat_map(move |HeldOut { rows, .. }| {
            predictions::rows(&rows.texts, targets, predictions, &plan.labels)
        })
    }
}

/// Evaluations by split.
pub type Evaluations = Vec<(&'static str, Evaluation)>;

/// How a run was calibrated, in `run.json`.
#[derive(Debug, Serialize)]
pub struct Calibration {
    pub fitted_on: &'static str,
    pub rows: usize,
    #[serde(flatten)]
    pub fit: Temperature,
    /// Without the temperature and with it, by split.
    pub expected_calibration_error: Map<String, Value>,
}

/// Refuses `--calibrate` where there is nothing to calibrate, or nothing to calibrate on.
pub fn check_calibration(plan: &Plan) -> Result<()> {
    match plan.task {
        Task::Regression => bail!("--calibrate: a regression has no probabilities to calibrate"),
        Task::QuestionAnswering => {
            bail!("--calibrate: question answering has no probabilities of classes to calibrate")
        }
        _ => {}
    }
    if !plan.held_out.iter().any(|held_out| held_out.split == FITTED_ON) {
        bail!("--calibrate fits a temperature on the evaluation rows; name some with --eval");
    }
    Ok(())
}

/// Takes the final figures of what was measured; with `calibrate`, at the temperature that suits the
/// evaluation rows best, which the classifier has from then on.
pub fn conclude(
    measured: &mut [Measured],
    classifier: Classifier,
    calibrate: bool,
    record: &mut RunRecord,
) -> Result<(Classifier, Evaluations)> {
    let fitted = measured.iter().find(|split| calibrate && split.split == FITTED_ON);
    let fit = fitted.and_then(|split| fit_temperature(&split.targets, &split.predictions));
    let classifier = match (fitted.map(|split| split.targets.len()), fit) {
        (Some(rows), Some(fit)) => {
            let temperature = fit.temperature as f32;
            let mut errors = Map::new();
            for split in &mut *measured {
                let before = expected_calibration_error(split);
                let task = classifier.task();
                let found = std::mem::take(&mut split.predictions).into_iter();
                split.predictions =
                    found.map(|found| found.at_temperature(task, temperature)).collect();
                let after = expected_calibration_error(split);
                errors.insert(split.split.to_owned(), [before, after].into_iter().collect());
            }
            let expected_calibration_error = errors;
            record.calibration =
                Some(Calibration { fitted_on: FITTED_ON, rows, fit, expected_calibration_error });
            classifier.with_temperature(temperature)
        }
        _ => classifier,
    };
    let labels = classifier.label_map();
    let evaluate = |split: &Measured| {
        (split.split, Evaluation::new(&split.targets, &split.predictions, labels))
    };
    let evaluations: Evaluations = measured.iter().map(evaluate).collect();
    for (split, evaluation) in &evaluations {
        record.metrics.insert((*split).to_owned(), serde_json::to_value(evaluation)?);
    }
    Ok((classifier, evaluations))
}

fn expected_calibration_error(split: &Measured) -> Option<f64> {
    let reliability = Reliability::new(&split.targets, &split.predictions)?;
    Some(rounded(reliability.expected_calibration_error as f32))
}

/// The predictions of the weights that a run ends with, as files of its folder.
pub fn prediction_files(plan: &Plan, measured: &[Measured]) -> Result<Vec<(String, Vec<u8>)>> {
    let step = plan.trainer.step_count();
    let of_now = measured.iter().filter(|split| split.step == step);
    let file = |split: &Measured| {
        let rows = predictions::to_jsonl(split.rows(plan))?;
        Ok((predictions::file_name(split.split), rows))
    };
    of_now.map(file).collect()
}
