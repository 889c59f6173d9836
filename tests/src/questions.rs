//! Question answering has the numbers of transformers under its names, reads contexts in the windows of its
//! tokenizers, puts answers together as its example `run_qa.py` does, and is measured as SQuAD's own scripts
//! measure. Fixtures by `fixtures/make_questions.py`.

use emberlab_core::{
    Device,
    data::{GoldAnswer, LabelMap, Span, Targets, Task},
    metrics::{AnswerMetrics, AnswerPart, Metrics, RowScore, loss},
    model::{Classifier, Head, ModelFiles, Prediction, StorageDtype, answers},
    text::{Encoding, Texts, Tokenizer, Window, spans},
    train::{TrainConfig, Trainer},
};
use serde_json::{Value, json};

use crate::{
    families,
    heads::{self, Case},
    support::{Reference, batch, bytes, config, files, fixture, json as read, root},
};

const TASK: Task = Task::QuestionAnswering;

fn stated_spans(of: &str, encodings: &[Encoding]) -> Targets {
    let stated = read(&fixture("questions/spans.json"))[of].take();
    let rows: Vec<[usize; 2]> = serde_json::from_value(stated).unwrap();
    let span =
        |([start, end], row): ([usize; 2], &Encoding)| Span { start, end, tokens: row.ids.len() };
    Targets::Spans(rows.into_iter().zip(encodings).map(span).collect())
}

/// The encoder of random3 under transformers' head.
fn bert() -> Case {
    let config = config(&fixture("random3/config.json"), &["start", "end"]);
    let mut config: Value = serde_json::from_slice(&config).unwrap();
    config["architectures"] = json!(["BertForQuestionAnswering"]);
    let (encodings, _) = batch("random3/batch.json");
    let (encoder, head) = ("random3/model.safetensors", "questions/head.safetensors");
    let weights = heads::with_head(&bytes(&fixture(encoder)), &bytes(&fixture(head)));
    Case {
        task: TASK,
        files: files(serde_json::to_vec(&config).unwrap(), weights),
        reference: Reference::open(head),
        targets: stated_spans("random3", &encodings),
        encodings,
    }
}

#[test]
fn logits_and_gradients_of_bert() {
    let case = bert();
    heads::logits_agree(&case);
    let (classifier, _) = Classifier::open(&case.files, &Device::flex()).unwrap();
    let predictions = pollster::block_on(classifier.predict(&case.encodings, 8, |_| ())).unwrap();
    let (found, expected) = (loss(&case.targets, &predictions), case.reference.f32("loss")[0]);
    assert!((found - f64::from(expected)).abs() < 1e-4, "{found} {expected}");
    heads::gradients_agree(case);
}

/// The encoder of a family under transformers' head, and the class that this is there.
fn family(name: &str, architecture: &str) -> Case {
    let head = bytes(&families::path(name, "questions.safetensors"));
    let mut named = families::named(name);
    for (file, content) in &mut named {
        match file.as_str() {
            "model.safetensors" => *content = heads::with_head(content, &head),
            "config.json" => {
                let mut config: Value = serde_json::from_slice(content).unwrap();
                config["architectures"] = json!([architecture]);
                *content = serde_json::to_vec(&config).unwrap();
            }
            _ => {}
        }
    }
    let tokenizer = bytes(&families::path(name, "tokenizer.json"));
    let tokenizer = Tokenizer::from_json("t", &tokenizer).unwrap();
    let encodings = families::encodings(name, &tokenizer);
    Case {
        task: TASK,
        files: ModelFiles::from_named("fixture", named).unwrap(),
        reference: Reference::open(&format!("families/{name}/questions.safetensors")),
        targets: stated_spans(name, &encodings),
        encodings,
    }
}

#[test]
fn logits_gradients_and_names_of_each_family() {
    for (name, architecture) in [
        ("roberta", "RobertaForQuestionAnswering"),
        ("xlm-roberta", "XLMRobertaForQuestionAnswering"),
        ("distilbert", "DistilBertForQuestionAnswering"),
        ("electra", "ElectraForQuestionAnswering"),
    ] {
        let case = family(name, architecture);
        heads::logits_agree(&case);
        let (classifier, _) = Classifier::open(&case.files, &Device::flex()).unwrap();
        let saved = pollster::block_on(classifier.to_files(StorageDtype::F32)).unwrap();
        let (_, config) = saved.iter().find(|(name, _)| name == "config.json").unwrap();
        let config: Value = serde_json::from_slice(config).unwrap();
        assert_eq!(config["architectures"], json!([architecture]), "{name}");
        heads::gradients_agree(case);
    }
    let modern = ModelFiles::from_named("fixture", families::named("modernbert")).unwrap();
    let head = Head { task: TASK, label_map: LabelMap::of_a_span() };
    let refused = Classifier::for_training(&modern, head, 1, &Device::flex()).err().unwrap();
    let says = "question_answering with a modernbert model is not supported; take a bert, roberta";
    assert!(refused.to_string().contains(says), "{refused}");
}

/// The questions of `windows.json`.
fn questions(rows: &Value) -> (Texts, Vec<Vec<GoldAnswer>>) {
    let (mut texts, mut gold) = (Texts::default(), Vec::new());
    for row in rows.as_array().unwrap() {
        texts.push(row["question"].as_str().unwrap(), row["context"].as_str());
        let list = |key: &str| row["answers"][key].as_array().unwrap().iter();
        let answer = |(text, start): (&Value, &Value)| GoldAnswer {
            text: text.as_str().unwrap().into(),
            start: start.as_u64().unwrap() as usize,
        };
        gold.push(list("text").zip(list("answer_start")).map(answer).collect());
    }
    (texts, gold)
}

fn tokenizer(name: &str) -> Tokenizer {
    let path = match name {
        "bert-tiny" => root().join("models/bert-tiny/tokenizer.json"),
        family => families::path(family, "tokenizer.json"),
    };
    Tokenizer::from_json(name, &bytes(&path)).unwrap()
}

fn encode(case: &Value, texts: &Texts) -> (Vec<Encoding>, Vec<Window>) {
    let number = |key: &str| case[key].as_u64().unwrap() as usize;
    let tokenizer = tokenizer(case["tokenizer"].as_str().unwrap());
    tokenizer.encode_questions(texts, number("max_length"), number("doc_stride")).unwrap()
}

/// Ids, segments, offsets and the place of the answer in each window.
#[test]
fn windows_are_those_of_transformers() {
    let fixture = read(&fixture("questions/windows.json"));
    let (texts, gold) = questions(&fixture["rows"]);
    for case in fixture["cases"].as_array().unwrap() {
        let (encodings, windows) = encode(case, &texts);
        let expected = case["windows"].as_array().unwrap();
        let what = format!("{} {}", case["tokenizer"], case["max_length"]);
        assert_eq!(windows.len(), expected.len(), "{what}");
        let Targets::Spans(found) = spans(&windows, &encodings, &gold) else { unreachable!() };
        for (index, expected) in expected.iter().enumerate() {
            let (encoding, window) = (&encodings[index], &windows[index]);
            let offsets: Vec<_> = (0..encoding.ids.len()).map(|at| window.offset(at)).collect();
            let span = [found[index].start, found[index].end];
            let seen = json!({"row": window.row, "input_ids": encoding.ids, "offsets": offsets, "span": span});
            for key in ["row", "input_ids", "offsets", "span"] {
                assert_eq!(seen[key], expected[key], "{what}, window {index}: {key}");
            }
            if !expected["token_type_ids"].is_null() {
                assert_eq!(json!(encoding.type_ids), expected["token_type_ids"], "{what}");
            }
        }
    }
    let long =
        Texts { first: vec!["so many words".repeat(9)], second: vec!["x y".repeat(40)], ..texts };
    let refused = tokenizer("bert-tiny").encode_questions(&long, 40, 16).err().unwrap().to_string();
    assert!(refused.starts_with("max_length = 40: question 1 has "), "{refused}");
}

#[test]
fn answers_are_put_together_as_run_qa_does() {
    let of_windows = read(&fixture("questions/windows.json"));
    let (texts, _) = questions(&of_windows["rows"]);
    let (_, windows) = encode(&of_windows["cases"][0], &texts);
    for case in read(&fixture("questions/answers.json")).as_array().unwrap() {
        let logits: Vec<Vec<[f32; 2]>> = serde_json::from_value(case["logits"].clone()).unwrap();
        let prediction =
            |logits: Vec<[f32; 2]>| Prediction { logits: logits.concat(), ..Prediction::default() };
        let predictions: Vec<Prediction> = logits.into_iter().map(prediction).collect();
        let may_abstain = case["version_2_with_negative"] == true;
        let found = answers(&texts.second, &windows, &predictions, may_abstain);
        let said: Vec<&str> = found.iter().map(Prediction::answer).collect();
        assert_eq!(json!(said), case["answers"]);
        for (found, best) in found.iter().zip(case["best"].as_array().unwrap()) {
            let best: Vec<(String, f32)> = serde_json::from_value(best.clone()).unwrap();
            assert_eq!(found.answers.len(), best.len());
            for (found, (text, probability)) in found.answers.iter().zip(best) {
                assert_eq!(found.text, text);
                assert!((found.score - probability).abs() < 1e-5, "{found:?} {probability}");
            }
        }
        assert_eq!(said.contains(&""), may_abstain, "the fixture shows both");
    }
}

#[test]
fn metrics_are_those_of_squad() {
    let fixture = read(&fixture("questions/metrics.json"));
    let close = |found: f64, expected: &Value, what: &str| {
        let expected = expected.as_f64().unwrap();
        assert!((found - expected).abs() < 1e-12, "{what}: {found}, reference {expected}");
    };
    let mut scores = Vec::new();
    for row in fixture["rows"].as_array().unwrap() {
        let gold: Vec<String> = serde_json::from_value(row["gold"].clone()).unwrap();
        let score = RowScore::new(&gold, row["answer"].as_str().unwrap());
        assert_eq!(score.exact_match, row["exact_match"], "{row}");
        close(score.f1, &row["f1"], &row.to_string());
        scores.push(score);
    }
    let of = |rows: &Value| {
        let rows: Vec<usize> = serde_json::from_value(rows.clone()).unwrap();
        AnswerMetrics::of(rows.iter().map(|&row| &scores[row]))
    };
    let (squad, v2) = (&fixture["squad"], &fixture["squad_v2"]);
    let metrics = of(&squad["rows"]);
    assert_eq!(metrics.no_answer, None);
    for (figure, value) in Metrics::Answers(metrics).figures() {
        close(value * 100.0, &squad[figure], figure);
    }
    let metrics = of(&v2["rows"]);
    close(metrics.exact_match * 100.0, &v2["all"]["exact"], "exact");
    close(metrics.f1 * 100.0, &v2["all"]["f1"], "f1");
    for (part, key) in [(metrics.has_answer, "has_answer"), (metrics.no_answer, "no_answer")] {
        let AnswerPart { rows, f1, exact_match } = part.unwrap();
        assert_eq!(rows, v2[key]["total"]);
        close(exact_match * 100.0, &v2[key]["exact"], key);
        close(f1 * 100.0, &v2[key]["f1"], key);
    }
}

/// Sixteen questions of which nothing can be learned but by heart; four have no answer.
#[test]
fn it_learns_sixteen_questions() {
    let folder = root().join("models/bert-tiny");
    let names = ["config.json", "model.safetensors", "tokenizer.json"];
    let named = names.map(|name| (name.to_owned(), bytes(&folder.join(name))));
    let model = ModelFiles::from_named("bert-tiny", named.to_vec()).unwrap();
    let words = ["river", "stone", "cloud", "engine", "violin", "pepper", "window", "letter"];
    let (mut texts, mut gold) = (Texts::default(), Vec::new());
    for row in 0..16 {
        let context: Vec<&str> = (0..8).map(|at| words[(row * 3 + at * 5) % 8]).collect();
        let question = format!("{} {}", words[row % 8], words[(row * 7 + row / 8) % 8]);
        let context = context.join(" ");
        let answer = words[(row * row + 3) % 8];
        let start = context.find(answer).unwrap();
        texts.push(&question, Some(&context));
        let answer = GoldAnswer { text: answer.into(), start };
        gold.push(if row % 4 == 3 { Vec::new() } else { vec![answer] });
    }
    let head = Head { task: TASK, label_map: LabelMap::of_a_span() };
    let (classifier, report) = Classifier::for_training(&model, head, 3, &Device::flex()).unwrap();
    assert_eq!(report.initialized, ["qa_outputs.weight", "qa_outputs.bias"]);
    let (encodings, windows) = classifier.tokenizer().encode_questions(&texts, 64, 8).unwrap();
    let targets = spans(&windows, &encodings, &gold);
    let config =
        TrainConfig { epochs: 240, batch_size: 16, learning_rate: 2e-3, ..TrainConfig::default() };
    let mut trainer = Trainer::new(classifier, encodings.clone(), targets, config).unwrap();
    while !trainer.is_done() {
        trainer.step().unwrap();
    }
    let classifier = trainer.classifier();
    let predictions = pollster::block_on(classifier.predict(&encodings, 16, |_| ())).unwrap();
    let found = answers(&texts.second, &windows, &predictions, true);
    let metrics = Metrics::new(&Targets::Answers(gold), &found, classifier.label_map());
    let Metrics::Answers(metrics) = metrics else { unreachable!() };
    assert_eq!((metrics.exact_match, metrics.f1), (1.0, 1.0), "{metrics:?}");
    assert_eq!(metrics.no_answer.map(|part| part.rows), Some(4));
}
