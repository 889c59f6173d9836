//! Metrics of sets of labels, defined as scikit-learn's on an indicator matrix with
//! `zero_division=0`.

use serde::Serialize;

use super::{ClassMetrics, by_label, ratio};
use crate::data::LabelMap;

/// How predicted sets of labels compare with the gold ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MultiLabelMetrics {
    pub rows: usize,
    /// The share of rows whose whole set is right (scikit-learn's `accuracy_score`).
    pub subset_accuracy: f64,
    /// F1 over all decisions.
    pub micro_f1: f64,
    /// The mean of the classes' F1.
    pub macro_f1: f64,
    /// The mean of the classes' F1, weighted by support.
    pub weighted_f1: f64,
    /// The mean of the rows' F1; a row without labels, gold or predicted, counts as 0.
    pub samples_f1: f64,
    /// In id order.
    #[serde(serialize_with = "by_label")]
    pub per_class: Vec<ClassMetrics>,
}

/// Decisions of one class or one row.
#[derive(Clone, Copy, Default)]
struct Counts {
    hits: usize,
    gold: usize,
    predicted: usize,
}

impl Counts {
    fn f1(self) -> f64 {
        ratio(2 * self.hits, self.gold + self.predicted)
    }
}

impl MultiLabelMetrics {
    /// Compares sets of class ids row by row; `gold` and `predicted` are equally long.
    pub fn new(gold: &[Vec<usize>], predicted: &[Vec<usize>], labels: &LabelMap) -> Self {
        let mut classes = vec![Counts::default(); labels.len()];
        let (mut right, mut samples) = (0, 0.0);
        for (gold, predicted) in gold.iter().zip(predicted) {
            let hits = predicted.iter().filter(|id| gold.contains(id)).count();
            gold.iter().for_each(|&id| classes[id].gold += 1);
            for &id in predicted {
                classes[id].predicted += 1;
                classes[id].hits += usize::from(gold.contains(&id));
            }
            right += usize::from(hits == gold.len() && hits == predicted.len());
            samples += Counts { hits, gold: gold.len(), predicted: predicted.len() }.f1();
        }
        let total = classes.iter().fold(Counts::default(), |sum, class| Counts {
            hits: sum.hits + class.hits,
            gold: sum.gold + class.gold,
            predicted: sum.predicted + class.predicted,
        });
        let f1s = || classes.iter().map(|class| class.f1());
        let weighted: f64 = classes.iter().map(|class| class.f1() * class.gold as f64).sum();
        let per_class = classes.iter().zip(labels.names()).map(|(class, label)| ClassMetrics {
            label: label.clone(),
            precision: ratio(class.hits, class.predicted),
            recall: ratio(class.hits, class.gold),
            f1: class.f1(),
            support: class.gold,
        });
        Self {
            rows: gold.len(),
            subset_accuracy: ratio(right, gold.len()),
            micro_f1: total.f1(),
            macro_f1: f1s().sum::<f64>() / classes.len().max(1) as f64,
            weighted_f1: if total.gold == 0 { 0.0 } else { weighted / total.gold as f64 },
            samples_f1: samples / gold.len().max(1) as f64,
            per_class: per_class.collect(),
        }
    }
}
