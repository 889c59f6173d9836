//! SentencePiece's `precompiled_charsmap`, which a `Precompiled` normalizer holds: in base64 the bytes of a trie as a
//! `u32`, the trie, then texts that end in NUL, by one of which a character is replaced.

use serde_json::Value;

/// Bytes of such a text. Those of NMT's NFKC (T5, XLM-RoBERTa) end at 33.
const LONGEST: usize = 256;

/// What would not end well in the charsmaps of a normalizer or of those in it: the crate takes memory for as long a
/// trie as is claimed, up to 8 GB.
pub(super) fn check(normalizer: &Value) -> Result<(), String> {
    match normalizer {
        Value::Array(steps) => steps.iter().try_for_each(check),
        Value::Object(fields) => fields.iter().try_for_each(|(name, field)| match field {
            Value::String(map) if name == "precompiled_charsmap" => check_map(map),
            other => check(other),
        }),
        _ => Ok(()),
    }
}

fn check_map(map: &str) -> Result<(), String> {
    let cut_off = || "its precompiled_charsmap is shorter than it says".to_owned();
    let map = base64::decode(map)
        .map_err(|error| format!("its precompiled_charsmap is no base64: {error}"))?;
    let (size, rest) = map.split_first_chunk().ok_or_else(cut_off)?;
    let texts = rest.get(u32::from_le_bytes(*size) as usize..).ok_or_else(cut_off)?;
    let longest = texts.split(|&byte| byte == 0).map(<[u8]>::len).max().unwrap_or_default();
    if longest > LONGEST {
        return Err(format!(
            "its precompiled_charsmap replaces a character by {longest} bytes; at most {LONGEST} are read"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn normalizer(map: &[u8]) -> Value {
        let map = json!({"type": "Precompiled", "precompiled_charsmap": base64::encode(map)});
        json!({"type": "Sequence", "normalizers": [{"type": "NFC"}, map]})
    }

    #[test]
    fn a_map_is_as_long_as_it_says_and_its_texts_are_short() {
        let long = ["\u{4}\0\0\0trie", &"a".repeat(257)].concat();
        for (map, says) in [
            (&b"\xff\xff\xff\xff"[..], "shorter than it says"),
            (b"\x05\0\0\0trie", "shorter than it says"),
            (b"\x04\0\0", "shorter than it says"),
            (long.as_bytes(), "replaces a character by 257 bytes"),
        ] {
            let said = check(&normalizer(map)).unwrap_err();
            assert!(said.contains(says), "{said}");
        }
        let said = check(&json!([{"precompiled_charsmap": "-"}])).unwrap_err();
        assert!(said.contains("no base64"), "{said}");
        assert_eq!(check(&normalizer(b"\x04\0\0\0triea\0bc\0")), Ok(()));
    }
}
