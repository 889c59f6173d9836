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
        let whole = |points: &[f32]| -> Vec<usize> {
            let of_row = points.iter().zip(most);
            of_row.map(|(points, &most)| points.clamp(0.0, most).round() as usize).collect()
        };
        let highest = most.iter().copied().fold(0.0, f32::max).round() as usize;
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
            quadratic_weighted_kappa: quadratic_weighted_kappa(
                &whole(gold),
                &whole(predicted),
                highest + 1,
            ),
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

/// Cohen's kappa with quadratic weights (Cohen 1968), of grades 0 to `grades - 1`:
/// `sklearn.metrics.cohen_kappa_score(gold, predicted, labels=range(grades), weights="quadratic")`.
pub fn quadratic_weighted_kappa(gold: &[usize], predicted: &[usize], grades: usize) -> f64 {
    let mut counts = vec![vec![0.0; grades]; grades];
    for (&gold, &predicted) in gold.iter().zip(predicted) {
        counts[gold][predicted] += 1.0;
    }
    let of_gold: Vec<f64> = counts.iter().map(|row| row.iter().sum()).collect();
    let of_predicted: Vec<f64> =
        (0..grades).map(|grade| counts.iter().map(|row| row[grade]).sum()).collect();
    let (mut found, mut by_chance) = (0.0, 0.0);
    for (i, row) in counts.iter().enumerate() {
        for (j, count) in row.iter().enumerate() {
            let weight = i.abs_diff(j).pow(2) as f64;
            found += weight * count;
            by_chance += weight * of_gold[i] * of_predicted[j] / gold.len() as f64;
        }
    }
    1.0 - found / by_chance
}
