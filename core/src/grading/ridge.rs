//! What a model has to be better than: ridge regression on the counts of words, as scikit-learn's
//! `CountVectorizer` and `Ridge` compute it.

use std::collections::BTreeMap;

/// Rounds of conjugate gradients without which no system of this kind was seen to converge.
const ROUNDS: usize = 2_000;
/// The residual, as a part of the right-hand side, that is small enough.
const CLOSE: f64 = 1e-10;

/// Words with their weights, and the intercept.
#[derive(Clone, Debug)]
pub struct BagOfWordsRidge {
    weights: BTreeMap<String, f64>,
    intercept: f64,
}

/// The counts of words in each row: `(word, count)`.
type Counts = Vec<Vec<(usize, f64)>>;

impl BagOfWordsRidge {
    /// Minimises `Σ (w·x + b - y)² + alpha |w|²` over texts and as many scores. The intercept is not
    /// held small, as in scikit-learn.
    pub fn fit(texts: &[String], scores: &[f32], alpha: f64) -> Self {
        let mut ids = BTreeMap::new();
        for word in texts.iter().flat_map(|text| words(text)) {
            let next = ids.len();
            ids.entry(word).or_insert(next);
        }
        let counts: Counts = texts.iter().map(|text| counts(text, &ids)).collect();
        let scores: Vec<f64> = scores.iter().map(|&score| f64::from(score)).collect();
        let rows = texts.len().max(1) as f64;
        let mean_score = scores.iter().sum::<f64>() / rows;
        let centred: Vec<f64> = scores.iter().map(|score| score - mean_score).collect();
        let means: Vec<f64> = transposed(&counts, &vec![1.0; texts.len()], ids.len())
            .iter()
            .map(|n| n / rows)
            .collect();
        let solved = solve(&counts, &means, &centred, alpha);
        let intercept = mean_score - dot(&means, &solved);
        let weights = ids.into_iter().map(|(word, id)| (word, solved[id])).collect();
        Self { weights, intercept }
    }

    /// The score of each text.
    pub fn predict(&self, texts: &[String]) -> Vec<f32> {
        let weight = |word: String| self.weights.get(&word).copied().unwrap_or(0.0);
        let score = |text: &String| self.intercept + words(text).map(weight).sum::<f64>();
        texts.iter().map(|text| score(text) as f32).collect()
    }
}

/// Runs of two or more letters, digits or underscores, in lower case: `(?u)\b\w\w+\b`.
fn words(text: &str) -> impl Iterator<Item = String> {
    let text = text.to_lowercase();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let words = text.split(|c: char| !is_word(c)).filter(|word| word.chars().nth(1).is_some());
    words.map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn counts(text: &str, ids: &BTreeMap<String, usize>) -> Vec<(usize, f64)> {
    let mut found = BTreeMap::new();
    for id in words(text).filter_map(|word| ids.get(&word)) {
        *found.entry(*id).or_insert(0.0) += 1.0;
    }
    found.into_iter().collect()
}

/// `(XᵀX + alpha) w = Xᵀy` by conjugate gradients, `X` being the counts less their means.
fn solve(counts: &Counts, means: &[f64], y: &[f64], alpha: f64) -> Vec<f64> {
    let times = |w: &[f64]| -> Vec<f64> {
        let middle = dot(means, w);
        let of_row = |row: &Vec<(usize, f64)>| row.iter().map(|&(id, n)| n * w[id]).sum::<f64>();
        counts.iter().map(|row| of_row(row) - middle).collect()
    };
    let back = |residual: &[f64]| -> Vec<f64> {
        let all: f64 = residual.iter().sum();
        let counted = transposed(counts, residual, means.len());
        counted.iter().zip(means).map(|(value, mean)| value - mean * all).collect()
    };
    let mut w = vec![0.0; means.len()];
    let mut residual = back(y);
    let mut direction = residual.clone();
    let mut size = dot(&residual, &residual);
    let enough = size * CLOSE * CLOSE;
    for _ in 0..ROUNDS {
        if size <= enough {
            break;
        }
        let mut image = back(&times(&direction));
        image.iter_mut().zip(&direction).for_each(|(image, d)| *image += alpha * d);
        let step = size / dot(&direction, &image);
        w.iter_mut().zip(&direction).for_each(|(w, d)| *w += step * d);
        residual.iter_mut().zip(&image).for_each(|(r, image)| *r -= step * image);
        let before = std::mem::replace(&mut size, dot(&residual, &residual));
        direction.iter_mut().zip(&residual).for_each(|(d, r)| *d = r + size / before * *d);
    }
    w
}

/// `Xᵀ·values`
fn transposed(counts: &Counts, values: &[f64], words: usize) -> Vec<f64> {
    let mut out = vec![0.0; words];
    for (row, value) in counts.iter().zip(values) {
        row.iter().for_each(|&(id, count)| out[id] += count * value);
    }
    out
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
