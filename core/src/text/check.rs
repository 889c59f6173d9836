//! What is looked at in a `tokenizer.json` before the `tokenizers` crate (0.23.2) reads it, which takes much of it for
//! granted: where that is not so it panics, or takes memory or time without end.

use serde::Deserialize;
use serde_json::Value;

use super::charsmap;
use super::parts::{Entries, Part};

/// Bytes of a piece of a vocabulary. Real ones end at 128 spaces; the crate goes down Unigram's letter by letter, to
/// where a stack ends.
const LONGEST_PIECE: usize = 1000;
/// Letters of a word, which WordPiece takes the square of; BERT's has 100.
const MOST_LETTERS: usize = 1000;
/// How many times as long a text may become before it is tokenized. XLM-RoBERTa's may become 12 times as long.
const MOST_GROWTH: usize = 64;
/// Special tokens around a text.
const MOST_SPECIAL: usize = 1000;

/// The rest of the file is passed over.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Entries,
    #[serde(default)]
    normalizer: Part,
    #[serde(default)]
    pre_tokenizer: Part,
    #[serde(default)]
    post_processor: Part,
    /// Not used: the crate panics on one with a string that is no Unicode.
    #[serde(default, rename = "decoder")]
    _decoder: Part,
    #[serde(default)]
    model: Model,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Model {
    vocab: Entries,
    merges: Entries,
    max_input_chars_per_word: Option<usize>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
}

/// What would not end well. Whatever else is wrong is the crate's to say. It may have `vocab_size` pieces.
pub(super) fn check(tokenizer: &[u8], vocab_size: usize) -> Result<(), String> {
    // What is no JSON is not handed on: the crate keeps all that comes before the mistake.
    let file: File = serde_json::from_slice(tokenizer)
        .map_err(|error| format!("not a readable tokenizer.json: {error}"))?;
    check_model(&file.model)?;
    for (what, entries) in
        [("model.vocab", &file.model.vocab), ("added_tokens", &file.added_tokens)]
    {
        if entries.count > vocab_size {
            let count = entries.count;
            return Err(format!("{what} has {count} entries, but vocab_size is {vocab_size}"));
        }
    }
    charsmap::check(&file.normalizer.0)?;
    if growth(&file.normalizer.0).saturating_mul(growth(&file.pre_tokenizer.0)) > MOST_GROWTH {
        return Err(format!(
            "its normalizer and pre_tokenizer make a text more than {MOST_GROWTH} times as long"
        ));
    }
    match special_tokens(&file.post_processor.0)? {
        count if count > MOST_SPECIAL => {
            Err(format!("it puts {count} special tokens around a text"))
        }
        _ => Ok(()),
    }
}

fn check_model(model: &Model) -> Result<(), String> {
    let affixes = [&model.continuing_subword_prefix, &model.end_of_word_suffix];
    let affixes = affixes.into_iter().flatten().map(String::len);
    let longest = affixes.fold(model.vocab.longest, usize::max);
    if longest > LONGEST_PIECE {
        return Err(format!(
            "a piece of its model has {longest} bytes; at most {LONGEST_PIECE} are read"
        ));
    }
    // Of several ways to the same piece each is a merge.
    let (merges, pieces) = (model.merges.count, model.vocab.count);
    if merges > pieces.saturating_mul(8) {
        return Err(format!("model.merges has {merges} entries for {pieces} pieces"));
    }
    match model.max_input_chars_per_word {
        Some(most) if most > MOST_LETTERS => Err(format!(
            "max_input_chars_per_word is {most}; at most {MOST_LETTERS} are read (BERT has 100)"
        )),
        _ => Ok(()),
    }
}

/// How many times as long a text becomes, step after step.
fn growth(steps: &Value) -> usize {
    let length = |key: &str| steps[key].as_str().map_or(0, str::len);
    let own = match steps["type"].as_str() {
        _ if steps.get("content").is_some() => {
            let pattern = steps["pattern"]["String"].as_str().map_or(1, str::len).max(1);
            length("content").div_ceil(pattern).max(1)
        }
        _ if steps.get("prepend").is_some() => 1 + length("prepend"),
        Some("ByteLevel") => 2,
        Some("Metaspace") => 4,
        _ => 1,
    };
    let inner: Vec<&Value> = match steps {
        Value::Array(steps) => steps.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => return 1,
    };
    inner.into_iter().map(growth).fold(own, usize::saturating_mul)
}

/// How many special tokens a template puts around a text, which stands in it once; each has ids.
fn special_tokens(processor: &Value) -> Result<usize, String> {
    let mut count = 0;
    for inner in processor["processors"].as_array().into_iter().flatten() {
        count += special_tokens(inner)?;
    }
    for pieces in [&processor["single"], &processor["pair"]] {
        let pieces: Vec<&Value> = pieces.as_array().into_iter().flatten().collect();
        for name in pieces.iter().filter_map(|piece| piece["SpecialToken"]["id"].as_str()) {
            let ids = processor["special_tokens"].get(name).ok_or_else(|| {
                format!("its template names \"{name}\", which is not among its special_tokens")
            })?;
            count += ids["ids"].as_array().map_or(0, Vec::len);
        }
        for text in ["A", "B"] {
            let times = pieces.iter().filter(|piece| piece["Sequence"]["id"] == text).count();
            if times > 1 {
                return Err(format!("its template has the text {text} {times} times"));
            }
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tokenizers` 0.23.2 panics on them (`decoders/mod.rs`, `expect("Helper")`).
    #[test]
    fn what_is_no_json_does_not_reach_the_crate() {
        let check = |file| check(file, 1);
        assert!(check(b"{\"decoder\": {\"type\": \"WordPiece\", \"prefix\": \"##\"}}").is_ok());
        for text in [
            &b"{\"decoder\": {\"prefix\": \"\xff\"}}"[..],
            b"{\"decoder\": {\"prefix\": \"\\ud800\"}}",
            b"{\"decoder\": }",
            b"{\"decoder\"",
            b"{\"post_processor\": null, \"post_processor\": null, \"decoder\": }",
        ] {
            let said = check(text).unwrap_err();
            assert!(said.starts_with("not a readable tokenizer.json"), "{said}");
        }
    }

    #[test]
    fn what_would_take_memory_or_time_without_end_is_refused() {
        let long = "a".repeat(1001);
        let ten = r#"{"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaaaa"}"#;
        let bytes = r#"{"type": "ByteLevel"}"#;
        let ids = vec!["7"; 600].join(",");
        let special = r#"{"SpecialToken": {"id": "x", "type_id": 0}}"#;
        let list = |items: &str| format!(r#"{{"post_processor": [{items}]}}"#);
        for (file, says) in [
            (format!(r#"{{"model": {{"vocab": [["a", 0], ["{long}", 0]]}}}}"#), "has 1001 bytes"),
            (format!(r#"{{"model": {{"vocab": {{"{long}": 0}}}}}}"#), "has 1001 bytes"),
            (format!(r###"{{"model": {{"continuing_subword_prefix": "{long}"}}}}"###), "has 1001 bytes"),
            (r#"{"model": {"vocab": {"a": 0, "b": 1, "c": 2}}}"#.into(), "3 entries, but vocab_size is 2"),
            (r#"{"added_tokens": [{}, {}, {}]}"#.into(), "added_tokens has 3 entries"),
            (r#"{"model": {"vocab": {}, "merges": ["a b"]}}"#.into(), "1 entries for 0 pieces"),
            (r#"{"model": {"max_input_chars_per_word": 1000000}}"#.into(), "is 1000000; at most 1000"),
            (
                format!(r#"{{"normalizer": {{"normalizers": [{ten}]}}, "pre_tokenizer": {{"pretokenizers": [{bytes}, {bytes}, {bytes}]}}}}"#),
                "more than 64 times as long",
            ),
            (format!(r#"{{"normalizer": {{"prepend": "{long}"}}}}"#), "more than 64 times"),
            (
                format!(r#"{{"post_processor": {{"single": [{special}, {special}], "special_tokens": {{"x": {{"ids": [{ids}]}}}}}}}}"#),
                "1200 special tokens",
            ),
            (
                r#"{"post_processor": {"single": [{"Sequence": {"id": "A"}}, {"Sequence": {"id": "A"}}]}}"#.into(),
                "has the text A 2 times",
            ),
            (list(&vec!["0"; 10_000].join(",")), "more than 10000 values"),
        ] {
            let said = check(file.as_bytes(), 2).unwrap_err();
            assert!(said.contains(says), "{said}");
        }
        assert!(check(list(&vec!["0"; 9_999].join(",")).as_bytes(), 2).is_ok());
    }
}
