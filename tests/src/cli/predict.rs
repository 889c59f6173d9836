//! `emberlab predict` and `emberlab evaluate` on the random classifier: what goes in, what comes
//! out, and that the figures are those of the predictions.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::command::{Ran, Scratch, jsonl};

const NAMES: [&str; 4] = ["billing", "delivery", "praise", "other"];

/// 40 rows of many lengths, so that batches do not follow the file's order.
fn rows() -> Vec<(String, &'static str)> {
    let words =
        ["the parcel", "never came", "please refund me", "lovely", "who pays", "late again"];
    let row = |i: usize| {
        let text: Vec<&str> = (0..1 + (i * 5) % 6).map(|j| words[(i * i + 3 * j) % 6]).collect();
        (format!("{} no {}", text.join(" "), "x".repeat(1 + i % 7)), NAMES[i * 3 % 4])
    };
    (0..40).map(row).collect()
}

/// A folder with the classifier `model` and the same rows as CSV and as JSON Lines.
fn with_rows() -> Scratch {
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    let csv: String = rows()
        .iter()
        .enumerate()
        .map(|(id, (text, label))| format!("{id},{text},{label}\n"))
        .collect();
    scratch.write("rows.csv", format!("id,text,label\n{csv}"));
    let jsonl: String = rows()
        .iter()
        .enumerate()
        .map(|(id, (text, label))| {
            format!("{}\n", serde_json::json!({"id": id, "text": text, "label": label}))
        })
        .collect();
    scratch.write("rows.jsonl", jsonl);
    scratch
}

fn predict(scratch: &Scratch, rest: &str) -> Vec<Value> {
    jsonl(&scratch.run(&format!("predict --model model {rest}")).ok())
}

fn probability(row: &Value, label: &str) -> f64 {
    row["probabilities"][label].as_f64().unwrap()
}

#[test]
fn rows_keep_their_order_and_their_label_as_gold() {
    let scratch = with_rows();
    let predicted = predict(&scratch, "--input rows.jsonl --batch-size 7");
    assert_eq!(predicted.len(), 40);
    for (id, (row, (text, label))) in predicted.iter().zip(rows()).enumerate() {
        assert_eq!(row["id"], id);
        assert_eq!((&row["text"], &row["gold"]), (&text.as_str().into(), &label.into()));
        let probabilities = row["probabilities"].as_object().unwrap();
        assert_eq!(probabilities.keys().collect::<Vec<_>>(), NAMES);
        let sum: f64 = NAMES.iter().map(|name| probability(row, name)).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{row}");
        let best = NAMES.iter().map(|name| probability(row, name)).fold(0.0, f64::max);
        assert_eq!(row["score"], best);
        assert_eq!(probability(row, row["label"].as_str().unwrap()), best);
    }
    let labels: BTreeSet<&str> = predicted.iter().filter_map(|row| row["label"].as_str()).collect();
    assert!(labels.len() > 1, "a test in which every row is predicted alike shows little");
}

/// A row's place in a batch, the batch's size and the padding do not touch its probabilities.
#[test]
fn a_text_has_its_probabilities_wherever_it_stands() {
    let scratch = with_rows();
    let together = predict(&scratch, "--input rows.jsonl");
    let alone = predict(&scratch, "--input rows.jsonl --batch-size 1");
    for (together, alone) in together.iter().zip(&alone) {
        for name in NAMES {
            let difference = probability(together, name) - probability(alone, name);
            assert!(difference.abs() < 1e-5, "{together}\n{alone}");
        }
    }
}

#[test]
fn top_k_is_the_best_of_all_classes() {
    let scratch = with_rows();
    let all = predict(&scratch, "--input rows.jsonl");
    let best = predict(&scratch, "--input rows.jsonl --top-k 2");
    for (all, best) in all.iter().zip(&best) {
        let mut ranked = NAMES.map(|name| (name, probability(all, name)));
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let best: Vec<(&str, f64)> = best["probabilities"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_f64().unwrap()))
            .collect();
        assert_eq!(best, ranked[..2]);
    }
}

#[test]
fn csv_and_jsonl_say_the_same_in_and_out() {
    let scratch = with_rows();
    let expected = predict(&scratch, "--input rows.jsonl");
    let from_csv = predict(&scratch, "--input rows.csv");
    let said = scratch.run("predict --model model --input rows.jsonl --output out.csv");
    assert_eq!(said.ok(), "");
    let csv = scratch.read("out.csv");
    let mut lines = csv.lines();
    let header = "id,text,gold,label,score,p_billing,p_delivery,p_praise,p_other";
    assert_eq!(lines.next(), Some(header));
    for (expected, row) in expected.iter().zip(&from_csv) {
        assert_eq!(row["id"], expected["id"].to_string());
        for key in ["text", "gold", "label", "score", "probabilities"] {
            assert_eq!(row[key], expected[key]);
        }
        let word = |key: &str| expected[key].as_str().unwrap();
        let numbers: String =
            NAMES.iter().map(|name| format!(",{}", expected["probabilities"][name])).collect();
        let (id, score) = (&expected["id"], &expected["score"]);
        let (text, gold, label) = (word("text"), word("gold"), word("label"));
        assert_eq!(lines.next().unwrap(), format!("{id},{text},{gold},{label},{score}{numbers}"));
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn texts_may_come_from_the_command_line_or_standard_input() {
    let scratch = with_rows();
    let texts = ["who pays", "the parcel never came again", "lovely"];
    scratch.write("texts.csv", format!("text\n{}\n", texts.join("\n")));
    let expected = scratch.run("predict --model model --input texts.csv").ok();
    assert_eq!(jsonl(&expected).len(), 3);

    let words = ["predict", "--model", "model", "--text"].into_iter().chain(texts);
    let ran: Ran = scratch.command(words).output().unwrap().into();
    assert_eq!(ran.ok(), expected);
    let lines = texts.join("\n\n") + "\r\n";
    assert_eq!(scratch.pipe("predict --model model", &lines).ok(), expected);
    let objects = texts.map(|text| format!("{}\n", serde_json::json!({ "text": text }))).concat();
    assert_eq!(scratch.pipe("predict --model model", &objects).ok(), expected);
}

/// Only results stand on standard output, so that a pipe gets nothing else.
#[test]
fn results_and_remarks_do_not_mix() {
    let scratch = with_rows();
    let ran = scratch.run("predict --model model --input rows.jsonl --max-length 8");
    for remark in ["model   model", "device  ", "cut     ", "done    40 texts"] {
        assert!(ran.stderr.contains(remark), "no \"{remark}\" in\n{}", ran.stderr);
    }
    assert_eq!(jsonl(&ran.ok()).len(), 40);
    let ran = scratch.run("evaluate --model model --data rows.csv --json");
    assert!(ran.stderr.contains("device  "));
    assert!(serde_json::from_str::<Value>(&ran.ok()).unwrap().is_object());
}

/// Each figure of `evaluate --json`, counted again from what `predict` says of the same rows.
#[test]
fn evaluate_counts_what_predict_says() {
    let scratch = with_rows();
    let metrics = scratch.run("evaluate --model model --data rows.csv --json").ok();
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    let predicted = predict(&scratch, "--input rows.jsonl");
    let pairs: Vec<(&str, &str)> = predicted
        .iter()
        .map(|row| (row["gold"].as_str().unwrap(), row["label"].as_str().unwrap()))
        .collect();
    let count = |gold: &str, label: &str| pairs.iter().filter(|p| **p == (gold, label)).count();
    let close = |value: &Value, expected: f64| {
        assert!((value.as_f64().unwrap() - expected).abs() < 1e-9, "{value}, counted {expected}");
    };

    let (mut macro_f1, mut weighted_f1, mut right) = (0.0, 0.0, 0);
    for (row, name) in NAMES.into_iter().enumerate() {
        let hits = count(name, name);
        let gold = pairs.iter().filter(|pair| pair.0 == name).count();
        let named = pairs.iter().filter(|pair| pair.1 == name).count();
        let precision = hits as f64 / named.max(1) as f64;
        let recall = hits as f64 / gold as f64;
        let sum = precision + recall;
        let f1 = if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 };
        let class = &metrics["per_class"][name];
        close(&class["precision"], precision);
        close(&class["recall"], recall);
        close(&class["f1"], f1);
        assert_eq!(class["support"], gold);
        let counts = NAMES.map(|label| count(name, label));
        assert_eq!(metrics["confusion_matrix"][row], serde_json::json!(counts));
        macro_f1 += f1 / NAMES.len() as f64;
        weighted_f1 += f1 * gold as f64 / pairs.len() as f64;
        right += hits;
    }
    let accuracy = right as f64 / pairs.len() as f64;
    assert_eq!(metrics["rows"], 40);
    close(&metrics["accuracy"], accuracy);
    close(&metrics["micro_f1"], accuracy);
    close(&metrics["macro_f1"], macro_f1);
    close(&metrics["weighted_f1"], weighted_f1);
}

#[test]
fn an_unknown_label_is_named_by_file_and_line() {
    let scratch = with_rows();
    scratch.write("strange.csv", "text,label\nlovely,praise\n\"two\nlines\",thanks\n");
    let said = scratch.run("evaluate --model model --data strange.csv").error();
    assert!(said.contains("strange.csv, line 3: label \"thanks\""), "{said}");
    assert!(said.contains("billing, delivery, praise, other"), "{said}");
}

/// Under whatever name `train` would find it.
#[test]
fn a_label_of_another_name_is_gold_too() {
    let scratch = with_rows();
    let rows = scratch.read("rows.csv").replacen("label", "Category", 1);
    scratch.write("other.csv", rows);
    for row in predict(&scratch, "--input other.csv") {
        assert!(row["gold"].is_string() && row["Category"].is_null(), "{row}");
    }
}

#[test]
fn what_was_predicted_gives_way_when_it_is_predicted_again() {
    let scratch = with_rows();
    for (from, to) in [("rows", "once"), ("once", "twice")] {
        scratch.run(&format!("predict --model model --input {from}.csv --output {to}.csv")).ok();
    }
    assert_eq!(scratch.read("twice.csv"), scratch.read("once.csv"));
}

#[test]
fn a_header_with_another_delimiter_is_no_text() {
    let scratch = with_rows();
    scratch.write("semicolons.csv", "text;label\nwho pays;billing\n");
    let error = scratch.run("predict --model model --input semicolons.csv").error();
    assert!(error.contains("--delimiter ';'"), "{error}");
    let predicted = predict(&scratch, "--input semicolons.csv --delimiter ;");
    assert_eq!(predicted[0]["gold"], "billing");
}

/// Before the model is opened, which is not even there.
#[test]
fn a_place_that_cannot_be_written_is_said_first() {
    let scratch = with_rows();
    let error = scratch.run("predict --model none --input rows.csv --output no/such.csv").error();
    assert!(error.contains("cannot write no/such.csv"), "{error}");
}
