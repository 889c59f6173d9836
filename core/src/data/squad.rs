//! Questions about contexts in the two forms that SQuAD has: its own JSON
//! (`data[].paragraphs[].qas[]`, <https://rajpurkar.github.io/SQuAD-explorer/>), and rows as `datasets`
//! has them.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

use super::{
    Columns, GoldAnswer, Row,
    answers::bad_cell,
    dataset::text,
    json::{
        self,
        scan::{MOST_VALUES, values},
    },
};
use crate::{Error, Result};

/// Characters of a context that a message shows.
const SHOWN: usize = 40;

/// Each question is a row with its context. In all, rows may have so many times the bytes of the file, and so
/// many more: SQuAD asks some 5 questions about each paragraph, but CUAD 41 about each contract.
const MOST_TIMES: u64 = 64;
const AND_MORE: u64 = 64 << 20;
/// Bytes of a row beside its title and context.
const ROW: usize = 500;
/// Bytes that a file has for each of its values at least, unless a row may have them all.
const BYTES_A_VALUE: usize = 8;

/// A file, with its questions as `Q`.
#[derive(Deserialize)]
struct File<Q> {
    data: Vec<Article<Q>>,
}

#[derive(Deserialize)]
struct Article<Q> {
    title: Option<String>,
    paragraphs: Vec<Paragraph<Q>>,
}

#[derive(Deserialize)]
struct Paragraph<Q> {
    context: String,
    qas: Vec<Q>,
}

#[derive(Deserialize)]
struct Question {
    #[serde(default)]
    id: Value,
    question: Option<Value>,
    answers: Option<Value>,
}

/// Whether a JSON text is a file of SQuAD's own form.
pub(super) fn is_file(text: &str) -> bool {
    #[derive(Deserialize)]
    struct File {
        data: Vec<Article>,
    }
    #[derive(Deserialize)]
    struct Article {
        paragraphs: Option<IgnoredAny>,
    }
    let has_paragraphs = |file: File| file.data.first().is_some_and(|of| of.paragraphs.is_some());
    text.contains("\"paragraphs\"") && serde_json::from_str(text).is_ok_and(has_paragraphs)
}

/// The questions of such a file as rows, in order: `id`, `title`, `context`, `question` and, where they are
/// stated, `answers`.
pub(super) fn rows(text: &str) -> Result<Vec<Map<String, Value>>, String> {
    check_size(text)?;
    let File { data } = parsed::<Question>(text)?;
    let mut rows = Vec::new();
    for Article { title, paragraphs } in data {
        for Paragraph { context, qas } in paragraphs {
            rows.extend(qas.into_iter().map(|Question { id, question, answers }| {
                let mut row = Map::from_iter([
                    ("id".to_owned(), id),
                    ("title".to_owned(), title.as_deref().into()),
                    ("context".to_owned(), context.as_str().into()),
                ]);
                for (key, value) in [("question", question), ("answers", answers)] {
                    row.extend(value.map(|value| (key.to_owned(), value)));
                }
                row
            }));
        }
    }
    Ok(rows)
}

fn parsed<'a, Q: Deserialize<'a>>(text: &'a str) -> Result<File<Q>, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("not SQuAD's form: {}", json::reason(&error)))
}

/// Checks, before there are rows, that they are not out of all proportion to the file.
fn check_size(text: &str) -> Result<(), String> {
    if values(text) > MOST_VALUES.max(text.len() / BYTES_A_VALUE) {
        return Err("more values than questions can have; leave out lists that are not read".into());
    }
    let mut bytes = 0;
    for Article { title, paragraphs } in parsed::<IgnoredAny>(text)?.data {
        let title = title.map_or(0, |title| title.len());
        for Paragraph { context, qas } in paragraphs {
            bytes += qas.len() as u64 * (context.len() + title + ROW) as u64;
        }
    }
    if bytes > MOST_TIMES * text.len() as u64 + AND_MORE {
        let mb = bytes >> 20;
        return Err(format!(
            "the contexts, once for each question, have {mb} MB; shorten them, or ask less of each"
        ));
    }
    Ok(())
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

    /// A megabyte of context with a hundred thousand questions, and questions of nothing but brackets.
    #[test]
    fn rows_are_in_proportion_to_the_file() {
        let file = |context: usize, questions: usize, question: &str| {
            let (context, questions) = ("a".repeat(context), vec![question; questions].join(","));
            format!(
                r#"{{"data":[{{"paragraphs":[{{"context":"{context}","qas":[{questions}]}}]}}]}}"#
            )
        };
        let question = r#"{"question": "What does it say?"}"#;
        for (text, says) in [
            (file(1 << 20, 100_000, question), "the contexts, once for each question, have 100"),
            (file(1, 1_000_000, "{}"), "more values than questions can have"),
        ] {
            let error = read("s.json", &text).unwrap_err();
            assert!(error.starts_with(&format!("s.json, line 1: {says}")), "{error}");
        }
        // Long contracts and 41 questions on each, as in CUAD.
        assert_eq!(super::rows(&file(1 << 20, 41, question)).unwrap().len(), 41);
    }
}
