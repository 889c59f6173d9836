//! What each row is to be answered with.

use super::Task;

/// The answers to all rows, which are of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// The class id of each row.
    Labels(Vec<usize>),
    /// The class ids of each row in ascending order, perhaps none.
    LabelSets(Vec<Vec<usize>>),
    /// The number of each row.
    Scores(Vec<f32>),
    /// The tag id of each word of each row.
    Tags(Vec<Vec<usize>>),
    /// What each question may be answered with; nothing where its context does not say.
    Answers(Vec<Vec<GoldAnswer>>),
    /// Where the answer stands in each window on a context: what is trained on in place of answers.
    Spans(Vec<Span>),
}

/// An answer that a data set states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoldAnswer {
    pub text: String,
    /// Its first character in the context.
    pub start: usize,
}

/// The first and the last token of an answer among the tokens of its row; both the first token of all,
/// `[CLS]`, where there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
    /// The tokens of the row.
    pub tokens: usize,
}

impl Targets {
    /// No rows yet.
    pub fn new(task: Task) -> Self {
        match task {
            Task::SingleLabelClassification => Self::Labels(Vec::new()),
            Task::MultiLabelClassification => Self::LabelSets(Vec::new()),
            Task::Regression => Self::Scores(Vec::new()),
            Task::TokenClassification => Self::Tags(Vec::new()),
            Task::QuestionAnswering => Self::Answers(Vec::new()),
        }
    }

    pub fn task(&self) -> Task {
        match self {
            Self::Labels(_) => Task::SingleLabelClassification,
            Self::LabelSets(_) => Task::MultiLabelClassification,
            Self::Scores(_) => Task::Regression,
            Self::Tags(_) => Task::TokenClassification,
            Self::Answers(_) | Self::Spans(_) => Task::QuestionAnswering,
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Labels(labels) => labels.len(),
            Self::LabelSets(ids) | Self::Tags(ids) => ids.len(),
            Self::Scores(scores) => scores.len(),
            Self::Answers(answers) => answers.len(),
            Self::Spans(spans) => spans.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// These rows, in this order; panics if `row >= len()`.
    pub fn select(&self, rows: &[usize]) -> Self {
        fn pick<T: Clone>(all: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|&row| all[row].clone()).collect()
        }
        match self {
            Self::Labels(labels) => Self::Labels(pick(labels, rows)),
            Self::LabelSets(sets) => Self::LabelSets(pick(sets, rows)),
            Self::Scores(scores) => Self::Scores(pick(scores, rows)),
            Self::Tags(tags) => Self::Tags(pick(tags, rows)),
            Self::Answers(answers) => Self::Answers(pick(answers, rows)),
            Self::Spans(spans) => Self::Spans(pick(spans, rows)),
        }
    }

    /// Adds those of more rows, which must be of the same kind.
    pub fn extend(&mut self, more: &Self) {
        match (self, more) {
            (Self::Labels(all), Self::Labels(more)) => all.extend_from_slice(more),
            (Self::LabelSets(all), Self::LabelSets(more)) | (Self::Tags(all), Self::Tags(more)) => {
                all.extend_from_slice(more);
            }
            (Self::Scores(all), Self::Scores(more)) => all.extend_from_slice(more),
            (Self::Answers(all), Self::Answers(more)) => all.extend_from_slice(more),
            (Self::Spans(all), Self::Spans(more)) => all.extend_from_slice(more),
            (all, more) => debug_assert_eq!(all.task(), more.task()),
        }
    }

    /// All class ids that stand there, row after row; none of scores and answers.
    pub fn ids(&self) -> Vec<usize> {
        match self {
            Self::Labels(labels) => labels.clone(),
            Self::LabelSets(ids) | Self::Tags(ids) => ids.concat(),
            Self::Scores(_) | Self::Answers(_) | Self::Spans(_) => Vec::new(),
        }
    }

    /// How often each of `classes` classes stands there, in id order; nothing of scores and answers.
    pub fn counts(&self, classes: usize) -> Vec<usize> {
        if matches!(self, Self::Scores(_) | Self::Answers(_) | Self::Spans(_)) {
            return Vec::new();
        }
        let mut counts = vec![0; classes];
        self.ids().into_iter().for_each(|id| counts[id] += 1);
        counts
    }
}

impl From<Vec<usize>> for Targets {
    /// One class for each row.
    fn from(labels: Vec<usize>) -> Self {
        Self::Labels(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_selected_and_classes_counted() {
        let sets = Targets::LabelSets(vec![vec![0, 2], vec![], vec![2]]);
        assert_eq!(sets.select(&[2, 0]), Targets::LabelSets(vec![vec![2], vec![0, 2]]));
        assert_eq!((sets.len(), sets.counts(4)), (3, vec![1, 0, 2, 0]));
        assert_eq!(Targets::Scores(vec![1.5]).counts(1), [0; 0]);
    }
}
