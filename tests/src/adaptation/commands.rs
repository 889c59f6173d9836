//! `emberlab pretrain`, `fill-mask`, `grade` and `study` from end to end.

use std::{
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::vocabulary::notes;
use crate::{
    cli::{
        resume::{signal, start, wait_for},
        transformers::python,
    },
    command::{Ran, Scratch, jsonl},
    support::{bytes, root, say},
};

const PRETRAIN: &str = "pretrain --model bert-tiny --corpus corpus --device cpu --max-length 48 \
                        --batch-size 4 --learning-rate 1e-3 --epochs 3 --logging-steps 3";

/// A corpus of twelve documents.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("notes.md", notes());
    scratch.run("corpus notes.md --out corpus --held-out 0.2").ok();
    scratch
}

fn bits(record: &Value) -> Vec<f64> {
    let measured = record["held_out"].as_array().unwrap();
    measured.iter().map(|it| it["bits_per_character"].as_f64().unwrap()).collect()
}

#[test]
fn a_model_is_adapted_and_transformers_opens_it() {
    let scratch = scratch();
    let said = scratch.run(&format!("{PRETRAIN} --out run")).ok();
    assert!(said.contains("before") && said.contains("epoch 3"), "{said}");
    let record = scratch.json("run/run.json");
    assert_eq!(record["status"], "completed");
    let bits = bits(&record);
    assert_eq!(bits.len(), 4);
    assert!(bits[3] < 0.8 * bits[0], "{bits:?}");
    let lines = jsonl(&scratch.read("run/metrics.jsonl"));
    assert!(lines.iter().any(|line| line["split"] == "held_out" && line["step"] == 0));
    assert!(lines.iter().any(|line| line["loss"].is_number() && line["learning_rate"].is_number()));

    let text = "the heart [MASK] blood through the body .";
    let mut command = scratch.command(["fill-mask", "--model", "bert-tiny", "--compare", "run"]);
    let beside: Ran = command.args(["--json", text]).output().unwrap().into();
    let beside = jsonl(&beside.ok());
    assert_eq!(beside.len(), 1);
    let models = beside[0]["models"].as_array().unwrap();
    assert_eq!(
        (models[0]["model"].as_str(), models[1]["model"].as_str()),
        (Some("bert-tiny"), Some("run"))
    );
    let mut command =
        scratch.command(["fill-mask", "--model", "bert-tiny", "--compare", "run", text]);
    let table: Ran = command.output().unwrap().into();
    assert!(table.ok().lines().count() >= 7);

    let Some(python) = python() else {
        say("SKIPPED: an adapted model in transformers: there is no Python with it\n");
        return;
    };
    let script = format!(
        "import torch; from transformers import AutoModelForMaskedLM, AutoTokenizer\n\
         m, info = AutoModelForMaskedLM.from_pretrained('run', output_loading_info=True)\n\
         t = AutoTokenizer.from_pretrained('run')\n\
         assert not info['missing_keys'] and type(m).__name__ == 'BertForMaskedLM', info\n\
         i = t({text:?}, return_tensors='pt')\n\
         at = (i['input_ids'][0] == t.mask_token_id).nonzero()[0, 0]\n\
         top = m.eval()(**i).logits[0, at].softmax(-1).topk(5)\n\
         print(top.indices.tolist()); print(top.values.tolist())"
    );
    let mut command = Command::new(python);
    let ran: Ran =
        command.args(["-c", &script]).current_dir(scratch.path("")).output().unwrap().into();
    let out = ran.ok();
    let mut lines = out.lines();
    let ids: Vec<u64> = serde_json::from_str(lines.next().unwrap()).unwrap();
    let values: Vec<f64> = serde_json::from_str(lines.next().unwrap()).unwrap();
    let guesses = models[1]["guesses"].as_array().unwrap();
    for ((guess, id), value) in guesses.iter().zip(ids).zip(values) {
        assert_eq!(guess["token"], id);
        assert!((guess["score"].as_f64().unwrap() - value).abs() < 1e-4);
    }
}

/// Killed in the second epoch, it goes on to the bits and the history of one that was not.
#[test]
fn a_killed_run_goes_on_to_the_same_bits() {
    let scratch = scratch();
    scratch.run(&format!("{PRETRAIN} --save-steps 2 --out whole")).ok();
    let total = scratch.json("whole/run.json")["total_steps"].as_u64().unwrap();
    let step = total / 2 / 2 * 2;
    let mut training = scratch
        .command(format!("{PRETRAIN} --save-steps 2 --out run").split_whitespace())
        .spawn()
        .unwrap();
    let reached = scratch.path(&format!("run/checkpoints/checkpoint-{step}/manifest.json"));
    let limit = Instant::now() + Duration::from_secs(120);
    while !reached.exists() && training.try_wait().unwrap().is_none() {
        assert!(Instant::now() < limit, "no checkpoint after step {step}");
        sleep(Duration::from_millis(2));
    }
    training.kill().unwrap();
    training.wait().unwrap();
    assert_eq!(scratch.json("run/run.json")["status"], "running");
    let resumed = scratch.run("pretrain --resume run");
    assert!(resumed.stderr.contains("going on after step"), "{}", resumed.stderr);
    resumed.ok();
    let weights = |run: &str| bytes(&scratch.path(&format!("{run}/model.safetensors")));
    assert!(weights("run") == weights("whole"), "other weights");
    assert_eq!(scratch.read("run/metrics.jsonl"), scratch.read("whole/metrics.jsonl"));
    assert_eq!(
        scratch.json("run/run.json")["held_out"],
        scratch.json("whole/run.json")["held_out"]
    );
    assert!(scratch.run("pretrain --resume run").stderr.contains("nothing left to do"));
}

/// What is measured does not depend on how many words training masks.
#[test]
fn all_runs_are_measured_on_the_same_words() {
    let scratch = scratch();
    for (out, more) in [("a", ""), ("b", "--mlm-probability 0.4")] {
        scratch
            .run(&format!("{PRETRAIN} --epochs 1 {more} --out {out}").replace("--epochs 3", ""))
            .ok();
    }
    let before = |run: &str| scratch.json(&format!("{run}/run.json"))["held_out"][0].clone();
    assert_eq!(before("a"), before("b"));
}

#[test]
fn a_vocabulary_of_special_tokens_alone_is_refused() {
    let scratch = scratch();
    for file in ["config.json", "model.safetensors"] {
        std::fs::create_dir_all(scratch.path("empty")).unwrap();
        std::fs::copy(root().join("models/bert-tiny").join(file), scratch.path("empty").join(file))
            .unwrap();
    }
    scratch.write("empty/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    let error =
        scratch.run("pretrain --model empty --corpus corpus --device cpu --out run").error();
    assert!(error.contains("special tokens"), "{error}");
    assert!(!scratch.path("run").exists());
}

#[test]
fn a_corpus_with_test_texts_is_refused() {
    let scratch = scratch();
    let rows = [
        json!({ "question": "What?", "text": "Nothing of this stands in any book that was read here.", "score": 1.0 }),
        json!({ "question": "What?", "text": "Say that in part 3 the lung FILTERS salt, through the body!", "score": 1.0 }),
    ];
    let corpus = jsonl(&scratch.read("corpus/train.jsonl"));
    let leaked = corpus[0]["text"].as_str().unwrap();
    let leak = json!({ "question": "What?", "text": format!("He said: {leaked}"), "score": 0.0 });
    scratch.write("clean.jsonl", format!("{}\n", rows[0]));
    scratch.write("leaked.jsonl", format!("{}\n{}\n{leak}\n", rows[0], rows[1]));
    let error =
        scratch.run(&format!("{PRETRAIN} --guard clean.jsonl leaked.jsonl --out run")).error();
    assert!(error.contains("guard   clean.jsonl: 1 text not in the corpus"), "{error}");
    assert!(error.contains("of leaked.jsonl stand"), "{error}");
    assert!(error.contains("leaked.jsonl, line 3, text: “"), "{error}");
    assert!(error.contains("notes.md, Part"), "{error}");
    assert!(!scratch.path("run").exists());
}

#[test]
fn a_model_is_trained_from_scratch_on_a_vocabulary_of_its_own() {
    let scratch = scratch();
    let line = "tokenizer train --corpus corpus --vocab-size 300 --model bert-tiny --out new";
    scratch.run(line).ok();
    assert!(!scratch.path("new/model.safetensors").exists());
    let line = PRETRAIN.replace("--model bert-tiny", "--model new --from-scratch");
    scratch.run(&format!("{line} --out run")).ok();
    let config = scratch.json("run/config.json");
    let size = config["vocab_size"].as_u64().unwrap();
    assert!(size <= 300 && config["architectures"][0] == "BertForMaskedLM", "{config}");
    let bits = bits(&scratch.json("run/run.json"));
    assert!(bits[3] < bits[0], "{bits:?}");
    // What begins with it is trained like any other model.
    let rows = "text,label\nthe heart pumps,a\nthe liver filters,b\n";
    scratch.write("rows.csv", rows.repeat(4));
    scratch.run("train --model run --train rows.csv --epochs 1 --out classifier --device cpu").ok();
}

#[test]
fn what_is_wrong_with_a_pretraining_is_named() {
    let scratch = scratch();
    scratch.write("folder/x", "");
    for (line, says) in [
        ("pretrain --corpus folder --out o", "folder holds no corpus"),
        ("pretrain --corpus corpus --max-length 9999 --out o", "the model reads at most 512"),
        ("pretrain --corpus corpus --mlm-probability 0 --out o", "mlm_probability = 0"),
        ("pretrain --corpus corpus --epochs 0 --out o", "epochs = 0"),
        ("pretrain --resume folder", "is no run folder"),
        ("fill-mask --model bert-tiny nothing", "there is no [MASK] to fill"),
        ("tokenizer extend --corpus folder --out o", "folder holds no corpus"),
        ("tokenizer extend --corpus corpus --min-count 1000 --out o", "there is nothing to add"),
    ] {
        let error = scratch.run(line).error();
        assert!(error.contains(says), "{line}: {error}");
        assert!(!scratch.path("o").exists(), "{line}");
    }
}

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
