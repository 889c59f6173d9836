//! Token ids equal Hugging Face's on 1,000 Unicode strings: WordPiece, byte-level BPE and Unigram. The
//! page's tests run the same files through the WebAssembly engine.

use emberlab_core::text::Tokenizer;
use serde_json::{Value, json as value};
use sha2::{Digest, Sha256};

use crate::support::{bytes, fixture, json, root};

fn text(case: &Value) -> String {
    match case.get("repeat") {
        Some(repeat) => {
            let part = repeat[0].as_str().unwrap();
            part.repeat(repeat[1].as_u64().unwrap() as usize)
        }
        None => case["text"].as_str().unwrap().into(),
    }
}

fn ids_agree(tokenizer: &Tokenizer) {
    let cases = json(&fixture("tokens.json"));
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 1000);
    let texts: Vec<String> = cases.iter().map(text).collect();
    let together = tokenizer.encode_all(&texts, 1 << 20).unwrap();
    for ((case, text), encoding) in cases.iter().zip(&texts).zip(together) {
        let start: String = text.chars().take(40).collect();
        assert_eq!(serde_json::to_value(&encoding.ids).unwrap(), case["ids"], "{start:?}");
        assert_eq!(tokenizer.encode(text, 1 << 20).unwrap(), encoding, "{start:?}");
    }
}

#[test]
fn tokenizer_json_gives_the_ids_of_hugging_face() {
    let path = root().join("models/bert-tiny/tokenizer.json");
    ids_agree(&Tokenizer::from_json("tokenizer.json", &bytes(&path)).unwrap());
}

#[test]
fn vocab_txt_gives_the_same_ids() {
    let tokenizer = json(&root().join("models/bert-tiny/tokenizer.json"));
    let mut vocab: Vec<(&String, u64)> = tokenizer["model"]["vocab"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(piece, id)| (piece, id.as_u64().unwrap()))
        .collect();
    vocab.sort_by_key(|(_, id)| *id);
    let lines: Vec<&str> = vocab.into_iter().map(|(piece, _)| piece.as_str()).collect();
    let vocab = lines.join("\n") + "\n";
    ids_agree(&Tokenizer::from_vocab("vocab.txt", vocab.as_bytes(), None).unwrap());
}

/// Long lists of ids are kept as their hash.
fn shortened(ids: &[u32], expected: &Value) -> Value {
    if expected.is_array() {
        return value!(ids);
    }
    let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
    value!({"length": ids.len(), "sha256": format!("{:x}", Sha256::digest(ids.join(",")))})
}

#[test]
fn each_kind_of_tokenizer_gives_the_ids_of_hugging_face() {
    let cases = json(&fixture("tokens.json"));
    let texts: Vec<String> = cases.as_array().unwrap().iter().map(text).collect();
    for family in ["roberta", "xlm-roberta", "distilbert", "modernbert"] {
        let folder = fixture("families").join(family);
        let tokenizer = bytes(&folder.join("tokenizer.json"));
        let tokenizer = Tokenizer::from_json("tokenizer.json", &tokenizer).unwrap();
        let expected = json(&folder.join("tokens.json"));
        let expected = expected.as_array().unwrap();
        assert_eq!(expected.len(), 1000);
        let encodings = tokenizer.encode_all(&texts, 1 << 20).unwrap();
        for ((text, encoding), expected) in texts.iter().zip(encodings).zip(expected) {
            let start: String = text.chars().take(40).collect();
            let got = shortened(&encoding.ids, expected);
            assert_eq!(&got, expected, "{family}: {start:?}");
        }
    }
}
