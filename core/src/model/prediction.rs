//! What a model says of one text.

use serde::Serialize;

use crate::{
    data::Task,
    text::{Encoding, Word},
};

/// The outputs for one text.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Prediction {
    /// One for each class, in id order; of a regression the score alone; of token classification those
    /// of each word, `[words, num_labels]`; of a window on a context those of each token, `[tokens, 2]`,
    /// and none of a question.
    pub logits: Vec<f32>,
    /// Of `logits`: their softmax, which sums to 1, or, of a multi-label model, the sigmoid of each; of a
    /// calibrated model, of the logits divided by its temperature. None of a regression, and of windows
    /// and questions.
    pub probabilities: Vec<f32>,
    /// What is tagged, of token classification.
    pub words: Vec<Word>,
    /// Of a question: the best first (see [`answers`](super::answers)).
    pub answers: Vec<FoundAnswer>,
}

/// A part of a context, as the answer to a question; or, with an empty text, that there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FoundAnswer {
    pub text: String,
    /// Its first character in the context, and the one after its last.
    pub start: usize,
    pub end: usize,
    /// Its probability among the best answers.
    pub score: f32,
    /// The sum of the logits of its start and its end.
    pub logit: f32,
}

impl Prediction {
    /// Takes the logits of a text from those of a batch: of each of its words where words are tagged, of
    /// each of its tokens where answers are looked for.
    pub(crate) fn new<'a>(
        task: Task,
        batch: &mut impl Iterator<Item = &'a [f32]>,
        Encoding { ids, words, .. }: &Encoding,
    ) -> Self {
        let mut of = |items: usize| batch.take(items).collect::<Vec<&[f32]>>().concat();
        let logits = match task {
            Task::TokenClassification => of(words.len()),
            Task::QuestionAnswering => of(ids.len()),
            _ => of(1),
        };
        let words = if task == Task::TokenClassification { words.clone() } else { Vec::new() };
        Self { logits, words, ..Self::default() }.at_temperature(task, 1.0)
    }

    /// The same with the probabilities of `logits / temperature`. Which class is the most probable, and
    /// which labels are above one half, stays as it was.
    pub fn at_temperature(self, task: Task, temperature: f32) -> Self {
        let scaled: Vec<f32> = self.logits.iter().map(|logit| logit / temperature).collect();
        let probabilities = match task {
            Task::MultiLabelClassification => {
                scaled.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect()
            }
            Task::Regression | Task::QuestionAnswering => Vec::new(),
            Task::SingleLabelClassification => softmax(&scaled),
            Task::TokenClassification => {
                let classes = (scaled.len() / self.words.len().max(1)).max(1);
                scaled.chunks(classes).flat_map(softmax).collect()
            }
        };
        Self { probabilities, ..self }
    }

    /// The most probable class; the first of equals.
    pub fn label(&self) -> usize {
        most(&self.logits)
    }

    /// The most probable tag of each word, with its probability.
    pub fn tags(&self) -> Vec<(usize, f32)> {
        let classes = self.probabilities.len() / self.words.len().max(1);
        let words = self.probabilities.chunks(classes.max(1));
        words.map(|word| (most(word), word[most(word)])).collect()
    }

    /// The classes of a multi-label model, in id order: those with a probability above one half, which
    /// is a logit above 0.
    pub fn labels(&self) -> Vec<usize> {
        (0..self.logits.len()).filter(|&id| self.logits[id] > 0.0).collect()
    }

    /// The best answer to a question; empty where there is none.
    pub fn answer(&self) -> &str {
        self.answers.first().map_or("", |answer| &answer.text)
    }

    /// The number that a regression gives.
    pub fn score(&self) -> f32 {
        self.logits.first().copied().unwrap_or(f32::NAN)
    }
}

/// The place of the largest; the first of equals.
fn most(values: &[f32]) -> usize {
    let ids = 0..values.len();
    ids.reduce(|best, id| if values[id] > values[best] { id } else { best }).unwrap_or(0)
}

pub(super) fn softmax(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Encoding {
        Encoding::default()
    }

    #[test]
    fn labels_of_a_multi_label_model_are_those_above_one_half() {
        let of = |logits: Vec<f32>| {
            Prediction::new(Task::MultiLabelClassification, &mut [&logits[..]].into_iter(), &none())
        };
        assert_eq!(of(vec![0.1, -0.1, 0.0, 3.0]).labels(), [0, 3]);
        assert_eq!(of(vec![-1.0, -2.0]).labels(), [0; 0]);
        assert_eq!(of(vec![-200.0, 200.0]).probabilities, [0.0, 1.0]);
    }

    #[test]
    fn a_temperature_changes_probabilities_and_no_answer() {
        let task = Task::SingleLabelClassification;
        let sharp = Prediction::new(task, &mut [&[2.0, 0.0][..]].into_iter(), &none());
        let soft = sharp.clone().at_temperature(task, 2.0);
        assert_eq!((sharp.label(), soft.label()), (0, 0));
        let expected = 1.0 / (1.0 + (-1.0_f32).exp());
        assert!((soft.probabilities[0] - expected).abs() < 1e-6, "{soft:?}");
        assert_eq!(soft.at_temperature(task, 1.0), sharp);
    }

    #[test]
    fn a_score_has_no_probability() {
        let prediction = Prediction::new(Task::Regression, &mut [&[2.5][..]].into_iter(), &none());
        assert_eq!((prediction.score(), prediction.probabilities.len()), (2.5, 0));
    }

    #[test]
    fn each_word_has_a_tag() {
        let word = |index| Word { index, token: index + 1, start: 0, end: 1 };
        let batch: [&[f32]; 3] = [&[0.0, 1.0], &[3.0, 0.0], &[5.0, 0.0]];
        let mut batch = batch.into_iter();
        let tagged = Encoding { words: vec![word(0), word(2)], ..none() };
        let prediction = Prediction::new(Task::TokenClassification, &mut batch, &tagged);
        let ids: Vec<usize> = prediction.tags().into_iter().map(|(id, _)| id).collect();
        assert_eq!((ids, batch.count()), (vec![1, 0], 1));
        assert_eq!(Prediction::default().tags(), []);
    }
}
