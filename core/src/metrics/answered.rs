//! Gold beside predicted answers, whatever the task: what metrics, intervals and comparisons count.

use super::RowScore;
use crate::{data::Targets, model::Prediction};

/// `(gold, predicted)` of each row.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// Class ids.
    Labels(Vec<(usize, usize)>),
    /// Sets of class ids in ascending order.
    LabelSets(Vec<(Vec<usize>, Vec<usize>)>),
    Scores(Vec<(f32, f32)>),
    /// The tag ids of the words that the model saw.
    Tags(Vec<(Vec<usize>, Vec<usize>)>),
    /// The texts that answer a question, none where its context does not say, and the one that was found,
    /// which is empty where none was.
    Answers(Vec<(Vec<String>, String)>),
}

impl Answered {
    /// Of one prediction for each target. Windows on contexts are not measured: what was found in those of
    /// a question is its answer (see [`answers`](crate::model::answers)).
    pub fn new(targets: &Targets, predictions: &[Prediction]) -> Self {
        match targets {
            Targets::Labels(gold) => {
                Self::Labels(pairs(gold, predictions, |&gold, found| (gold, found.label())))
            }
            Targets::LabelSets(gold) => Self::LabelSets(pairs(gold, predictions, |gold, found| {
                (gold.clone(), found.labels())
            })),
            Targets::Scores(gold) => {
                Self::Scores(pairs(gold, predictions, |&gold, found| (gold, found.score())))
            }
            Targets::Tags(gold) => Self::Tags(pairs(gold, predictions, |gold, found| {
                let seen = found.words.iter().map(|word| gold[word.index]).collect();
                (seen, found.tags().into_iter().map(|(id, _)| id).collect())
            })),
            Targets::Answers(gold) => Self::Answers(pairs(gold, predictions, |gold, found| {
                let gold = gold.iter().map(|answer| answer.text.clone()).collect();
                (gold, found.answer().to_owned())
            })),
            Targets::Spans(_) => Self::Answers(Vec::new()),
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Labels(rows) => rows.len(),
            Self::LabelSets(rows) | Self::Tags(rows) => rows.len(),
            Self::Scores(rows) => rows.len(),
            Self::Answers(rows) => rows.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// These rows, in this order, as often as they are named; panics if `row >= len()`.
    pub fn select(&self, rows: &[usize]) -> Self {
        fn pick<T: Clone>(all: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|&row| all[row].clone()).collect()
        }
        match self {
            Self::Labels(all) => Self::Labels(pick(all, rows)),
            Self::LabelSets(all) => Self::LabelSets(pick(all, rows)),
            Self::Scores(all) => Self::Scores(pick(all, rows)),
            Self::Tags(all) => Self::Tags(pick(all, rows)),
            Self::Answers(all) => Self::Answers(pick(all, rows)),
        }
    }

    /// Whether each row is answered right, in all its parts, of answers by exact match; `None` of scores, which are never quite.
    pub fn right(&self) -> Option<Vec<bool>> {
        fn equal<T: PartialEq>(rows: &[(T, T)]) -> Vec<bool> {
            rows.iter().map(|(gold, predicted)| gold == predicted).collect()
        }
        match self {
            Self::Labels(rows) => Some(equal(rows)),
            Self::LabelSets(rows) | Self::Tags(rows) => Some(equal(rows)),
            Self::Scores(_) => None,
            Self::Answers(rows) => Some(row_scores(rows).map(|row| row.exact_match).collect()),
        }
    }

    /// Whether the gold answers are the same, row by row.
    pub fn has_gold_of(&self, other: &Self) -> bool {
        fn same<G: PartialEq, T>(left: &[(G, T)], right: &[(G, T)]) -> bool {
            left.iter().map(|(gold, _)| gold).eq(right.iter().map(|(gold, _)| gold))
        }
        match (self, other) {
            (Self::Labels(left), Self::Labels(right)) => same(left, right),
            (Self::LabelSets(left), Self::LabelSets(right))
            | (Self::Tags(left), Self::Tags(right)) => same(left, right),
            (Self::Scores(left), Self::Scores(right)) => same(left, right),
            (Self::Answers(left), Self::Answers(right)) => same(left, right),
            _ => false,
        }
    }
}

/// What each question adds to the figures.
pub(super) fn row_scores(rows: &[(Vec<String>, String)]) -> impl Iterator<Item = RowScore> {
    rows.iter().map(|(gold, found)| RowScore::new(gold, found))
}

fn pairs<G, T>(
    gold: &[G],
    predictions: &[Prediction],
    pair: impl Fn(&G, &Prediction) -> T,
) -> Vec<T> {
    gold.iter().zip(predictions).map(|(gold, predicted)| pair(gold, predicted)).collect()
}
