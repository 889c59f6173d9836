//! `--data`, `--split` and `FILE[:10]` on the command line.

use serde_json::Value;

use crate::command::{Scratch, jsonl};

/// A folder with three splits, sorted by label as public sets often are.
fn with_folder() -> Scratch {
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    for (split, rows) in [("train", 40), ("validation", 10), ("test", 20)] {
        let row = |row: usize| {
            let label = if row < rows / 2 { "billing" } else { "praise" };
            format!("{split} {},{label}\n", "x".repeat(row + 1))
        };
        let rows: String = (0..rows).map(row).collect();
        scratch.write(&format!("set/{split}.csv"), format!("text,label\n{rows}"));
    }
    scratch
}

fn data(scratch: &Scratch) -> Vec<Value> {
    serde_json::from_value(scratch.json("run/run.json")["data"].clone()).unwrap()
}

#[test]
fn a_folder_trains_on_its_splits() {
    let scratch = with_folder();
    scratch.run("train --model model --data set --out run --epochs 1").ok();
    let rows: Vec<(String, u64)> = data(&scratch)
        .iter()
        .map(|split| (split["split"].to_string(), split["rows"].as_u64().unwrap()))
        .collect();
    let expected = [("\"train\"", 40), ("\"eval\"", 10), ("\"test\"", 20)];
    assert_eq!(rows, expected.map(|(split, rows)| (split.to_owned(), rows)));
}

/// What of a folder is not read is said, and said once.
#[test]
fn files_of_another_kind_are_left_out() {
    let scratch = with_folder();
    scratch.write("set/train-more.jsonl", "{\"text\": \"a\"}\n");
    scratch.write("set/README.md", "about the set");
    let ran = scratch.run("train --model model --data set --out run --dry-run");
    let says = "set: 1 data file of other kinds left out\n";
    assert_eq!(ran.stderr.matches(says).count(), 1, "{}", ran.stderr);
    ran.ok();
}

#[test]
fn slices_are_named_by_flags() {
    let scratch = with_folder();
    let line = "train --model model --data set --train train[:25%]+train[-25%:] --eval train[25%:75%] --out run --epochs 1";
    scratch.run(line).ok();
    let data = data(&scratch);
    assert_eq!((&data[0]["rows"], &data[0]["label_counts"]), (&20.into(), &vec![10, 10].into()));
    assert_eq!((&data[1]["instruction"], &data[1]["rows"]), (&"train[25%:75%]".into(), &20.into()));
    assert!(scratch.read("run/README.md").contains("`set train[25%:75%]`"));

    let sliced = jsonl(&scratch.run("predict --model model --input set/test.csv[5:7]").ok());
    let named = jsonl(&scratch.run("predict --model model --input set --split test[5:7]").ok());
    assert_eq!(sliced, named);
    assert_eq!(sliced[0]["text"], "test xxxxxx");
    let measured = scratch.run("evaluate --model model --data set").ok();
    assert!(measured.starts_with("set test: 20 rows"), "{measured}");
}

#[test]
fn text_of_train_among_what_is_measured_is_said() {
    let scratch = with_folder();
    let line = "train --model model --data set --train train --eval train[:3]+train[-3:] --out run --epochs 1";
    let ran = scratch.run(line);
    assert!(ran.stderr.contains("note: 6 texts of eval in train too;"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("of test in train too"), "{}", ran.stderr);
}

#[test]
fn a_slice_past_the_end_is_said() {
    let scratch = with_folder();
    let ran = scratch.run("predict --model model --input set/test.csv[15:100]");
    let says = "note: set/test.csv train[15:100] goes past the 20 rows of train: it is clamped to rows 15 to 20";
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
    assert_eq!(jsonl(&ran.ok()).len(), 5);
}

/// Public test sets keep their labels to themselves.
#[test]
fn a_test_split_without_labels_is_left_out_unless_it_is_asked_for() {
    let scratch = with_folder();
    scratch.write("set/test.csv", "text,label\na,-1\nb,-1\n");
    let line = "train --model model --data set --out run --epochs 1";
    let ran = scratch.run(line);
    assert!(ran.stderr.contains("note: set test has no labels; it is left out"), "{}", ran.stderr);
    ran.ok();
    let said = scratch.run(&format!("{line} --overwrite --test test")).error();
    assert!(said.contains("label \"-1\" is not one of"), "{said}");
}

#[test]
fn pairs_are_trained_and_predicted() {
    let scratch = Scratch::new();
    let row = |row: usize| {
        let (a, b, label) = [("red", "red", "same"), ("red", "blue", "other")][row % 2];
        format!("{{\"premise\": \"{a}\", \"hypothesis\": \"{b}\", \"label\": \"{label}\"}}\n")
    };
    scratch.write("pairs.jsonl", (0..64).map(row).collect::<String>());
    let line = "train --model bert-tiny --train pairs.jsonl --out run --epochs 12 --batch-size 16 --learning-rate 1e-3 --device cpu";
    let ran = scratch.run(line);
    assert!(ran.stderr.contains("pairs   premise and hypothesis"), "{}", ran.stderr);
    ran.ok();
    assert_eq!(data(&scratch)[0]["text_pair_column"], "hypothesis");
    // The first halves are all alike: only the second can tell the classes apart.
    let json = scratch.run("evaluate --model run --data pairs.jsonl --json").ok();
    let metrics: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(metrics["accuracy"], 1.0, "{json}");
    let predicted = scratch.run("predict --model run --text red red --text-pair red blue").ok();
    let labels: Vec<Value> = jsonl(&predicted).iter().map(|row| row["label"].clone()).collect();
    assert_eq!(labels, ["same", "other"]);
}
