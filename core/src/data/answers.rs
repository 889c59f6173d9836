//! What a row states as its answer: labels, a score, tags of its words, or parts of its context.

use std::borrow::Cow;

use serde_json::Value;

use super::{Columns, GoldAnswer, Row, Table, Task, classes::ClassIds, squad};
use crate::{Error, Result};

/// The answer of a row as its file states it.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<'a> {
    /// Names of classes: one, any number of a multi-label set, or a tag for each word.
    Labels(Vec<Cow<'a, str>>),
    Score(f32),
    /// What its question may be answered with.
    Texts(Vec<GoldAnswer>),
}

/// What parts the labels in a cell of a delimited file.
const SEPARATORS: [char; 3] = [',', ';', '|'];

/// The answer of a row for the task of `columns`.
///
/// # Errors
/// [`Error::BadRow`] where there is none, or one of another kind.
pub(super) fn answer<'a>(
    ids: &ClassIds<'a>,
    row: &'a Row,
    columns: &'a Columns,
) -> Result<Answer<'a>> {
    match (columns.task, &columns.labels[..]) {
        (Task::MultiLabelClassification, [column]) => Ok(Answer::Labels(labels(ids, row, column)?)),
        (Task::MultiLabelClassification, several) => {
            let mut set = Vec::new();
            for column in several {
                if flag(row, column)? {
                    set.push(column.as_str().into());
                }
            }
            Ok(Answer::Labels(set))
        }
        (Task::TokenClassification, [column, ..]) => {
            let (words, tags) = (words(row, &columns.text)?, tags(ids, row, column)?);
            if words.len() != tags.len() {
                let (words, tags) = (words.len(), tags.len());
                return Err(bad_cell(row, column, &format!("has {tags} tags for {words} words")));
            }
            Ok(Answer::Labels(tags))
        }
        (Task::QuestionAnswering, [column, ..]) => {
            Ok(Answer::Texts(squad::answers(row, columns, column)?))
        }
        (Task::Regression, [column, ..]) => Ok(Answer::Score(score(row, column)?)),
        (_, [column, ..]) => Ok(Answer::Labels(vec![label(ids, row, column)?])),
        (_, []) => Err(columns.no_label(ids.table)),
    }
}

/// A label as the file states it; an id whose class has a name there, by that name.
pub(super) fn label<'a>(ids: &ClassIds<'a>, row: &'a Row, column: &str) -> Result<Cow<'a, str>> {
    match row.cells.get(column) {
        Some(Value::String(label)) if !label.trim().is_empty() => Ok(ids.named(label.trim())),
        Some(Value::String(_)) => Err(bad_cell(row, column, "is empty")),
        Some(Value::Null) | None => Err(bad_cell(row, column, "is missing")),
        Some(cell) => ids
            .name(cell)
            .ok_or_else(|| bad_cell(row, column, "is neither a string nor an integer")),
    }
}

/// The labels of a list, or of a text that parts them.
fn labels<'a>(ids: &ClassIds<'a>, row: &'a Row, column: &str) -> Result<Vec<Cow<'a, str>>> {
    match row.cells.get(column) {
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| match item {
                Value::String(label) if !label.trim().is_empty() => Ok(ids.named(label.trim())),
                item => ids.name(item).ok_or_else(|| {
                    bad_cell(row, column, "holds what is neither a string nor an integer")
                }),
            })
            .collect(),
        Some(Value::String(text)) => Ok(parted(text).map(|label| ids.named(label)).collect()),
        Some(Value::Null) | None => Err(bad_cell(row, column, "is missing")),
        Some(cell) => match ids.name(cell) {
            Some(name) => Ok(vec![name]),
            None => Err(bad_cell(row, column, "is neither a list nor a string")),
        },
    }
}

/// The tags of a row's words: a list, or a text in which white space parts them.
fn tags<'a>(ids: &ClassIds<'a>, row: &'a Row, column: &str) -> Result<Vec<Cow<'a, str>>> {
    match row.cells.get(column) {
        Some(Value::String(text)) => {
            Ok(text.split_whitespace().map(|tag| ids.named(tag)).collect())
        }
        _ => labels(ids, row, column),
    }
}

/// The words of a row: a list of strings, or a text in which white space parts them.
pub(super) fn words(row: &Row, column: &str) -> Result<Vec<String>> {
    let words: Vec<String> = match row.cells.get(column) {
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| bad_cell(row, column, "holds what is no string"))?,
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Null) | None => return Err(bad_cell(row, column, "is missing")),
        Some(_) => return Err(bad_cell(row, column, "is neither a list nor a string")),
    };
    if words.is_empty() {
        return Err(bad_cell(row, column, "is empty"));
    }
    Ok(words)
}

/// `joy|love`, `joy, love`, or a list as JSON and pandas write it into a cell: `["joy", "love"]`.
fn parted(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim();
    let list = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let labels = list.unwrap_or(text).split(SEPARATORS);
    labels
        .map(|label| label.trim().trim_matches(['"', '\'']).trim())
        .filter(|label| !label.is_empty())
}

/// Whether a cell that must be 0 or 1 is 1.
fn flag(row: &Row, column: &str) -> Result<bool> {
    let cell = row.cells.get(column).unwrap_or(&Value::Null);
    as_flag(cell).ok_or_else(|| bad_cell(row, column, "is neither 0 nor 1"))
}

/// 0 or 1, whatever its type.
pub(super) fn as_flag(cell: &Value) -> Option<bool> {
    match cell {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim() {
            "0" | "0.0" | "false" | "False" => Some(false),
            "1" | "1.0" | "true" | "True" => Some(true),
            _ => None,
        },
        _ => None,
    }
}

fn score(row: &Row, column: &str) -> Result<f32> {
    match row.cells.get(column).unwrap_or(&Value::Null) {
        Value::Null => Err(bad_cell(row, column, "is missing")),
        Value::String(text) if text.trim().is_empty() => Err(bad_cell(row, column, "is empty")),
        cell => match as_score(cell) {
            Some(score) => Ok(score),
            None => Err(bad_cell(row, column, &format!("is not a number: {cell}"))),
        },
    }
}

/// A finite number, also as text.
pub(super) fn as_score(cell: &Value) -> Option<f32> {
    let number = match cell {
        Value::Number(number) => number.as_f64().map(|number| number as f32),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

pub(super) fn bad_cell(row: &Row, column: &str, what: &str) -> Error {
    Error::BadRow { place: row.place.clone(), reason: format!("\"{column}\" {what}") }
}

impl Table {
    /// Each row's answer for the task of `columns`; none where it has none that can be used.
    pub fn answers<'a>(&'a self, columns: &'a Columns) -> Vec<Option<Answer<'a>>> {
        let ids = ClassIds::of(self, columns);
        self.rows.iter().map(|row| answer(&ids, row, columns).ok()).collect()
    }

    /// Each row's label as a word, whatever its type; empty where it has none, or -1 for none.
    pub fn label_words(&self, columns: &Columns) -> Vec<String> {
        let word = |row: &Row, ids: &ClassIds, column: &str| match label(ids, row, column) {
            Ok(label) if label == "-1" => String::new(),
            Ok(label) => label.into_owned(),
            Err(_) => match row.cells.get(column) {
                Some(Value::String(_) | Value::Null) | None => String::new(),
                // GLUE's way to say that a score is kept back.
                Some(Value::Number(number)) if number.as_f64() == Some(-1.0) => String::new(),
                Some(other) => other.to_string(),
            },
        };
        let ids = |column| (ClassIds::of_column(self, Some(column)), column);
        let labels: Vec<_> = columns.labels.iter().map(ids).collect();
        let words = |row: &Row| {
            let words: Vec<_> = labels.iter().map(|(ids, column)| word(row, ids, column)).collect();
            words.join(" ").trim().to_owned()
        };
        if columns.labels.is_empty() { Vec::new() } else { self.rows.iter().map(words).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{BadRows, Format, NamedColumns};

    /// The task that is guessed, and the answers in words.
    fn read(format: &Format, text: &str, named: NamedColumns) -> (Task, Vec<String>) {
        let table = Table::parse("a", text.as_bytes(), format, &mut BadRows::Refuse).unwrap();
        let columns = Columns::guess(&table, named).unwrap();
        let words = table.rows.iter().map(|row| {
            match answer(&ClassIds::of(&table, &columns), row, &columns) {
                Ok(Answer::Labels(labels)) => labels.join("+"),
                Ok(Answer::Score(score)) => score.to_string(),
                Ok(Answer::Texts(answers)) => format!("{answers:?}"),
                Err(error) => error.to_string(),
            }
        });
        (columns.task, words.collect())
    }

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn lists_are_sets_of_labels() {
        let text = "{\"text\": \"a\", \"labels\": [\"x\", \"y\"]}\n{\"text\": \"b\", \"labels\": []}\n\
                    {\"text\": \"c\", \"labels\": [0.5]}\n{\"text\": \"d\"}";
        let (task, found) = read(&Format::Jsonl, text, NamedColumns::default());
        assert_eq!(task, Task::MultiLabelClassification);
        let odd = "a, line 3: \"labels\" holds what is neither a string nor an integer";
        assert_eq!(found, list(&["x+y", "", odd, "a, line 4: \"labels\" is missing"]));
    }

    #[test]
    fn columns_of_0_and_1_are_classes() {
        let text = "id,text,toxic,insult\n7,a,1,0\n8,b,0,0\n9,c,1,1\n";
        let (task, found) = read(&Format::CSV, text, NamedColumns::default());
        assert_eq!(task, Task::MultiLabelClassification);
        assert_eq!(found, list(&["toxic", "", "toxic+insult"]));
        let labels = list(&["insult", "id"]);
        let named = NamedColumns { labels: &labels, ..NamedColumns::default() };
        let (_, found) = read(&Format::CSV, text, named);
        assert_eq!(found[0], "a, line 2: \"id\" is neither 0 nor 1");
    }

    #[test]
    fn a_cell_may_part_its_labels() {
        let text = "text;labels\na;joy|love\nb;\"['joy', 'hope']\"\nc;\"[\"\"hope\"\"]\"\nd;\ne;joy, love\n";
        let named =
            NamedColumns { task: Some(Task::MultiLabelClassification), ..NamedColumns::default() };
        let (_, found) = read(&Format::Delimited { delimiter: b';' }, text, named);
        assert_eq!(found, list(&["joy+love", "joy+hope", "hope", "", "joy+love"]));
    }

    #[test]
    fn words_have_tags() {
        let text = "{\"tokens\": [\"a\", \"b\"], \"ner_tags\": [\"B-X\", \"O\"]}\n\
                    {\"tokens\": [\"c\"], \"ner_tags\": [\"O\", \"O\"]}\n{\"tokens\": [], \"ner_tags\": []}";
        let (task, found) = read(&Format::Jsonl, text, NamedColumns::default());
        assert_eq!(task, Task::TokenClassification);
        let odd = "a, line 2: \"ner_tags\" has 2 tags for 1 words";
        assert_eq!(found, list(&["B-X+O", odd, "a, line 3: \"tokens\" is empty"]));
        let text = "sentence,tags\nEU rejects it,B-ORG O O\n";
        let named =
            NamedColumns { task: Some(Task::TokenClassification), ..NamedColumns::default() };
        assert_eq!(read(&Format::CSV, text, named).1, list(&["B-ORG+O+O"]));
    }

    #[test]
    fn numbers_with_a_point_are_scores() {
        for (text, task) in [
            ("text,label\na,1\nb,2.5\n", Task::Regression),
            ("text,label\na,1\nb,2\n", Task::SingleLabelClassification),
            ("text,score\na,1\nb,2\n", Task::Regression),
            ("text,label\na,1.5\nb,nan\n", Task::SingleLabelClassification),
        ] {
            assert_eq!(read(&Format::CSV, text, NamedColumns::default()).0, task, "{text}");
        }
        let text = "{\"text\": \"a\", \"score\": 5}\n{\"text\": \"b\", \"score\": \"x\"}";
        let named = NamedColumns { task: Some(Task::Regression), ..NamedColumns::default() };
        let found = read(&Format::Jsonl, text, named).1;
        assert_eq!(found, list(&["5", "a, line 2: \"score\" is not a number: \"x\""]));
    }
}
