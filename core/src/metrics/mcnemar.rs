//! McNemar's test (McNemar 1947): whether two models err on as many rows that the other has right.

use serde::Serialize;

/// How the answers of two models, A and B, to the same rows agree; p-values are two-sided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct McNemar {
    pub both_right: usize,
    pub only_a_right: usize,
    pub only_b_right: usize,
    pub both_wrong: usize,
    /// By the binomial distribution (`statsmodels.stats.contingency_tables.mcnemar(exact=True)`).
    pub exact_p: f64,
    /// χ² with continuity correction (`mcnemar(exact=False, correction=True)`), one degree of freedom.
    pub statistic: f64,
    pub corrected_p: f64,
}

impl McNemar {
    /// Of whether each row is answered right; both are equally long.
    pub fn new(a: &[bool], b: &[bool]) -> Self {
        let count = |of_a, of_b| a.iter().zip(b).filter(|&(&a, &b)| (a, b) == (of_a, of_b)).count();
        let (only_a, only_b) = (count(true, false), count(false, true));
        let statistic = corrected(only_a, only_b);
        Self {
            both_right: count(true, true),
            only_a_right: only_a,
            only_b_right: only_b,
            both_wrong: count(false, false),
            exact_p: exact(only_a, only_b),
            statistic,
            // The upper tail of χ² with one degree of freedom.
            corrected_p: libm::erfc((statistic / 2.0).sqrt()),
        }
    }
}

/// Twice the probability of at most `min(b, c)` heads of `b + c` coins, but not more than 1.
fn exact(b: usize, c: usize) -> f64 {
    let coins = b + c;
    // In logarithms: 2⁻ⁿ is 0 in f64 from 1,075 coins on.
    let mut log_term = -(coins as f64) * std::f64::consts::LN_2;
    let mut sum = 0.0;
    for heads in 0..=b.min(c) {
        sum += log_term.exp();
        log_term += ((coins - heads) as f64 / (heads + 1) as f64).ln();
    }
    (2.0 * sum).min(1.0)
}

fn corrected(b: usize, c: usize) -> f64 {
    if b + c == 0 {
        return 0.0;
    }
    (b.abs_diff(c) as f64 - 1.0).powi(2) / (b + c) as f64
}
