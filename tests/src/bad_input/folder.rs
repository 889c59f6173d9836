//! A model folder to make mistakes in.

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Value, json};

use crate::command::{Scratch, classifier};

pub const CONFIG: &str = "config.json";
pub const WEIGHTS: &str = "model.safetensors";

/// How a tensor is stored: type, shape and bytes.
type Stored = (Dtype, Vec<usize>, Vec<u8>);

/// The files of a model folder by name.
pub struct Folder(BTreeMap<&'static str, Vec<u8>>);

impl Folder {
    /// The random classifier, without a mistake.
    pub fn sound() -> Self {
        Self(classifier().into())
    }

    pub fn write(self, scratch: &Scratch, name: &str) {
        for (file, content) in self.0 {
            scratch.write(&format!("{name}/{file}"), content);
        }
    }

    pub fn without(&mut self, file: &str) {
        self.0.remove(file).unwrap();
    }

    pub fn rename(&mut self, file: &str, name: &'static str) {
        let content = self.0.remove(file).unwrap();
        self.put(name, content);
    }

    pub fn put(&mut self, file: &'static str, content: impl Into<Vec<u8>>) {
        self.0.insert(file, content.into());
    }

    /// Sets keys of `config.json`; null takes one away.
    pub fn config(&mut self, changes: Value) {
        let mut config: Value = serde_json::from_slice(&self.0[CONFIG]).unwrap();
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        config.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self.put(CONFIG, config.to_string());
    }

    /// Changes one tensor; `None` takes it away.
    pub fn tensor(&mut self, key: &str, change: impl Fn(&TensorView) -> Option<Stored>) {
        let file = SafeTensors::deserialize(&self.0[WEIGHTS]).unwrap();
        let kept =
            |view: &TensorView| Some((view.dtype(), view.shape().to_vec(), view.data().to_vec()));
        let tensors = file.tensors().into_iter().filter_map(|(name, view)| {
            let changed = if name == key { change(&view) } else { kept(&view) };
            Some((name, changed?))
        });
        let tensors: Vec<_> = tensors.collect();
        let views = tensors.iter().map(|(name, (dtype, shape, data))| {
            (name, TensorView::new(*dtype, shape.clone(), data).unwrap())
        });
        let weights = safetensors::serialize(views, None).unwrap();
        self.put(WEIGHTS, weights);
    }

    pub fn without_tensor(&mut self, key: &str) {
        self.tensor(key, |_| None);
    }

    /// Cuts a tensor's values to this shape.
    pub fn cut(&mut self, key: &str, shape: &[usize]) {
        let size = 4 * shape.iter().product::<usize>();
        self.tensor(key, |view| Some((view.dtype(), shape.to_vec(), view.data()[..size].to_vec())));
    }

    /// Stores a tensor of as many bytes in another way.
    pub fn stored_as(&mut self, key: &str, dtype: Dtype, shape: &[usize]) {
        self.tensor(key, |view| Some((dtype, shape.to_vec(), view.data().to_vec())));
    }

    pub fn first_value(&mut self, key: &str, value: f32) {
        self.tensor(key, |view| {
            let data = [&value.to_le_bytes(), &view.data()[4..]].concat();
            Some((view.dtype(), view.shape().to_vec(), data))
        });
    }

    /// Changes the bytes of `model.safetensors`.
    pub fn weights(&mut self, change: impl Fn(&mut Vec<u8>)) {
        change(self.0.get_mut(WEIGHTS).unwrap());
    }

    /// A `tokenizer.json` that puts `[CLS]`, with this id and type, before each text.
    pub fn tokenizer(&mut self, id: u32, type_id: u32) {
        let cls = json!({"SpecialToken": {"id": "[CLS]", "type_id": type_id}});
        let text = json!({"Sequence": {"id": "A", "type_id": 0}});
        let special = json!({"[CLS]": {"id": "[CLS]", "ids": [id], "tokens": ["[CLS]"]}});
        let tokenizer = json!({
            "version": "1.0",
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [cls, text], "pair": [cls, text], "special_tokens": special,
            },
            "model": {
                "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "[CLS]": 1},
            },
        });
        self.put("tokenizer.json", tokenizer.to_string());
    }
}
