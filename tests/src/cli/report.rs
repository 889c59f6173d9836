//! What people and other programs look at after a training: the report, the model card, TensorBoard.

use std::process::Command;

use serde_json::{Value, json};

use super::results::{train, with_test_rows};
use super::tasks::{scores, sets, tags};
use super::train::with_rows;
use super::transformers::python;
use crate::{
    command::{Ran, Scratch, jsonl},
    support::{bytes, root, say},
};

#[test]
fn the_report_stands_by_itself_and_can_be_made_again() {
    let scratch = with_test_rows();
    let rows = scratch.read("test.jsonl");
    let hostile = json!({"text": "<script>alert(1)</script> & \"so\"", "label": "joy"});
    scratch.write("test.jsonl", format!("{rows}{hostile}\n"));
    train(&scratch, "--out run --calibrate");
    let page = scratch.read("run/report.html");
    for part in [
        "Training</h2>",
        "Confusion matrix",
        "Classes</h3>",
        "Calibration",
        "Most confident mistakes",
        "Labels of train",
        "learning_rate",
        "temperature of",
    ] {
        assert!(page.contains(part), "{part} is missing");
    }
    assert!(!page.contains("<script") && !page.contains("http"), "nothing is fetched or run");
    std::fs::remove_file(scratch.path("run/report.html")).unwrap();
    scratch.run("report run").ok();
    assert_eq!(scratch.read("run/report.html"), page);
    let error = scratch.run("report bert-tiny").error();
    assert!(error.contains("bert-tiny is no run folder"), "{error}");
}

#[test]
fn a_report_is_made_of_a_record_that_is_none_of_ours() {
    let scratch = with_test_rows();
    train(&scratch, "--out run");
    let record = scratch.json("run/run.json");
    for seconds in [-1.0, 1e300] {
        let mut odd = record.clone();
        odd["train_seconds"] = json!(seconds);
        odd["evaluation_seconds"] = json!(seconds);
        for row in odd["metrics"]["test"]["confusion_matrix"].as_array_mut().unwrap() {
            row.as_array_mut().unwrap().push(json!(5));
        }
        scratch.write("run/run.json", odd.to_string());
        scratch.run("report run").ok();
    }
}

#[test]
fn every_task_has_its_report_and_can_be_compared() {
    for (rows, part, mistakes, tests) in [
        (scores(), "Answers over gold scores", "Largest errors", "Pearson"),
        (sets(), "Classes</h3>", "Most confident mistakes", "McNemar"),
        (tags(), "Types</h3>", "Most confident mistakes", "McNemar"),
    ] {
        let scratch = Scratch::new();
        scratch.write("train.jsonl", rows);
        let line = "train --model bert-tiny --batch-size 8 --device cpu --train train.jsonl --test train.jsonl";
        scratch.run(&format!("{line} --epochs 1 --out a")).ok();
        scratch.run(&format!("{line} --out b --epochs 3 --learning-rate 1e-3")).ok();
        let page = scratch.read("a/report.html");
        assert!(page.contains(part) && page.contains(mistakes), "{part}");
        let found = scratch.run("compare a b").ok();
        assert!(found.contains(tests), "{found}");
        let found = scratch.run("compare a b --json").ok();
        let found: Value = serde_json::from_str(&found).unwrap();
        for (side, run) in [("a", "a/run.json"), ("b", "b/run.json")] {
            let run = scratch.json(run);
            for figure in found["figures"].as_array().unwrap() {
                let name = figure["figure"].as_str().unwrap();
                let [got, of_run] = [&figure[side], &run["metrics"]["test"][name]];
                let off = got.as_f64().zip(of_run.as_f64()).map(|(a, b)| (a - b).abs());
                assert!(off.is_none_or(|off| off < 1e-4), "{name}: {got} {of_run}");
            }
        }
    }
}

#[test]
fn the_card_has_the_figures_of_the_run_as_the_hub_reads_them() {
    let Some(python) = python() else {
        say(
            "SKIPPED: the model card as huggingface_hub reads it, because EMBERLAB_PYTHON names no Python with it\n",
        );
        return;
    };
    let scratch = with_test_rows();
    train(&scratch, "--out run");
    let script = "import json, sys\n\
        from huggingface_hub import ModelCard\n\
        results = ModelCard.load(sys.argv[1]).data.eval_results\n\
        print(json.dumps([[r.dataset_split, r.metric_name, r.metric_value, r.metric_type, r.task_type, r.dataset_name] for r in results]))";
    let output = Command::new(python)
        .args(["-c", script])
        .arg(scratch.path("run/README.md"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let run = scratch.json("run/run.json");
    assert_eq!(found.len(), 8, "{found:?}");
    for result in &found {
        let [split, name] = [0, 1].map(|at| result[at].as_str().unwrap());
        assert_eq!(result[2], run["metrics"][split][name], "{split} {name}");
        assert_eq!(
            (&result[4], &result[5]),
            (&json!("text-classification"), &json!(format!("{split}.jsonl")))
        );
    }
    assert_eq!(found[0][3], "accuracy");
    assert_eq!(found[1][3], "f1");
}

#[test]
fn nothing_that_the_card_names_is_markup() {
    let scratch = with_rows();
    let label = "x</p>\n```\n\n# Verified by the hub\n\n[a](https://b.example) ![c](d)\n```";
    let row = |(index, row): (usize, Value)| {
        let label = ["ok", label][index % 2];
        json!({"text": row["text"], "label": label}).to_string() + "\n"
    };
    let rows: String =
        jsonl(&scratch.read("train.jsonl")).into_iter().enumerate().map(row).collect();
    scratch.write("train.jsonl", &rows);
    scratch.write("ev\u{7f}al.jsonl", &rows);
    let base = r#"b", print("injected"), ""#;
    for file in std::fs::read_dir(root().join("models/bert-tiny")).unwrap() {
        let file = file.unwrap();
        scratch.write(&format!("{base}/{}", file.file_name().display()), bytes(&file.path()));
    }
    let named = ["train", "--model", base, "--train", "train.jsonl", "--eval", "ev\u{7f}al.jsonl"];
    let rest = "--batch-size 8 --epochs 1 --device cpu --lora-r 2 --out run";
    let line = named.into_iter().chain(rest.split(' '));
    Ran::from(scratch.command(line).output().unwrap()).ok();

    let card = scratch.read("run/README.md");
    for part in [
        r"Classes: ok, x\</p\>\\n\`\`\`\\n\\n\# Verified by the hub\\n\\n\[a\](https\://b\.example) \!\[c\](d)\\n\`\`\`.",
        "On `eval` (48 rows):\n\n````\n",
        r"| eval | 48 | `ev\u{7f}al.jsonl` |",
        r#"    "b\", print(\"injected\"), \"", config="#,
        r#"name: "ev\u007fal.jsonl""#,
    ] {
        assert!(card.contains(part), "{part} is missing:\n{card}");
    }
    let Some(python) = python() else {
        let reason = "EMBERLAB_PYTHON names no Python with it";
        return say(&format!("SKIPPED: such a card in huggingface_hub, because {reason}\n"));
    };
    let script = "import sys\n\
        from huggingface_hub import ModelCard\n\
        print(ModelCard.load(sys.argv[1]).data.base_model)";
    let output = Command::new(python)
        .args(["-c", script])
        .arg(scratch.path("run/README.md"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), base, "{said}");
}

#[test]
fn tensorboard_reads_the_events() {
    let scratch = with_test_rows();
    train(&scratch, "--out run --tensorboard --logging-steps 3");
    let script = "import json, sys\n\
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n\
        events = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0}).Reload()\n\
        print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()['scalars']}))";
    let loads = |python: &std::path::PathBuf| {
        let import = Command::new(python).args(["-c", "import tensorboard"]).output();
        import.is_ok_and(|output| output.status.success())
    };
    let Some(python) = python().filter(loads) else {
        say(
            "SKIPPED: event files in TensorBoard, because EMBERLAB_PYTHON names no Python with tensorboard\n",
        );
        return;
    };
    let output =
        Command::new(python).args(["-c", script]).arg(scratch.path("run")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines = jsonl(&scratch.read("run/metrics.jsonl"));
    for (tag, split, key) in [
        ("train/loss", Value::Null, "loss"),
        ("train/learning_rate", Value::Null, "learning_rate"),
        ("eval/accuracy", json!("eval"), "accuracy"),
        ("test/macro_f1", json!("test"), "macro_f1"),
    ] {
        let expected =
            lines.iter().filter(|line| line["split"] == split && line.get(key).is_some());
        let expected: Vec<(u64, f32)> = expected
            .map(|line| (line["step"].as_u64().unwrap(), line[key].as_f64().unwrap() as f32))
            .collect();
        let found: Vec<(u64, f32)> = serde_json::from_value(found[tag].clone()).unwrap();
        assert!(!found.is_empty());
        assert_eq!(found, expected, "{tag}");
    }
}
