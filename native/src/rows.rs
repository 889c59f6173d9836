//! The rows of `predict`: what comes in (file, standard input, command line) and what goes out.

use std::io::BufRead;

use anyhow::{Context, Result, ensure};
use emberlab_core::data::{Format, LabelMap, Place, Row, Table};
use emberlab_core::model::Prediction;
use emberlab_core::text::Texts;
use serde_json::{Map, Value};

use crate::report::rounded;

/// Columns that a prediction adds; an input column of that name gives way.
const OWN_COLUMNS: [&str; 3] = ["label", "score", "probabilities"];

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

/// The classes of one prediction with their probabilities: in id order, or the `top_k` most
/// probable, best first.
fn ranked(prediction: &Prediction, top_k: Option<usize>) -> Vec<(usize, f32)> {
    let mut classes: Vec<(usize, f32)> =
        prediction.probabilities.iter().copied().enumerate().collect();
    if let Some(k) = top_k {
        classes.sort_by(|a, b| b.1.total_cmp(&a.1));
        classes.truncate(k);
    }
    classes
}

/// The input row without the columns a prediction adds; its own `label` becomes `gold`.
fn kept(row: &Row) -> Map<String, Value> {
    let has_gold = row.cells.contains_key("gold");
    let rename = |(key, value): (&String, &Value)| match key.as_str() {
        "label" if !has_gold => Some(("gold".to_owned(), value.clone())),
        key if OWN_COLUMNS.contains(&key) => None,
        key => Some((key.to_owned(), value.clone())),
    };
    row.cells.iter().filter_map(rename).collect()
}

/// JSONL: each input row with `label`, `score` and `probabilities`.
pub fn to_jsonl(
    table: &Table,
    predictions: &[Prediction],
    labels: &LabelMap,
    top_k: Option<usize>,
) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for (row, prediction) in table.rows.iter().zip(predictions) {
        let best = prediction.label();
        let probabilities: Map<String, Value> = ranked(prediction, top_k)
            .into_iter()
            .map(|(id, p)| (labels.name(id).to_owned(), number(p)))
            .collect();
        let mut cells = kept(row);
        cells.insert("label".to_owned(), labels.name(best).into());
        cells.insert("score".to_owned(), number(prediction.probabilities[best]));
        cells.insert("probabilities".to_owned(), probabilities.into());
        serde_json::to_writer(&mut out, &cells)?;
        out.push(b'\n');
    }
    Ok(out)
}

/// CSV, below its header if there is to be one: the input columns, `label`, `score` and `p_<label>` for each class (empty below the top K).
pub fn to_csv(
    table: &Table,
    predictions: &[Prediction],
    labels: &LabelMap,
    top_k: Option<usize>,
    with_header: bool,
) -> Result<Vec<u8>> {
    let has_gold = table.columns.iter().any(|column| column == "gold");
    let columns: Vec<&str> = table
        .columns
        .iter()
        .map(|column| if column == "label" && !has_gold { "gold" } else { column })
        .filter(|column| !OWN_COLUMNS.contains(column))
        .collect();
    let mut out = csv::Writer::from_writer(Vec::new());
    let classes = labels.names().iter().map(|name| format!("p_{name}"));
    let own = ["label".into(), "score".into()];
    if with_header {
        out.write_record(columns.iter().map(|c| (*c).to_owned()).chain(own).chain(classes))?;
    }
    for (row, prediction) in table.rows.iter().zip(predictions) {
        let best = prediction.label();
        let cells = kept(row);
        let mut record: Vec<String> = columns
            .iter()
            .map(|column| cells.get(*column).map_or_else(String::new, cell))
            .collect();
        record.extend([
            labels.name(best).to_owned(),
            number(prediction.probabilities[best]).to_string(),
        ]);
        let mut probabilities = vec![String::new(); labels.len()];
        ranked(prediction, top_k)
            .into_iter()
            .for_each(|(id, p)| probabilities[id] = number(p).to_string());
        out.write_record(record.into_iter().chain(probabilities))?;
    }
    out.into_inner().context("cannot finish the CSV")
}

/// For a person at a terminal: each text with a bar for each class.
pub fn to_bars(
    texts: &Texts,
    predictions: &[Prediction],
    labels: &LabelMap,
    top_k: Option<usize>,
) -> String {
    const WIDTH: usize = 30;
    let names = labels.names();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (index, prediction) in predictions.iter().enumerate() {
        let second = texts.second(index).map_or_else(String::new, |second| format!(" | {second}"));
        out.push_str(&format!("{}{second}\n", texts.first[index]));
        for (id, p) in ranked(prediction, Some(top_k.unwrap_or(names.len()))) {
            let bar = "█".repeat((p * WIDTH as f32).round() as usize);
            out.push_str(&format!("  {:width$} {:5.1} % {bar}\n", names[id], p * 100.0));
        }
    }
    out
}

fn number(probability: f32) -> Value {
    Value::from(rounded(probability))
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use emberlab_core::data::BadRows;

    use super::*;

    fn labels() -> LabelMap {
        LabelMap::new("test", vec!["joy".into(), "fear".into(), "love".into()]).unwrap()
    }

    fn prediction() -> Prediction {
        Prediction { logits: vec![0.0, 2.0, 1.0], probabilities: vec![0.1, 0.7, 0.2] }
    }

    fn from_stdin(bytes: &[u8]) -> Table {
        let format = stdin_format(&mut &*bytes).unwrap();
        Table::parse(STDIN, bytes, &format, &mut BadRows::Refuse).unwrap()
    }

    fn jsonl(line: &str, top_k: Option<usize>) -> String {
        let table = from_stdin(line.as_bytes());
        String::from_utf8(to_jsonl(&table, &[prediction()], &labels(), top_k).unwrap()).unwrap()
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
        let csv = to_csv(&table, &[prediction()], &labels(), Some(1), true).unwrap();
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
