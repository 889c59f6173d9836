//! Two models on the same rows: whether what parts them is more than chance.

use serde::Serialize;

use super::{Answered, McNemar, Metrics, figures_of, percentile_interval, resamples};
use crate::data::LabelMap;

const LEVEL: f64 = 0.95;

/// What a comparison of two models, A and B, finds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    pub rows: usize,
    /// Of rows that are right as a whole; none of scores.
    pub mcnemar: Option<McNemar>,
    pub level: f64,
    pub resamples: usize,
    pub seed: u64,
    pub figures: Vec<Difference>,
}

/// One figure of both, by the paired bootstrap (Efron and Tibshirani 1993): resamples of the rows,
/// the same for both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    pub figure: &'static str,
    pub a: f64,
    pub b: f64,
    /// B − A.
    pub difference: f64,
    /// In which 95 % of the resamples lie.
    pub interval: [f64; 2],
    /// Two-sided: twice the share of resamples on the rarer side of 0, 0 counted to both, where the
    /// sample itself is one more of either; NaN where the figure is not defined on a resample.
    pub p: f64,
}

impl Comparison {
    /// Of answers to the same rows, whose gold must be the same; `count` resamples.
    pub fn new(a: &Answered, b: &Answered, labels: &LabelMap, count: usize, seed: u64) -> Self {
        Self {
            rows: a.len(),
            mcnemar: a.right().zip(b.right()).map(|(a, b)| McNemar::new(&a, &b)),
            level: LEVEL,
            resamples: count,
            seed,
            figures: Difference::all(a, b, labels, || resamples(a.len(), count, seed)),
        }
    }
}

impl Difference {
    /// Of each figure, by these resamples, which must be the same at each call.
    pub fn all<I: Iterator<Item = Vec<usize>>>(
        a: &Answered,
        b: &Answered,
        labels: &LabelMap,
        resamples: impl Fn() -> I,
    ) -> Vec<Self> {
        let whole = |of| Metrics::of(of, labels).figures();
        let drawn = |of| figures_of(of, labels, resamples());
        let figures = whole(a).into_iter().zip(whole(b)).zip(drawn(a).into_iter().zip(drawn(b)));
        figures
            .map(|(((figure, a), (_, b)), ((_, of_a), (_, of_b)))| {
                let differences: Vec<f64> = of_a.iter().zip(&of_b).map(|(a, b)| b - a).collect();
                let p = two_sided(&differences);
                let interval = percentile_interval(differences, LEVEL);
                Self { figure, a, b, difference: b - a, interval, p }
            })
            .collect()
    }
}

/// See [`Difference::p`].
pub(crate) fn two_sided(differences: &[f64]) -> f64 {
    if differences.iter().any(|difference| difference.is_nan()) {
        return f64::NAN;
    }
    let not_above = differences.iter().filter(|&&difference| difference <= 0.0).count();
    let not_below = differences.iter().filter(|&&difference| difference >= 0.0).count();
    let rarer = not_above.min(not_below);
    (2.0 * (rarer + 1) as f64 / (differences.len() + 1) as f64).min(1.0)
}
