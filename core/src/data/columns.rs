//! Which column holds the text and which the label.

use crate::{Error, Result, data::Table};

const TEXT_NAMES: [&str; 6] = ["text", "sentence", "content", "review", "body", "message"];
/// Columns that hold the two halves of a pair, as public data sets name them.
const PAIR_NAMES: [(&str, &str); 11] = [
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question", "context"),
    ("text_a", "text_b"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("question", "passage"),
    ("text1", "text2"),
    ("sentence_a", "sentence_b"),
    ("text", "text_pair"),
    ("text", "text_b"),
];
const LABEL_NAMES: [&str; 6] = ["label", "labels", "gold", "class", "category", "target"];

/// The columns to read, found or named by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    pub text: String,
    /// The second half where each row is a pair of texts.
    pub text_pair: Option<String>,
    /// `None` where the file has no label column.
    pub label: Option<String>,
}

/// The columns that a user names.
#[derive(Clone, Copy, Debug, Default)]
pub struct NamedColumns<'a> {
    pub text: Option<&'a str>,
    pub text_pair: Option<&'a str>,
    pub label: Option<&'a str>,
}

impl Columns {
    /// Takes the named columns, or guesses by the usual names (any case): `text`, else a pair, else
    /// another name for a text. A file with one column only has its text there. A named text is no
    /// pair unless its other half is named, too.
    ///
    /// # Errors
    /// [`Error::NoColumn`] when a named column, or any text column, is not there.
    pub fn guess(table: &Table, named: NamedColumns) -> Result<Self> {
        let (text, text_pair) = match (named.text, named.text_pair) {
            (Some(text), pair) => (exact(table, "text", text)?, pair.map(str::to_owned)),
            (None, Some(pair)) => (first_half(table, pair)?, Some(pair.to_owned())),
            (None, None) => guess_texts(table)?,
        };
        let text_pair = text_pair.map(|name| exact(table, "text-pair", &name)).transpose()?;
        let label = match named.label {
            Some(name) => Some(exact(table, "label", name)?),
            None => find(table, &LABEL_NAMES),
        };
        Ok(Self { text, text_pair, label })
    }

    /// The label column, where one is needed.
    ///
    /// # Errors
    /// [`Error::NoColumn`] when there is none.
    pub fn require_label(&self, table: &Table) -> Result<&str> {
        self.label.as_deref().ok_or_else(|| no_column(table, "label", String::new()))
    }
}

fn guess_texts(table: &Table) -> Result<(String, Option<String>)> {
    let text = find(table, &TEXT_NAMES[..1]);
    let pair = PAIR_NAMES
        .iter()
        .filter(|(first, _)| text.is_none() || *first == TEXT_NAMES[0])
        .find_map(|(first, second)| Some((find(table, &[first])?, find(table, &[second])?)));
    if let Some((first, second)) = pair {
        return Ok((first, Some(second)));
    }
    let only = (table.columns.len() == 1).then(|| table.columns[0].clone());
    let text = text.or_else(|| find(table, &TEXT_NAMES)).or(only);
    Ok((text.ok_or_else(|| no_column(table, "text", String::new()))?, None))
}

/// The column whose usual other half is `second`, else a text by its name.
fn first_half(table: &Table, second: &str) -> Result<String> {
    let first = PAIR_NAMES
        .iter()
        .filter(|(_, name)| name.eq_ignore_ascii_case(second))
        .find_map(|(first, _)| find(table, &[first]));
    let first = first.or_else(|| find(table, &TEXT_NAMES));
    first.ok_or_else(|| no_column(table, "text", String::new()))
}

fn exact(table: &Table, role: &'static str, name: &str) -> Result<String> {
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
    // A header in one piece is a header with another delimiter.
    let delimiter = match &table.columns[..] {
        [only] => [';', '\t', '|', ','].into_iter().find(|c| only.contains(*c)),
        _ => None,
    };
    let hint = match delimiter {
        Some('\t') => r", or the delimiter with --delimiter '\t'".to_owned(),
        Some(delimiter) => format!(", or the delimiter with --delimiter '{delimiter}'"),
        None => String::new(),
    };
    let columns = table.columns.join(", ");
    Error::NoColumn { name: table.name.clone(), role, asked, columns, hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(columns: &str, named: NamedColumns) -> Result<String, String> {
        let columns = columns.split(' ').map(str::to_owned).collect();
        let table = Table { name: "f".into(), columns, ..Table::default() };
        let columns = Columns::guess(&table, named).map_err(|error| error.to_string())?;
        let parts = [Some(columns.text), columns.text_pair, columns.label];
        Ok(parts.map(|part| part.unwrap_or("-".into())).join(" "))
    }

    #[test]
    fn pairs_are_found_by_the_names_of_public_sets() {
        let guess = |columns| guess(columns, NamedColumns::default()).unwrap();
        assert_eq!(guess("idx sentence1 sentence2 label"), "sentence1 sentence2 label");
        assert_eq!(guess("premise hypothesis label"), "premise hypothesis label");
        assert_eq!(guess("question sentence label idx"), "question sentence label");
        assert_eq!(guess("Text_A Text_B gold"), "Text_A Text_B gold");
        assert_eq!(guess("text question context"), "text - -");
        assert_eq!(guess("text_pair text"), "text text_pair -");
        assert_eq!(guess("sentence label"), "sentence - label");
    }

    #[test]
    fn named_columns_win() {
        let named = NamedColumns { text: Some("premise"), ..NamedColumns::default() };
        assert_eq!(guess("premise hypothesis label", named).unwrap(), "premise - label");
        let named = NamedColumns { text_pair: Some("hypothesis"), ..NamedColumns::default() };
        assert_eq!(guess("text premise hypothesis", named).unwrap(), "premise hypothesis -");
        let named = NamedColumns { text_pair: Some("b"), ..NamedColumns::default() };
        let error = guess("text a", named).unwrap_err();
        assert!(error.starts_with("f: no text-pair column \"b\"; it has: text, a."), "{error}");
    }

    #[test]
    fn a_header_in_one_piece_points_at_the_delimiter() {
        let error =
            guess("text;label", NamedColumns { label: Some("label"), ..NamedColumns::default() });
        let error = error.unwrap_err();
        assert!(error.ends_with("or the delimiter with --delimiter ';'"), "{error}");
    }
}
