//! Sets of labels, scores and tags from data file to prediction.

use serde_json::{Value, json};

use super::transformers::{Opened, open_with_transformers, python};
use crate::{
    command::{Scratch, jsonl},
    support::{distance, say},
};

const TRAIN: &str = "--model bert-tiny --batch-size 8 --device cpu --out run";
const WORDS: [&str; 6] = ["river", "stone", "cloud", "engine", "violin", "pepper"];

fn rows(row: impl Fn(usize, &str) -> Value) -> String {
    let text = |index: usize| format!("{} and {}", WORDS[index % 6], WORDS[(index / 6 + 1) % 6]);
    (0..24).map(|index| row(index, &text(index)).to_string() + "\n").collect()
}

pub fn scores() -> String {
    rows(
        |index, text| json!({"text": text, "text_b": "a stone", "score": (index % 11) as f64 / 2.0}),
    )
}

pub fn sets() -> String {
    let names = ["b", "a", "c"];
    let set = |index: usize| -> Vec<&str> {
        (0..3).filter(|id| (index >> id) & 1 == 1).map(|id| names[id]).collect()
    };
    rows(|index, text| json!({"text": text, "labels": set(index)}))
}

pub fn tags() -> String {
    rows(|index, text| {
        let tokens: Vec<&str> = text.split(' ').collect();
        json!({"tokens": tokens, "ner_tags": ["B-X", "O", if index % 2 == 0 { "B-X" } else { "O" }]})
    })
}

/// Trains, and returns what `run.json` says.
fn trained(scratch: &Scratch, file: &str, more: &str) -> Value {
    scratch.run(&format!("train --train {file} --test {file} {TRAIN} {more}")).ok();
    scratch.json("run/run.json")
}

/// Figures of the run are those of the folder, measured again.
fn measured_again(scratch: &Scratch, file: &str, run: &Value) -> Value {
    let again =
        scratch.run(&format!("evaluate --model run --data {file} --json --device cpu")).ok();
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(run["metrics"]["test"], again);
    again
}

fn predicted(scratch: &Scratch, file: &str) -> Value {
    let rows = scratch.run(&format!("predict --model run --input {file} --device cpu")).ok();
    jsonl(&rows).remove(5)
}

#[test]
fn scores_from_file_to_prediction() {
    let scratch = Scratch::new();
    scratch.write("train.jsonl", scores());
    let run = trained(&scratch, "train.jsonl", "");
    assert_eq!(run["task"], "regression");
    assert_eq!(scratch.json("run/config.json")["problem_type"], "regression");
    let figures = measured_again(&scratch, "train.jsonl", &run);
    assert!(figures["pearson"].is_number() && figures["mse"].is_number(), "{figures}");
    let row = predicted(&scratch, "train.jsonl");
    assert_eq!(row["gold"], 2.5);
    assert!(row["score"].is_number() && row.get("label").is_none(), "{row}");
    let csv = scratch.run("predict --model run --input train.jsonl --format csv").ok();
    assert!(csv.starts_with("text,text_b,gold,score\n"), "{csv}");
    let card = scratch.read("run/README.md");
    assert!(card.contains("Text regression") && card.contains("Spearman"), "{card}");
    let lines = jsonl(&scratch.read("run/metrics.jsonl"));
    assert!(lines.last().unwrap()["spearman"].is_number(), "{lines:?}");
}

#[test]
fn sets_of_labels_from_file_to_prediction() {
    let scratch = Scratch::new();
    scratch.write("train.jsonl", sets());
    let run = trained(&scratch, "train.jsonl", "--class-weights balanced");
    assert_eq!(
        (&run["task"], &run["labels"]),
        (&json!("multi_label_classification"), &json!(["a", "b", "c"]))
    );
    assert_eq!(run["data"][0]["label_counts"], json!([12, 12, 12]));
    assert_eq!(run["recipe"]["loss"]["class_weights"], json!([1.0, 1.0, 1.0]));
    let figures = measured_again(&scratch, "train.jsonl", &run);
    assert!(figures["samples_f1"].is_number() && figures["per_class"]["b"]["support"] == 12);
    let row = predicted(&scratch, "train.jsonl");
    assert_eq!(row["gold"], json!(["b", "c"]));
    let probabilities = row["probabilities"].as_object().unwrap();
    let given = |name: &&String| probabilities[*name].as_f64().unwrap() > 0.5;
    let given: Vec<&String> = probabilities.keys().filter(given).collect();
    assert_eq!(row["labels"], json!(given));

    // The same sets as columns and as cells train the same model.
    let weights = || crate::support::bytes(&scratch.path("run/model.safetensors"));
    let before = weights();
    let lines = jsonl(&sets());
    let has = |row: &Value, name: &str| {
        usize::from(row["labels"].as_array().unwrap().contains(&name.into()))
    };
    let columns = |row: &Value| {
        format!(
            "{},{},{},{}\n",
            row["text"].as_str().unwrap(),
            has(row, "a"),
            has(row, "b"),
            has(row, "c")
        )
    };
    let columns: String = lines.iter().map(columns).collect();
    scratch.write("columns.csv", format!("text,a,b,c\n{columns}"));
    trained(&scratch, "columns.csv", "--class-weights balanced --overwrite");
    assert!(weights() == before, "columns");
    let cells = |row: &Value| {
        let labels = row["labels"].as_array().unwrap().iter();
        let labels: Vec<&str> = labels.map(|label| label.as_str().unwrap()).collect();
        format!("{},{}\n", row["text"].as_str().unwrap(), labels.join("|"))
    };
    let cells: String = lines.iter().map(cells).collect();
    scratch.write("cells.csv", format!("text,labels\n{cells}"));
    trained(
        &scratch,
        "cells.csv",
        "--task multi_label_classification --class-weights balanced --overwrite",
    );
    assert!(weights() == before, "cells");
}

#[test]
fn tags_from_file_to_prediction() {
    let scratch = Scratch::new();
    scratch.write("train.jsonl", tags());
    let run = trained(&scratch, "train.jsonl", "--learning-rate 5e-3 --epochs 8");
    assert_eq!(
        (&run["task"], &run["labels"]),
        (&json!("token_classification"), &json!(["B-X", "O"]))
    );
    let config = scratch.json("run/config.json");
    assert_eq!(config["architectures"], json!(["BertForTokenClassification"]));
    let figures = measured_again(&scratch, "train.jsonl", &run);
    assert!(figures["f1"].as_f64().unwrap() > 0.5, "{figures}");
    let row = predicted(&scratch, "train.jsonl");
    assert_eq!(row["tags"].as_array().unwrap().len(), 3);
    assert_eq!(row["gold"], json!(["B-X", "O", "O"]));
    let said = scratch.run("predict --model run --text 'river' --device cpu").ok();
    let entity = jsonl(&said).remove(0)["entities"][0].clone();
    assert_eq!((&entity["entity_group"], &entity["start"]), (&json!("X"), &json!(0)), "{entity}");

    let conll = |row: &Value| -> String {
        let words =
            row["tokens"].as_array().unwrap().iter().zip(row["ner_tags"].as_array().unwrap());
        let line = |(word, tag): (&Value, &Value)| {
            format!("{} {}\n", word.as_str().unwrap(), tag.as_str().unwrap())
        };
        words.map(line).collect::<String>() + "\n"
    };
    scratch.write("train.conll", jsonl(&tags()).iter().map(conll).collect::<String>());
    assert_eq!(measured_again(&scratch, "train.conll", &run)["words"], 72);
}

/// What is no answer of the task is named by its line.
#[test]
fn answers_of_another_kind_are_refused() {
    let scratch = Scratch::new();
    for (row, task, says) in [
        (
            r#"{"text": "a", "text_b": "b", "score": "high"}"#,
            "regression",
            "\"score\" is not a number: \"high\"",
        ),
        (r#"{"text": "a", "text_b": "b", "score": null}"#, "regression", "\"score\" is missing"),
        (
            r#"{"text": "a", "labels": [0.5]}"#,
            "multi_label_classification",
            "\"labels\" holds what is neither",
        ),
        (
            r#"{"tokens": ["a"], "tags": ["O", "O"]}"#,
            "token_classification",
            "\"tags\" has 2 tags for 1 words",
        ),
        (
            r#"{"tokens": ["a", 7], "tags": ["O", "O"]}"#,
            "token_classification",
            "\"tokens\" holds what is no string",
        ),
    ] {
        let file = match task {
            "regression" => scores(),
            "token_classification" => tags().replace("ner_tags", "tags"),
            _ => sets(),
        };
        scratch.write("odd.jsonl", file + row + "\n");
        let line = format!("train --train odd.jsonl {TRAIN} --task {task} --dry-run");
        let said = scratch.run(&line).error();
        assert!(said.contains(&format!("odd.jsonl, line 25: {says}")), "{said}");
        let skipped = scratch.run(&format!("{line} --skip-bad-rows"));
        assert!(skipped.stderr.contains("skipped 1 row"), "{}", skipped.stderr);
        assert!(skipped.ok().contains(&format!("task    {task}")));
    }
    scratch.write("train.jsonl", scores());
    let said =
        scratch.run(&format!("train --train train.jsonl {TRAIN} --class-weights balanced")).error();
    assert!(said.contains("class_weights = balanced: a regression has no classes"), "{said}");
}

#[test]
fn data_shows_each_kind() {
    let scratch = Scratch::new();
    for (file, rows, says) in [
        ("scores.jsonl", scores(), "scores (regression): 0 to 5, mean"),
        ("sets.jsonl", sets(), "labels (multi_label_classification)"),
        ("tags.jsonl", tags(), "labels (token_classification)"),
    ] {
        scratch.write(file, rows);
        let said = scratch.run(&format!("data {file} --html {file}.html")).ok();
        assert_eq!(said, "");
        assert!(scratch.read(&format!("{file}.html")).contains("<h3>Labels</h3>"));
        let said = scratch.run(&format!("data {file}")).ok();
        assert!(said.contains(says), "{said}");
    }
    let said = scratch.run("data sets.jsonl").ok();
    assert!(said.contains("(none)        3   12.5 %"), "{said}");
}

/// The folder of each task opens in transformers with the head of that task and the same logits.
#[test]
fn transformers_opens_each_task() {
    let Some(python) = python() else {
        let reason = "EMBERLAB_PYTHON names no Python with transformers";
        return say(&format!("SKIPPED: transformers_opens_each_task, because {reason}\n"));
    };
    for (rows, task, outputs) in [
        (scores(), "regression", "score"),
        (sets(), "multi_label_classification", "probabilities"),
        (tags(), "token_classification", "tags"),
    ] {
        let scratch = Scratch::new();
        scratch.write("texts.jsonl", rows);
        trained(&scratch, "texts.jsonl", "--learning-rate 1e-3 --epochs 3");
        let Opened { missing, unexpected, logits, problem_type, .. } =
            open_with_transformers(&python, &scratch.path("."));
        assert_eq!((missing, unexpected), (vec![], vec![]), "{task}");
        let stated = (task != "token_classification").then(|| task.to_owned());
        assert_eq!(problem_type, stated);
        let predicted = jsonl(&scratch.run("predict --model run --input texts.jsonl").ok());
        for (row, logits) in predicted.iter().zip(logits) {
            match outputs {
                "score" => {
                    let score = row["score"].as_f64().unwrap() as f32;
                    assert!(distance(&[score], &logits) < 1e-4, "{row} {logits:?}");
                }
                "probabilities" => {
                    let ours = row["probabilities"].as_object().unwrap().values();
                    let ours: Vec<f32> = ours.map(|p| p.as_f64().unwrap() as f32).collect();
                    let theirs: Vec<f32> =
                        logits.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect();
                    assert!(distance(&ours, &theirs) < 1e-4, "{row} {logits:?}");
                }
                _ => {
                    // The first piece of each word, as open_folder.py picks it.
                    let best = |word: &[f32]| if word[0] >= word[1] { "B-X" } else { "O" };
                    let theirs: Vec<&str> = logits.chunks(2).map(best).collect();
                    assert_eq!(row["tags"], json!(theirs));
                }
            }
        }
    }
}
