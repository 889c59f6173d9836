//! Which rows an expression selects and which files of a folder are which split, held to what the
//! Python library `datasets` answered.

use emberlab_core::data::{ReadInstruction, split_files};
use serde_json::{Value, json};

use crate::support::{fixture, json};

fn entries(name: &str) -> Vec<Value> {
    serde_json::from_value(json(&fixture(name))).unwrap()
}

/// The selected rows as `[split, from, to]`.
fn select(expression: &str) -> Result<Value, String> {
    let instruction = ReadInstruction::parse(expression).map_err(|error| error.to_string())?;
    let selected = instruction.select(&[("train", 999), ("test", 250)]);
    let rows = selected.map_err(|error| error.to_string())?.into_iter();
    Ok(rows.map(|s| json!([s.split, s.rows.start, s.rows.end])).collect())
}

#[test]
fn expressions_select_the_rows_of_datasets() {
    let cases = entries("splits.json");
    let mut refused = 0;
    for case in &cases {
        let expression = case["expression"].as_str().unwrap();
        match (select(expression), case.get("rows")) {
            // From behind to: the library gives no row, which nobody can use.
            (Err(error), Some(rows)) if *rows == json!([]) => {
                assert!(error.contains("selects no row"), "{error}");
            }
            (Ok(selected), Some(rows)) => assert_eq!(selected, *rows, "{expression}"),
            (Err(error), None) => {
                assert!(error.starts_with(&format!("split \"{expression}\": ")), "{error}");
                refused += 1;
            }
            (ours, _) => panic!("{expression:?}: {ours:?}, but datasets: {case}"),
        }
    }
    assert!(cases.len() - refused >= 40 && refused >= 20, "the fixture shows little");
}

#[test]
fn files_make_the_splits_of_datasets() {
    for case in entries("data_files.json") {
        let files: Vec<String> = serde_json::from_value(case["files"].clone()).unwrap();
        let splits: serde_json::Map<String, Value> =
            split_files(&files).into_iter().map(|(split, files)| (split, files.into())).collect();
        let order =
            |splits: &Value| splits.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let splits = Value::from(splits);
        assert_eq!(splits, case["splits"], "{files:?}");
        assert_eq!(order(&splits), order(&case["splits"]), "{files:?}");
    }
}
