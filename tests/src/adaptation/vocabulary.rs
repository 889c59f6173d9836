//! A vocabulary with more words keeps what was there, to the last bit.

use std::process::Command;

use emberlab_core::{
    Device,
    model::{MaskedLm, ModelFiles},
};
use safetensors::{Dtype, SafeTensors};

use crate::{
    cli::transformers::python,
    command::{Ran, Scratch},
    support::{bytes, folder, root, say, shared},
};

fn values(file: &SafeTensors, key: &str) -> Vec<f32> {
    let view = file.tensor(key).unwrap();
    let data = view.data();
    match view.dtype() {
        Dtype::F32 => {
            data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
        }
        Dtype::F16 => {
            let half = |b: &[u8]| f16_value(u16::from_le_bytes(b.try_into().unwrap()));
            data.chunks_exact(2).map(half).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// IEEE 754 binary16, by its definition.
fn f16_value(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from((bits >> 10) & 31), f32::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2f32.powi(-24),
        _ => sign * (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

#[test]
fn old_rows_keep_their_bits_and_new_ones_are_means() {
    let files = folder(&root().join("models/bert-tiny"));
    let tokenizer = files.tokenizer(&files.config().unwrap()).unwrap();
    let words = ["epithelium", "myocardium"].map(str::to_owned);
    let pieces: Vec<Vec<u32>> =
        words.iter().map(|word| tokenizer.pieces_of(word).unwrap()).collect();
    assert!(pieces.iter().all(|pieces| pieces.len() > 1));
    let written = files.with_words(&words).unwrap();
    let of = |name: &str| &written.iter().find(|(known, _)| known == name).unwrap().1;
    let old = bytes(&root().join("models/bert-tiny/model.safetensors"));
    let (old, new) = (
        SafeTensors::deserialize(&old).unwrap(),
        SafeTensors::deserialize(of("model.safetensors")).unwrap(),
    );
    assert_eq!(old.names().len(), new.names().len());
    for key in old.names() {
        let (before, after) = (values(&old, key), values(&new, key));
        let bits = |values: &[f32]| -> Vec<u32> { values.iter().map(|v| v.to_bits()).collect() };
        assert_eq!(bits(&before), bits(&after[..before.len()]), "{key}");
        let rows = old.tensor(key).unwrap().shape()[0];
        if rows != 30_522 {
            assert_eq!(before.len(), after.len(), "{key}");
            continue;
        }
        let width = before.len() / rows;
        assert_eq!(after.len(), before.len() + 2 * width, "{key}");
        for (at, pieces) in pieces.iter().enumerate() {
            for column in 0..width {
                let sum: f64 = pieces
                    .iter()
                    .map(|&piece| f64::from(before[piece as usize * width + column]))
                    .sum();
                let mean = (sum / pieces.len() as f64) as f32;
                assert_eq!(after[(rows + at) * width + column], mean, "{key}");
            }
        }
    }
    let extended = ModelFiles::from_named("extended", written.clone()).unwrap();
    let model = MaskedLm::open(&extended, &Device::flex()).unwrap();
    let encoding = model.tokenizer().encode("The myocardium.", 16).unwrap();
    assert_eq!(encoding.ids[2], 30_523);
    let error = extended.with_words(&words).unwrap_err().to_string();
    assert!(error.contains("has the word \"epithelium\" already"), "{error}");
}

/// The words that an anatomy book has most of make its held-out chapters shorter by a tenth.
#[test]
fn new_words_make_an_anatomy_book_shorter() {
    let Some(book) = shared("data/openstax/anatomy_physiology.txt") else { return };
    let scratch = Scratch::new();
    scratch.run(&format!("corpus {} --out corpus", book.display())).ok();
    let said = scratch
        .run("tokenizer extend --model bert-tiny --corpus corpus --words 1500 --out extended")
        .ok();
    let line = said.lines().find(|line| line.starts_with("held out")).unwrap();
    let figures: Vec<f64> =
        line.split_whitespace().filter_map(|word| word.parse().ok()).take(3).collect();
    say(&format!("pieces per word: {line}\n"));
    assert!(figures[1] <= 0.9 * figures[0], "{said}");
    assert!(said.contains("words added to 30,522 rows"), "{said}");
}

/// transformers opens what was trained, and splits as we do.
#[test]
fn transformers_opens_new_vocabularies() {
    let Some(python) = python() else {
        say("SKIPPED: new vocabularies in transformers: there is no Python with it\n");
        return;
    };
    let scratch = Scratch::new();
    scratch.write("notes.md", notes());
    scratch.run("corpus notes.md --out corpus").ok();
    for kind in ["wordpiece", "bpe"] {
        let line =
            format!("tokenizer train --corpus corpus --kind {kind} --vocab-size 400 --out {kind}");
        let said = scratch.run(&line).ok();
        assert!(said.contains("pieces per word"), "{said}");
        let script = format!(
            "from transformers import AutoTokenizer; \
             t = AutoTokenizer.from_pretrained({:?}); \
             print(t('The heart pumps blood.')['input_ids'], t.mask_token_id)",
            scratch.path(kind).display().to_string()
        );
        let ran = Ran::from(Command::new(&python).args(["-c", &script]).output().unwrap()).ok();
        let file = bytes(&scratch.path(&format!("{kind}/tokenizer.json")));
        let ours = emberlab_core::text::Tokenizer::from_json("t", &file).unwrap();
        let ids = ours.encode("The heart pumps blood.", 64).unwrap().ids;
        assert_eq!(ran.trim(), format!("{ids:?} {}", ours.mask_token_id().unwrap()));
    }
}

/// Twelve documents of a few sentences each, which are not all the same.
pub fn notes() -> String {
    let organs = ["heart", "liver", "kidney", "lung", "stomach", "spleen"];
    let verbs = ["pumps", "filters", "cleans", "moves", "stores", "carries"];
    let things = ["blood", "water", "air", "salt", "sugar", "oxygen"];
    let mut text = String::new();
    for document in 0..12 {
        text.push_str(&format!("# Part {document}\n\n"));
        for line in 0..6 {
            let word = |of: &[&'static str; 6], by: usize| of[(document + line * by) % 6];
            let (organ, verb, thing) = (word(&organs, 1), word(&verbs, 2), word(&things, 3));
            text.push_str(&format!(
                "In part {document} the {organ} {verb} {thing} through the body for {line} hours. \
                 Every {organ} that {verb} {thing} is a healthy {organ} on day {document}.\n\n"
            ));
        }
    }
    text
}
