//! What the `tokenizers` crate takes for granted of a `tokenizer.json`, and panics without.

use serde::Deserialize;
use serde_json::Value;

/// The rest of the file is passed over.
#[derive(Deserialize)]
struct Looked {
    #[serde(default)]
    post_processor: Value,
    /// Not used: the crate panics on one with a string that is no Unicode.
    #[serde(default, rename = "decoder")]
    _decoder: Value,
}

/// Each special token that a template names has ids. Whatever else is wrong is the crate's to say.
pub(super) fn check(tokenizer: &[u8]) -> Result<(), String> {
    match serde_json::from_slice(tokenizer) {
        Ok(Looked { post_processor, .. }) => check_processor(&post_processor),
        // What is no JSON is not handed on: the crate keeps all that comes before the mistake.
        Err(error) => Err(format!("not a readable tokenizer.json: {error}")),
    }
}

fn check_processor(processor: &Value) -> Result<(), String> {
    for inner in processor["processors"].as_array().into_iter().flatten() {
        check_processor(inner)?;
    }
    for pieces in [&processor["single"], &processor["pair"]] {
        let pieces = pieces.as_array().into_iter().flatten();
        for name in pieces.filter_map(|piece| piece["SpecialToken"]["id"].as_str()) {
            if processor["special_tokens"].get(name).is_none() {
                return Err(format!(
                    "its template names \"{name}\", which is not among its special_tokens"
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tokenizers` 0.23.2 panics on them (`decoders/mod.rs`, `expect("Helper")`).
    #[test]
    fn what_is_no_json_does_not_reach_the_crate() {
        assert!(check(b"{\"decoder\": {\"type\": \"WordPiece\", \"prefix\": \"##\"}}").is_ok());
        for text in [
            &b"{\"decoder\": {\"prefix\": \"\xff\"}}"[..],
            b"{\"decoder\": }",
            b"{\"decoder\"",
            b"{\"post_processor\": null, \"post_processor\": null, \"decoder\": }",
        ] {
            let said = check(text).unwrap_err();
            assert!(said.starts_with("not a readable tokenizer.json"), "{said}");
        }
    }
}
