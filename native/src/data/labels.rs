//! What the labels of a split are, counted.

use std::borrow::Cow;
use std::collections::HashMap;

use emberlab_core::data::{Answer, Columns, Scores, Table, Task};
use serde::Serialize;

/// The labels of a split.
#[derive(Debug, Default, Serialize)]
pub struct LabelReport {
    /// What they are, as it was asked for or guessed; none without a label column.
    pub task: Option<Task>,
    /// Columns of the label; several where each is a class with 0 or 1.
    pub label_columns: Vec<String>,
    /// Rows of each class, or words of each tag; empty where there are no classes.
    pub label_counts: Vec<LabelCount>,
    /// How scores are spread, where the labels are such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scores: Option<Scores>,
    /// Rows that state no label.
    pub unlabelled_rows: usize,
    /// Rows whose set of labels is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_sets: Option<usize>,
}

/// How many rows have a label.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct LabelCount {
    pub label: String,
    pub rows: usize,
}

impl LabelReport {
    /// Counts the labels of a table; `words` are its [`Table::label_words`].
    pub fn new(table: &Table, columns: &Columns, words: &[String]) -> Self {
        let label_columns = columns.labels.clone();
        let Some(column) = label_columns.first() else { return Self::default() };
        let report = Self {
            task: Some(columns.task),
            label_columns: label_columns.clone(),
            ..Self::default()
        };
        let classes = match columns.task {
            Task::MultiLabelClassification if label_columns.len() > 1 => Some(&label_columns),
            _ => table.class_names.get(column),
        };
        match columns.task {
            Task::SingleLabelClassification => {
                let labels = words.iter().map(String::as_str).filter(|word| !word.is_empty());
                let unlabelled_rows = words.iter().filter(|word| word.is_empty()).count();
                Self { label_counts: label_counts(labels, classes), unlabelled_rows, ..report }
            }
            _ => {
                let answers = table.answers(columns);
                let unlabelled_rows = answers.iter().filter(|answer| answer.is_none()).count();
                let labels = answers.iter().flatten().flat_map(|answer| match answer {
                    Answer::Labels(labels) => labels.clone(),
                    Answer::Texts(texts) if texts.is_empty() => vec!["without an answer".into()],
                    Answer::Texts(_) => vec!["with an answer".into()],
                    Answer::Score(_) => Vec::new(),
                });
                let labels: Vec<Cow<str>> = labels.collect();
                let scores: Vec<f32> = answers.iter().flatten().filter_map(score).collect();
                let is_empty =
                    |answer: &&Answer| matches!(answer, Answer::Labels(set) if set.is_empty());
                let empty = answers.iter().flatten().filter(is_empty).count();
                Self {
                    label_counts: label_counts(labels.iter().map(|label| &**label), classes),
                    scores: Scores::new(&scores),
                    unlabelled_rows,
                    empty_sets: (columns.task == Task::MultiLabelClassification).then_some(empty),
                    ..report
                }
            }
        }
    }
}

fn score(answer: &Answer) -> Option<f32> {
    match answer {
        Answer::Score(score) => Some(*score),
        Answer::Labels(_) | Answer::Texts(_) => None,
    }
}

/// The labels with their rows: in the order of the classes where the file states it, else by value or
/// name.
fn label_counts<'a>(
    labels: impl Iterator<Item = &'a str>,
    classes: Option<&Vec<String>>,
) -> Vec<LabelCount> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    labels.for_each(|label| *counts.entry(label).or_default() += 1);
    let mut counts: Vec<LabelCount> = counts
        .into_iter()
        .map(|(label, rows)| LabelCount { label: label.to_owned(), rows })
        .collect();
    let number = |label: &str| label.parse::<f64>().ok();
    counts.sort_by(|a, b| {
        let by_number = number(&a.label).zip(number(&b.label)).map(|(a, b)| a.total_cmp(&b));
        by_number.unwrap_or_else(|| a.label.cmp(&b.label))
    });
    if let Some(classes) = classes {
        let rank = |count: &LabelCount| classes.iter().position(|class| *class == count.label);
        counts.sort_by_key(|count| rank(count).unwrap_or(classes.len()));
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_counted_in_order() {
        let counts = |labels: &[&str], classes: Option<&Vec<String>>| -> String {
            let counts = label_counts(labels.iter().copied(), classes).into_iter();
            counts.map(|count| format!("{}:{} ", count.label, count.rows)).collect()
        };
        assert_eq!(counts(&["10", "9", "10"], None), "9:1 10:2 ");
        assert_eq!(counts(&["a", "b"], Some(&vec!["b".into(), "a".into()])), "b:1 a:1 ");
    }
}
