//! Texts with their labels, ready to be tokenized.

use serde_json::Value;

use crate::{
    Error, Result,
    data::{Columns, LabelMap, Row, Table},
};

/// A labelled data set: `labels[i]` is the class of `texts[i]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The file's name, for messages.
    pub name: String,
    pub texts: Vec<String>,
    pub labels: Vec<usize>,
    pub label_map: LabelMap,
}

impl Dataset {
    /// Takes texts and labels out of a table. With a `label_map` each label must be one of it;
    /// without, the classes are those found in the file.
    ///
    /// # Errors
    /// [`Error::NoColumn`], [`Error::BadRow`], [`Error::UnknownLabel`] or [`Error::BadLabels`].
    pub fn from_table(
        table: &Table,
        columns: &Columns,
        label_map: Option<&LabelMap>,
    ) -> Result<Self> {
        let column = columns.require_label(table)?;
        let labels: Vec<String> =
            table.rows.iter().map(|row| label(table, row, column)).collect::<Result<_>>()?;
        let label_map = match label_map {
            Some(map) => map.clone(),
            None => LabelMap::from_labels(&table.name, labels.iter().map(String::as_str))?,
        };
        let ids = table.rows.iter().zip(&labels).map(|(row, label)| {
            label_map.id(label).ok_or_else(|| Error::UnknownLabel {
                name: table.name.clone(),
                line: row.line,
                label: label.clone(),
                known: label_map.names().join(", "),
            })
        });
        let labels = ids.collect::<Result<_>>()?;
        Ok(Self { name: table.name.clone(), texts: texts(table, columns)?, labels, label_map })
    }

    /// How many rows each class has, in id order.
    pub fn label_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.label_map.len()];
        self.labels.iter().for_each(|&label| counts[label] += 1);
        counts
    }
}

/// The texts of a table, labels or not.
///
/// # Errors
/// [`Error::BadRow`] for a row without a text.
pub fn texts(table: &Table, columns: &Columns) -> Result<Vec<String>> {
    let text = |row: &Row| match row.cells.get(&columns.text) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.clone()),
        Some(Value::String(_)) => Err(bad_cell(table, row, &columns.text, "is empty")),
        Some(Value::Null) | None => Err(bad_cell(table, row, &columns.text, "is missing")),
        Some(_) => Err(bad_cell(table, row, &columns.text, "is not a string")),
    };
    table.rows.iter().map(text).collect()
}

/// A text that may have a label yet to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub text: String,
    pub label: Option<String>,
}

/// The rows of a table for a person who is still labelling: without a label column, or with an
/// empty cell in it, a row has no label.
///
/// # Errors
/// [`Error::BadRow`] for a row without a text, or with a label that is no string or integer.
pub fn examples(table: &Table, columns: &Columns) -> Result<Vec<Example>> {
    let is_empty = |row: &Row, column: &str| match row.cells.get(column) {
        None | Some(Value::Null) => true,
        Some(Value::String(label)) => label.trim().is_empty(),
        Some(_) => false,
    };
    let rows = table.rows.iter().zip(texts(table, columns)?);
    rows.map(|(row, text)| {
        let column = columns.label.as_deref().filter(|column| !is_empty(row, column));
        let label = column.map(|column| label(table, row, column)).transpose()?;
        Ok(Example { text, label })
    })
    .collect()
}

fn label(table: &Table, row: &Row, column: &str) -> Result<String> {
    match row.cells.get(column) {
        Some(Value::String(label)) if !label.trim().is_empty() => Ok(label.trim().into()),
        Some(Value::Number(number)) if number.is_i64() => Ok(number.to_string()),
        Some(Value::Bool(label)) => Ok(label.to_string()),
        Some(Value::String(_)) => Err(bad_cell(table, row, column, "is empty")),
        Some(Value::Null) | None => Err(bad_cell(table, row, column, "is missing")),
        Some(_) => Err(bad_cell(table, row, column, "is neither a string nor an integer")),
    }
}

fn bad_cell(table: &Table, row: &Row, column: &str, what: &str) -> Error {
    let reason = format!("\"{column}\" {what}");
    Error::BadRow { name: table.name.clone(), line: row.line, reason }
}
