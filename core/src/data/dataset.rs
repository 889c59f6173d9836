//! Texts with their labels, ready to be tokenized.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    answers::{answer, bad_cell, label, words},
    classes::{ClassIds, classes},
    guess::holds_lists,
};
use crate::{
    Error, Result,
    data::{Answer, BadRows, Columns, Format, LabelMap, NamedColumns, Row, Table, Targets, Task},
    text::Texts,
};

/// Labels that a message names: with bad rows left out there may be a message for each row.
const SHOWN: usize = 100;

/// A labelled data set: what each of `texts` is to be answered with, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The file's name, for messages.
    pub name: String,
    pub texts: Texts,
    pub targets: Targets,
    pub label_map: LabelMap,
}

impl Dataset {
    /// Takes texts and labels out of a table. With a `label_map` each label must be one of it;
    /// without, the classes are those that the file states for ids, or else those found in it.
    ///
    /// # Errors
    /// [`Error::NoColumn`], [`Error::BadRow`], [`Error::UnknownLabel`], [`Error::BadLabels`] or
    /// [`Error::NoRows`].
    pub fn from_table(
        table: &Table,
        columns: &Columns,
        label_map: Option<&LabelMap>,
        bad: &mut BadRows,
    ) -> Result<Self> {
        let rows = usable(table, columns, bad)?;
        let label_map = match label_map {
            Some(map) => map.clone(),
            None => classes(table, columns, rows.iter().map(|(_, _, answer)| answer))?,
        };
        let mut texts = Texts::default();
        let mut targets = Targets::new(columns.task);
        for (row, input, answer) in rows {
            match targets.push(row, &answer, &label_map) {
                Ok(()) => input.push_to(&mut texts),
                Err(error) => bad.meet(error)?,
            }
        }
        if targets.is_empty() {
            return Err(Error::NoRows { name: table.name.clone(), skipped: bad.count() });
        }
        Ok(Self { name: table.name.clone(), texts, targets, label_map })
    }

    /// Reads a whole file whose name says its format, and takes the columns that are called as usual.
    ///
    /// # Errors
    /// Those of [`Table::parse`], [`Columns::guess`] and [`Dataset::from_table`].
    pub fn parse(name: &str, bytes: &[u8], label_map: Option<&LabelMap>) -> Result<Self> {
        let table = Table::parse(name, bytes, &Format::from_name(name)?, &mut BadRows::Refuse)?;
        let columns = Columns::guess(&table, NamedColumns::default())?;
        Self::from_table(&table, &columns, label_map, &mut BadRows::Refuse)
    }

    /// How many rows have each class, in id order; of tags, how many words. Nothing of scores.
    pub fn label_counts(&self) -> Vec<usize> {
        self.targets.counts(self.label_map.len())
    }
}

impl Targets {
    /// Adds the answer of a row.
    fn push(&mut self, row: &Row, answer: &Answer, label_map: &LabelMap) -> Result<()> {
        let ids = |labels: &[Cow<str>]| -> Result<Vec<usize>> {
            labels.iter().map(|label| known(label_map, row, label)).collect()
        };
        match (self, answer) {
            (Self::Labels(targets), Answer::Labels(labels)) => targets.extend(ids(labels)?),
            (Self::LabelSets(targets), Answer::Labels(labels)) => {
                let mut ids = ids(labels)?;
                ids.sort_unstable();
                ids.dedup();
                targets.push(ids);
            }
            (Self::Tags(targets), Answer::Labels(labels)) => targets.push(ids(labels)?),
            (Self::Scores(targets), Answer::Score(score)) => targets.push(*score),
            (Self::Answers(targets), Answer::Texts(answers)) => targets.push(answers.clone()),
            // `answer` gives what the task of the columns asks for, and so are the targets.
            _ => return Err(bad_cell(row, "label", "is of another kind")),
        }
        Ok(())
    }
}

/// A text that may have a label yet to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub text: String,
    pub label: Option<String>,
}

impl Table {
    /// The rows for a person who is still labelling with one class each: without such a column, or with
    /// an empty cell in it, a row has no label.
    ///
    /// # Errors
    /// [`Error::BadRow`] for a row without a text, or with a label that is no string or integer.
    pub fn examples(&self, columns: &Columns) -> Result<Vec<Example>> {
        let is_empty = |row: &Row, column: &str| match row.cells.get(column) {
            None | Some(Value::Null) => true,
            Some(Value::String(label)) => label.trim().is_empty(),
            Some(_) => false,
        };
        let ids = ClassIds::of(self, columns);
        let example = |row| {
            let text = text(row, &columns.text)?.to_owned();
            let is_class = columns.task == Task::SingleLabelClassification;
            let column = columns.labels.first().filter(|column| is_class && !is_empty(row, column));
            let label = column.map(|column| label(&ids, row, column)).transpose()?;
            Ok(Example { text, label: label.map(Cow::into_owned) })
        };
        self.rows.iter().map(example).collect()
    }

    /// The texts of all rows, labels or not. Rows without one are refused or taken out, as `bad`
    /// says.
    ///
    /// # Errors
    /// [`Error::BadRow`] for a row without a text; [`Error::NoRows`] if none is left.
    pub fn texts(&mut self, columns: &Columns, bad: &mut BadRows) -> Result<Texts> {
        let mut texts = Texts::default();
        let mut kept = Vec::with_capacity(self.rows.len());
        let by_words = holds_lists(self, &columns.text);
        for row in std::mem::take(&mut self.rows) {
            match Input::of(&row, columns, by_words) {
                Ok(input) => {
                    input.push_to(&mut texts);
                    kept.push(row);
                }
                Err(error) => bad.meet(error)?,
            }
        }
        if kept.is_empty() {
            return Err(Error::NoRows { name: self.name.clone(), skipped: bad.count() });
        }
        self.rows = kept;
        Ok(texts)
    }

    /// Whether a row has a label. Public test sets that keep theirs to themselves have none, or -1 in each
    /// row.
    pub fn has_labels(&self, columns: &Columns) -> bool {
        self.label_words(columns).iter().any(|label| !label.is_empty())
    }
}

/// The rows that can be used; others are refused or counted, as `bad` says.
pub(super) fn usable<'a>(
    table: &'a Table,
    columns: &'a Columns,
    bad: &mut BadRows,
) -> Result<Vec<(&'a Row, Input<'a>, Answer<'a>)>> {
    columns.require_label(table)?;
    let by_words = columns.task == Task::TokenClassification;
    let ids = ClassIds::of(table, columns);
    let mut rows = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        match Input::of(row, columns, by_words)
            .and_then(|input| Ok((row, input, answer(&ids, row, columns)?)))
        {
            Ok(usable) => rows.push(usable),
            Err(error) => bad.meet(error)?,
        }
    }
    Ok(rows)
}

/// What of a row goes to the tokenizer.
pub(super) enum Input<'a> {
    /// A text, and its other half in a pair.
    Text(&'a str, Option<&'a str>),
    Words(Vec<String>),
}

impl<'a> Input<'a> {
    fn of(row: &'a Row, columns: &Columns, by_words: bool) -> Result<Self> {
        if by_words {
            return Ok(Self::Words(words(row, &columns.text)?));
        }
        let pair = columns.text_pair.as_ref().map(|column| text(row, column)).transpose()?;
        Ok(Self::Text(text(row, &columns.text)?, pair))
    }

    fn push_to(self, texts: &mut Texts) {
        match self {
            Self::Text(text, pair) => texts.push(text, pair),
            Self::Words(words) => texts.push_words(words),
        }
    }
}

pub(super) fn text<'a>(row: &'a Row, column: &str) -> Result<&'a str> {
    match row.cells.get(column) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
        Some(Value::String(_)) => Err(bad_cell(row, column, "is empty")),
        Some(Value::Null) | None => Err(bad_cell(row, column, "is missing")),
        Some(_) => Err(bad_cell(row, column, "is not a string")),
    }
}

fn known(label_map: &LabelMap, row: &Row, label: &str) -> Result<usize> {
    label_map.id(label).ok_or_else(|| {
        let (shown, more) = label_map.names().split_at(label_map.len().min(SHOWN));
        let mut known = shown.join(", ");
        if !more.is_empty() {
            known += &format!(" and {} more", more.len());
        }
        Error::UnknownLabel { place: row.place.clone(), label: label.into(), known }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Format, NamedColumns};

    fn table(text: &str) -> (Table, Columns) {
        let table = Table::parse("a.jsonl", text.as_bytes(), &Format::Jsonl, &mut BadRows::Refuse);
        let table = table.unwrap();
        let columns = Columns::guess(&table, NamedColumns::default()).unwrap();
        (table, columns)
    }

    #[test]
    fn ids_with_class_names_keep_their_order() {
        let (mut table, columns) =
            table("{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": 0}");
        table.class_names.insert("label".into(), vec!["neg".into(), "a".into(), "c".into()]);
        let dataset = Dataset::from_table(&table, &columns, None, &mut BadRows::Refuse).unwrap();
        assert_eq!(dataset.label_map.names(), ["neg", "a", "c"]);
        assert_eq!(
            (dataset.targets.clone(), dataset.label_counts()),
            (vec![1, 0].into(), vec![1, 1, 0])
        );
        // Where the classes are known already, the name counts and not the id.
        let known = LabelMap::new("m", vec!["a".into(), "neg".into()]).unwrap();
        let dataset = Dataset::from_table(&table, &columns, Some(&known), &mut BadRows::Refuse);
        assert_eq!(dataset.unwrap().targets, vec![0, 1].into());
    }

    #[test]
    fn rows_without_text_or_label_are_skipped_and_counted() {
        let (mut table, columns) = table(
            "{\"text\": \"a\", \"label\": \"x\"}\n{\"text\": \" \", \"label\": \"x\"}\n{\"text\": \"b\"}\n\
             {\"text\": \"c\", \"label\": \"y\"}\n{\"text\": \"d\", \"label\": \"z\"}",
        );
        let known = LabelMap::new("m", vec!["x".into(), "y".into()]).unwrap();
        let mut bad = BadRows::skip();
        let dataset = Dataset::from_table(&table, &columns, Some(&known), &mut bad).unwrap();
        assert_eq!((dataset.targets, bad.count()), (vec![0, 1].into(), 3));
        let mut bad = BadRows::skip();
        assert_eq!(table.texts(&columns, &mut bad).unwrap().len(), 4);
        assert_eq!((table.rows.len(), bad.count()), (4, 1));
    }
}
