//! Which column holds the text and which the label.

use super::guess::{SCORE_NAME, flag_columns, holds_answers, holds_lists, task};
use crate::{
    Error, Result,
    data::{Table, Task},
};

/// Columns that hold texts word by word, and their tags.
const TOKENS_NAMES: [&str; 2] = ["tokens", "words"];
const TAGS_NAMES: [&str; 2] = ["tags", "ner_tags"];
const TEXT_NAMES: [&str; 6] = ["text", "sentence", "content", "review", "body", "message"];
/// Columns that hold questions, what they are about and their answers.
const QUESTION_NAMES: (&str, &str) = ("question", "context");
const ANSWERS_NAMES: [&str; 1] = ["answers"];
/// Columns that hold the two halves of a pair, as public data sets name them.
const PAIR_NAMES: [(&str, &str); 11] = [
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    QUESTION_NAMES,
    ("text_a", "text_b"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("question", "passage"),
    ("text1", "text2"),
    ("sentence_a", "sentence_b"),
    ("text", "text_pair"),
    ("text", "text_b"),
];
const LABEL_NAMES: [&str; 7] =
    ["label", "labels", "gold", "class", "category", "target", SCORE_NAME];

/// The columns to read, found or named by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    pub text: String,
    /// The second half where each row is a pair of texts.
    pub text_pair: Option<String>,
    /// The column of the labels. None where the file has no labels; several where each is a class of a
    /// multi-label set, with 0 or 1 for each row.
    pub labels: Vec<String>,
    /// What the labels are.
    pub task: Task,
}

/// The columns that a user names.
#[derive(Clone, Copy, Debug, Default)]
pub struct NamedColumns<'a> {
    pub text: Option<&'a str>,
    pub text_pair: Option<&'a str>,
    pub labels: &'a [String],
    pub task: Option<Task>,
}

impl Columns {
    /// Takes the named columns, or guesses by the usual names (any case): `text`, else a pair, else
    /// another name for a text. A file with one column only has its text there. A named text is no
    /// pair unless its other half is named, too. Without a column that is called like a label, two or
    /// more columns that hold nothing but 0 and 1 are classes. Where there are answers, the text is their
    /// question and its other half their context.
    ///
    /// # Errors
    /// [`Error::NoColumn`] when a named column, or any text column, is not there.
    pub fn guess(table: &Table, named: NamedColumns) -> Result<Self> {
        if let Some(answers) = answers(table, &named) {
            return questions(table, named, answers);
        }
        let (text, text_pair) = match (named.text, named.text_pair) {
            (Some(text), pair) => (exact(table, "text", text)?, pair.map(str::to_owned)),
            (None, Some(pair)) => (first_half(table, pair)?, Some(pair.to_owned())),
            (None, None) => match tokens(table, named.task) {
                Some(tokens) => (tokens, None),
                None => guess_texts(table)?,
            },
        };
        let is_tagged = match named.task {
            Some(task) => task == Task::TokenClassification,
            None => holds_lists(table, &text),
        };
        let text_pair = text_pair.map(|name| exact(table, "text-pair", &name)).transpose()?;
        let exact = |name: &String| exact(table, "label", name);
        let tags = if is_tagged { find(table, &TAGS_NAMES) } else { None };
        let labels = match (named.labels, tags.or_else(|| find(table, &LABEL_NAMES))) {
            ([], None) if is_tagged => Vec::new(),
            ([], Some(label)) => vec![label],
            ([], None) => {
                let is_text =
                    |column: &&String| **column == text || text_pair.as_ref() == Some(*column);
                flag_columns(table, table.columns.iter().filter(|column| !is_text(column)))
            }
            (named, _) => named.iter().map(exact).collect::<Result<_>>()?,
        };
        let guess = || if is_tagged { Task::TokenClassification } else { task(table, &labels) };
        let task = named.task.unwrap_or_else(guess);
        if labels.len() > 1 && task != Task::MultiLabelClassification {
            let columns = labels.join(", ");
            return Err(Error::TooManyLabels { name: table.name.clone(), columns, task });
        }
        Ok(Self { text, text_pair, labels, task })
    }

    /// Checks that there is a label.
    ///
    /// # Errors
    /// [`Error::NoColumn`] when there is none.
    pub fn require_label(&self, table: &Table) -> Result<()> {
        if self.labels.is_empty() { Err(self.no_label(table)) } else { Ok(()) }
    }

    pub(super) fn no_label(&self, table: &Table) -> Error {
        no_column(table, "label", String::new())
    }
}

/// The column of answers, or none that is there, of a table of questions.
fn answers(table: &Table, named: &NamedColumns) -> Option<Vec<String>> {
    let found = match named.labels {
        [] => find(table, &ANSWERS_NAMES).into_iter().collect(),
        labels => labels.to_vec(),
    };
    match named.task {
        Some(task) => (task == Task::QuestionAnswering).then_some(found),
        None => found.first().is_some_and(|column| holds_answers(table, column)).then_some(found),
    }
}

/// The columns of a table of questions; where nothing is called so, those of any pair.
fn questions(table: &Table, named: NamedColumns, answers: Vec<String>) -> Result<Columns> {
    let task = Task::QuestionAnswering;
    let (question, context) = QUESTION_NAMES;
    let text = named.text.map(|name| exact(table, "text", name)).transpose()?;
    let pair = named.text_pair.map(|name| exact(table, "text-pair", name)).transpose()?;
    let (text, text_pair) =
        match (text.or_else(|| find(table, &[question])), pair.or_else(|| find(table, &[context])))
        {
            (Some(text), pair) => (text, pair),
            (None, Some(_)) => return Err(no_column(table, "text", String::new())),
            (None, None) => guess_texts(table)?,
        };
    if text_pair.is_none() {
        return Err(no_column(table, "text-pair", String::new()));
    }
    if answers.len() > 1 {
        let (name, columns) = (table.name.clone(), answers.join(", "));
        return Err(Error::TooManyLabels { name, columns, task });
    }
    let labels = answers.iter().map(|name| exact(table, "label", name)).collect::<Result<_>>()?;
    Ok(Columns { text, text_pair, labels, task })
}

/// The column of words, where their tags stand beside it or there is no other text.
fn tokens(table: &Table, task: Option<Task>) -> Option<String> {
    let tokens = find(table, &TOKENS_NAMES)?;
    match task {
        Some(task) => (task == Task::TokenClassification).then_some(tokens),
        None => {
            let is_tagged =
                find(table, &TAGS_NAMES).is_some() || find(table, &TEXT_NAMES).is_none();
            (is_tagged && holds_lists(table, &tokens)).then_some(tokens)
        }
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
    // A header with another delimiter is no text.
    let only = table.columns.first().filter(|_| table.columns.len() == 1).cloned();
    let only = only.filter(|_| other_delimiter(table).is_none());
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
    let hint = match other_delimiter(table) {
        Some('\t') => r", or the delimiter with --delimiter '\t'".to_owned(),
        Some(delimiter) => format!(", or the delimiter with --delimiter '{delimiter}'"),
        None => String::new(),
    };
    let columns = table.columns.join(", ");
    Error::NoColumn { name: table.name.clone(), role, asked, columns, hint }
}

/// The delimiter of a header that was read in one piece.
fn other_delimiter(table: &Table) -> Option<char> {
    let [only] = &table.columns[..] else { return None };
    [';', '\t', '|', ','].into_iter().find(|c| only.contains(*c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(columns: &str, named: NamedColumns) -> Result<String, String> {
        let columns = columns.split(' ').map(str::to_owned).collect();
        let table = Table { name: "f".into(), columns, ..Table::default() };
        let columns = Columns::guess(&table, named).map_err(|error| error.to_string())?;
        let label = (!columns.labels.is_empty()).then(|| columns.labels.join("+"));
        let parts = [Some(columns.text), columns.text_pair, label];
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
        let labels = ["label".to_owned()];
        let named = NamedColumns { labels: &labels, ..NamedColumns::default() };
        for named in [named, NamedColumns::default()] {
            let error = guess("text;label", named).unwrap_err();
            assert!(error.ends_with("or the delimiter with --delimiter ';'"), "{error}");
        }
    }
}
