//! Texts with their labels, ready to be tokenized.

use std::{borrow::Cow, collections::BTreeSet};

use serde_json::Value;

use crate::{
    Error, Result,
    data::{BadRows, Columns, LabelMap, Row, Table},
    text::Texts,
};

/// A labelled data set: `labels[i]` is the class of `texts[i]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The file's name, for messages.
    pub name: String,
    pub texts: Texts,
    pub labels: Vec<usize>,
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
        let column = columns.require_label(table)?;
        let mut rows = Vec::with_capacity(table.rows.len());
        for row in &table.rows {
            match usable(row, columns)
                .and_then(|texts| Ok((row, texts, label(table, row, column)?)))
            {
                Ok(usable) => rows.push(usable),
                Err(error) => bad.meet(error)?,
            }
        }
        let label_map = match (label_map, table.class_names.get(column)) {
            (Some(map), _) => map.clone(),
            (None, Some(names)) => LabelMap::new(&table.name, names.clone())?,
            (None, None) => {
                LabelMap::from_labels(&table.name, rows.iter().map(|(_, _, label)| &**label))?
            }
        };
        let mut texts = Texts::default();
        let mut labels = Vec::with_capacity(rows.len());
        for (row, (text, pair), label) in rows {
            match known(&label_map, row, &label) {
                Ok(id) => {
                    texts.push(text, pair);
                    labels.push(id);
                }
                Err(error) => bad.meet(error)?,
            }
        }
        if labels.is_empty() {
            return Err(Error::NoRows { name: table.name.clone(), skipped: bad.count() });
        }
        Ok(Self { name: table.name.clone(), texts, labels, label_map })
    }

    /// How many rows each class has, in id order.
    pub fn label_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.label_map.len()];
        self.labels.iter().for_each(|&label| counts[label] += 1);
        counts
    }
}

/// A text that may have a label yet to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub text: String,
    pub label: Option<String>,
}

impl Table {
    /// The rows for a person who is still labelling: without a label column, or with an empty cell in
    /// it, a row has no label.
    ///
    /// # Errors
    /// [`Error::BadRow`] for a row without a text, or with a label that is no string or integer.
    pub fn examples(&self, columns: &Columns) -> Result<Vec<Example>> {
        let is_empty = |row: &Row, column: &str| match row.cells.get(column) {
            None | Some(Value::Null) => true,
            Some(Value::String(label)) => label.trim().is_empty(),
            Some(_) => false,
        };
        let example = |row| {
            let text = text(row, &columns.text)?.to_owned();
            let column = columns.label.as_deref().filter(|column| !is_empty(row, column));
            let label = column.map(|column| label(self, row, column)).transpose()?;
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
        for row in std::mem::take(&mut self.rows) {
            match usable(&row, columns) {
                Ok((text, pair)) => {
                    texts.push(text, pair);
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

    /// The labels of the rows that can be used, each once.
    ///
    /// # Errors
    /// [`Error::NoColumn`] without a label column, and [`Error::BadRow`].
    pub fn distinct_labels(
        &self,
        columns: &Columns,
        bad: &mut BadRows,
    ) -> Result<BTreeSet<String>> {
        let column = columns.require_label(self)?;
        let mut labels = BTreeSet::new();
        for row in &self.rows {
            match usable(row, columns).and_then(|_| label(self, row, column)) {
                Ok(label) if labels.contains(&*label) => {}
                Ok(label) => {
                    labels.insert(label.into_owned());
                }
                Err(error) => bad.meet(error)?,
            }
        }
        Ok(labels)
    }

    /// Whether a row has a label. Public test sets that keep theirs to themselves have none, or -1 in each
    /// row.
    pub fn has_labels(&self, columns: &Columns) -> bool {
        self.label_words(columns).iter().any(|label| !label.is_empty())
    }

    /// Each row's label as a word, whatever its type; empty where it has none, or -1 for none.
    pub fn label_words(&self, columns: &Columns) -> Vec<String> {
        let Some(column) = &columns.label else { return Vec::new() };
        let word = |row: &Row| match label(self, row, column) {
            Ok(label) if label == "-1" => String::new(),
            Ok(label) => label.into_owned(),
            Err(_) => match row.cells.get(column) {
                Some(Value::String(_) | Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            },
        };
        self.rows.iter().map(word).collect()
    }
}

/// The text of a row, and its other half in a pair.
fn usable<'a>(row: &'a Row, columns: &Columns) -> Result<(&'a str, Option<&'a str>)> {
    let pair = columns.text_pair.as_ref().map(|column| text(row, column)).transpose()?;
    Ok((text(row, &columns.text)?, pair))
}

fn text<'a>(row: &'a Row, column: &str) -> Result<&'a str> {
    match row.cells.get(column) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
        Some(Value::String(_)) => Err(bad_cell(row, column, "is empty")),
        Some(Value::Null) | None => Err(bad_cell(row, column, "is missing")),
        Some(_) => Err(bad_cell(row, column, "is not a string")),
    }
}

/// A label as the file states it; an id whose class has a name there, by that name.
fn label<'a>(table: &'a Table, row: &'a Row, column: &str) -> Result<Cow<'a, str>> {
    match row.cells.get(column) {
        Some(Value::String(label)) if !label.trim().is_empty() => {
            let label = label.trim();
            let names = table.class_names.get(column);
            let names = names.filter(|names| names.iter().all(|name| name != label));
            // Delimited files write ids as text.
            Ok(names
                .and_then(|names| names.get(label.parse::<usize>().ok()?))
                .map_or(label, |n| n)
                .into())
        }
        Some(Value::Number(number)) if number.is_i64() => {
            let names = table.class_names.get(column);
            let id = number.as_u64().and_then(|id| usize::try_from(id).ok());
            match id.and_then(|id| names?.get(id)) {
                Some(name) => Ok(name.into()),
                None => Ok(number.to_string().into()),
            }
        }
        Some(Value::Bool(label)) => Ok(label.to_string().into()),
        Some(Value::String(_)) => Err(bad_cell(row, column, "is empty")),
        Some(Value::Null) | None => Err(bad_cell(row, column, "is missing")),
        Some(_) => Err(bad_cell(row, column, "is neither a string nor an integer")),
    }
}

fn known(label_map: &LabelMap, row: &Row, label: &str) -> Result<usize> {
    label_map.id(label).ok_or_else(|| Error::UnknownLabel {
        place: row.place.clone(),
        label: label.into(),
        known: label_map.names().join(", "),
    })
}

fn bad_cell(row: &Row, column: &str, what: &str) -> Error {
    Error::BadRow { place: row.place.clone(), reason: format!("\"{column}\" {what}") }
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
        assert_eq!((dataset.labels.clone(), dataset.label_counts()), (vec![1, 0], vec![1, 1, 0]));
        // Where the classes are known already, the name counts and not the id.
        let known = LabelMap::new("m", vec!["a".into(), "neg".into()]).unwrap();
        let dataset = Dataset::from_table(&table, &columns, Some(&known), &mut BadRows::Refuse);
        assert_eq!(dataset.unwrap().labels, [0, 1]);
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
        assert_eq!((dataset.labels, bad.count()), (vec![0, 1], 3));
        let mut bad = BadRows::skip();
        assert_eq!(table.texts(&columns, &mut bad).unwrap().len(), 4);
        assert_eq!((table.rows.len(), bad.count()), (4, 1));
    }
}
