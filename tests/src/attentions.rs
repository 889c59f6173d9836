//! Attention probabilities are those of transformers. Fixture by `fixtures/make_attentions.py`.

use emberlab_core::{Device, model::Classifier, text::Encoding};

use crate::support::{distance, fixture, folder, json, root};

#[test]
fn attentions_are_those_of_transformers() {
    let cases = json(&fixture("attentions.json"));
    assert_eq!(cases.as_object().unwrap().len(), 5);
    for (path, case) in cases.as_object().unwrap() {
        let (kernels, _) = Classifier::open(&folder(&root().join(path)), &Device::flex()).unwrap();
        let ids: Vec<u32> = serde_json::from_value(case["input_ids"].clone()).unwrap();
        let encoding = Encoding { type_ids: vec![0; ids.len()], ids, ..Encoding::default() };
        let expected: Vec<f32> = serde_json::from_value(case["values"].clone()).unwrap();
        for classifier in [kernels.clone(), kernels.clone().without_kernels()] {
            let found = pollster::block_on(classifier.attentions(&encoding)).unwrap();
            let shape = [found.layers, found.heads, found.tokens];
            let known = |key: &str| case[key].as_u64().unwrap() as usize;
            assert_eq!(shape, [known("layers"), known("heads"), encoding.ids.len()], "{path}");
            let error = distance(&found.values, &expected);
            assert!(error <= 1e-4, "{path}: {error}");
        }
    }
}
