//! `emberlab tokenize` shows what a tokenizer of transformers returns.

use emberlab_core::text::{Texts, Tokenizer};
use serde_json::Value;

use crate::command::{Scratch, jsonl};
use crate::support::{bytes, fixture, json, root};

fn words(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Every field of every text and pair, cut and padded in each way.
#[test]
fn all_fields_equal_those_of_transformers() {
    let scratch = Scratch::new();
    for case in json(&fixture("tokenize.json")).as_array().unwrap() {
        let mut arguments =
            vec!["tokenize".to_owned(), "--model".into(), "bert-tiny".into(), "--json".into()];
        let settings = &case["settings"];
        if let Some(length) = settings.get("max_length") {
            arguments.extend(["--max-length".into(), length.to_string()]);
        }
        let padding =
            settings.get("padding").map_or("do_not_pad", |padding| padding.as_str().unwrap());
        arguments.extend(["--padding".into(), padding.into()]);
        let pairs = words(&case["pairs"]);
        if !pairs.is_empty() {
            arguments.push("--text-pair".into());
            arguments.extend(pairs);
        }
        arguments.push("--".into());
        arguments.extend(words(&case["texts"]));
        let output = scratch.command(&arguments).output().unwrap();
        let tables = jsonl(std::str::from_utf8(&output.stdout).unwrap());
        let expected = case["tables"].as_array().unwrap();
        assert_eq!(tables.len(), expected.len(), "{}", String::from_utf8_lossy(&output.stderr));
        for (table, expected) in tables.iter().zip(expected) {
            for (field, value) in expected.as_object().unwrap() {
                assert_eq!(table[field], *value, "{field} of {} {settings}", table["text"]);
            }
        }
    }
}

/// What training and prediction see of texts and pairs: ids and segments, cut.
#[test]
fn ids_and_segments_of_pairs_equal_those_of_transformers() {
    let path = root().join("models/bert-tiny/tokenizer.json");
    let tokenizer = Tokenizer::from_json("tokenizer.json", &bytes(&path)).unwrap();
    let mut compared = 0;
    for case in json(&fixture("tokenize.json")).as_array().unwrap() {
        if case["settings"].get("padding").is_some() {
            continue;
        }
        let max_length =
            case["settings"]["max_length"].as_u64().map_or(512, |length| length as usize);
        let (first, second) = (words(&case["texts"]), words(&case["pairs"]));
        let texts = Texts { first, second, ..Texts::default() };
        let encodings = tokenizer.encode_texts(&texts, max_length).unwrap();
        for (encoding, expected) in encodings.iter().zip(case["tables"].as_array().unwrap()) {
            assert_eq!(serde_json::to_value(&encoding.ids).unwrap(), expected["input_ids"]);
            assert_eq!(
                serde_json::to_value(&encoding.type_ids).unwrap(),
                expected["token_type_ids"]
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 27);
}

#[test]
fn the_table_shows_padding_and_what_was_cut() {
    let scratch = Scratch::new();
    let mut command = scratch.command(["tokenize", "--max-length", "5", "unaffable words", "a"]);
    let shown = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let rows: Vec<Vec<&str>> =
        shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(rows.contains(&vec!["0", "[CLS]", "101", "–", "–", "0", "1", "1"]), "{shown}");
    assert!(rows.contains(&vec!["4", "[PAD]", "0", "–", "–", "0", "0", "1"]), "{shown}");
    assert!(
        shown.contains("5 tokens; 1 cut off: words") && shown.contains("3 tokens and 2 of padding"),
        "{shown}"
    );
}

#[test]
fn what_cannot_be_tokenized_is_refused() {
    let scratch = Scratch::new();
    for (line, says) in [
        ("tokenize a --model absent", "absent: no tokenizer.json or vocab.txt there"),
        ("tokenize a --max-length 2", "max_length = 2: the special tokens alone take 2"),
        ("tokenize a --padding max_length", "--padding max_length needs --max-length N"),
        ("tokenize a b --text-pair c", "each text needs its other half"),
    ] {
        let said = scratch.run(line).error();
        assert!(said.contains(says), "{line}: {said}");
    }
}
