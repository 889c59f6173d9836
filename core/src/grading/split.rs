//! Which answers are held out.

use std::collections::{BTreeSet, HashMap};

use rand::{SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};

use crate::text::shuffle;

/// What is held out together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitBy {
    /// All answers to a question: how well questions are graded that nobody has graded yet.
    Question,
    /// Answers, whatever they answer: how well more answers to known questions are graded.
    Row,
}

/// Rows to train on, and rows held out; each in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerSplit {
    pub train: Vec<usize>,
    pub test: Vec<usize>,
}

impl AnswerSplit {
    /// Holds out a part of the questions or of the rows, at least one and never all; which, is fixed
    /// by the seed. `questions` names that of each row.
    pub fn new(questions: &[String], by: SplitBy, test_size: f64, seed: u64) -> Self {
        let groups: Vec<usize> = match by {
            SplitBy::Row => (0..questions.len()).collect(),
            SplitBy::Question => {
                let mut known = HashMap::new();
                let of_row = questions.iter().map(|question| {
                    let next = known.len();
                    *known.entry(question).or_insert(next)
                });
                of_row.collect()
            }
        };
        let count = groups.iter().max().map_or(0, |most| most + 1);
        let mut order: Vec<usize> = (0..count).collect();
        shuffle(&mut order, &mut ChaCha8Rng::seed_from_u64(seed));
        let wanted = (count as f64 * test_size).round() as usize;
        let held_out = wanted.clamp(1.min(count), count.saturating_sub(1).max(1));
        let held_out: BTreeSet<usize> = order.into_iter().take(held_out).collect();
        let rows = 0..questions.len();
        let (test, train) = rows.partition(|&row| held_out.contains(&groups[row]));
        Self { train, test }
    }

    /// How many of the answers that are held out stand among those to train on, word for word but for
    /// case and white space, to the same question.
    pub fn repeated(&self, questions: &[String], answers: &[String]) -> usize {
        let key = |row: usize| {
            let words: Vec<String> =
                answers[row].split_whitespace().map(str::to_lowercase).collect();
            (questions[row].as_str(), words.join(" "))
        };
        let known: BTreeSet<_> = self.train.iter().map(|&row| key(row)).collect();
        self.test.iter().filter(|&&row| known.contains(&key(row))).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn questions() -> Vec<String> {
        (0..50).map(|row| format!("q{}", row / 5)).collect()
    }

    #[test]
    fn no_question_stands_on_both_sides() {
        let questions = questions();
        let split = AnswerSplit::new(&questions, SplitBy::Question, 0.2, 7);
        assert_eq!((split.train.len(), split.test.len()), (40, 10));
        let of = |rows: &[usize]| -> BTreeSet<String> {
            rows.iter().map(|&row| questions[row].clone()).collect()
        };
        assert!(of(&split.train).is_disjoint(&of(&split.test)));
        assert_eq!(split, AnswerSplit::new(&questions, SplitBy::Question, 0.2, 7));
        assert_ne!(split, AnswerSplit::new(&questions, SplitBy::Question, 0.2, 8));
    }

    #[test]
    fn answers_that_stand_on_both_sides_are_counted() {
        let questions = questions();
        let split = AnswerSplit::new(&questions, SplitBy::Row, 0.2, 7);
        assert_eq!((split.train.len(), split.test.len()), (40, 10));
        let same: Vec<String> = (0..50).map(|_| "The  Same".to_owned()).collect();
        let of_train: BTreeSet<&String> = split.train.iter().map(|&row| &questions[row]).collect();
        let expected = split.test.iter().filter(|&&row| of_train.contains(&questions[row])).count();
        assert_eq!(split.repeated(&questions, &same), expected);
        let own: Vec<String> = (0..50).map(|row| row.to_string()).collect();
        assert_eq!(split.repeated(&questions, &own), 0);
    }

    #[test]
    fn something_is_left_on_each_side() {
        let two = ["a".to_owned(), "b".to_owned()];
        for test_size in [0.0, 0.5, 1.0] {
            let split = AnswerSplit::new(&two, SplitBy::Question, test_size, 1);
            assert_eq!((split.train.len(), split.test.len()), (1, 1));
        }
    }
}
