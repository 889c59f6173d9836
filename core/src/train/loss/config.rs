//! What the loss of a run may be told.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, data::Task};

/// How the loss of a task differs from the usual one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LossConfig {
    /// The weight of each class in id order: that of its items, as `CrossEntropyLoss(weight=…)` takes
    /// it, or, of multi-label sets, that of its presence, as `BCEWithLogitsLoss(pos_weight=…)` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<Vec<f32>>,
    /// γ of focal loss; 0 is cross-entropy.
    pub focal_gamma: f64,
    /// The share of the truth that is spread over all classes, 0 to below 1 (transformers'
    /// `label_smoothing_factor`).
    pub label_smoothing_factor: f64,
    /// α of R-Drop: how much two passes with other dropout have to agree; 0 makes one pass.
    pub r_drop_alpha: f64,
}

impl LossConfig {
    /// Weights that make all classes count alike: `items / (classes · items of the class)`, as
    /// scikit-learn's `class_weight="balanced"`; of multi-label sets rows without the class for each
    /// row with it. A class that does not occur has weight 1. `counts` are the items of each class among
    /// `rows` rows (see [`crate::data::Targets::counts`]).
    ///
    /// # Errors
    /// [`Error::BadSetting`] for scores and answers, which have no classes.
    pub fn balanced(task: Task, counts: &[usize], rows: usize) -> Result<Vec<f32>> {
        if matches!(task, Task::Regression | Task::QuestionAnswering) {
            return Err(no_classes(task, "class_weights", "balanced"));
        }
        let occurring = counts.iter().filter(|&&count| count > 0).count();
        let items: usize = counts.iter().sum();
        let weight = |&count: &usize| match (count, task) {
            (0, _) => 1.0,
            (count, Task::MultiLabelClassification) => (rows - count) as f32 / count as f32,
            (count, _) => items as f32 / (occurring * count) as f32,
        };
        Ok(counts.iter().map(weight).collect())
    }

    /// # Errors
    /// [`Error::BadSetting`] for what is out of range or not for this task.
    pub(in crate::train) fn check(&self, task: Task, classes: usize) -> Result<()> {
        let bad = |name, value: String, reason: &str| {
            Err(Error::BadSetting { name, value, reason: reason.into() })
        };
        let Self { class_weights, focal_gamma, label_smoothing_factor: smoothing, .. } = self;
        let (gamma, smoothing, alpha) = (*focal_gamma, *smoothing, self.r_drop_alpha);
        if !(0.0..=1e6).contains(&alpha) {
            return bad("r_drop_alpha", alpha.to_string(), "expected 0 to 1000000");
        }
        let is_softmax =
            matches!(task, Task::SingleLabelClassification | Task::TokenClassification);
        if alpha > 0.0 && !is_softmax {
            let reason =
                "R-Drop compares distributions over classes: single labels and tags have them";
            return bad("r_drop_alpha", alpha.to_string(), reason);
        }
        if !(0.0..=100.0).contains(&gamma) {
            return bad("focal_gamma", gamma.to_string(), "expected 0 to 100");
        }
        if !(0.0..1.0).contains(&smoothing) {
            return bad("label_smoothing_factor", smoothing.to_string(), "expected 0 to below 1");
        }
        let is_smoothed = smoothing > 0.0;
        match (task, class_weights) {
            (Task::Regression | Task::QuestionAnswering, Some(_)) => {
                Err(no_classes(task, "class_weights", "some"))
            }
            (Task::Regression | Task::QuestionAnswering, None) if gamma > 0.0 => {
                Err(no_classes(task, "focal_gamma", &gamma.to_string()))
            }
            (Task::Regression | Task::MultiLabelClassification | Task::QuestionAnswering, _)
                if is_smoothed =>
            {
                let reason = "only single labels and tags are smoothed";
                bad("label_smoothing_factor", smoothing.to_string(), reason)
            }
            _ if is_smoothed && gamma > 0.0 => {
                bad("focal_gamma", gamma.to_string(), "a focal loss takes no label smoothing")
            }
            (_, Some(weights)) if weights.len() != classes => {
                let reason = format!("expected one for each of {classes} classes");
                bad("class_weights", weights.len().to_string(), &reason)
            }
            (_, Some(weights)) if weights.iter().any(|w| !w.is_finite() || *w < 0.0) => {
                bad("class_weights", format!("{weights:?}"), "a weight must be a number from 0 on")
            }
            _ => Ok(()),
        }
    }
}

fn no_classes(task: Task, name: &'static str, value: &str) -> Error {
    let reason = match task {
        Task::QuestionAnswering => "question answering has no classes",
        _ => "a regression has no classes",
    };
    Error::BadSetting { name, value: value.into(), reason: reason.into() }
}
