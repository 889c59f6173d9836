//! Gold beside predicted answers, whatever the task: what metrics, intervals and comparisons count.

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
}

impl Answered {
    /// Of one prediction for each target.
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
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Labels(rows) => rows.len(),
            Self::LabelSets(rows) | Self::Tags(rows) => rows.len(),
            Self::Scores(rows) => rows.len(),
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
        }
    }

    /// Whether each row is answered right, in all its parts; `None` of scores, which are never quite.
    pub fn right(&self) -> Option<Vec<bool>> {
        fn equal<T: PartialEq>(rows: &[(T, T)]) -> Vec<bool> {
            rows.iter().map(|(gold, predicted)| gold == predicted).collect()
        }
        match self {
            Self::Labels(rows) => Some(equal(rows)),
            Self::LabelSets(rows) | Self::Tags(rows) => Some(equal(rows)),
            Self::Scores(_) => None,
        }
    }

    /// Whether the gold answers are the same, row by row.
    pub fn has_gold_of(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(left: &[(T, T)], right: &[(T, T)]) -> bool {
            left.iter().map(|(gold, _)| gold).eq(right.iter().map(|(gold, _)| gold))
        }
        match (self, other) {
            (Self::Labels(left), Self::Labels(right)) => same(left, right),
            (Self::LabelSets(left), Self::LabelSets(right))
            | (Self::Tags(left), Self::Tags(right)) => same(left, right),
            (Self::Scores(left), Self::Scores(right)) => same(left, right),
            _ => false,
        }
    }
}

fn pairs<G, T>(
    gold: &[G],
    predictions: &[Prediction],
    pair: impl Fn(&G, &Prediction) -> T,
) -> Vec<T> {
    gold.iter().zip(predictions).map(|(gold, predicted)| pair(gold, predicted)).collect()
}
