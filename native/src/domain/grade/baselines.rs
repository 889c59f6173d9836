//! What a model has to be better than.

use std::collections::BTreeMap;

use emberlab_core::grading::BagOfWordsRidge;

use super::{Answers, Parts};

/// scikit-learn's preset.
const ALPHA: f64 = 1.0;

/// The part of the most points that most answers to train on have, for every answer.
pub fn majority(parts: &Parts) -> Vec<f32> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for part in parts.train.parts() {
        *counts.entry(part.to_bits()).or_default() += 1;
    }
    // Bits of numbers that are not negative are in the order of the numbers.
    let most = counts.into_iter().max_by_key(|&(_, count)| count);
    let part = most.map_or(0.0, |(bits, _)| f32::from_bits(bits));
    parts.test.most.iter().map(|most| part * most).collect()
}

/// Ridge regression on the counts of the words of answers.
pub fn ridge(parts: &Parts) -> Vec<f32> {
    let Answers { answers, .. } = &parts.train;
    let ridge = BagOfWordsRidge::fit(answers, &parts.train.parts(), ALPHA);
    let predicted = ridge.predict(&parts.test.answers);
    let points = predicted.iter().zip(&parts.test.most);
    points.map(|(part, most)| part.clamp(0.0, 1.0) * most).collect()
}
