//! What a device would answer with garbage, or with the end of the process, is refused before it
//! gets there.

use emberlab_core::{
    Device,
    model::{Classifier, ModelFiles},
    text::Encoding,
    train::{TrainConfig, Trainer},
};

use crate::command::classifier;

fn open() -> Classifier {
    let files = classifier().map(|(name, content)| (name.to_owned(), content));
    let files = ModelFiles::from_named("random3", files.into()).unwrap();
    Classifier::open(&files, &Device::flex()).unwrap().0
}

/// Of 120 words, 2 types, 48 positions and 4 classes.
#[test]
fn ids_types_positions_and_labels_are_checked_on_the_host() {
    let good = Encoding { ids: vec![2, 119, 3], type_ids: vec![0, 1, 1], ..Encoding::default() };
    let long = Encoding { ids: vec![1; 49], type_ids: vec![0; 49], ..Encoding::default() };
    let cases = [
        (Encoding { ids: vec![2, 120, 3], ..good.clone() }, 0, "input_ids = 120: row 1 has it"),
        (Encoding { ids: vec![2, u32::MAX, 3], ..good.clone() }, 0, "input_ids = 4294967295"),
        (
            Encoding { type_ids: vec![0, 2, 0], ..good.clone() },
            0,
            "token_type_ids = 2: row 1 has it, but the model has 2",
        ),
        (Encoding::default(), 0, "gives no token for row 1"),
        (long, 0, "max_length = 49: the model has 48 positions"),
        (good.clone(), 4, "labels = 4: there are 4 classes"),
    ];
    for (bad, label, says) in cases {
        let rows = vec![good.clone(), bad];
        let trainer = Trainer::new(open(), rows.clone(), vec![0, label], TrainConfig::default());
        let said = trainer.err().expect(says).to_string();
        assert!(said.contains(says), "{said}");
        if label == 0 {
            let said = pollster::block_on(open().predict(&rows, 8, |_| ())).expect_err(says);
            assert!(said.to_string().contains(says), "{said}");
        }
    }
    assert!(pollster::block_on(open().predict(&[good], 8, |_| ())).is_ok());
}
