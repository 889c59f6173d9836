//! How scores are spread.

use serde::Serialize;

/// Bins of the histogram.
const BINS: usize = 10;

/// The scores of a split.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Scores {
    pub rows: usize,
    pub mean: f64,
    /// Of the population.
    pub standard_deviation: f64,
    pub lowest: f64,
    pub highest: f64,
    /// Bins of one width from the lowest score to the highest; a single one where all are alike.
    pub histogram: Vec<ScoreBin>,
}

/// How many scores stand at `from` or above and below `to`; the last bin holds the highest, too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ScoreBin {
    pub from: f64,
    pub to: f64,
    pub rows: usize,
}

impl Scores {
    /// `None` without scores.
    pub fn new(scores: &[f32]) -> Option<Self> {
        let scores: Vec<f64> = scores.iter().map(|&score| f64::from(score)).collect();
        let lowest = scores.iter().copied().reduce(f64::min)?;
        let highest = scores.iter().copied().reduce(f64::max)?;
        let rows = scores.len();
        let mean = scores.iter().sum::<f64>() / rows as f64;
        let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
        let bins = if highest > lowest { BINS } else { 1 };
        let width = (highest - lowest) / bins as f64;
        let edge = |bin: usize| lowest + bin as f64 * width;
        let mut histogram: Vec<ScoreBin> =
            (0..bins).map(|bin| ScoreBin { from: edge(bin), to: edge(bin + 1), rows: 0 }).collect();
        for score in &scores {
            // All alike: the width is 0, and NaN becomes 0.
            let bin = ((score - lowest) / width) as usize;
            histogram[bin.min(bins - 1)].rows += 1;
        }
        let standard_deviation = (squares / rows as f64).sqrt();
        Some(Self { rows, mean, standard_deviation, lowest, highest, histogram })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_every_score() {
        let scores = Scores::new(&[0.0, 5.0, 5.0, 2.6, 0.4]).unwrap();
        assert_eq!((scores.rows, scores.lowest, scores.highest), (5, 0.0, 5.0));
        let rows: Vec<usize> = scores.histogram.iter().map(|bin| bin.rows).collect();
        assert_eq!(rows, [2, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
        assert_eq!(Scores::new(&[3.0, 3.0]).unwrap().histogram[0].rows, 2);
        assert_eq!(Scores::new(&[]), None);
    }
}
