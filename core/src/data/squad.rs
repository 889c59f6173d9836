//! Questions about contexts in the two forms that SQuAD has: its own JSON
//! (`data[].paragraphs[].qas[]`, <https://rajpurkar.github.io/SQuAD-explorer/>), and rows as `datasets`
//! has them.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Columns, GoldAnswer, Row, answers::bad_cell, dataset::text};
use crate::{Error, Result};

/// Characters of a context that a message shows.
const SHOWN: usize = 40;

#[derive(Deserialize)]
struct File {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    #[serde(default)]
    title: Value,
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Map<String, Value>>,
}

/// Whether a JSON object is a file of SQuAD's own form.
pub(super) fn is_file(object: &Map<String, Value>) -> bool {
    let first = object.get("data").and_then(Value::as_array).and_then(|data| data.first());
    first.is_some_and(|article| article.get("paragraphs").is_some())
}

/// The questions of such a file as rows, in order: `id`, `title`, `context`, `question` and, where they are
/// stated, `answers`.
pub(super) fn rows(file: Map<String, Value>) -> serde_json::Result<Vec<Map<String, Value>>> {
    let File { data } = serde_json::from_value(Value::Object(file))?;
    let mut rows = Vec::new();
    for Article { title, paragraphs } in data {
        for Paragraph { context, qas } in paragraphs {
            rows.extend(qas.into_iter().map(|mut question| {
                let mut row = Map::from_iter([
                    ("id".to_owned(), question.remove("id").unwrap_or_default()),
                    ("title".to_owned(), title.clone()),
                    ("context".to_owned(), context.as_str().into()),
                ]);
                for key in ["question", "answers"] {
                    row.extend(question.remove(key).map(|value| (key.to_owned(), value)));
                }
                row
            }));
        }
    }
    Ok(rows)
}

/// Whether a cell holds answers: an object of lists, or a list of objects, which may be empty.
pub(super) fn is_answers(cell: &Value) -> bool {
    let is_answer = |cell: &Value| cell.get("text").is_some() && cell.get("answer_start").is_some();
    match cell {
        Value::Array(answers) => answers.iter().all(is_answer),
        cell => is_answer(cell),
    }
}

/// The answers of a row, each of which must stand in the context where it says.
///
/// # Errors
/// [`Error::BadRow`] where one does not, or the cell holds something else.
pub(super) fn answers(row: &Row, columns: &Columns, column: &str) -> Result<Vec<GoldAnswer>> {
    let cell = match row.cells.get(column) {
        Some(Value::Null) | None => return Err(bad_cell(row, column, "is missing")),
        Some(cell) => cell,
    };
    let answers = stated(cell).ok_or_else(|| {
        let expected = r#"is not of the form {"text": ["…"], "answer_start": [0]}"#;
        bad_cell(row, column, expected)
    })?;
    let context = text(row, columns.text_pair.as_deref().unwrap_or_default())?;
    answers.iter().try_for_each(|answer| check(row, column, context, answer))?;
    Ok(answers)
}

/// The answers that a cell states; `None` where it is of another form.
fn stated(cell: &Value) -> Option<Vec<GoldAnswer>> {
    let answer = |text: &Value, start: &Value| {
        let start = usize::try_from(start.as_u64()?).ok()?;
        Some(GoldAnswer { text: text.as_str()?.to_owned(), start })
    };
    if let Value::Array(answers) = cell {
        let answers = answers.iter().map(|of| answer(of.get("text")?, of.get("answer_start")?));
        return answers.collect();
    }
    let list = |key: &str| match cell.get(key)? {
        Value::Array(values) => Some(values.as_slice()),
        only => Some(std::slice::from_ref(only)),
    };
    let (texts, starts) = (list("text")?, list("answer_start")?);
    let pairs = texts.iter().zip(starts).map(|(text, start)| answer(text, start));
    if texts.len() == starts.len() { pairs.collect() } else { None }
}

fn check(row: &Row, column: &str, context: &str, answer: &GoldAnswer) -> Result<(), Error> {
    let GoldAnswer { text, start } = answer;
    if text.is_empty() {
        return Err(bad_cell(row, column, "holds an answer without a text"));
    }
    let mut places = context.char_indices().map(|(at, _)| at);
    let found = places.nth(*start).map_or("", |at| &context[at..]);
    if found.starts_with(text) {
        return Ok(());
    }
    let shown: String = found.chars().take(text.chars().count().min(SHOWN)).collect();
    let id = row.cells.get("id").and_then(Value::as_str);
    let id = id.map_or_else(String::new, |id| format!(" (id {id})"));
    let says = format!(
        "says \"{text}\" stands at character {start} of the context, where \"{shown}\" stands{id}"
    );
    Err(bad_cell(row, column, &says))
}

#[cfg(test)]
mod tests {
    use crate::data::{BadRows, Dataset, Format, GoldAnswer, LabelMap, Table, Targets};

    const ROW: &str =
        r#"{"id": "7", "question": "Where?", "context": "Zürich, am See", "answers": "#;

    fn read(name: &str, text: &str) -> Result<Dataset, String> {
        Dataset::parse(name, text.as_bytes(), None).map_err(|error| error.to_string())
    }

    fn answer(text: &str, start: usize) -> GoldAnswer {
        GoldAnswer { text: text.into(), start }
    }

    #[test]
    fn answers_of_either_form() {
        for answers in [
            r#"{"text": ["am See", "See"], "answer_start": [8, 11]}"#,
            r#"[{"text": "am See", "answer_start": 8}, {"text": "See", "answer_start": 11}]"#,
        ] {
            let set = read("a.jsonl", &format!("{ROW}{answers}}}")).unwrap();
            let gold = vec![answer("am See", 8), answer("See", 11)];
            assert_eq!(set.targets, Targets::Answers(vec![gold]));
            assert_eq!((&*set.texts.first[0], &*set.texts.second[0]), ("Where?", "Zürich, am See"));
            assert_eq!(set.label_map, LabelMap::of_a_span());
        }
        let none =
            read("a.jsonl", &format!(r#"{ROW}{{"text": [], "answer_start": []}}}}"#)).unwrap();
        assert_eq!(none.targets, Targets::Answers(vec![vec![]]));
    }

    #[test]
    fn what_does_not_stand_there_is_refused() {
        let good = format!(r#"{ROW}{{"text": ["See"], "answer_start": [11]}}}}"#);
        for (answers, says) in [
            (
                r#"{"text": ["See"], "answer_start": [12]}"#,
                "says \"See\" stands at character 12 of the context, where \"ee\" stands (id 7)",
            ),
            (r#"{"text": ["See"], "answer_start": [99]}"#, "where \"\" stands"),
            (r#"{"text": [""], "answer_start": [0]}"#, "holds an answer without a text"),
            (r#"{"text": ["See"], "answer_start": []}"#, "is not of the form"),
            (r#"{"text": ["See"], "answer_start": [-1]}"#, "is not of the form"),
            (r#""See""#, "is not of the form"),
            ("null", "is missing"),
        ] {
            let error = read("a.jsonl", &format!("{good}\n{ROW}{answers}}}")).unwrap_err();
            assert!(error.starts_with("a.jsonl, line 2: \"answers\" "), "{error}");
            assert!(error.contains(says), "{error}");
        }
    }

    /// On one line, as it is published, and on several.
    #[test]
    fn squads_own_form() {
        let file = r#"{"version": "v2.0", "data": [{"title": "Lakes", "paragraphs": [
            {"context": "Zürich, am See", "qas": [
            {"id": "a", "question": "Where?", "answers": [{"text": "See", "answer_start": 11}], "is_impossible": false},
            {"id": "b", "question": "When?", "answers": [], "is_impossible": true}]}]},
            {"title": "Rivers", "paragraphs": [{"context": "The Aare", "qas": [{"id": "c", "question": "Which?",
            "answers": [{"text": "Aare", "answer_start": 3}]}]}]}]}"#;
        let one_line = file.replace('\n', " ");
        for text in [file, &one_line] {
            let format = Format::Json { field: None };
            let table =
                Table::parse("s.json", text.as_bytes(), &format, &mut BadRows::Refuse).unwrap();
            assert_eq!(table.columns, ["id", "title", "context", "question", "answers"]);
            assert_eq!((table.rows.len(), &table.rows[2].cells["title"]), (3, &"Rivers".into()));
            let error = read("s.json", text).unwrap_err();
            assert!(error.starts_with("s.json, row 3: \"answers\" says \"Aare\""), "{error}");
            let set = read("s.json", &text.replace("start\": 3", "start\": 4")).unwrap();
            let gold = vec![vec![answer("See", 11)], vec![], vec![answer("Aare", 4)]];
            assert_eq!(set.targets, Targets::Answers(gold));
        }
        let error = read("s.json", &one_line.replace("\"qas\"", "\"questions\"")).unwrap_err();
        assert_eq!(error, "s.json, line 1: not SQuAD's form: missing field `qas`");
    }
}
