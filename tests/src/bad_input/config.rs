//! `config.json` and `tokenizer.json` of folders that nobody vouches for.

use serde_json::{Value, json};

use super::{
    folder::{CONFIG, Folder},
    refused, sound,
};
use crate::command::{Scratch, classifier};

/// The cases below.
pub fn count() -> usize {
    VALUES.len() + NO_OBJECTS.len() + tokenizers().len()
}

const PREDICT: &str = "predict --model bad --text hello";

/// Key, value, and how the message goes on after the file's name.
const VALUES: [(&str, &str, &str); 36] = [
    ("vocab_size", "0", "vocab_size is 0; expected 1 to"),
    ("vocab_size", "18446744073709551615", "vocab_size is 18446744073709551615; expected"),
    ("vocab_size", "18446744073709551616", "invalid type: floating point"),
    ("vocab_size", "120.0", "invalid type: floating point `120.0`, expected usize"),
    ("vocab_size", "1e400", "not a JSON object: number out of range"),
    ("vocab_size", "[120]", "invalid type: sequence, expected usize"),
    ("vocab_size", "true", "invalid type: boolean `true`, expected usize"),
    ("hidden_size", "0", "hidden_size is 0"),
    ("hidden_size", "65537", "hidden_size is 65537; expected 1 to 65536"),
    ("hidden_size", "\"32\"", "invalid type: string \"32\", expected usize"),
    ("num_hidden_layers", "1001", "num_hidden_layers is 1001; expected 1 to 1000"),
    ("num_hidden_layers", "-1", "invalid value: integer `-1`, expected usize"),
    ("num_attention_heads", "1025", "num_attention_heads is 1025"),
    ("num_attention_heads", "7", "hidden_size 32 is not a multiple of num_attention_heads 7"),
    ("intermediate_size", "0", "intermediate_size is 0"),
    ("intermediate_size", "1000001", "intermediate_size is 1000001"),
    ("max_position_embeddings", "0", "max_position_embeddings is 0"),
    ("max_position_embeddings", "4294967296", "max_position_embeddings is 4294967296"),
    ("type_vocab_size", "0", "type_vocab_size is 0"),
    ("type_vocab_size", "1001", "type_vocab_size is 1001"),
    ("hidden_act", "7", "invalid type: integer `7`, expected a string"),
    ("hidden_act", "\"\"", "hidden_act \"\" is not supported"),
    ("hidden_dropout_prob", "-0.1", "hidden_dropout_prob is -0.1; expected 0 to below 1"),
    ("hidden_dropout_prob", "\"none\"", "invalid type: string \"none\", expected f64"),
    ("attention_probs_dropout_prob", "1.5", "attention_probs_dropout_prob is 1.5"),
    ("classifier_dropout", "2", "classifier_dropout is 2"),
    ("layer_norm_eps", "-1e-12", "layer_norm_eps and initializer_range must be above 0"),
    ("initializer_range", "0", "layer_norm_eps and initializer_range must be above 0"),
    ("pad_token_id", "-1", "invalid value: integer `-1`, expected u32"),
    ("pad_token_id", "4294967296", "invalid value: integer `4294967296`, expected u32"),
    ("model_type", "7", "model_type is 7; expected a name"),
    ("model_type", "\"t5\"", "model_type \"t5\" is not supported"),
    (
        "position_embedding_type",
        "\"rotary\"",
        "position_embedding_type \"rotary\" is not supported",
    ),
    ("is_decoder", "\"no\"", "invalid type: string \"no\", expected a boolean"),
    (
        "id2label",
        "{\"0\": \"a\", \"zero\": \"b\", \"2\": \"c\", \"3\": \"d\"}",
        "id2label has no name",
    ),
    ("id2label", "7", "invalid type: integer `7`, expected a map"),
];

#[test]
fn values_that_no_model_has() {
    let scratch = sound();
    for (key, value, says) in VALUES {
        write(&scratch);
        let config = String::from_utf8(classifier()[0].1.clone()).unwrap();
        let mut lines: Vec<&str> = config.trim_end().trim_end_matches('}').lines().collect();
        let known = format!("\"{key}\":");
        // One line a key, but for those that hold an object, which only need their last say.
        lines.retain(|line| !line.trim_start().starts_with(&known) || line.ends_with('{'));
        let rest = lines.join("\n").trim_end().trim_end_matches(',').to_owned();
        let config = match key {
            "id2label" => with(&config, key, value),
            _ => format!("{rest},\n\"{key}\": {value}}}"),
        };
        scratch.write("bad/config.json", config);
        refused(&scratch, PREDICT, &format!("bad/config.json: {says}"));
    }
}

fn with(config: &str, key: &str, value: &str) -> String {
    let mut config: Value = serde_json::from_str(config).unwrap();
    config[key] = serde_json::from_str(value).unwrap();
    config.to_string()
}

/// What is in `config.json` where no object is, and how the message goes on.
const NO_OBJECTS: [(&[u8], &str); 9] = [
    (b"", "not a JSON object: EOF"),
    (b"{", "not a JSON object: EOF"),
    (b"{}", "missing field `vocab_size`"),
    (b"null", "not a JSON object: invalid type: null"),
    (b"\"config\"", "not a JSON object: invalid type: string"),
    (b"{\"vocab_size\": 120,}", "not a JSON object: trailing comma"),
    (b"{\"vocab_size\": 120, \"vocab_size\": 120}", "duplicate field `vocab_size`"),
    (b"\xff\xfe{\0}\0", "not a JSON object: expected value"),
    (b"{\"hidden_act\": \"\xff\"}", "not a JSON object: invalid unicode"),
];

#[test]
fn files_that_hold_no_configuration() {
    let scratch = sound();
    for (content, says) in NO_OBJECTS {
        write(&scratch);
        scratch.write("bad/config.json", content);
        refused(&scratch, PREDICT, &format!("bad/config.json: {says}"));
    }
    write(&scratch);
    scratch.write("bad/config.json", "[".repeat(100_000));
    refused(&scratch, PREDICT, "bad/config.json: not a JSON object");
    scratch.write("bad/config.json", "{\"a\":".repeat(100_000));
    refused(&scratch, PREDICT, "bad/config.json: not a JSON object: recursion limit exceeded");
}

/// A folder without a mistake.
fn write(scratch: &Scratch) {
    Folder::sound().write(scratch, "bad");
    assert!(scratch.path("bad").join(CONFIG).is_file());
}

/// A `tokenizer.json` by one change of a good one: where, what, and how the message goes on.
fn tokenizers() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("/model", Value::Null, "not a readable tokenizer.json"),
        ("/model", json!({}), "not a readable tokenizer.json"),
        ("/model/type", json!("Unigram"), "not a readable tokenizer.json"),
        ("/model/type", json!("Guess"), "not a readable tokenizer.json"),
        ("/model/vocab", json!([]), "not a readable tokenizer.json"),
        ("/model/vocab", json!({"[UNK]": -1}), "not a readable tokenizer.json"),
        ("/model/vocab", json!({"[UNK]": 4_294_967_296_u64}), "not a readable tokenizer.json"),
        ("/model/vocab", json!({"[UNK]": 0, "a": 4_000_000_000_u32}), "gives ids up to 4000000000"),
        ("/model/vocab", json!({"[UNK]": 0, "a": 4_294_967_295_u32}), "gives ids up to 4294967295"),
        ("/model/max_input_chars_per_word", json!(-1), "not a readable tokenizer.json"),
        ("/pre_tokenizer", json!({"type": "Guess"}), "not a readable tokenizer.json"),
        (
            "/normalizer",
            json!({"type": "Replace", "pattern": {"Regex": "("}, "content": ""}),
            "not a readable tokenizer.json",
        ),
        ("/post_processor/single", json!([]), "adds no [CLS] to a text"),
        ("/post_processor", Value::Null, "adds no [CLS] to a text"),
        (
            "/post_processor/special_tokens",
            json!({}),
            "its template names \"[CLS]\", which is not among",
        ),
        ("/version", json!("9.9"), "not a readable tokenizer.json"),
        ("/added_tokens", json!([{"id": 0}]), "not a readable tokenizer.json"),
    ]
}

#[test]
fn tokenizers_that_nobody_vouches_for() {
    let scratch = sound();
    for (place, value, says) in tokenizers() {
        let mut folder = Folder::sound();
        folder.tokenizer(1, 0);
        folder.write(&scratch, "bad");
        let mut tokenizer = scratch.json("bad/tokenizer.json");
        let (parent, key) = place.rsplit_once('/').unwrap();
        tokenizer.pointer_mut(parent).unwrap()[key] = value;
        scratch.write("bad/tokenizer.json", tokenizer.to_string());
        refused(&scratch, PREDICT, &format!("bad/tokenizer.json: {says}"));
    }
}
