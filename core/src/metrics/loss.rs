//! The loss of predictions, whatever a training adds to it.

use crate::{data::Targets, model::Prediction};

/// The mean loss of one prediction for each target, as transformers' heads compute it without class
/// weights or smoothing: cross-entropy of classes and of the tags of words that the model saw, the mean
/// over classes of binary cross-entropy of sets, the squared error of scores, the mean of the cross-entropies
/// of start and end of windows on contexts. Questions have none beside that of their windows: NaN.
pub fn loss(targets: &Targets, predictions: &[Prediction]) -> f64 {
    let logits = predictions.iter().map(|prediction| prediction.logits.as_slice());
    match targets {
        Targets::Labels(labels) => {
            mean(logits.zip(labels).map(|(logits, &label)| cross_entropy(logits, label)))
        }
        Targets::LabelSets(sets) => mean(logits.zip(sets).map(|(logits, set)| {
            mean(logits.iter().enumerate().map(|(id, &logit)| {
                let logit = f64::from(if set.contains(&id) { -logit } else { logit });
                // ln(1 + eˣ), without overflow
                logit.max(0.0) + (-logit.abs()).exp().ln_1p()
            }))
        })),
        Targets::Scores(scores) => mean(
            predictions.iter().zip(scores).map(|(p, gold)| f64::from(p.score() - gold).powi(2)),
        ),
        Targets::Tags(tags) => mean(predictions.iter().zip(tags).flat_map(|(prediction, tags)| {
            let classes = prediction.logits.len() / prediction.words.len().max(1);
            let words = prediction.logits.chunks(classes.max(1)).zip(&prediction.words);
            words.map(|(logits, word)| cross_entropy(logits, tags[word.index]))
        })),
        Targets::Spans(spans) => mean(logits.zip(spans).map(|(logits, span)| {
            let (tokens, _) = logits.as_chunks::<2>();
            let of = |column: usize, truth: usize| {
                let logits: Vec<f32> = tokens.iter().map(|token| token[column]).collect();
                cross_entropy(&logits, truth)
            };
            (of(0, span.start) + of(1, span.end)) / 2.0
        })),
        Targets::Answers(_) => f64::NAN,
    }
}

fn cross_entropy(logits: &[f32], class: usize) -> f64 {
    let most = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - most).exp()).sum();
    sum.ln() + most - f64::from(logits[class])
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Those of `tests/fixtures/losses.json` that no setting changes, from PyTorch.
    #[test]
    fn losses_are_those_of_pytorch() {
        let cases = include_str!("../../../tests/fixtures/losses.json");
        let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
        let plain = cases.iter().filter(|case| case["config"] == serde_json::json!({}));
        let mut seen = 0;
        for case in plain {
            let logits: Vec<Vec<f32>> = serde_json::from_value(case["logits"].clone()).unwrap();
            let predictions: Vec<Prediction> = logits
                .into_iter()
                .map(|logits| Prediction { logits, ..Prediction::default() })
                .collect();
            let rows = case["targets"].clone();
            let targets = match case["task"].as_str().unwrap() {
                "regression" => Targets::Scores(serde_json::from_value(rows).unwrap()),
                "multi_label_classification" => {
                    let rows: Vec<Vec<usize>> = serde_json::from_value(rows).unwrap();
                    let set =
                        |row: &Vec<usize>| (0..row.len()).filter(|&id| row[id] == 1).collect();
                    Targets::LabelSets(rows.iter().map(set).collect())
                }
                _ => Targets::Labels(serde_json::from_value(rows).unwrap()),
            };
            let (found, expected) = (loss(&targets, &predictions), case["loss"].as_f64().unwrap());
            assert!((found - expected).abs() < 1e-6 * expected.max(1.0), "{}", case["name"]);
            seen += 1;
        }
        assert_eq!(seen, 3);
    }
}
