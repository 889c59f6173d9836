//! The rows of `predict`: what comes in (file, standard input, command line) and what goes out.

use std::io::BufRead;

use anyhow::{Context, Result, ensure};
use emberlab_core::data::{Format, Place, Row, Table};
use emberlab_core::model::Prediction;
use emberlab_core::text::Texts;
use serde_json::{Map, Value};

use super::answers::Answers;
use crate::terminal::counted;

/// The texts of a command that takes nothing else, each with the other half of a pair if there are
/// such.
pub fn halves<'a>(
    texts: &'a [String],
    pairs: &'a [String],
) -> Result<impl Iterator<Item = (&'a str, Option<&'a str>)>> {
    ensure!(
        pairs.is_empty() || pairs.len() == texts.len(),
        "there are {} and {} for --text-pair; each text needs its other half",
        counted(texts.len(), "text"),
        pairs.len()
    );
    let half = |(index, text): (usize, &'a String)| (&**text, pairs.get(index).map(String::as_str));
    Ok(texts.iter().enumerate().map(half))
}

/// The texts of the command line, each with the other half of a pair if there are such.
pub fn from_arguments(texts: &[String], pairs: &[String]) -> Result<Table> {
    const NAME: &str = "--text";
    ensure!(
        pairs.is_empty() || pairs.len() == texts.len(),
        "--text gives {} and --text-pair {}; each text needs its other half",
        texts.len(),
        pairs.len()
    );
    let columns = match pairs.is_empty() {
        true => vec!["text".to_owned()],
        false => vec!["text".to_owned(), "text_pair".to_owned()],
    };
    let file = NAME.into();
    let row = |(index, text): (usize, &String)| {
        let cells = std::iter::once(text).chain(pairs.get(index)).map(|text| Value::from(&**text));
        let cells = columns.iter().cloned().zip(cells).collect();
        Row { place: Place::line(&file, index + 1), cells }
    };
    let rows = texts.iter().enumerate().map(row).collect();
    Ok(Table { name: NAME.to_owned(), columns: columns.clone(), rows, ..Table::default() })
}

/// What standard input is called in messages.
pub const STDIN: &str = "standard input";

/// The format of standard input: JSONL where the first line opens an object, else one text a line. Empty
/// lines are skipped.
pub fn stdin_format(input: &mut impl BufRead) -> Result<Format> {
    let bytes = input.fill_buf().context("cannot read standard input")?;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    Ok(match bytes.trim_ascii_start().first() {
        Some(b'{') => Format::Jsonl,
        _ => Format::Lines,
    })
}

/// The input row without the columns that a prediction adds.
fn kept_cells(row: &Row, answers: &Answers) -> Map<String, Value> {
    let has_gold = row.cells.contains_key("gold");
    let rename = |(column, value): (&String, &Value)| {
        Some((answers.kept(column, has_gold)?.to_owned(), value.clone()))
    };
    row.cells.iter().filter_map(rename).collect()
}

/// JSONL: each input row with what is predicted.
pub fn to_jsonl(table: &Table, predictions: &[Prediction], answers: &Answers) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for (index, (row, prediction)) in table.rows.iter().zip(predictions).enumerate() {
        let mut cells = kept_cells(row, answers);
        cells.extend(answers.json(index, prediction));
        serde_json::to_writer(&mut out, &cells)?;
        out.push(b'\n');
    }
    Ok(out)
}

/// CSV, below its header if there is to be one: the input columns, and what is predicted.
pub fn to_csv(
    table: &Table,
    predictions: &[Prediction],
    answers: &Answers,
    with_header: bool,
) -> Result<Vec<u8>> {
    let has_gold = table.columns.iter().any(|column| column == "gold");
    let added = answers.csv_header();
    let columns = table.columns.iter().filter_map(|column| answers.kept(column, has_gold));
    let columns: Vec<&str> =
        columns.filter(|column| !added.iter().any(|it| it == column)).collect();
    let mut out = csv::Writer::from_writer(Vec::new());
    if with_header {
        let header = columns.iter().map(|column| (*column).to_owned());
        out.write_record(header.chain(added))?;
    }
    for (index, (row, prediction)) in table.rows.iter().zip(predictions).enumerate() {
        let cells = kept_cells(row, answers);
        let record = columns.iter().map(|column| cells.get(*column).map_or_else(String::new, cell));
        out.write_record(record.chain(answers.csv(index, prediction)))?;
    }
    out.into_inner().context("cannot finish the CSV")
}

/// For a person at a terminal: each text with what is predicted.
pub fn to_bars(texts: &Texts, predictions: &[Prediction], answers: &Answers) -> String {
    let mut out = String::new();
    for (index, prediction) in predictions.iter().enumerate() {
        let second = texts.second(index).map_or_else(String::new, |second| format!(" | {second}"));
        let bars = answers.bars(index, prediction);
        out.push_str(&format!("{}{second}\n{bars}", texts.first[index]));
    }
    out
}

/// A cell of a CSV file.
pub fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use emberlab_core::data::{BadRows, LabelMap, Task};

    use super::*;
    use crate::predict::answers::tests::answers;

    fn labels() -> LabelMap {
        LabelMap::new("test", vec!["joy".into(), "fear".into(), "love".into()]).unwrap()
    }

    fn prediction() -> Prediction {
        let probabilities = vec![0.1, 0.7, 0.2];
        Prediction { logits: vec![0.0, 2.0, 1.0], probabilities, ..Prediction::default() }
    }

    fn from_stdin(bytes: &[u8]) -> Table {
        let format = stdin_format(&mut &*bytes).unwrap();
        Table::parse(STDIN, bytes, &format, &mut BadRows::Refuse).unwrap()
    }

    fn jsonl(line: &str, top_k: Option<usize>) -> String {
        let table = from_stdin(line.as_bytes());
        let labels = labels();
        let texts = Texts::default();
        let answers = answers(Task::SingleLabelClassification, &labels, &texts, top_k);
        String::from_utf8(to_jsonl(&table, &[prediction()], &answers).unwrap()).unwrap()
    }

    #[test]
    fn a_label_becomes_gold() {
        assert_eq!(
            jsonl(r#"{"id": 7, "text": "a", "label": "joy"}"#, None),
            "{\"id\":7,\"text\":\"a\",\"gold\":\"joy\",\"label\":\"fear\",\"score\":0.7,\
             \"probabilities\":{\"joy\":0.1,\"fear\":0.7,\"love\":0.2}}\n"
        );
    }

    #[test]
    fn predicting_again_keeps_gold() {
        let once = jsonl(r#"{"text": "a", "label": "joy"}"#, None);
        assert_eq!(jsonl(&once, None), once);
    }

    #[test]
    fn top_k_is_best_first() {
        assert!(jsonl("a", Some(2)).contains(r#""probabilities":{"fear":0.7,"love":0.2}"#));
    }

    #[test]
    fn csv_has_a_column_for_each_class() {
        let csv = b"text,label\n\"a, b\",joy\n";
        let table = Table::parse("a.csv", csv, &Format::CSV, &mut BadRows::Refuse).unwrap();
        let labels = labels();
        let texts = Texts::default();
        let answers = answers(Task::SingleLabelClassification, &labels, &texts, Some(1));
        let csv = to_csv(&table, &[prediction()], &answers, true).unwrap();
        assert_eq!(
            String::from_utf8(csv).unwrap(),
            "text,gold,label,score,p_joy,p_fear,p_love\n\"a, b\",joy,fear,0.7,,0.7,\n"
        );
    }

    #[test]
    fn plain_lines_keep_their_line_numbers() {
        let table = from_stdin(b"first\n\nthird\r\n");
        let rows = table.rows.iter();
        let rows: Vec<String> =
            rows.map(|row| format!("{}: {}", row.place, row.cells["text"])).collect();
        assert_eq!(
            rows,
            ["standard input, line 1: \"first\"", "standard input, line 3: \"third\""]
        );
    }

    #[test]
    fn each_text_needs_its_other_half() {
        let texts =
            |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let table = from_arguments(&texts(&["a", "b"]), &texts(&["c", "d"])).unwrap();
        assert_eq!(table.rows[1].cells["text_pair"], "d");
        assert!(from_arguments(&texts(&["a", "b"]), &texts(&["c"])).is_err());
    }
}
