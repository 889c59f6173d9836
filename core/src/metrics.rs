//! Metrics of each task. Those of one class a row are defined as scikit-learn's with
//! `zero_division=0`.

mod answered;
mod any;
mod bootstrap;
mod calibration;
mod comparison;
mod entities;
mod evaluation;
mod grading;
mod loss;
mod mcnemar;
mod multi_label;
mod regression;
mod squad;
mod temperature;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::data::LabelMap;

pub use answered::Answered;
pub use any::Metrics;
pub use bootstrap::{Intervals, figures_of, percentile_interval, resamples};
pub use calibration::{Reliability, ReliabilityBin};
pub(crate) use comparison::two_sided;
pub use comparison::{Comparison, Difference};
pub use entities::{EntityMetrics, entities};
pub use evaluation::Evaluation;
pub use grading::{GradingMetrics, quadratic_weighted_kappa};
pub use loss::loss;
pub use mcnemar::McNemar;
pub use multi_label::MultiLabelMetrics;
pub use regression::RegressionMetrics;
pub use squad::{AnswerMetrics, AnswerPart, RowScore};
pub use temperature::{Temperature, fit_temperature};

/// How predictions compare with the gold labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassificationMetrics {
    pub rows: usize,
    pub accuracy: f64,
    /// The mean of the classes' F1 (of those that occur in gold or prediction).
    pub macro_f1: f64,
    /// F1 over all decisions; with one label a row, the accuracy.
    pub micro_f1: f64,
    /// The mean of the classes' F1, weighted by support.
    pub weighted_f1: f64,
    /// In id order.
    #[serde(serialize_with = "by_label")]
    pub per_class: Vec<ClassMetrics>,
    /// `[gold][predicted]` counts.
    pub confusion_matrix: Vec<Vec<usize>>,
}

/// One class's part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassMetrics {
    pub label: String,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    /// Gold rows of the class.
    pub support: usize,
}

impl ClassificationMetrics {
    /// Counts class ids row by row; `gold` and `predicted` are equally long.
    pub fn new(gold: &[usize], predicted: &[usize], labels: &LabelMap) -> Self {
        let classes = labels.len();
        let mut confusion_matrix = vec![vec![0; classes]; classes];
        for (&gold, &predicted) in gold.iter().zip(predicted) {
            confusion_matrix[gold][predicted] += 1;
        }
        let right: usize = (0..classes).map(|class| confusion_matrix[class][class]).sum();
        let rows = gold.len();
        let accuracy = ratio(right, rows);
        let class = |class: usize| {
            let hits = confusion_matrix[class][class];
            let support: usize = confusion_matrix[class].iter().sum();
            let predicted: usize = confusion_matrix.iter().map(|row| row[class]).sum();
            let metrics = ClassMetrics {
                label: labels.name(class).into(),
                precision: ratio(hits, predicted),
                recall: ratio(hits, support),
                f1: ratio(2 * hits, support + predicted),
                support,
            };
            (metrics, support + predicted > 0)
        };
        let (per_class, occurs): (Vec<_>, Vec<_>) = (0..classes).map(class).unzip();
        let occurring = occurs.iter().filter(|&&occurs| occurs).count();
        let macro_f1 = per_class.iter().map(|c| c.f1).sum::<f64>() / occurring.max(1) as f64;
        let weighted: f64 = per_class.iter().map(|c| c.f1 * c.support as f64).sum();
        let weighted_f1 = weighted / rows.max(1) as f64;
        let micro_f1 = accuracy;
        Self { rows, accuracy, macro_f1, micro_f1, weighted_f1, per_class, confusion_matrix }
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// `{"joy": {"precision": …}, …}`, as scikit-learn's `classification_report(output_dict=True)`.
fn by_label<S: serde::Serializer>(classes: &[ClassMetrics], to: S) -> Result<S::Ok, S::Error> {
    let entry = |class: &ClassMetrics| {
        let ClassMetrics { label, precision, recall, f1, support } = class;
        let value = json!({
            "precision": precision, "recall": recall, "f1": f1, "support": support
        });
        (label.clone(), value)
    };
    classes.iter().map(entry).collect::<Map<String, Value>>().serialize(to)
}
