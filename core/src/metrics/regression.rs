//! Metrics of scores, defined as scipy's and scikit-learn's.

use serde::Serialize;

/// How predicted scores compare with the gold ones. A correlation with scores that are all alike is
/// not defined: NaN, in JSON `null`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegressionMetrics {
    pub rows: usize,
    /// Pearson's correlation (`scipy.stats.pearsonr`).
    pub pearson: f64,
    /// Spearman's rank correlation; equals share the mean of their ranks (`scipy.stats.spearmanr`).
    pub spearman: f64,
    /// Mean squared error.
    pub mse: f64,
    /// Mean absolute error.
    pub mae: f64,
}

impl RegressionMetrics {
    /// Compares scores row by row; `gold` and `predicted` are equally long.
    pub fn new(gold: &[f32], predicted: &[f32]) -> Self {
        let floats = |scores: &[f32]| scores.iter().map(|&score| f64::from(score)).collect();
        let (gold, predicted): (Vec<f64>, Vec<f64>) = (floats(gold), floats(predicted));
        let errors = || gold.iter().zip(&predicted).map(|(gold, predicted)| predicted - gold);
        Self {
            rows: gold.len(),
            pearson: correlation(&gold, &predicted),
            spearman: correlation(&ranks(&gold), &ranks(&predicted)),
            mse: mean(errors().map(|error| error * error), gold.len()),
            mae: mean(errors().map(f64::abs), gold.len()),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    values.sum::<f64>() / count as f64
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let centred = |values: &[f64]| -> Vec<f64> {
        let mean = mean(values.iter().copied(), values.len());
        values.iter().map(|value| value - mean).collect()
    };
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let (x, y) = (centred(x), centred(y));
    (dot(&x, &y) / (dot(&x, &x).sqrt() * dot(&y, &y).sqrt())).clamp(-1.0, 1.0)
}

/// The place of each value in their order, from 1.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for equals in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = start as f64 + (equals.len() + 1) as f64 / 2.0;
        equals.iter().for_each(|&row| ranks[row] = rank);
        start += equals.len();
    }
    ranks
}
