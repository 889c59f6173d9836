//! One set in every format gives the same rows, and bad rows can be left out.

use std::fs;

use serde_json::Value;

use crate::command::{Scratch, jsonl};
use crate::support::{bytes, fixture};

/// The rows that `datasets` wrote, as `predict` hands them on.
fn predicted(scratch: &Scratch, rest: &str) -> Vec<Value> {
    jsonl(&scratch.run(&format!("predict --model model {rest}")).ok())
}

fn with_formats() -> Scratch {
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    for entry in fs::read_dir(fixture("formats")).unwrap() {
        let path = entry.unwrap().path();
        scratch.write(path.file_name().unwrap().to_str().unwrap(), bytes(&path));
    }
    scratch
}

#[test]
fn one_set_in_every_format_gives_identical_rows() {
    let scratch = with_formats();
    let rows = predicted(&scratch, "--input rows.jsonl");
    assert_eq!(rows.len(), 12);
    assert_eq!(rows[2]["text"], "two\nlines");
    for input in [
        "rows.csv",
        "rows.tsv",
        "semicolons.csv --delimiter ;",
        "rows.json",
        "field.json --field data",
        "rows.parquet",
        "none.parquet",
        "gzip.parquet",
        "zstd.parquet",
        "rows.csv.gz",
        "rows.jsonl.gz",
    ] {
        assert_eq!(predicted(&scratch, &format!("--input {input}")), rows, "{input}");
    }
    let bom = ["\u{feff}".as_bytes(), &bytes(&fixture("formats/rows.csv"))].concat();
    scratch.write("bom.csv", bom);
    assert_eq!(predicted(&scratch, "--input bom.csv"), rows);
}

#[test]
fn folders_of_texts_and_of_files_give_the_rows_too() {
    let scratch = with_formats();
    let rows = predicted(&scratch, "--input rows.jsonl");
    for (row, name) in rows.iter().zip('a'..) {
        let (text, gold) = (row["text"].as_str().unwrap(), row["gold"].as_str().unwrap());
        scratch.write(&format!("classes/train/{gold}/{name}.txt"), text);
        let half = if name < 'g' { 0 } else { 1 };
        let file = scratch.path(&format!("shards/data/train-0000{half}-of-00002.jsonl"));
        let before = if file.exists() { fs::read_to_string(&file).unwrap() } else { String::new() };
        let line = serde_json::json!({"text": text, "note": row["note"], "label": gold});
        scratch.write(file.to_str().unwrap(), format!("{before}{line}\n"));
    }
    assert_eq!(predicted(&scratch, "--input shards"), rows);
    let texts = |rows: &[Value]| {
        let pair = |row: &Value| {
            (row["gold"].to_string(), row["text"].as_str().unwrap().trim_end().to_owned())
        };
        let mut texts: Vec<_> = rows.iter().map(pair).collect();
        texts.sort();
        texts
    };
    // Files follow one another by name, in a folder for each class.
    let from_folders = predicted(&scratch, "--input classes");
    assert_eq!(texts(&from_folders), texts(&rows));
    assert_eq!(from_folders[0]["gold"], "billing");
}

/// A text a line is what `load_dataset("text")` reads.
#[test]
fn lines_of_text() {
    let scratch = with_formats();
    scratch.write("lines.txt", "first\n\nthird\r\n");
    let rows = predicted(&scratch, "--input lines.txt");
    let texts: Vec<&str> = rows.iter().map(|row| row["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["first", "third"]);
}

/// `ClassLabel` ids keep their names and their order.
#[test]
fn class_names_of_parquet_become_id2label() {
    let scratch = with_formats();
    let line = "train --model bert-tiny --train ids.parquet --out run --epochs 1 --device cpu";
    scratch.run(line).ok();
    let config = scratch.json("run/config.json");
    let names = ["0", "1", "2"].map(|id| config["id2label"][id].as_str().unwrap().to_owned());
    assert_eq!(names, ["praise", "billing", "other"]);
    // Rows by name are measured by a model that was trained on ids, and the other way round.
    for data in ["ids.parquet", "rows.csv"] {
        let json = scratch.run(&format!("evaluate --model run --data {data} --json")).ok();
        let metrics: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(metrics["per_class"]["praise"]["support"], 4, "{data}: {json}");
    }
}

/// Ids of a CSV by the names that `datasets` writes into a dataset card.
#[test]
fn class_names_of_a_dataset_card_become_id2label() {
    let scratch = with_formats();
    scratch.write("set/train.csv", bytes(&scratch.path("ids.csv")));
    scratch.write("set/README.md", bytes(&scratch.path("card.md")));
    let shown = scratch.run("data set --json").ok();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let counts: Vec<_> = shown["splits"][0]["label_counts"].as_array().unwrap().clone();
    assert_eq!(counts[0], serde_json::json!({"label": "praise", "rows": 4}));
    scratch.run("train --model bert-tiny --data set --out run --epochs 1 --device cpu").ok();
    let config = scratch.json("run/config.json");
    let names = ["0", "1", "2"].map(|id| config["id2label"][id].as_str().unwrap().to_owned());
    assert_eq!(names, ["praise", "billing", "other"]);
    scratch.write("set/README.md", "---\ndataset_info: [\n---\n");
    let ran = scratch.run("data set --json");
    assert!(ran.stderr.contains("README.md: no class names are read from it"), "{}", ran.stderr);
}

/// A folder of `save_to_disk` has JSON beside its rows, which is not taken for them.
#[test]
fn arrow_files_are_refused_with_the_way_out() {
    let scratch = Scratch::new();
    scratch.write("saved/data-00000-of-00001.arrow", b"\xff\xff\xff\xff");
    scratch.write("saved/state.json", "{\"_data_files\": []}");
    let said = scratch.run("data saved").error();
    assert!(
        said.contains("cannot read saved: Arrow files") && said.contains("to_parquet"),
        "{said}"
    );
}

#[test]
fn a_damaged_gzip_file_is_named() {
    let scratch = with_formats();
    let whole = bytes(&scratch.path("rows.csv.gz"));
    scratch.write("cut.csv.gz", &whole[..whole.len() / 2]);
    scratch.write("plain.csv.gz", bytes(&scratch.path("rows.csv")));
    for input in ["cut.csv.gz", "plain.csv.gz"] {
        let said = scratch.run(&format!("predict --model model --input {input}")).error();
        assert!(said.contains(&format!("cannot read {input}")), "{said}");
    }
}

#[test]
fn bad_rows_are_skipped_and_counted() {
    let scratch = with_formats();
    scratch.write("bad.csv", "text,label\na,praise\nb\n,praise\nc,praise\nd\n");
    let ran = scratch.run("predict --model model --input bad.csv --skip-bad-rows");
    for says in ["skipped 3 rows", "bad.csv, line 3: 1 cells", "bad.csv, line 4: \"text\" is empty"]
    {
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    assert_eq!(jsonl(&ran.ok()).len(), 2);
    scratch.write("labels.csv", "text,label\na,praise\nb,billing\nc,\nd,thanks\n");
    let ran = scratch.run("evaluate --model model --data labels.csv --skip-bad-rows");
    assert!(ran.stderr.contains("skipped 2 rows"), "{}", ran.stderr);
    assert!(ran.ok().starts_with("labels.csv: 2 rows"));
    let line = "train --model model --train labels.csv --out run --epochs 1 --skip-bad-rows";
    scratch.run(line).ok();
    assert_eq!(scratch.json("run/run.json")["data"][0]["skipped_rows"], 1);
}
