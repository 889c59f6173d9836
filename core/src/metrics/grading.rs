//! How given points compare with a teacher's.

use serde::Serialize;

use super::RegressionMetrics;

/// Metrics of points. What is not defined (a correlation with points that are all alike) is NaN, in
/// JSON `null`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GradingMetrics {
    pub rows: usize,
    pub pearson: f64,
    pub spearman: f64,
    /// Root of the mean squared error, in points.
    pub rmse: f64,
    /// Mean absolute error, in points.
    pub mae: f64,
    /// Of whole points ([`quadratic_weighted_kappa`]).
    pub quadratic_weighted_kappa: f64,
    /// Of right and wrong: points are right from a part of the question's most on.
    pub accuracy: f64,
    /// F1 of the right ones.
    pub f1: f64,
}

impl GradingMetrics {
    /// Compares points row by row; `most[row]` is the most a question gives, and `threshold` the part of
    /// it from which an answer counts as right. All are equally long.
    pub fn new(gold: &[f32], predicted: &[f32], most: &[f32], threshold: f32) -> Self {
        let RegressionMetrics { rows, pearson, spearman, mse, mae } =
            RegressionMetrics::new(gold, predicted);
        let whole = |points: &[f32]| -> Vec<f64> {
            let of_row = points.iter().zip(most);
            of_row.map(|(points, &most)| f64::from(points.clamp(0.0, most).round())).collect()
        };
        let is_right = |points: &[f32]| -> Vec<bool> {
            points.iter().zip(most).map(|(&points, most)| points >= threshold * most).collect()
        };
        let (is, said) = (is_right(gold), is_right(predicted));
        let count = |wanted: &dyn Fn(bool, bool) -> bool| {
            is.iter().zip(&said).filter(|&(&is, &said)| wanted(is, said)).count() as f64
        };
        let hits = count(&|is, said| is && said);
        let named = count(&|is, _| is) + count(&|_, said| said);
        Self {
            rows,
            pearson,
            spearman,
            rmse: mse.sqrt(),
            mae,
            quadratic_weighted_kappa: quadratic_weighted_kappa(&whole(gold), &whole(predicted)),
            accuracy: count(&|is, said| is == said) / rows as f64,
            f1: if named == 0.0 { 0.0 } else { 2.0 * hits / named },
        }
    }

    /// All figures by name, the most telling first.
    pub fn figures(&self) -> [(&'static str, f64); 7] {
        [
            ("pearson", self.pearson),
            ("quadratic_weighted_kappa", self.quadratic_weighted_kappa),
            ("rmse", self.rmse),
            ("mae", self.mae),
            ("spearman", self.spearman),
            ("accuracy", self.accuracy),
            ("f1", self.f1),
        ]
    }
}

/// Cohen's kappa with quadratic weights (Cohen 1968), of whole grades:
/// `sklearn.metrics.cohen_kappa_score(gold, predicted, weights="quadratic")` with all grades between as `labels`.
/// By its moments, as a square of all grades would have no bound.
pub fn quadratic_weighted_kappa(gold: &[f64], predicted: &[f64]) -> f64 {
    let rows = gold.len() as f64;
    let mean = |grades: &[f64]| grades.iter().sum::<f64>() / rows;
    let (of_gold, of_predicted) = (mean(gold), mean(predicted));
    let spread = |grades: &[f64], mean: f64| -> f64 {
        grades.iter().map(|grade| (grade - mean).powi(2)).sum()
    };
    let found: f64 = gold.iter().zip(predicted).map(|(gold, said)| (gold - said).powi(2)).sum();
    let by_chance = spread(gold, of_gold)
        + spread(predicted, of_predicted)
        + rows * (of_gold - of_predicted).powi(2);
    1.0 - found / by_chance
}
