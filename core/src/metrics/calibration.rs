//! Whether probabilities are what they say: of all that is said with 80 %, are 80 % right?

use serde::Serialize;

use super::RowScore;
use crate::{
    data::{GoldAnswer, Targets},
    model::Prediction,
};

const BINS: usize = 15;

/// The reliability diagram and what it comes to (Guo, Pleiss, Sun and Weinberger 2017).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reliability {
    /// The mean distance of confidence and accuracy over 15 bins of one width, weighted by what is in
    /// them (`torchmetrics.functional.classification.multiclass_calibration_error`).
    pub expected_calibration_error: f64,
    /// Those that hold something.
    pub bins: Vec<ReliabilityBin>,
}

/// What is said with a confidence of `from` to below `to`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReliabilityBin {
    pub from: f64,
    pub to: f64,
    pub count: usize,
    /// The mean of the confidences.
    pub confidence: f64,
    /// The share that is right.
    pub accuracy: f64,
}

impl Reliability {
    /// Of the class of each row, with its probability; of the tag of each word; of the answer to each
    /// question, which is right where it is exactly a gold one; of sets of labels, of
    /// the probability of each label, and whether it belongs to the row. `None` of scores, and where
    /// there is nothing.
    pub fn new(targets: &Targets, predictions: &[Prediction]) -> Option<Self> {
        let said = said(targets, predictions);
        let mut bins = [(0_usize, 0.0, 0_usize); BINS];
        for &(confidence, is_right) in &said {
            let (count, sum, right) =
                &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
            *count += 1;
            *sum += confidence;
            *right += usize::from(is_right);
        }
        let edge = |index: usize| index as f64 / BINS as f64;
        let bin = |(index, (count, sum, right)): (usize, (usize, f64, usize))| ReliabilityBin {
            from: edge(index),
            to: edge(index + 1),
            count,
            confidence: sum / count as f64,
            accuracy: right as f64 / count as f64,
        };
        let filled = bins.into_iter().enumerate().filter(|(_, (count, ..))| *count > 0);
        let bins: Vec<ReliabilityBin> = filled.map(bin).collect();
        let off = |bin: &ReliabilityBin| (bin.confidence - bin.accuracy).abs() * bin.count as f64;
        let expected_calibration_error = bins.iter().map(off).sum::<f64>() / said.len() as f64;
        (!said.is_empty()).then_some(Self { expected_calibration_error, bins })
    }
}

/// What is said with which confidence, and whether it is so.
fn said(targets: &Targets, predictions: &[Prediction]) -> Vec<(f64, bool)> {
    match targets {
        Targets::Scores(_) | Targets::Spans(_) => Vec::new(),
        Targets::Answers(gold) => {
            let row = |(gold, found): (&Vec<GoldAnswer>, &Prediction)| {
                let gold: Vec<&str> = gold.iter().map(|answer| &*answer.text).collect();
                let score = found.answers.first().map_or(0.0, |answer| answer.score);
                (f64::from(score), RowScore::new(&gold, found.answer()).exact_match)
            };
            gold.iter().zip(predictions).map(row).collect()
        }
        Targets::Labels(gold) => {
            let row = |(&gold, found): (&usize, &Prediction)| {
                let label = found.label();
                (f64::from(found.probabilities[label]), label == gold)
            };
            gold.iter().zip(predictions).map(row).collect()
        }
        Targets::LabelSets(gold) => {
            let row = |(gold, found): (&Vec<usize>, &Prediction)| -> Vec<(f64, bool)> {
                let labels = found.probabilities.iter().enumerate();
                labels.map(|(id, &p)| (f64::from(p), gold.contains(&id))).collect()
            };
            gold.iter().zip(predictions).flat_map(row).collect()
        }
        Targets::Tags(gold) => {
            let row = |(gold, found): (&Vec<usize>, &Prediction)| -> Vec<(f64, bool)> {
                let words = found.words.iter().zip(found.tags());
                words.map(|(word, (id, p))| (f64::from(p), gold[word.index] == id)).collect()
            };
            gold.iter().zip(predictions).flat_map(row).collect()
        }
    }
}
