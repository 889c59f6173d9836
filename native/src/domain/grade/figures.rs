//! What a person reads of given points.

use std::fmt;

use emberlab_core::metrics::GradingMetrics;

use super::{Answers, Parts, baselines};
use crate::terminal::counted;

const HEADS: [(&str, &str); 7] = [
    ("pearson", "Pearson"),
    ("quadratic_weighted_kappa", "kappa"),
    ("rmse", "RMSE"),
    ("mae", "MAE"),
    ("spearman", "Spearman"),
    ("accuracy", "accuracy"),
    ("f1", "F1"),
];

/// A model beside its baselines and, where there are such, two raters.
pub struct Table {
    title: String,
    rows: Vec<(&'static str, GradingMetrics)>,
}

impl Table {
    pub fn new(parts: &Parts, points: &[f32], threshold: f32) -> Self {
        let test = &parts.test;
        let mut rows = vec![
            ("model", test.metrics(points, threshold)),
            ("ridge on words", test.metrics(&baselines::ridge(parts), threshold)),
            ("majority", test.metrics(&baselines::majority(parts), threshold)),
        ];
        rows.extend(test.rater_agreement(threshold).map(|metrics| ("second rater", metrics)));
        Self { title: title(test, threshold), rows }
    }
}

fn title(answers: &Answers, threshold: f32) -> String {
    let (rows, questions) = (answers.len(), answers.distinct_questions());
    format!(
        "{} to {}; right from {} of the points on\n\n",
        counted(rows, "answer"),
        counted(questions, "question"),
        threshold
    )
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:14}", self.title, "")?;
        HEADS.iter().try_for_each(|(_, head)| write!(f, "  {head:>8}"))?;
        for (name, metrics) in &self.rows {
            write!(f, "\n{name:14}")?;
            metrics
                .figures()
                .iter()
                .try_for_each(|(_, figure)| write!(f, "  {}", cell(*figure)))?;
        }
        writeln!(f)
    }
}

/// What is not defined is a dash.
fn cell(figure: f64) -> String {
    if figure.is_nan() { format!("{:>8}", "–") } else { format!("{figure:8.4}") }
}

/// The figures of a finished model.
pub fn evaluation(answers: &Answers, metrics: &GradingMetrics, threshold: f32) -> String {
    let mut rows = vec![("model", metrics.clone())];
    rows.extend(answers.rater_agreement(threshold).map(|metrics| ("second rater", metrics)));
    Table { title: title(answers, threshold), rows }.to_string()
}
