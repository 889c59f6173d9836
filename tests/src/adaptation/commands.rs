//! `emberlab pretrain` and `fill-mask` from end to end.

use std::{
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::vocabulary::notes;
use crate::{
    cli::transformers::python,
    command::{Ran, Scratch, jsonl},
    support::{bytes, root, say},
};

const PRETRAIN: &str = "pretrain --model bert-tiny --corpus corpus --device cpu --max-length 48 \
                        --batch-size 4 --learning-rate 1e-3 --epochs 3 --logging-steps 3";

/// A corpus of twelve documents.
pub fn scratch() -> Scratch {
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
    assert!(error.contains("guard   clean.jsonl: 1 cell not in the corpus"), "{error}");
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
