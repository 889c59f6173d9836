//! Temperature scaling (Guo, Pleiss, Sun and Weinberger 2017): one number that logits are divided by,
//! so that their probabilities are as often right as they say. It changes no answer.

use serde::Serialize;

use crate::{data::Targets, model::Prediction};

/// Where nothing is wrong, the best temperature would be 0: it is looked for between these.
const LOWEST: f64 = 0.05;
const HIGHEST: f64 = 20.0;

/// What was fitted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Temperature {
    pub temperature: f64,
    /// The mean negative log-likelihood of the gold answers without it, and with it.
    pub nll_before: f64,
    pub nll_after: f64,
}

/// The temperature with the smallest negative log-likelihood of these rows, between 0.05 and 20.
/// `None` of scores and answers, and where there is nothing.
pub fn fit_temperature(targets: &Targets, predictions: &[Prediction]) -> Option<Temperature> {
    let said = said(targets, predictions);
    if said.is_empty() {
        return None;
    }
    // Convex in 1/T, so that its slope has one zero.
    let slope = |inverse: f64| said.iter().map(|said| said.slope(inverse)).sum::<f64>();
    let (mut low, mut high) = (1.0 / HIGHEST, 1.0 / LOWEST);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        *(if slope(middle) < 0.0 { &mut low } else { &mut high }) = middle;
    }
    let inverse = (low + high) / 2.0;
    let nll = |inverse| said.iter().map(|said| said.nll(inverse)).sum::<f64>() / said.len() as f64;
    Some(Temperature { temperature: 1.0 / inverse, nll_before: nll(1.0), nll_after: nll(inverse) })
}

/// One decision: its logits, and what is right.
enum Said<'a> {
    Class(&'a [f32], usize),
    Label(f32, bool),
}

impl Said<'_> {
    fn nll(&self, inverse: f64) -> f64 {
        match *self {
            Self::Class(logits, gold) => {
                let (most, sum, _) = exponentials(logits, inverse);
                sum.ln() - (f64::from(logits[gold]) - most) * inverse
            }
            // ln(1 + e^-x) of a logit that should be large.
            Self::Label(logit, is_so) => {
                let x = if is_so { -f64::from(logit) } else { f64::from(logit) } * inverse;
                x.max(0.0) + (-x.abs()).exp().ln_1p()
            }
        }
    }

    /// The derivative of [`Said::nll`].
    fn slope(&self, inverse: f64) -> f64 {
        match *self {
            Self::Class(logits, gold) => {
                let (most, sum, weighted) = exponentials(logits, inverse);
                weighted / sum - (f64::from(logits[gold]) - most)
            }
            Self::Label(logit, is_so) => {
                let logit = f64::from(logit);
                logit / (1.0 + (-logit * inverse).exp()) - if is_so { logit } else { 0.0 }
            }
        }
    }
}

/// The largest logit, and, with `z` what a logit is below it, the sums of `exp(z / T)` and `z exp(z / T)`.
fn exponentials(logits: &[f32], inverse: f64) -> (f64, f64, f64) {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max).into();
    let below = logits.iter().map(|&logit| f64::from(logit) - most);
    let add = |(sum, weighted), z: f64| {
        let exponential = (z * inverse).exp();
        (sum + exponential, weighted + z * exponential)
    };
    let (sum, weighted) = below.fold((0.0, 0.0), add);
    (most, sum, weighted)
}

fn said<'a>(targets: &Targets, predictions: &'a [Prediction]) -> Vec<Said<'a>> {
    let mut said = Vec::new();
    match targets {
        Targets::Scores(_) | Targets::Answers(_) | Targets::Spans(_) => {}
        Targets::Labels(gold) => {
            let rows = gold.iter().zip(predictions);
            said.extend(rows.map(|(&gold, found)| Said::Class(&found.logits, gold)));
        }
        Targets::LabelSets(gold) => {
            for (gold, found) in gold.iter().zip(predictions) {
                let labels = found.logits.iter().enumerate();
                said.extend(labels.map(|(id, &logit)| Said::Label(logit, gold.contains(&id))));
            }
        }
        Targets::Tags(gold) => {
            for (gold, found) in gold.iter().zip(predictions) {
                let classes = (found.logits.len() / found.words.len().max(1)).max(1);
                let words = found.words.iter().zip(found.logits.chunks(classes));
                said.extend(words.map(|(word, logits)| Said::Class(logits, gold[word.index])));
            }
        }
    }
    said
}
