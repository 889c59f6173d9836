//! The classes of a table: those that it states, those in its rows, and the names of ids.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
};

use serde_json::Value;

use super::{Answer, BadRows, Columns, LabelMap, Table, Task, dataset::usable};
use crate::Result;

impl Table {
    /// The labels of the rows that can be used, each once.
    ///
    /// # Errors
    /// [`crate::Error::NoColumn`] without a label column, and [`Error::BadRow`].
    pub fn distinct_labels(
        &self,
        columns: &Columns,
        bad: &mut BadRows,
    ) -> Result<BTreeSet<String>> {
        let mut labels = BTreeSet::new();
        for (.., answer) in usable(self, columns, bad)? {
            let Answer::Labels(found) = answer else { continue };
            for label in found {
                if !labels.contains(&*label) {
                    labels.insert(label.into_owned());
                }
            }
        }
        Ok(labels)
    }

    /// The classes that are known without a look at the rows: the columns where each is one, or those
    /// that the file states for ids; of scores and answers, what a model has in place of classes.
    ///
    /// # Errors
    /// [`crate::Error::BadLabels`].
    pub fn stated_classes(&self, columns: &Columns) -> Result<Option<LabelMap>> {
        Ok(Some(match (columns.task, &columns.labels[..]) {
            (Task::Regression, _) => LabelMap::of_a_score(),
            (Task::QuestionAnswering, _) => LabelMap::of_a_span(),
            (_, [column]) => match self.class_names.get(column) {
                Some(names) => LabelMap::of_data(&self.name, names.clone())?,
                None => return Ok(None),
            },
            (_, several) => LabelMap::new(&self.name, several.to_vec())?,
        }))
    }
}

/// The classes of a table: those that it states, or else those in its rows.
pub(super) fn classes<'a>(
    table: &Table,
    columns: &Columns,
    answers: impl Iterator<Item = &'a Answer<'a>>,
) -> Result<LabelMap> {
    if let Some(stated) = table.stated_classes(columns)? {
        return Ok(stated);
    }
    let labels = answers.flat_map(|answer| match answer {
        Answer::Labels(labels) => &labels[..],
        Answer::Score(_) | Answer::Texts(_) => &[],
    });
    LabelMap::from_labels(&table.name, labels.map(|label| &**label))
}

/// The class names that a table states for the ids in a column.
pub(super) struct ClassIds<'a> {
    pub table: &'a Table,
    names: &'a [String],
    /// Those that look like ids themselves.
    integers: HashSet<&'a str>,
}

impl<'a> ClassIds<'a> {
    pub fn of_column(table: &'a Table, column: Option<&String>) -> Self {
        let names = column.and_then(|column| table.class_names.get(column));
        let names = names.map_or(&[][..], Vec::as_slice);
        let integers = names.iter().map(String::as_str).filter(|name| as_id(name).is_some());
        Self { table, names, integers: integers.collect() }
    }

    /// Of the only label column.
    pub fn of(table: &'a Table, columns: &Columns) -> Self {
        Self::of_column(table, columns.labels.first())
    }

    /// The label in a text, or the name of the class whose id it is: delimited files write ids as text.
    pub fn named(&self, label: &'a str) -> Cow<'a, str> {
        let id = as_id(label).filter(|_| !self.integers.contains(label));
        id.and_then(|id| self.names.get(id)).map_or(label, |name| name).into()
    }

    /// The name of a class that is given by an integer or a truth value.
    pub fn name(&self, cell: &Value) -> Option<Cow<'a, str>> {
        match cell {
            Value::Number(number) if number.is_i64() => {
                let id = number.as_u64().and_then(|id| usize::try_from(id).ok());
                Some(match id.and_then(|id| self.names.get(id)) {
                    Some(name) => name.into(),
                    None => number.to_string().into(),
                })
            }
            Value::Bool(label) => Some(label.to_string().into()),
            _ => None,
        }
    }
}

fn as_id(label: &str) -> Option<usize> {
    label.parse().ok()
}
