//! Questions from SQuAD's own file, or rows, to answers.

use serde_json::{Value, json};

use super::transformers::{classifier, hashes, open_with_transformers, python};
use crate::{
    command::{Ran, Scratch, jsonl},
    support::{bytes, distance, fixture, logits, say},
};

const WORDS: [&str; 8] =
    ["river", "stone", "Zürich", "engine", "violin", "pepper", "window", "letter"];
/// Learns them by heart; contexts of 36 words take several windows.
const TRAIN: &str = "--model bert-tiny --max-length 32 --doc-stride 8 --batch-size 16 --epochs 120 \
                     --learning-rate 2e-3 --device cpu";

/// Sixteen questions; each fourth has no answer.
fn questions() -> Vec<Value> {
    let question = |row: usize| {
        let words: Vec<&str> = (0..36).map(|at| WORDS[(row * 3 + at * 5 + at / 8) % 8]).collect();
        let context = words.join(" ");
        let answer = format!("{} {}", words[row * 2], words[row * 2 + 1]);
        let before: usize = words[..row * 2].iter().map(|word| word.chars().count() + 1).sum();
        let answers = match row % 4 {
            3 => json!({"text": [], "answer_start": []}),
            _ => json!({"text": [answer], "answer_start": [before]}),
        };
        let question = format!("{} {}?", WORDS[row % 8], WORDS[(row * 7 + row / 8) % 8]);
        json!({"id": format!("q{row}"), "title": "Words", "context": context, "question": question,
            "answers": answers})
    };
    (0..16).map(question).collect()
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| row.to_string() + "\n").collect()
}

/// As SQuAD has them.
fn squad(rows: &[Value]) -> String {
    let paragraph = |row: &Value| {
        let list = |key: &str| row["answers"][key].as_array().unwrap().iter();
        let answers = list("text").zip(list("answer_start"));
        let answers: Vec<Value> =
            answers.map(|(text, start)| json!({"text": text, "answer_start": start})).collect();
        let question = json!({"id": row["id"], "question": row["question"],
            "is_impossible": answers.is_empty(), "answers": answers});
        json!({"context": row["context"], "qas": [question]})
    };
    let paragraphs: Vec<Value> = rows.iter().map(paragraph).collect();
    json!({"version": "v2.0", "data": [{"title": "Words", "paragraphs": paragraphs}]}).to_string()
}

fn characters(text: &Value, from: usize, count: usize) -> String {
    text.as_str().unwrap().chars().skip(from).take(count).collect()
}

#[test]
fn questions_from_file_to_answer() {
    let scratch = Scratch::new();
    let rows = questions();
    scratch.write("squad.json", squad(&rows));
    scratch.write("rows.jsonl", lines(&rows));
    let ran = scratch.run(&format!(
        "train --train squad.json --eval squad.json --test squad.json --out run {TRAIN} --load-best-model-at-end"
    ));
    assert!(ran.stderr.contains("16 questions in "), "{}", ran.stderr);
    ran.ok();
    let run = scratch.json("run/run.json");
    assert_eq!(run["task"], "question_answering");
    assert_eq!(
        run["question_answering"],
        json!({"doc_stride": 8, "version_2_with_negative": true})
    );
    let data = &run["data"][0];
    assert_eq!((&data["rows"], &data["without_answer"]), (&json!(16), &json!(4)));
    assert_eq!(data["windows"], 32);
    assert_eq!(run["best"]["metric"], "f1");
    let figures = &run["metrics"]["test"];
    assert!(figures["f1"].as_f64().unwrap() > 0.9, "{figures}");
    assert_eq!(
        (&figures["no_answer"]["rows"], &figures["has_answer"]["rows"]),
        (&json!(4), &json!(12))
    );
    assert!(figures["confidence_intervals"]["exact_match"].is_array(), "{figures}");
    let config = scratch.json("run/config.json");
    assert_eq!(config["architectures"], json!(["BertForQuestionAnswering"]));
    let last = jsonl(&scratch.read("run/metrics.jsonl")).pop().unwrap();
    assert!(last["exact_match"].is_number() && last["eval_loss"].is_number(), "{last}");
    assert!(scratch.read("run/train.toml").contains("doc_stride = 8"));

    // The folder knows how it was trained, and rows are the same as SQuAD's file.
    let evaluate = "evaluate --model run --json --device cpu --data";
    for file in ["squad.json", "rows.jsonl"] {
        let again: Value =
            serde_json::from_str(&scratch.run(&format!("{evaluate} {file}")).ok()).unwrap();
        assert_eq!(*figures, again, "{file}");
    }
    let weights = scratch.read_bytes("run/model.safetensors");
    let more = "--eval rows.jsonl --load-best-model-at-end";
    scratch.run(&format!("train --train rows.jsonl --out again {TRAIN} {more}")).ok();
    assert!(scratch.read_bytes("again/model.safetensors") == weights);

    let predict = "predict --model run --device cpu";
    let said = scratch.run(&format!("{predict} --input rows.jsonl --top-k 3")).ok();
    let said = jsonl(&said);
    for (row, gold) in said.iter().zip(&rows) {
        assert_eq!((&row["answers"], &row["context"]), (&gold["answers"], &gold["context"]));
        let (answer, start) = (row["answer"].as_str().unwrap(), row["start"].as_u64().unwrap());
        assert_eq!(characters(&row["context"], start as usize, answer.chars().count()), answer);
        assert_eq!(row["n_best"][0]["answer"], answer);
        assert!(row["n_best"].as_array().unwrap().len() == 3 && row["score"].is_number(), "{row}");
    }
    let kept = jsonl(&scratch.read("run/predictions-test.jsonl"));
    let answers =
        |rows: &[Value]| -> Vec<Value> { rows.iter().map(|row| row["answer"].clone()).collect() };
    assert_eq!(answers(&kept), answers(&said));
    assert_eq!(kept[0]["gold"], rows[0]["answers"]["text"]);
    let csv = scratch.run(&format!("{predict} --input rows.jsonl --format csv")).ok();
    assert!(csv.starts_with("id,title,context,question,answers,answer,score,start\n"), "{csv}");
    let one = ["predict", "--model", "run", "--text"].into_iter();
    let one = one.chain([text(&rows[0]["question"]), "--text-pair", text(&rows[0]["context"])]);
    let one: Ran = scratch.command(one).output().unwrap().into();
    let one = jsonl(&one.ok());
    assert_eq!(one[0]["answer"], said[0]["answer"]);

    scratch.write("said.jsonl", lines(&said));
    let compared = scratch.run("compare run said.jsonl --json --split test").ok();
    let compared: Value = serde_json::from_str(&compared).unwrap();
    assert_eq!(compared["figures"][0]["difference"], 0.0, "{compared}");
    assert_eq!(compared["mcnemar"]["only_a_right"], 0, "{compared}");
    let card = scratch.read("run/README.md");
    for word in [
        "pipeline_tag: question-answering",
        "type: question-answering",
        "type: exact_match",
        "or says that it does not say",
        "AutoModelForQuestionAnswering",
    ] {
        assert!(card.contains(word), "no {word} in {card}");
    }
    let report = scratch.read("run/report.html");
    assert!(report.contains("without one") && report.contains("Most confident mistakes"));
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A model that never met a question without an answer always gives one, unless it is told otherwise.
#[test]
fn a_model_of_the_first_version_always_answers() {
    let scratch = Scratch::new();
    let rows: Vec<Value> =
        questions().into_iter().filter(|row| row["answers"]["text"] != json!([])).collect();
    scratch.write("rows.jsonl", lines(&rows));
    scratch
        .run(&format!("train --train rows.jsonl --test rows.jsonl --out run {TRAIN} --max-steps 4"))
        .ok();
    let run = scratch.json("run/run.json");
    assert_eq!(run["question_answering"]["version_2_with_negative"], false);
    assert_eq!(run["metrics"]["test"].get("no_answer"), None);
    let predict = "predict --model run --device cpu --input rows.jsonl";
    let said = jsonl(&scratch.run(predict).ok());
    assert!(said.iter().all(|row| row["answer"] != ""), "{said:?}");
    let said = jsonl(&scratch.run(&format!("{predict} --version-2-with-negative --top-k 20")).ok());
    let has_none =
        |row: &Value| row["n_best"].as_array().unwrap().iter().any(|one| one["answer"] == "");
    assert!(said.iter().all(has_none), "{said:?}");
}

#[test]
fn transformers_opens_a_model_of_answers() {
    let Some(python) = python() else {
        let reason = "EMBERLAB_PYTHON names no Python with transformers";
        return say(&format!("SKIPPED: transformers_opens_a_model_of_answers, because {reason}\n"));
    };
    let scratch = Scratch::new();
    scratch.write("texts.jsonl", lines(&questions()));
    scratch.run(&format!("train --train texts.jsonl --out run {TRAIN} --max-steps 4")).ok();
    let opened = open_with_transformers(&python, &scratch.path("."));
    assert_eq!((&opened.missing, &opened.unexpected), (&vec![], &vec![]));
    assert_eq!(opened.tensors, hashes(&bytes(&scratch.path("run/model.safetensors"))));
    let model = classifier(&scratch);
    let mut texts = emberlab_core::text::Texts::default();
    for row in questions() {
        texts.push(text(&row["question"]), row["context"].as_str());
    }
    let (encodings, _) = model.tokenizer().encode_questions(&texts, 512, 128).unwrap();
    let ids: Vec<Vec<u32>> = encodings.iter().map(|encoding| encoding.ids.clone()).collect();
    assert_eq!(ids, opened.input_ids);
    let difference = distance(&logits(&model, &encodings), &opened.logits.concat());
    assert!(difference < 1e-4, "logits differ by {difference}");
}

/// Each is said with its place and what to do.
#[test]
fn what_cannot_be_asked_is_refused() {
    let scratch = Scratch::new();
    let rows = questions();
    let with = |answers: Value| {
        let mut odd = rows[0].clone();
        odd["answers"] = answers;
        lines(&rows) + &odd.to_string() + "\n"
    };
    for (answers, says) in [
        (
            json!({"text": ["river"], "answer_start": [1]}),
            "\"answers\" says \"river\" stands at character 1 of the context",
        ),
        (json!({"text": ["river"]}), "\"answers\" is not of the form"),
        (json!(["river"]), "\"answers\" is not of the form"),
        (json!(null), "\"answers\" is missing"),
    ] {
        scratch.write("odd.jsonl", with(answers));
        let line = format!("train --train odd.jsonl --out run {TRAIN} --dry-run");
        let said = scratch.run(&line).error();
        assert!(said.contains(&format!("odd.jsonl, line 17: {says}")), "{said}");
        let skipped = scratch.run(&format!("{line} --skip-bad-rows"));
        assert!(skipped.stderr.contains("skipped 1 row"), "{}", skipped.stderr);
        assert!(skipped.ok().contains("task    question_answering"));
    }
    let mut odd = rows.clone();
    odd[5]["answers"]["answer_start"] = json!([99]);
    scratch.write("odd.json", squad(&odd));
    scratch.write("rows.jsonl", lines(&rows));
    scratch.write("labels.csv", "text,label\na,x\nb,y\n");
    for (line, says) in [
        ("--train odd.json", "odd.json, row 6: \"answers\" says"),
        (
            "--train rows.jsonl --class-weights balanced",
            "class_weights = balanced: question answering has no classes",
        ),
        ("--train rows.jsonl --focal-gamma 2", "question answering has no classes"),
        (
            "--train rows.jsonl --label-smoothing-factor 0.1",
            "only single labels and tags are smoothed",
        ),
        ("--train rows.jsonl --r-drop-alpha 1", "r_drop_alpha = 1"),
        (
            "--train rows.jsonl --eval rows.jsonl --calibrate",
            "question answering has no probabilities",
        ),
        ("--train labels.csv", "--doc-stride is of question answering"),
        (
            "--train labels.csv --task question_answering",
            "no text-pair column; it has: text, label",
        ),
        ("--train rows.jsonl --max-length 12", "for a part of its context, which must have"),
    ] {
        let own = match line.contains("--max-length") {
            true => TRAIN.replace("--max-length 32", ""),
            false => TRAIN.to_owned(),
        };
        let said = scratch.run(&format!("train --out run {own} {line}")).error();
        assert!(said.contains(says), "{line}: {said}");
    }
    scratch.run(&format!("train --train rows.jsonl --out run {TRAIN} --max-steps 1")).ok();
    for (line, says) in [
        (
            "predict --model run --text river",
            "it rows with `question` and `context`, or --text and --text-pair",
        ),
        ("explain --model run river --text-pair stone", "task = question_answering"),
        ("evaluate --model run --data labels.csv", "no text-pair column"),
    ] {
        let said = scratch.run(&format!("{line} --device cpu")).error();
        assert!(said.contains(says), "{line}: {said}");
    }
}

#[test]
fn data_shows_questions() {
    let scratch = Scratch::new();
    scratch.write("squad.json", squad(&questions()));
    scratch.write("rows.parquet", bytes(&fixture("questions/rows.parquet")));
    for file in ["squad.json", "rows.parquet"] {
        let said = scratch.run(&format!("data {file}")).ok();
        for word in ["labels (question_answering)", "with an answer", "text pair"] {
            assert!(said.contains(word), "no {word} in {said}");
        }
    }
    let plan = scratch.run(&format!("train --train rows.parquet --out run {TRAIN} --dry-run")).ok();
    assert!(plan.contains("train   12 questions in "), "{plan}");
}
