//! Which column holds the text and which the label.

use crate::{Error, Result, data::Table};

const TEXT_NAMES: [&str; 6] = ["text", "sentence", "content", "review", "body", "message"];
const LABEL_NAMES: [&str; 6] = ["label", "labels", "gold", "class", "category", "target"];

/// The columns to read, found or named by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    pub text: String,
    /// `None` where the file has no label column.
    pub label: Option<String>,
}

impl Columns {
    /// Takes the named columns, or guesses by the usual names (any case). A file with one column
    /// only has its text there.
    ///
    /// # Errors
    /// [`Error::NoColumn`] when a named column, or any text column, is not there.
    pub fn guess(table: &Table, text: Option<&str>, label: Option<&str>) -> Result<Self> {
        let only = (table.columns.len() == 1).then(|| table.columns[0].clone());
        let text = match text {
            Some(name) => named(table, "text", name)?,
            None => find(table, &TEXT_NAMES)
                .or(only)
                .ok_or_else(|| no_column(table, "text", String::new()))?,
        };
        let label = match label {
            Some(name) => Some(named(table, "label", name)?),
            None => find(table, &LABEL_NAMES),
        };
        Ok(Self { text, label })
    }

    /// The label column, where one is needed.
    ///
    /// # Errors
    /// [`Error::NoColumn`] when there is none.
    pub fn require_label(&self, table: &Table) -> Result<&str> {
        self.label.as_deref().ok_or_else(|| no_column(table, "label", String::new()))
    }
}

fn named(table: &Table, role: &'static str, name: &str) -> Result<String> {
    if table.columns.iter().any(|column| column == name) {
        return Ok(name.into());
    }
    Err(no_column(table, role, format!(" \"{name}\"")))
}

fn find(table: &Table, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        table.columns.iter().find(|column| column.eq_ignore_ascii_case(name)).cloned()
    })
}

fn no_column(table: &Table, role: &'static str, asked: String) -> Error {
    Error::NoColumn { name: table.name.clone(), role, asked, columns: table.columns.join(", ") }
}
