//! The metrics of whatever task a model is for.

use serde::Serialize;

use super::{
    AnswerMetrics, Answered, ClassificationMetrics, EntityMetrics, MultiLabelMetrics,
    RegressionMetrics, RowScore, answered::row_scores,
};
use crate::{
    data::{LabelMap, Targets, Task},
    model::Prediction,
};

/// Serialized as the metrics themselves.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Metrics {
    SingleLabel(ClassificationMetrics),
    MultiLabel(MultiLabelMetrics),
    Regression(RegressionMetrics),
    Entities(EntityMetrics),
    Answers(AnswerMetrics),
}

impl Metrics {
    /// Of one prediction for each target. Of words those count that the model saw.
    pub fn new(targets: &Targets, predictions: &[Prediction], labels: &LabelMap) -> Self {
        Self::of(&Answered::new(targets, predictions), labels)
    }

    /// Of answers whose ids are those of `labels`.
    pub fn of(answered: &Answered, labels: &LabelMap) -> Self {
        match answered {
            Answered::Labels(rows) => {
                let (gold, predicted): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
                Self::SingleLabel(ClassificationMetrics::new(&gold, &predicted, labels))
            }
            Answered::LabelSets(rows) => {
                let (gold, predicted): (Vec<_>, Vec<_>) = rows.iter().cloned().unzip();
                Self::MultiLabel(MultiLabelMetrics::new(&gold, &predicted, labels))
            }
            Answered::Scores(rows) => {
                let (gold, predicted): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
                Self::Regression(RegressionMetrics::new(&gold, &predicted))
            }
            Answered::Tags(rows) => {
                let (gold, predicted): (Vec<_>, Vec<_>) = rows.iter().cloned().unzip();
                Self::Entities(EntityMetrics::new(&gold, &predicted, labels))
            }
            Answered::Answers(rows) => {
                let rows: Vec<RowScore> = row_scores(rows).collect();
                Self::Answers(AnswerMetrics::of(rows.iter()))
            }
        }
    }

    /// The rows that were measured.
    pub fn rows(&self) -> usize {
        match self {
            Self::SingleLabel(metrics) => metrics.rows,
            Self::MultiLabel(metrics) => metrics.rows,
            Self::Regression(metrics) => metrics.rows,
            Self::Entities(metrics) => metrics.rows,
            Self::Answers(metrics) => metrics.rows,
        }
    }

    /// The figure by which the best of several models is chosen where no other is named.
    pub fn usual(task: Task) -> &'static str {
        match task {
            Task::SingleLabelClassification => "macro_f1",
            Task::MultiLabelClassification => "micro_f1",
            Task::Regression => "pearson",
            Task::TokenClassification | Task::QuestionAnswering => "f1",
        }
    }

    /// The figures that sum all up, the most telling first.
    pub fn figures(&self) -> Vec<(&'static str, f64)> {
        match self {
            Self::SingleLabel(metrics) => vec![
                ("accuracy", metrics.accuracy),
                ("macro_f1", metrics.macro_f1),
                ("micro_f1", metrics.micro_f1),
                ("weighted_f1", metrics.weighted_f1),
            ],
            Self::MultiLabel(metrics) => vec![
                ("micro_f1", metrics.micro_f1),
                ("macro_f1", metrics.macro_f1),
                ("weighted_f1", metrics.weighted_f1),
                ("samples_f1", metrics.samples_f1),
                ("subset_accuracy", metrics.subset_accuracy),
            ],
            Self::Regression(metrics) => vec![
                ("pearson", metrics.pearson),
                ("spearman", metrics.spearman),
                ("mse", metrics.mse),
                ("mae", metrics.mae),
            ],
            Self::Entities(metrics) => vec![
                ("f1", metrics.f1),
                ("precision", metrics.precision),
                ("recall", metrics.recall),
                ("accuracy", metrics.accuracy),
            ],
            Self::Answers(metrics) => {
                vec![("f1", metrics.f1), ("exact_match", metrics.exact_match)]
            }
        }
    }
}
