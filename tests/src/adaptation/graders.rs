//! `emberlab grade` and `study` from end to end.

use std::{thread::sleep, time::Duration};

use serde_json::{Value, json};

use super::commands::scratch;
use crate::{
    cli::resume::{signal, start, wait_for},
    command::{Ran, Scratch, jsonl},
    support::bytes,
};

/// Answers to six questions, right where they name what the reference names.
fn answers() -> String {
    let things = ["blood", "air", "water", "food", "waste", "light"];
    let mut rows = String::new();
    for (question, thing) in things.iter().enumerate() {
        for row in 0..20 {
            let other = things[(question + 1 + row % 5) % 6];
            let (answer, score) = match row % 4 {
                0 => (format!("It moves {thing} around."), 5.0),
                1 => (format!("{thing} goes through it {row} times"), 4.5),
                2 => (format!("it has to do with {other}, {row}"), 0.5),
                _ => (format!("no idea {row}"), 0.0),
            };
            let raters = [score, (score + f64::from(row as u32 % 2) / 2.0).min(5.0)];
            rows.push_str(&format!(
                "{}\n",
                json!({ "question": format!("What does part {question} do?"), "reference": format!("It moves {thing} through the body."),
                        "answer": answer, "score": score, "score_me": raters[0], "score_other": raters[1] })
            ));
        }
    }
    rows
}

#[test]
fn answers_are_graded_both_ways() {
    let scratch = Scratch::new();
    scratch.write("answers.jsonl", answers());
    for (method, class) in
        [("cross-encoder", "ForSequenceClassification"), ("sentence-encoder", "BertModel")]
    {
        let ran = scratch.run(&format!(
            "grade train --model bert-tiny --data answers.jsonl --split-by row --method {method} \
             --epochs 12 --learning-rate 1e-3 --max-length 48 --device cpu --out {method}"
        ));
        let stderr = ran.stderr.clone();
        let table = ran.ok();
        assert!(
            stderr.contains("by row: 96 answers of 6 questions to train on, 24 answers"),
            "{stderr}"
        );
        assert!(stderr.contains("of these stand in train"), "{stderr}");
        let row = |name: &str| -> Vec<f64> {
            let line = table.lines().find(|line| line.starts_with(name));
            let line = line.unwrap_or_else(|| panic!("no {name}\n{table}"));
            line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
        };
        assert!(row("model")[0] > 0.6, "{table}");
        assert_eq!(row("second rater").len(), 7, "{table}");
        assert!(row("majority").len() < 7, "{table}"); // what is not defined is a dash
        row("ridge on words");
        let config = scratch.json(&format!("{method}/config.json"));
        assert!(config["architectures"][0].as_str().unwrap().ends_with(class), "{config}");

        let evaluated =
            scratch.run(&format!("grade evaluate --model {method} --data answers.jsonl --json"));
        let evaluated: Value = serde_json::from_str(&evaluated.ok()).unwrap();
        assert_eq!(evaluated["metrics"]["rows"], 120);
        assert!(evaluated["raters"]["quadratic_weighted_kappa"].as_f64().unwrap() > 0.9);
        let predicted =
            scratch.run(&format!("grade predict --model {method} --data answers.jsonl"));
        let predicted = jsonl(&predicted.ok());
        assert_eq!(predicted.len(), 120);
        let points = |row: &Value| row["predicted_score"].as_f64().unwrap();
        assert!(predicted.iter().all(|row| (0.0..=5.0).contains(&points(row))));
        let mut command = scratch.command(["grade", "predict", "--model", method, "--question"]);
        command.args(["What does part 0 do?", "--reference", "It moves blood through the body."]);
        let one: Ran =
            command.args(["--answer", "It moves blood around."]).output().unwrap().into();
        assert!(one.ok().ends_with(" of 5\n"));
    }
}

#[test]
fn what_is_wrong_with_answers_is_named() {
    let scratch = Scratch::new();
    scratch.write("no-reference.csv", "question,answer,score\nq,a,1\n");
    scratch.write("bad.csv", "question,reference,answer,score\nq,r,a,1\nq,r,,2\n");
    scratch
        .write("beyond.csv", "question,reference,answer,score,max_score\nq,r,a,1,2\np,r,a,3,2\n");
    scratch.write("one.csv", "question,reference,answer,score\nq,r,a,1\nq,r,b,0\n");
    for (file, says) in [
        ("no-reference.csv", "no reference column; it has: question, answer, score"),
        ("bad.csv", "bad.csv, line 3: \"answer\" is empty"),
        ("beyond.csv", "beyond.csv, line 3: 3 points, but the question gives 2 at most"),
        ("one.csv", "there is one question only"),
    ] {
        let error = scratch.run(&format!("grade train --data {file} --out o --device cpu")).error();
        assert!(error.contains(says), "{file}: {error}");
        assert!(!scratch.path("o").exists(), "{file}");
    }
    let error = scratch.run("grade predict --model bert-tiny --data one.csv").error();
    assert!(error.contains("holds no grader"), "{error}");
}

/// Corpus and answers in, table out; what was done is not done again.
#[test]
fn a_study_runs_by_one_command() {
    let scratch = scratch();
    scratch.write("answers.jsonl", answers());
    let line = "study adaptation --model bert-tiny --corpus corpus --data answers.jsonl --seeds 2 \
                --words 20 --pretrain-epochs 1 --epochs 2 --max-length 48 --device cpu --out study";
    let said = scratch.run(line).ok();
    for part in
        ["| base, fine-tuned |", "| adapted, new words, as it is |", "| majority | not defined"]
    {
        assert!(said.contains(part), "{said}");
    }
    let found = &scratch.json("study/study.json")["found"];
    assert_eq!(found["graders"].as_array().unwrap().len(), 8);
    assert_eq!(found["differences"].as_array().unwrap().len(), 14);
    let weights = bytes(&scratch.path("study/adapted/model.safetensors"));
    let again = scratch.run(line).ok();
    let table = |said: &str| said.split("## Held-out answers").nth(1).unwrap().to_owned();
    assert_eq!(table(&again), table(&said));
    assert!(bytes(&scratch.path("study/adapted/model.safetensors")) == weights);
}

/// Interrupted while it trains on the corpus, the command goes on to the same weights.
#[test]
fn an_interrupted_study_goes_on() {
    let scratch = scratch();
    scratch.write("answers.jsonl", answers());
    let line = |out: &str| {
        format!(
            "study adaptation --model bert-tiny --corpus corpus --data answers.jsonl --seeds 1 --words 20 \
             --pretrain-epochs 40 --epochs 1 --max-length 48 --device cpu --out {out}"
        )
    };
    scratch.run(&line("whole")).ok();
    let mut study = start(&scratch, &line("study"));
    wait_for(&scratch, "study/adapted/metrics.jsonl", &mut study);
    sleep(Duration::from_millis(300));
    let ran = signal(study, "-INT");
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert!(ran.stderr.contains("the same command goes on"), "{}", ran.stderr);
    assert_eq!(scratch.json("study/adapted/run.json")["status"], "interrupted");
    let ran = scratch.run(&line("study"));
    assert!(ran.stderr.contains("going on after step"), "{}", ran.stderr);
    ran.ok();
    for run in ["adapted", "adapted-new-words"] {
        let of = |study: &str| bytes(&scratch.path(&format!("{study}/{run}/model.safetensors")));
        assert!(of("study") == of("whole"), "{run}");
    }
}
