//! What the run was started with, where it ran and what it cost.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use super::run::{Run, name};
use crate::terminal::{bytes, clock, escape, grouped, millions};

pub fn section(run: &Run) -> String {
    let record = &run.record;
    let mut settings = vec![("base model".to_owned(), name(&record["base_model"]["path"]))];
    let parameters = record["base_model"]["parameters"].as_u64().unwrap_or_default() as usize;
    settings.push(("parameters".to_owned(), millions(parameters)));
    flatten(&record["recipe"], "", &mut settings);
    for key in ["max_length", "dtype"] {
        settings.push((key.to_owned(), word(&record[key])));
    }
    let seconds = |key: &str| {
        let seconds = record[key].as_f64().unwrap_or(0.0);
        clock(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    };
    let memory = record["peak_memory_bytes"].as_u64().map_or_else(|| "unknown".to_owned(), bytes);
    let device = &record["device"];
    let steps = record["steps"].as_u64().unwrap_or_default() as usize;
    let ran = [
        ("device", format!("{} ({})", word(&device["chosen"]), word(&device["name"]))),
        ("threads", word(&device["threads"])),
        ("steps", grouped(steps)),
        ("training", seconds("train_seconds")),
        ("evaluation", seconds("evaluation_seconds")),
        ("memory at most", memory),
        ("emberlab", word(&record["emberlab"])),
        ("Burn", word(&record["burn"])),
    ];
    let ran: Vec<(String, String)> = ran.map(|(key, value)| (key.to_owned(), value)).into();
    format!(
        "<section>\n<h2>Settings</h2>\n<pre>{}</pre>\n<div class=\"pair\">\n<div><h3>Recipe</h3>\n{}</div>\n<div><h3>Where and how long</h3>\n{}</div>\n</div>\n</section>\n",
        escape(record["command"].as_str().unwrap_or_default()),
        table(&settings),
        table(&ran)
    )
}

fn table(rows: &[(String, String)]) -> String {
    let mut html = "<table class=\"rows settings\">\n".to_owned();
    for (key, value) in rows {
        let _ = writeln!(html, "<tr><td>{}</td><td>{}</td></tr>", escape(key), escape(value));
    }
    html + "</table>\n"
}

/// The leaves of an object, by the names that lead to them.
fn flatten(value: &Value, path: &str, to: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(value, &path, to);
            }
        }
        Value::Null => {}
        leaf => to.push((path.to_owned(), word(leaf))),
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        value => value.to_string(),
    }
}
