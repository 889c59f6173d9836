//! What the `tokenizers` crate takes for granted of a `tokenizer.json`, and panics without.

use serde::Deserialize;
use serde_json::Value;
use tokenizers::utils::SysRegex;

/// The rest of the file is passed over.
#[derive(Deserialize)]
struct Looked {
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    post_processor: Value,
    /// Not used: the crate panics on one with a string that is no Unicode.
    #[serde(default, rename = "decoder")]
    _decoder: Value,
}

/// Each special token that a template names has ids, and what is replaced is something. Whatever else is wrong is the crate's to say.
pub(super) fn check(tokenizer: &[u8]) -> Result<(), String> {
    match serde_json::from_slice(tokenizer) {
        Ok(Looked { normalizer, post_processor, .. }) => {
            check_normalizer(&normalizer)?;
            check_processor(&post_processor)
        }
        // What is no JSON is not handed on: the crate keeps all that comes before the mistake.
        Err(error) => Err(format!("not a readable tokenizer.json: {error}")),
    }
}

/// `tokenizers` 0.23.2 loses count of its places where nothing is replaced, and panics in what follows
/// (`tokenizer/normalizer.rs`, `self.alignments[idx]`).
fn check_normalizer(normalizer: &Value) -> Result<(), String> {
    for inner in normalizer["normalizers"].as_array().into_iter().flatten() {
        check_normalizer(inner)?;
    }
    // Whatever its type is called, the crate takes what has a pattern and a content for one that replaces.
    let pattern = &normalizer["pattern"];
    let regex = pattern["Regex"].as_str().and_then(|regex| SysRegex::new(regex).ok());
    let may_be_empty = |regex: SysRegex| {
        ["", "a b"].iter().any(|text| regex.find_iter(text).any(|(start, end)| start == end))
    };
    if pattern["String"] == "" || regex.is_some_and(may_be_empty) {
        return Err(format!("its normalizer replaces {pattern}, which finds nothing at all, too"));
    }
    Ok(())
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

    #[test]
    fn what_is_replaced_is_something() {
        let of = |pattern: &str| {
            let replace = format!("{{\"type\": \"Replace\", \"pattern\": {pattern}}}");
            let all = format!("{{\"type\": \"Sequence\", \"normalizers\": [{replace}]}}");
            check(format!("{{\"normalizer\": {all}}}").as_bytes())
        };
        for pattern in ["{\"Regex\": \" {2,}\"}", "{\"String\": \" \"}", "{\"Regex\": \"(\"}"] {
            assert_eq!(of(pattern), Ok(()), "{pattern}");
        }
        for pattern in ["{\"Regex\": \" {0,}\"}", "{\"String\": \"\"}", "{\"Regex\": \"\\\\b\"}"] {
            assert!(of(pattern).unwrap_err().contains("nothing at all"), "{pattern}");
        }
    }

    /// `tokenizers` 0.23.2 panics on them (`decoders/mod.rs`, `expect("Helper")`).
    #[test]
    fn what_is_no_json_does_not_reach_the_crate() {
        assert!(check(b"{\"decoder\": {\"type\": \"WordPiece\", \"prefix\": \"##\"}}").is_ok());
        for text in [
            &b"{\"decoder\": {\"prefix\": \"\xff\"}}"[..],
            b"{\"decoder\": }",
            b"{\"decoder\"",
            b"{\"normalizer\": null, \"normalizer\": null, \"decoder\": }",
        ] {
            let said = check(text).unwrap_err();
            assert!(said.starts_with("not a readable tokenizer.json"), "{said}");
        }
    }
}
