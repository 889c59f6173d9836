//! The data that were used, as `run.json` describes them.

use std::fmt::Write;

use serde_json::Value;

use super::run::{Run, name, numbers};
use crate::terminal::{escape, grouped};

/// More labels than this are not drawn.
const DRAWN_LABELS: usize = 40;

pub fn section(run: &Run) -> String {
    let splits: &[Value] = run.record["data"].as_array().map_or(&[], |splits| splits);
    if splits.is_empty() {
        return String::new();
    }
    let labels = run.record["labels"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let labels: Vec<&str> = labels.collect();
    let mut html = format!("<section>\n<h2>Data</h2>\n{}", table(splits));
    let parts: String = splits.iter().map(|split| of_split(split, &labels)).collect();
    let _ = write!(
        html,
        "<div class=\"pair\">\n{parts}</div>\n{}</section>\n",
        overlaps(&run.record["duplicates"])
    );
    html
}

fn table(splits: &[Value]) -> String {
    let mut html = "<table class=\"rows data\">\n<tr><th>split</th><th>rows</th><th>left out</th><th>tokens, mean</th>\
                    <th>95 % up to</th><th>longest</th><th>cut</th><th>file</th><th>columns</th></tr>\n"
        .to_owned();
    for split in splits {
        let count = |value: &Value| grouped(value.as_u64().unwrap_or_default() as usize);
        let tokens = &split["tokens"];
        let columns = [&split["text_column"], &split["text_pair_column"]].into_iter();
        let columns = columns.chain(split["label_columns"].as_array().into_iter().flatten());
        let columns: Vec<&str> = columns.filter_map(Value::as_str).collect();
        let instruction = split["instruction"].as_str().map(|rows| format!(" {rows}"));
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{:.1}</td>\
             <td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td title=\"SHA-256 {}\">{}</td><td>{}</td></tr>",
            escape(split["split"].as_str().unwrap_or_default()),
            count(&split["rows"]),
            count(&split["skipped_rows"]),
            tokens["mean"].as_f64().unwrap_or_default(),
            count(&tokens["percentile_95"]),
            count(&tokens["longest"]),
            count(&tokens["truncated"]),
            escape(split["sha256"].as_str().unwrap_or_default()),
            escape(&(name(&split["path"]) + &instruction.unwrap_or_default())),
            escape(&columns.join(", "))
        );
    }
    html + "</table>\n"
}

/// The labels and the lengths of a split.
fn of_split(split: &Value, labels: &[&str]) -> String {
    let title = escape(split["split"].as_str().unwrap_or_default());
    let mut html = String::new();
    let counts = numbers(&split["label_counts"]);
    if !counts.is_empty() {
        let _ = write!(html, "<div><h3>Labels of {title}</h3>\n{}</div>\n", bars(labels, &counts));
    }
    let bins: &[Value] = split["tokens"]["histogram"].as_array().map_or(&[], |bins| bins);
    if !bins.is_empty() {
        let _ =
            write!(html, "<div><h3>Tokens per text of {title}</h3>\n{}</div>\n", histogram(bins));
    }
    html
}

fn bars(labels: &[&str], counts: &[f64]) -> String {
    let (all, largest) =
        (counts.iter().sum::<f64>().max(1.0), counts.iter().copied().fold(1.0, f64::max));
    let mut html = "<table class=\"bars\">\n".to_owned();
    for (label, count) in labels.iter().zip(counts).take(DRAWN_LABELS) {
        let _ = writeln!(
            html,
            "<tr><th>{}</th><td class=\"bar\"><i style=\"width:{:.2}%\"></i></td><td>{}</td><td>{:.1} %</td></tr>",
            escape(label),
            count / largest * 100.0,
            grouped(*count as usize),
            count / all * 100.0
        );
    }
    html.push_str("</table>\n");
    if counts.len() > DRAWN_LABELS {
        let _ = writeln!(
            html,
            "<p class=\"quiet\">and {} more</p>",
            grouped(counts.len() - DRAWN_LABELS)
        );
    }
    html
}

fn histogram(bins: &[Value]) -> String {
    let number = |bin: &Value, key: &str| bin[key].as_u64().unwrap_or_default() as usize;
    let largest = bins.iter().map(|bin| number(bin, "rows")).max().unwrap_or(0).max(1);
    let mut html = "<div class=\"histogram\">\n".to_owned();
    for bin in bins {
        let (from, to, rows) = (number(bin, "from"), number(bin, "to"), number(bin, "rows"));
        let _ = writeln!(
            html,
            "<div title=\"{from}–{to} tokens: {}\"><p><i style=\"height:{:.2}%\"></i></p><span>{from}</span></div>",
            grouped(rows),
            rows as f64 * 100.0 / largest as f64
        );
    }
    html + "</div>\n"
}

/// Texts that stand twice, where they were looked for.
fn overlaps(duplicates: &Value) -> String {
    let rows = |found: &Value| grouped(found["rows"].as_u64().unwrap_or_default() as usize);
    let word = |found: &Value, key: &str| escape(found[key].as_str().unwrap_or_default());
    let list = |key: &str| duplicates[key].as_array().map_or(&[][..], |found| &found[..]);
    let mut found: Vec<String> = Vec::new();
    for repeats in list("within").iter().filter(|repeats| repeats["rows"] != 0) {
        found.push(format!(
            "{} rows of {} repeat an earlier text",
            rows(repeats),
            word(repeats, "split")
        ));
    }
    for overlap in list("across") {
        found.push(format!(
            "{} texts of {} stand in {}, too",
            rows(overlap),
            word(overlap, "split"),
            word(overlap, "also_in")
        ));
    }
    match (duplicates.is_object(), found.is_empty()) {
        (false, _) => String::new(),
        (true, true) => "<p class=\"quiet\">No text stands twice.</p>\n".to_owned(),
        (true, false) => format!("<p class=\"quiet\">{}.</p>\n", found.join("; ")),
    }
}
