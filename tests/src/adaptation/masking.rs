//! Masks are what BERT's are, and a training on them goes on as if it had never stopped.

use std::collections::{BTreeMap, BTreeSet};

use emberlab_core::{
    Device,
    data::Targets,
    model::{MaskedLm, Source},
    text::{Encoding, Packed},
    train::{LabelledRows, MaskedRows, Masking, TrainConfig, Trainer},
};

use crate::support::{bytes, folder, root};

fn model() -> MaskedLm {
    MaskedLm::open(&folder(&root().join("models/bert-tiny")), &Device::flex()).unwrap()
}

/// Sentences that are in the repository.
fn texts() -> Vec<Vec<String>> {
    let lines = bytes(&root().join("data/emotions/train.jsonl"));
    let lines = String::from_utf8(lines).unwrap();
    let text = |line: &str| -> String {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        row["text"].as_str().unwrap().to_owned()
    };
    let sentences: Vec<String> = lines.lines().map(text).collect();
    sentences.chunks(100).map(<[String]>::to_vec).collect()
}

fn packed(model: &MaskedLm, max_length: usize) -> Packed {
    Packed::new(model.tokenizer(), &texts(), max_length).unwrap()
}

fn tags(rows: &LabelledRows) -> &[Vec<usize>] {
    match &rows.targets {
        Targets::Tags(tags) => tags,
        _ => panic!("masked rows have tags"),
    }
}

/// What is masked of each row: the places of its tokens.
fn places(row: &Encoding) -> BTreeSet<usize> {
    row.words.iter().map(|word| word.token).collect()
}

#[test]
fn fifteen_percent_are_chosen_and_eighty_ten_ten_of_them_become_what_they_should() {
    let model = model();
    let packed = packed(&model, 128);
    let rows = MaskedRows::new(packed.encodings.clone(), Masking::new(&model, 0.15).unwrap());
    let mask = model.tokenizer().mask_token_id().unwrap();
    let special = model.tokenizer().special_token_ids();
    let (mut tokens, mut chosen, mut became) = (0, 0, [0; 3]);
    for epoch in 0..4 {
        let masked = rows.in_epoch(7, epoch);
        for ((row, was), truth) in masked.encodings.iter().zip(&packed.encodings).zip(tags(&masked))
        {
            tokens += was.ids.len() - 2;
            chosen += row.words.len();
            for (word, truth) in row.words.iter().zip(truth) {
                assert_eq!(was.ids[word.token] as usize, *truth);
                let kind = match row.ids[word.token] {
                    id if id == mask => 0,
                    id if id as usize == *truth => 2,
                    id => {
                        assert!(!special.contains(&id));
                        1
                    }
                };
                became[kind] += 1;
            }
            // Nothing else has changed.
            let places = places(row);
            let same = |at: usize| places.contains(&at) || row.ids[at] == was.ids[at];
            assert!((0..row.ids.len()).all(same));
        }
    }
    let part = |count: usize, of: usize| count as f64 / of as f64;
    assert!(chosen > 10_000, "{chosen}");
    assert!((part(chosen, tokens) - 0.15).abs() < 0.01, "{}", part(chosen, tokens));
    for (count, expected) in became.into_iter().zip([0.8, 0.1, 0.1]) {
        assert!((part(count, chosen) - expected).abs() < 0.01, "{became:?} of {chosen}");
    }
}

#[test]
fn words_are_chosen_whole_and_others_in_each_epoch() {
    let model = model();
    let packed = packed(&model, 64);
    let rows = MaskedRows::new(packed.encodings.clone(), Masking::new(&model, 0.15).unwrap());
    let (first, second) = (rows.in_epoch(7, 0), rows.in_epoch(7, 1));
    assert_eq!(first, rows.in_epoch(7, 0));
    assert_ne!(first, rows.in_epoch(8, 0));
    let differ = |(a, b): (&Encoding, &Encoding)| places(a) != places(b);
    let differing = first.encodings.iter().zip(&second.encodings).filter(|&pair| differ(pair));
    assert!(differing.count() > first.encodings.len() * 9 / 10);

    let mut in_pieces = 0;
    for (row, was) in first.encodings.iter().zip(&packed.encodings) {
        let masked = places(row);
        let ends = was.words.iter().skip(1).map(|word| word.token).chain([was.ids.len() - 1]);
        for (word, end) in was.words.iter().zip(ends) {
            let chosen = (word.token..end).filter(|at| masked.contains(at)).count();
            assert!(chosen == 0 || chosen == end - word.token);
            in_pieces += usize::from(chosen > 1);
        }
    }
    assert!(in_pieces > 20, "{in_pieces}");
}

/// The words that a model is measured on do not depend on the pieces that its vocabulary makes of them,
/// nor on how rows are packed.
#[test]
fn held_out_words_are_the_same_for_every_vocabulary() {
    let model = model();
    let words = |tokenizer: &emberlab_core::text::Tokenizer, max_length: usize| {
        let packed = Packed::new(tokenizer, &texts(), max_length).unwrap();
        let rows = MaskedRows::new(packed.encodings.clone(), Masking::new(&model, 0.15).unwrap());
        let masked = rows.held_out(1);
        let mut found = BTreeMap::new();
        for ((row, was), characters) in
            masked.encodings.iter().zip(&packed.encodings).zip(&packed.characters)
        {
            let masked = places(row);
            for (word, characters) in was.words.iter().zip(characters) {
                if masked.contains(&word.token) {
                    found.insert(word.index, *characters);
                }
            }
        }
        (found, packed.words())
    };
    let (usual, count) = words(model.tokenizer(), 128);
    let more =
        model.tokenizer().with_words(&["heartbreakingly".into(), "unfairness".into()], 40_000);
    assert_eq!(usual, words(&more.unwrap(), 64).0);
    assert!((usual.len() as f64 / count as f64 - 0.15).abs() < 0.01);
}

/// Bytes equal those of a training that nothing interrupted.
#[test]
fn a_training_goes_on_to_the_same_bits() {
    let trainer = || {
        let model = model();
        let rows = packed(&model, 32).encodings[..24].to_vec();
        let rows = MaskedRows::new(rows, Masking::new(&model, 0.15).unwrap());
        let config =
            TrainConfig { epochs: 3, batch_size: 8, learning_rate: 1e-3, ..TrainConfig::default() };
        Trainer::masked(model, rows, config).unwrap()
    };
    let finish = |mut trainer: Trainer| {
        while !trainer.is_done() {
            trainer.step().unwrap();
        }
        pollster::block_on(trainer.state()).unwrap()
    };
    let whole = finish(trainer());
    let mut broken = trainer();
    // Within the second epoch, whose masks are others.
    for _ in 0..4 {
        broken.step().unwrap();
    }
    let state = pollster::block_on(broken.state()).unwrap();
    let resumed = trainer().restore("state", Source::Bytes(state)).unwrap();
    assert_eq!(resumed.step_count(), 4);
    assert!(finish(resumed) == whole);
}

/// What is learned by heart is known.
#[test]
fn a_few_rows_are_learned() {
    let model = model();
    let rows = packed(&model, 32).encodings[..16].to_vec();
    let masking = Masking::new(&model, 0.15).unwrap();
    let held_out = MaskedRows::new(rows.clone(), masking.clone()).held_out(3);
    let loss = |model: &MaskedLm| -> f32 {
        let found = pollster::block_on(model.surprise(&held_out, 8, |_| ())).unwrap();
        let all: Vec<f32> = found.into_iter().flatten().collect();
        all.iter().sum::<f32>() / all.len() as f32
    };
    let before = loss(&model);
    let config =
        TrainConfig { epochs: 150, batch_size: 16, learning_rate: 3e-3, ..TrainConfig::default() };
    let mut trainer = Trainer::masked(model, MaskedRows::new(rows, masking), config).unwrap();
    while !trainer.is_done() {
        trainer.step().unwrap();
    }
    let after = loss(&trainer.masked_lm());
    assert!(after < before / 2.0, "{before} before, {after} after");
}
